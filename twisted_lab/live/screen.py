"""The whole screen, as a function from model to lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from rich.console import Group
from rich.text import Text

from twisted_lab.live import amounts
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.ladder import ladder, sizes
from twisted_lab.live.model import Asking, Model, Opened
from twisted_lab.live.tables import CONNECTIONS, ENTRIES, TALKS, Column, fit, table
from twisted_lab.live.values import Connection, Entry, Service, Talk

Row = TypeVar("Row", Connection, Talk)

#: The keys, in as many words as there is room for.
_KEYS = (
    "Up/Down choose  Enter ladder  Tab peers  p pause  / filter  s service  c close  r reset  "
    "? help  q quit",
    "Enter ladder  p pause  / filter  s service  c close  r reset  ? help  q quit",
    "Enter ladder  / filter  ? help  q quit",
    "? help  q quit",
)
_LADDER_KEYS = (
    "Up/Down scroll  Escape back  p pause  c close  r reset  ? help  q quit",
    "Escape back  c close  r reset  q quit",
    "Esc back  ? help  q quit",
)

HELP = (
    ("Up Down, k j", "choose a connection or a datagram peer; in the ladder, scroll"),
    ("Page up, Page down", "ten rows at once; Home and End: to the first and the last"),
    ("Tab", "between connections and datagram peers"),
    ("Enter", "the ladder of what is chosen"),
    ("Escape, Backspace", "back; in the table, drop the filter"),
    ("p", "pause the view, and go on; the bench does not notice"),
    ("/", "filter by text; Enter keeps it, Escape drops it"),
    ("s", "one service after the other, then all"),
    ("c", "close the chosen connection (FIN); asks first, needs the token"),
    ("r", "reset it (RST); asks first, needs the token"),
    ("?", "this; any key goes back"),
    ("q, Ctrl-C", "quit"),
)


def screen(model: Model, width: int, height: int, glyphs: Glyphs) -> Group:
    """*height* lines of at most *width* cells that show *model*."""
    return Group(*lines(model, width, height, glyphs))


def lines(model: Model, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """The lines of :func:`screen`."""
    last = _last_line(model, width, glyphs)
    body = max(height - 2, 0)
    if model.help:
        shown = _help(width, glyphs)
    elif model.opened is not None:
        shown = _ladder(model, model.opened, width, body, glyphs)
    else:
        shown = _tables(model, width, body, glyphs)
    filled = [*shown[:body], *[Text("")] * (body - len(shown))]
    every = [_headline(model, width, glyphs), *filled, last]
    for line in every:
        line.no_wrap, line.overflow = True, "crop"
        line.truncate(width)
    return every[:height] if height > 2 else every[-height:]


def _headline(model: Model, width: int, glyphs: Glyphs) -> Text:
    """Where we look, and whether what is shown is live."""
    state, style = _state(model)
    counts = model.view.now.counts
    more = f"{counts.open:,} open, {counts.closed:,} closed"
    version = f" {model.view.bench.version}" if model.view.bench is not None else ""
    line = Text(f"socketlab{version} ", "bold")
    if width >= 60:
        line.append(f"{model.url}  {more}  ", "not bold")
    room = width - line.cell_len
    return line.append(fit(state, max(room, 0), glyphs), style)


def _state(model: Model) -> tuple[str, str]:
    if model.away is not None:
        return f"LOST: {model.away.why}; tried again every few seconds", "bold red"
    if model.stale:
        return f"OLD COUNTS: {model.stale}", "bold yellow"
    if model.frozen is not None:
        since = model.data.arrived - model.frozen.arrived
        return f"PAUSED, {since:,} events since", "bold yellow"
    return "live", "bold green"


def _last_line(model: Model, width: int, glyphs: Glyphs) -> Text:
    """What is asked, typed or said; else the keys."""
    if model.asking is not None:
        return Text(fit(_question(model, model.asking), width, glyphs), "bold reverse")
    if model.typing:
        return Text(fit(f"filter: {model.filter}", width - 1, glyphs) + "_", "bold")
    if model.said:
        return Text(fit(model.said, width, glyphs), "bold yellow")
    choices = _KEYS if model.opened is None else _LADDER_KEYS
    keys = next((text for text in choices if len(text) <= width), choices[-1])
    return Text(fit(keys, width, glyphs), "dim")


def _question(model: Model, asking: Asking) -> str:
    about = model.find(asking.id) if model.opened is None else model.opened.about
    who = "" if about is None else f" ({about.service}, {about.peer})"
    return f"{asking.verb} {asking.id}? y/n{who}"


def _help(width: int, glyphs: Glyphs) -> list[Text]:
    found = [Text("")]
    for keys, what in HELP:
        line = Text(f" {keys:<19} ", "bold")
        found.append(line.append(fit(what, max(width - line.cell_len, 0), glyphs), "not bold"))
    return found


def _tables(model: Model, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    services = _services(model, width, 2 if height > 16 else 1, glyphs)
    streams, talks, entries = model.connections(), model.talks(), model.entries()
    room = height - len(services) - 3  # two lines of titles, and the rule
    for_talks = min(len(talks), max(room // 5, 1)) if room > 6 else 0
    room -= for_talks + (for_talks > 0)
    for_entries = max(room * 2 // 5, 1)
    for_streams = max(room - for_entries, 1)
    found = services + _window(CONNECTIONS, streams, for_streams, model, width, glyphs)
    if not streams:
        found.append(Text("  none" if model.filter or model.service else "  none yet", "dim"))
    found += [Text("")] * (for_streams - max(min(len(streams), for_streams), 1))
    if for_talks:
        found += _window(TALKS, talks, for_talks, model, width, glyphs)
    found.append(_rule(model, len(streams), width, glyphs))
    last = _named(entries[-for_entries:], model.view.now.talks)
    return found + table(ENTRIES, last, width, glyphs)


def _named(entries: Sequence[Entry], talks: Sequence[Talk]) -> list[Entry]:
    """*entries*, those of datagrams with the id of their peer: the stream has none for them."""
    ids = {(talk.service, talk.peer): talk.id for talk in talks}
    return [
        entry
        if entry.conversation
        else replace(entry, conversation=ids.get((entry.service, entry.peer), ""))
        for entry in entries
    ]


def _rule(model: Model, listed: int, width: int, glyphs: Glyphs) -> Text:
    """A line across, with what is not listed and why."""
    counts = model.view.now.counts
    said = []
    if model.service is not None:
        said.append(f"service {model.service}")
    if model.filter:
        said.append(f"filter {model.filter}")
    if listed < counts.open + counts.closed:
        said.append(f"{listed:,} of {counts.open + counts.closed:,} connections listed")
    if counts.forgotten:
        said.append(f"{counts.forgotten:,} older ones forgotten")
    text = fit(f" {glyphs.data} ".join(said), width - 4, glyphs)
    line = Text(f"{glyphs.data} {text} " if text else "", "dim")
    return line.append(glyphs.data * (width - line.cell_len))


def _window(
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    height: int,
    model: Model,
    width: int,
    glyphs: Glyphs,
) -> list[Text]:
    """As many of *rows* as there is room for, the chosen one among them."""
    at = next((n for n, row in enumerate(rows) if row.id == model.chosen), 0)
    begin = max(min(at - height // 2, len(rows) - height), 0)
    shown = rows[begin : begin + height]
    return table(columns, shown, width, glyphs, lambda row: row.id == model.chosen)


def _services(model: Model, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Name and counts of each, as many as there is room for, and how many more there are."""
    found = [Text()]
    services = model.view.now.services
    for number, service in enumerate(services):
        text = Text("  " if found[-1].cell_len else "")
        text.append_text(_service(model, service, width, glyphs))
        if found[-1].cell_len + text.cell_len > width - 9 * (len(found) == height):
            if len(found) == height:
                found[-1].append(f"  +{len(services) - number} more")
                break
            found.append(text[2:])
        else:
            found[-1].append_text(text)
    return found


def _service(model: Model, service: Service, width: int, glyphs: Glyphs) -> Text:
    chosen = model.service == service.name
    text = Text(
        f"[{service.name}]" if chosen else service.name, "bold reverse" if chosen else "bold"
    )
    moved = service.datagrams_in or service.bytes_in or service.bytes_out
    text.append(f" {service.open:,} open", "not bold not reverse")
    if width >= 60:
        text.append(f" of {service.accepted:,}", "not bold not reverse")
    if width >= 100 and moved:
        amount = f" {glyphs.down}{amounts.size(service.bytes_in)} {glyphs.up}"
        text.append(amount + amounts.size(service.bytes_out), "not bold not reverse")
    if service.datagrams_in and width >= 60:
        text.append(f" {service.datagrams_in:,} datagrams", "not bold not reverse")
    if service.state != "serving":
        text.append(f" {service.state}", "not bold not reverse yellow")
    return text


def whole_ladder(opened: Opened, width: int, glyphs: Glyphs) -> Iterator[Text]:
    """*opened* from its begin to its end."""
    if opened.about is not None:
        yield from _head(opened, opened.about, width, glyphs)
        yield from ladder(opened, width, glyphs)


def _ladder(model: Model, opened: Opened, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Who it is, whose lifelines these are, and the rows that there is room for."""
    if opened.about is None:
        return [Text(""), Text(f" {opened.id}: {opened.trouble or 'asking the bench'}")]
    head = _head(opened, opened.about, width, glyphs)
    room = max(height - len(head), 1)
    end = max(opened.rows - model.scroll, min(room, opened.rows))
    rows = islice(ladder(opened, width, glyphs), max(end - room, 0), end)
    return [*head, *rows]


def _head(
    opened: Opened, about: Connection | Talk, width: int, glyphs: Glyphs
) -> tuple[Text, Text, Text]:
    trouble = Text(opened.trouble, "bold yellow")
    ends = _ends(about, width)
    title = _title(about)
    if ends is None:
        title.append(f"  {about.peer}", "not bold")
        ends = _names("peer", "bench", width)
    return title, _totals(about, trouble), ends


def _title(about: Connection | Talk) -> Text:
    line = Text(f"{about.id} ", "bold").append(f"{about.service}  ", "not bold")
    if isinstance(about, Talk):
        return line.append("datagrams", "not bold")
    line.append(f"{about.transport}  ", "not bold")
    line.append(about.state, "bold")
    if about.reason:
        line.append(f" {about.reason}", "bold")
    return line.append(f"  {about.detail}" if about.detail else "", "not bold")


def _totals(about: Connection | Talk, trouble: Text) -> Text:
    line = Text(f"{amounts.exact(about.bytes_in)} in, {amounts.exact(about.bytes_out)} out")
    if isinstance(about, Talk):
        line.append(f"; {about.datagrams_in:,} datagrams in, {about.datagrams_out:,} out")
        line.append(f", {about.dropped:,} dropped")
    else:
        line.append(f", {amounts.duration(about.duration)}")
        if about.rate_in or about.rate_out:
            moving = amounts.rate(about.rate_in) or "0 B/s"
            line.append(f"; now {moving} in, {amounts.rate(about.rate_out) or '0 B/s'} out")
    return line.append("  ").append_text(trouble)


def _ends(about: Connection | Talk, width: int) -> Text | None:
    """The two addresses above their lifelines, if there is room for them."""
    room = sizes(width).span + 2
    return _names(about.peer, about.local, width) if len(about.peer + about.local) < room else None


def _names(left: str, right: str, width: int) -> Text:
    size = sizes(width)
    return Text(" " * size.time + left + right.rjust(size.span + 2 - len(left)), "bold")

"""The whole screen, as a function from model to lines."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from twisted_lab.live.closeup import closeup
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.model import Asking, Model
from twisted_lab.live.overview import overview
from twisted_lab.live.tables import fit

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
        shown = closeup(model, model.opened, width, body, glyphs)
    else:
        shown = overview(model, width, body, glyphs)
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

"""The overview: services, connections, datagram peers and the last events, in so many lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from rich.text import Text

from twisted_lab.live import amounts
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.model import Model
from twisted_lab.live.tables import CONNECTIONS, ENTRIES, TALKS, Column, fit, table
from twisted_lab.live.values import Connection, Entry, Service, Talk

Row = TypeVar("Row", Connection, Talk)

#: Cells for how many more services there are.
_MORE = len("  +999 more")

#: Lines of a screen from which the services may take two.
_TALL = 16


def overview(model: Model, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """At most *height* lines, if it is 8 or more."""
    services = _services(model, width, 2 if height > _TALL else 1)
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


def _services(model: Model, width: int, height: int) -> list[Text]:
    """Name and counts of each, as many as there is room for, and how many more there are."""
    found = [Text()]
    services = model.view.now.services
    for number, service in enumerate(services):
        text = _service(model, service, width)
        last = len(found) == height
        if not found[-1]:
            found[-1] = text
        elif found[-1].cell_len + 2 + text.cell_len <= width - _MORE * last:
            found[-1].append("  ").append_text(text)
        elif last:
            found[-1].append(f"  +{len(services) - number} more")
            break
        else:
            found.append(text)
    return found


def _service(model: Model, service: Service, width: int) -> Text:
    chosen = model.service == service.name
    text = Text()
    text.append(f"[{service.name}]" if chosen else service.name, "bold")
    text.append(f" {service.open:,} open")
    if width >= 60:
        text.append(f" of {service.accepted:,}")
    if width >= 100 and (service.bytes_in or service.bytes_out):
        text.append(f", {amounts.size(service.bytes_in)} in")
        text.append(f", {amounts.size(service.bytes_out)} out")
    if width >= 60 and service.datagrams_in:
        text.append(f", {service.datagrams_in:,} datagrams")
    if service.state != "serving":
        text.append(f" {service.state}", "yellow")
    return text

"""The tables: services, connections, datagram peers, events; each row is one line.

A table has as many columns as its width has room for, the most telling first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from twisted_lab.live import amounts
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.values import Connection, Entry, Service, Talk

Row = TypeVar("Row")

#: What each word of a connection looks like; the word itself says it too.
_STYLES = {
    "open": "green",
    "ending": "yellow",
    "suspended": "yellow",
    "stopping": "yellow",
    "peer-fin": "",
    "local": "",
}
_TROUBLE = "red"

#: Cells of the longest IPv6 address with its port.
_ADDRESS = 47


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column: its title, how its cell is made, and how many cells wide it is; 0 is what is left.

    It is there in tables of ``since`` cells and more, but fewer than ``until``. Numbers stand
    ``right``.
    """

    title: str
    cell: Callable[[Row], Text | str]
    width: int
    since: int = 0
    right: bool = False
    until: int = 10**9


def _word(each: Connection) -> Text:
    return Text(each.word, _STYLES.get(each.word, _TROUBLE))


def _service_word(each: Service) -> Text:
    return Text(each.state, "green" if each.state == "serving" else _TROUBLE)


SERVICES: Sequence[Column[Service]] = (
    Column("service", lambda each: Text(each.name, "bold"), 10),
    Column("state", _service_word, 9),
    Column("open", lambda each: f"{each.open:,}", 6, 0, True),
    Column("accepted", lambda each: f"{each.accepted:,}", 9, 0, True),
    Column("refused", lambda each: f"{each.refused:,}", 8, 80, True),
    Column("in", lambda each: amounts.size(each.bytes_in), 9, 80, True),
    Column("out", lambda each: amounts.size(each.bytes_out), 9, 80, True),
    Column("datagrams", lambda each: f"{each.datagrams_in:,}", 9, 80, True),
    Column("dropped", lambda each: f"{each.dropped:,}", 8, 100, True),
    Column("ports", lambda each: " ".join(each.ports), 0, 120),
)

CONNECTIONS: Sequence[Column[Connection]] = (
    Column("id", lambda each: each.id, 6),
    Column("service", lambda each: each.service, 8),
    Column("peer", lambda each: each.peer, 0, 60),
    Column("transport", lambda each: each.transport, 9, 120),
    Column("state", _word, 9),
    Column("in", lambda each: amounts.size(each.bytes_in), 9, 0, True),
    Column("out", lambda each: amounts.size(each.bytes_out), 9, 60, True),
    Column("in/s", lambda each: amounts.rate(each.rate_in), 11, 100, True),
    Column("out/s", lambda each: amounts.rate(each.rate_out), 11, 100, True),
    Column("moving", lambda each: amounts.rate(each.rate_in + each.rate_out), 11, 92, True, 100),
    Column("lasted", lambda each: amounts.duration(each.duration), 11, 80, True),
)

TALKS: Sequence[Column[Talk]] = (
    Column("id", lambda each: each.id, 6),
    Column("service", lambda each: each.service, 8),
    Column("peer", lambda each: each.peer, 0, 60),
    Column("datagrams in", lambda each: f"{each.datagrams_in:,}", 12, 0, True),
    Column("out", lambda each: f"{each.datagrams_out:,}", 8, 60, True),
    Column("bytes in", lambda each: amounts.size(each.bytes_in), 9, 100, True),
    Column("bytes out", lambda each: amounts.size(each.bytes_out), 9, 100, True),
    Column("dropped", lambda each: f"{each.dropped:,}", 8, 0, True),
)


def _size(entry: Entry) -> str:
    return "" if entry.bytes is None else amounts.size(entry.bytes)


ENTRIES: Sequence[Column[Entry]] = (
    Column("time", lambda entry: amounts.moment(entry.ns), 12, 60, True),
    Column("id", lambda entry: entry.conversation, 7),
    Column("service", lambda entry: entry.service, 8, 100),
    Column("event", lambda entry: Text(entry.event, event_style(entry)), 17),
    Column("size", _size, 9, 0, True),
    Column("what happened", lambda entry: entry.told, 0, 60),
)


def event_style(entry: Entry) -> str:
    """How the name of an event looks."""
    if entry.event == "closed":
        return _STYLES.get(entry.reason, _TROUBLE)
    return _EVENT_STYLES.get(entry.event, "")


_EVENT_STYLES = {
    "accepted": "bold",
    "refused": "red",
    "received": "green",
    "sent": "blue",
    "datagram-received": "green",
    "datagram-sent": "blue",
    "datagram-dropped": "yellow",
    "paused": "yellow",
    "peer-shutdown": "magenta",
    "local-shutdown": "magenta",
    "note": "yellow",
    "gap": "yellow",
}


def table(
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    width: int,
    glyphs: Glyphs,
    chosen: Callable[[Row], bool] | None = None,
) -> list[Text]:
    """A line of titles and one line a row, each *width* cells; the *chosen* row is marked."""
    shown = [column for column in columns if column.since <= width < column.until]
    mark = 0 if chosen is None else 2
    widths = _widths(shown, width - mark)
    titles = [Text(column.title) for column in shown]
    lines = [_line(titles, shown, widths, glyphs, " " * mark)]
    lines[0].stylize("dim")
    for row in rows:
        cells = [_as_text(column.cell(row)) for column in shown]
        here = chosen is not None and chosen(row)
        line = _line(cells, shown, widths, glyphs, (glyphs.chosen if here else "").ljust(mark))
        # One bar: the colours of its cells would break it.
        lines.append(Text(line.plain, "reverse") if here else line)
    return lines


def _widths(columns: Sequence[Column[Row]], width: int) -> list[int]:
    fixed = sum(column.width for column in columns) + len(columns) - 1
    left = max(width - fixed, 0)
    return [
        column.width or (left if column is columns[-1] else min(left, _ADDRESS))
        for column in columns
    ]


def _as_text(cell: Text | str) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _line(
    cells: Sequence[Text],
    columns: Sequence[Column[Row]],
    widths: Sequence[int],
    glyphs: Glyphs,
    begin: str,
) -> Text:
    line = Text(begin, no_wrap=True, overflow="crop")
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = fit(cell.plain, width, glyphs)
        room = " " * (width - cell_len(text))
        line.append(room + text if column.right else text + room, cell.style).append(" ")
    return line


def fit(text: str, cells: int, glyphs: Glyphs) -> str:
    """*text* in *cells* cells at most, with a sign where it was cut."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + glyphs.more if cells > 0 else ""

"""The closeup: who one conversation is, what moved, and its ladder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rich.text import Text

from twisted_lab.explaining import counted
from twisted_lab.live import amounts
from twisted_lab.live.glyphs import Glyphs
from twisted_lab.live.ladder import ladder, sizes
from twisted_lab.live.model import Model
from twisted_lab.live.opened import Opened
from twisted_lab.live.values import Connection, Talk


def whole_ladder(opened: Opened, width: int, glyphs: Glyphs) -> Iterator[Text]:
    """*opened* from its begin to its end."""
    if opened.about is not None:
        yield from _head(opened, opened.about, width)
        yield from ladder(opened, width, glyphs)


def closeup(model: Model, opened: Opened, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Who it is, whose lifelines these are, and the rows that there is room for."""
    if opened.about is None:
        return [Text(""), Text(f" {opened.id}: {opened.trouble or 'asking the bench'}")]
    head = _head(opened, opened.about, width)
    room = max(height - len(head), 1)
    end = max(opened.rows - model.scroll, min(room, opened.rows))
    rows = islice(ladder(opened, width, glyphs), max(end - room, 0), end)
    return [*head, *rows]


def _head(opened: Opened, about: Connection | Talk, width: int) -> tuple[Text, Text, Text]:
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
    line = Text(f"{counted(about.bytes_in)} in, {counted(about.bytes_out)} out")
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

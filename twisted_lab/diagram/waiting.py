"""The bars along a lifeline: a watched program's calls that blocked, for as long as they did."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from twisted_lab.diagram.layout import Row
from twisted_lab.diagram.svg import element, words
from twisted_lab.events import Call
from twisted_lab.explaining import span

#: ns of a call that count as blocking: others take some microseconds.
BLOCKS = 2_000_000

#: Pixels of a bar, and of the shortest.
_WIDE, _SHORT = 8.0, 3.0


def bar(call: Call | None, began: int, ended: int, rows: Sequence[Row], x: float) -> str:
    """The bar of *call* at *x*, from one ns to the other; nothing where it did not block."""
    if call is None or ended - began < BLOCKS:
        return ""
    top, bottom = at(rows, began), at(rows, ended)
    return element(
        "rect",
        element("title", words(f"{call.name}() blocked for {span(ended - began)}")),
        x=x - _WIDE / 2,
        y=top,
        width=_WIDE,
        height=max(_SHORT, bottom - top),
        rx="2",
        class_="blocked",
        stroke="currentColor",
        fill="currentColor",
        fill_opacity="0.25",
    )


def at(rows: Sequence[Row], ns: int) -> float:
    """Where the moment *ns* is between *rows*, in pixels; before the first it is there."""
    later = bisect_right([row.event.ns for row in rows], ns)
    if later == 0:
        return rows[0].y
    before = rows[later - 1]
    if later == len(rows):
        return before.y
    after = rows[later]
    part = (ns - before.event.ns) / max(1, after.event.ns - before.event.ns)
    return before.y + part * (after.y - before.y)

"""The two lifelines: whole while a side may send, dashed after its FIN, broken where a gap is.

Where the axis leaves out a silence, they are cut as it is.

Beside them stand bars for as long as reading is paused, or the peer's window is full.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted_lab.diagram.layout import TOP, Frame, Row
from twisted_lab.diagram.svg import element, line, path
from twisted_lab.events import (
    Closed,
    Event,
    Gap,
    LocalShutdown,
    Paused,
    PeerShutdown,
    Resumed,
)

#: A dash pattern for each state of a lifeline.
_DASHES = {"open": None, "shut": "3 4", "gap": "1 5"}


def lifelines(rows: Sequence[Row], frame: Frame, bottom: float) -> str:
    """Both, from the top to the end of the connection or to *bottom*, and the bars."""
    ended = next((row.y for row in rows if isinstance(row.event, Closed)), None)
    end = bottom if ended is None else ended
    sides = ((frame.peer, PeerShutdown), (frame.bench, LocalShutdown))
    return "".join(
        _lifeline(rows, x, shutdown, end, ended is None) for x, shutdown in sides
    ) + _bars(rows, frame, end)


def _lifeline(
    rows: Sequence[Row], x: float, shutdown: type[Event], end: float, goes_on: bool
) -> str:
    drawn, y, state = [], TOP - 16, "open"
    for row in rows:
        if row.cut:
            drawn += [_piece(x, y, row.cut_at - 3, state), cut(x, row.cut_at)]
            y = row.cut_at + 3
        if isinstance(row.event, shutdown):
            drawn.append(_piece(x, y, row.y, state))
            y, state = row.y, "shut"
        elif isinstance(row.event, Gap):
            drawn += [_piece(x, y, row.y - 12, state), _piece(x, row.y - 12, row.y + 12, "gap")]
            y = row.y + 12
    drawn.append(_piece(x, y, max(y, end), state))
    if not goes_on:
        cap = line(x - 8, end + 8, x + 8, end + 8, class_="life", stroke="currentColor")
        drawn += [_piece(x, end, end + 8, state), cap]
    return "".join(drawn)


def cut(x: float, y: float) -> str:
    """Two strokes across a line at ``x, y``: here something is left out."""
    strokes = "".join(f"M{x - 6:.1f} {y + up + 3:.1f} l12 -6 " for up in (-3, 3))
    return path(strokes.strip(), class_="cut", stroke="currentColor", fill="none")


def _piece(x: float, start: float, end: float, state: str) -> str:
    return line(
        x,
        start,
        x,
        end,
        class_=f"life {state}",
        stroke="currentColor",
        stroke_dasharray=_DASHES[state],
    )


def _bars(rows: Sequence[Row], frame: Frame, end: float) -> str:
    """Reading paused: hollow, at the bench. The peer's window full: filled, at the peer."""
    drawn, since = [], dict[str, float]()
    for row in rows:
        if isinstance(row.event, Paused):
            since.setdefault(row.event.direction, row.y)
        elif isinstance(row.event, Resumed | Closed):
            ending = [row.event.direction] if isinstance(row.event, Resumed) else list(since)
            drawn += [_bar(frame, side, since.pop(side), row.y) for side in ending if side in since]
    return "".join([*drawn, *(_bar(frame, side, start, end) for side, start in since.items())])


def _bar(frame: Frame, direction: str, start: float, end: float) -> str:
    at_bench = direction == "in"
    return element(
        "rect",
        x=(frame.bench if at_bench else frame.peer) - 3.5,
        y=start,
        width=7.0,
        height=max(2.0, end - start),
        class_=f"bar {direction}",
        fill="none" if at_bench else "currentColor",
        stroke="currentColor",
    )

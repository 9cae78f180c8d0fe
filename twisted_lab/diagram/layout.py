"""Where each event stands: rows in the order of time, as true to scale as they can be read.

The axis at the left is true: each event's tick is where its time is. Its row is beside the tick, or
below it where rows would cover each other; a thin line leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_lab.events import Event, Gap

#: Pixels: a row with its label, the space above the first, and what a picture has below.
ROW = 30.0
TOP = 58.0
BOTTOM = 26.0

#: How much higher a picture to scale is than its rows alone: room for silence to be seen.
_STRETCH = 1.3


@dataclass(frozen=True, slots=True)
class Row:
    """An event with its number among those given, its *y*, and the *tick* of its time (pixels)."""

    event: Event
    index: int
    y: float
    tick: float
    #: ns since the event before it; of the first: since itself.
    since: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture's columns, in pixels from the left: the axis, the peer, the bench, its width."""

    width: float
    axis: float
    peer: float
    bench: float

    @property
    def middle(self) -> float:
        """Half-way between the lifelines."""
        return (self.peer + self.bench) / 2

    @property
    def room(self) -> float:
        """Between the lifelines."""
        return self.bench - self.peer


def frame(width: int) -> Frame:
    """The columns of a picture of *width* pixels."""
    axis = 74.0 if width >= 480 else 60.0
    return Frame(float(width), axis, axis + 26, width - 26.0)


def rows(events: Sequence[tuple[int, Event]], to_scale: bool) -> list[Row]:
    """The rows of numbered *events*, evenly or true to time."""
    times = [event.ns for _, event in events]
    start, end = min(times, default=0), max(times, default=0)
    height = len(events) * ROW * (_STRETCH if to_scale else 1)
    found: list[Row] = []
    y, before = TOP - ROW, start
    for index, event in events:
        y += ROW
        tick = y
        if to_scale:
            tick = TOP + height * (event.ns - start) / max(1, end - start)
            y = max(y, tick)
        found.append(Row(event, index, y, tick, event.ns - before))
        before = event.until if isinstance(event, Gap) else event.ns
    return found

"""Where each event stands: rows in the order of time, as true to scale as they can be read.

The axis at the left is true: each event's tick is where its time is. Its row is beside the tick, or
below it where rows would cover each other; a thin line leads from one to the other. A silence that
would leave no room for anything else is cut out of the axis, and said; so is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twisted_lab.events import Event, Gap, LocalShutdown, PeerShutdown
from twisted_lab.explaining import transport_of

#: Pixels: a row with its label, the space above the first, and what a picture has below.
ROW = 30.0
TOP = 58.0
BOTTOM = 26.0

#: Pixels that a silence takes that is cut out.
CUT = 26.0

#: A silence is cut when it lasts so many ns, and so many times as long as all the rest together.
_SILENCE = 20_000_000
_TIMES = 4

#: How much higher a picture to scale is than its rows alone: room for silence to be seen.
_STRETCH = 1.3


@dataclass(frozen=True, slots=True)
class Standing:
    """How a stream stood just before an event: what it goes over, and which side has ended."""

    transport: str
    peer_done: bool = False
    bench_done: bool = False

    def after(self, event: Event) -> Standing:
        """The same, once *event* has happened."""
        if isinstance(event, PeerShutdown):
            return replace(self, peer_done=True)
        return replace(self, bench_done=True) if isinstance(event, LocalShutdown) else self


@dataclass(frozen=True, slots=True)
class Row:
    """An event with its number among those given, its *y*, and the *tick* of its time (pixels)."""

    event: Event
    index: int
    y: float
    tick: float
    #: ns since the event before it; of the first: 0.
    since: int
    #: Whether the axis leaves out the time since then.
    cut: bool
    standing: Standing

    @property
    def cut_at(self) -> float:
        """The y of the cut above it."""
        return self.y - ROW + 6 - CUT / 2


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
    since = _since([event for _, event in events])
    cuts = _cuts(since) if to_scale else set()
    shown = sum(lasted for number, lasted in enumerate(since) if number not in cuts)
    a_ns = len(events) * ROW * _STRETCH / max(1, shown)
    found: list[Row] = []
    standing = Standing(transport_of(event for _, event in events))
    y = tick = TOP
    for number, (index, event) in enumerate(events):
        cut = number in cuts
        if number:
            y += ROW + (CUT if cut else 0)
        if not to_scale or cut or (number and isinstance(events[number - 1][1], Gap)):
            tick = y
        if to_scale and not cut:
            tick += since[number] * a_ns
            y = max(y, tick)
        found.append(Row(event, index, y, tick, since[number], cut, standing))
        standing = standing.after(event)
    return found


def _since(events: Sequence[Event]) -> list[int]:
    """ns between each of *events* and the end of the one before it; 0 for the first."""
    ends = [event.until if isinstance(event, Gap) else event.ns for event in events]
    return [0, *(max(0, event.ns - end) for event, end in zip(events[1:], ends, strict=False))][
        : len(events)
    ]


def _cuts(since: Sequence[int]) -> set[int]:
    """The numbers of the events before which the axis leaves out a silence."""
    cuts = set[int]()
    rest = sum(since)
    for number in sorted(range(len(since)), key=since.__getitem__, reverse=True):
        rest -= since[number]
        if since[number] < _SILENCE or since[number] <= _TIMES * rest:
            break
        cuts.add(number)
    return cuts

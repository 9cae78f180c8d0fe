"""A bound on what is drawn: of too many events the beginning, the end, and a gap between."""

from __future__ import annotations

from collections.abc import Sequence

from twisted_lab.events import Event, Gap
from twisted_lab.gaps import widened


def bounded(events: Sequence[Event], limit: int) -> list[tuple[int, Event]]:
    """At most *limit* of *events*, 2 at least, numbered: the first three quarters, a gap, the last.

    The gap has the number of the first that is left out, and what moved in all of them.
    """
    numbered = list(enumerate(events))
    if len(numbered) <= limit:
        return numbered
    first = limit * 3 // 4
    last = len(numbered) - (limit - first - 1)
    return [*numbered[:first], (first, gap_of(events[first:last])), *numbered[last:]]


def gap_of(events: Sequence[Event]) -> Gap:
    """*events*, one at least, as one gap; there may be gaps among them."""
    gap = widened(None, events[0], "overrun")
    for event in events[1:]:
        gap = widened(gap, event, "overrun")
    return gap

"""A bound on what is drawn: of too many events the beginning, the end, and a gap between."""

from __future__ import annotations

from collections.abc import Sequence

from twisted_lab.events import DatagramReceived, DatagramSent, Event, Gap, Received, Sent


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
    counts = [event.count if isinstance(event, Gap) else 1 for event in events]
    known = [count for count in counts if count is not None]
    end = events[-1]
    return Gap(
        events[0].ns,
        events[0].service,
        end.until if isinstance(end, Gap) else end.ns,
        "overrun",
        getattr(events[0], "connection", None),
        sum(_moved(event, "bytes_in", Received, DatagramReceived) for event in events),
        sum(_moved(event, "bytes_out", Sent, DatagramSent) for event in events),
        sum(known) if len(known) == len(counts) else None,
    )


def _moved(event: Event, way: str, *kinds: type[Event]) -> int:
    if isinstance(event, Gap):
        return int(getattr(event, way))
    return event.bytes if isinstance(event, kinds) else 0  # type: ignore[attr-defined]

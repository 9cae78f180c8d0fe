"""Observers that keep or count: a bounded history, and tallies."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from twisted_lab.events import Closed, DatagramDropped, Event, Refused


class History:
    """The last *limit* events, oldest first."""

    def __init__(self, limit: int = 10_000) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        # The deque's own method, so that observing costs no call of ours.
        self.observe = self._events.append

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def of(self, connection: str) -> list[Event]:
        """The events of one connection."""
        return [event for event in self if getattr(event, "connection", None) == connection]


class Tallies:
    """How often each thing happened, by service: ``tallies.events["echo", "accepted"]``.

    ``closed``, ``refused`` and ``dropped`` count by reason; every table has as many keys as there
    are services times kinds or reasons, so it is bounded.
    """

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.closed: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.dropped: Counter[tuple[str, str]] = Counter()

    def __call__(self, event: Event) -> None:
        """Count *event*."""
        self.events[event.service, event.event] += 1
        if isinstance(event, Closed):
            self.closed[event.service, event.reason.value] += 1
        elif isinstance(event, Refused):
            self.refused[event.service, event.reason] += event.count
        elif isinstance(event, DatagramDropped):
            self.dropped[event.service, event.reason] += event.count

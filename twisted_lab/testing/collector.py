"""An observer for tests: :class:`Collector`."""

from __future__ import annotations

from typing import Any

from twisted_lab.events import Event


class Collector:
    """An observer that keeps every event, in order, in ``events``."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep *event*."""
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        """The name of each event."""
        return [event.event for event in self.events]

    def of(self, name: str) -> list[Any]:
        """The events called *name*: ``collector.of("closed")``."""
        return [event for event in self.events if event.event == name]

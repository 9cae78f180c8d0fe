"""What a viewer of the live stream wants to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted_lab.events import CATALOGUE, Event


@dataclass(frozen=True, slots=True)
class Interest:
    """What a viewer wants: a connection's events, or a *talk*'s (service and peer), or of *kinds*.

    *service* narrows kinds; *follow* is a connection whose every event comes besides.
    """

    kinds: frozenset[str] = frozenset(CATALOGUE)
    service: str | None = None
    connection: str | None = None
    talk: tuple[str, str] | None = None
    follow: str | None = None

    def wants(self, event: Event) -> bool:
        """Whether *event* is for this viewer."""
        connection = getattr(event, "connection", None)
        if connection is not None and connection in (self.connection, self.follow):
            return self.follow is not None or event.event in self.kinds
        if self.connection is not None:
            return False
        if event.event not in self.kinds:
            return False
        if self.talk is not None:
            return self.talk == (event.service, getattr(event, "peer", None))
        return self.service is None or self.service == event.service

    @property
    def followed(self) -> tuple[Any, ...]:
        """The conversations all of whose events must be built."""
        return tuple(one for one in (self.connection, self.follow, self.talk) if one is not None)

    @property
    def published(self) -> frozenset[str]:
        """The kinds that are wanted whatever they are of."""
        return frozenset() if self.connection or self.talk else self.kinds

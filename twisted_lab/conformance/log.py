"""What the checker saw on the wire, as events: bounded, for reports and for the one drawing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted_lab.events import Event, Gap

#: Events kept of one conversation: its first and its last.
FIRST, LAST = 60, 40

#: Bytes kept of one message.
PAYLOAD = 256

#: Conversations kept of one case: the last of hundreds tells what the first ones told.
CONVERSATIONS = 4


@dataclass(slots=True)
class Conversation:
    """What happened on one socket of ours, in order; *peer* is the server, *local* is us."""

    id: str
    peer: str
    local: str
    _first: list[Event] = field(default_factory=list)
    _last: list[Event] = field(default_factory=list)
    _left_out: int = 0

    def add(self, event: Event) -> None:
        """Keep *event*; of a long conversation the middle is only counted."""
        if len(self._first) < FIRST:
            self._first.append(event)
            return
        self._last.append(event)
        if len(self._last) > LAST:
            del self._last[0]
            self._left_out += 1

    @property
    def events(self) -> list[Event]:
        """All that is kept, with a gap where some are not."""
        if not self._left_out:
            return [*self._first, *self._last]
        start, end = self._first[-1], self._last[0]
        gap = Gap(start.ns, start.service, end.ns, "evicted", self.id, count=self._left_out)
        return [*self._first, gap, *self._last]


class Log:
    """The conversations of one case; ``ns`` counts from when it was made.

    *service* is what the events say of whom they tell: the profile's name. Threads may share it.
    """

    def __init__(self, service: str, now: Callable[[], int] = time.monotonic_ns) -> None:
        self.service = service
        self._now = now
        self._began = now()
        self._count = 0
        self._lock = threading.Lock()
        self.conversations: list[Conversation] = []

    @property
    def ns(self) -> int:
        """Nanoseconds since it began."""
        return self._now() - self._began

    def begin(self, peer: str, local: str) -> Conversation:
        """One conversation more; of the earlier ones the last few are kept."""
        with self._lock:
            self._count += 1
            conversation = Conversation(f"k{self._count}", peer, local)
            self.conversations.append(conversation)
            del self.conversations[:-CONVERSATIONS]
        return conversation

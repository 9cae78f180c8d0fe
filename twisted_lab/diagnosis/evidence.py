"""What a watched program did, connection by connection, for who looks for a mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from twisted_lab.events import (
    Accepted,
    Called,
    Closed,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    Listening,
    LocalShutdown,
    Note,
    PeerShutdown,
    Received,
    Sent,
)

#: ns in which nothing moves after which a close is a time-out.
_LONG = 300_000_000

#: Bytes that stand in no text, such as TLS's records have.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

#: Events kept of one connection, and connections: a program may run for days.
_EVENTS, _TALKS = 2000, 500


@dataclass(slots=True)
class Talk:
    """One end of a connection, and what it did; *other* is its other end, if that was seen too."""

    id: str
    opened: Event
    local: str = ""
    peer: str = ""
    accepted: bool = False
    events: list[Event] = field(default_factory=list)
    other: Talk | None = None

    @property
    def received(self) -> list[Received]:
        """What came, a read each."""
        return [event for event in self.events if isinstance(event, Received)]

    @property
    def sent(self) -> list[Sent]:
        """What went, a call each."""
        return [event for event in self.events if isinstance(event, Sent)]

    @property
    def closed(self) -> Closed | None:
        """How it ended, if it did."""
        last = self.events[-1]
        return last if isinstance(last, Closed) else None

    @property
    def gave_up(self) -> bool:
        """Whether its end was meant, whatever was left: what a program does to a peer that is slow.

        It had sent FIN before, or ran out of time, or met an error, or nothing had moved for long.
        """
        closed = self.closed
        if closed is None:
            return False
        before = self.events[-2].call if len(self.events) > 1 else None
        failed = before is not None and before.error is not None and before.error != "EAGAIN"
        if failed or any(isinstance(event, LocalShutdown) for event in self.events):
            return True
        moved = [event.ns for event in self.events if isinstance(event, Received | Sent)]
        return bool(moved) and closed.ns - moved[-1] > _LONG

    @property
    def is_text(self) -> bool:
        """Whether what it moved, as far as it is kept, is text: then a newline is one."""
        moved = [one.data or b"" for one in self.events if isinstance(one, Received | Sent)]
        return not any(_NO_TEXT.search(data) for data in moved)

    def rounds(self) -> Iterator[tuple[list[Received], list[Sent]]]:
        """What came until the program sent, and what it then sent until it received again."""
        came: list[Received] = []
        went: list[Sent] = []
        for event in self.events:
            if isinstance(event, Received):
                if went:
                    yield came, went
                    came, went = [], []
                came.append(event)
            elif isinstance(event, Sent):
                went.append(event)
        if came or went:
            yield came, went


class Evidence:
    """All of *events*, in their order; of a long run the beginning.

    An :class:`~twisted_lab.interfaces.Observer`: it may be called with more of them.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.talks: dict[str, Talk] = {}
        self.listening: list[Listening] = []
        self.datagrams: list[DatagramReceived | DatagramSent] = []
        #: Calls that are of no connection, or failed.
        self.calls: list[Called] = []
        #: Errors of calls that the program did not catch.
        self.uncaught: list[Note] = []
        self.last = 0
        for event in events:
            self(event)

    def __call__(self, event: Event) -> None:
        """Take *event*."""
        self.last = max(self.last, event.ns)
        if isinstance(event, Listening):
            self.listening.append(event)
        elif isinstance(event, DatagramReceived | DatagramSent) and len(self.datagrams) < _EVENTS:
            self.datagrams.append(event)
        elif isinstance(event, Called) and len(self.calls) < _EVENTS:
            self.calls.append(event)
        elif isinstance(event, Note) and event.kind == "uncaught" and len(self.uncaught) < _EVENTS:
            self.uncaught.append(event)
        connection: str | None = getattr(event, "connection", None)
        if connection is None or isinstance(event, Note):
            return
        talk = self.talks.get(connection)
        if talk is None:
            if len(self.talks) == _TALKS:
                return
            talk = self.talks[connection] = Talk(connection, event)
            if isinstance(event, Accepted | Connected):
                talk.local, talk.peer = event.local, event.peer
                talk.accepted = isinstance(event, Accepted)
        if len(talk.events) < _EVENTS or isinstance(event, Closed):
            talk.events.append(event)

    def pair(self) -> None:
        """Find the two ends of each connection of which both were seen."""
        ends = {(talk.local, talk.peer): talk for talk in self.talks.values() if talk.peer}
        for talk in self.talks.values():
            talk.other = ends.get((talk.peer, talk.local))

    def times_out(self, talk: Talk) -> bool:
        """Whether a call of *talk* waited in vain."""
        return any(isinstance(one, Called) and _in_vain(one) for one in talk.events)

    @staticmethod
    def fin(talk: Talk) -> PeerShutdown | None:
        """When it heard of the end of its peer's stream."""
        return next((one for one in talk.events if isinstance(one, PeerShutdown)), None)


def _in_vain(event: Called) -> bool:
    return event.call is not None and event.call.error == "timed out"

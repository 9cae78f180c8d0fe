"""One conversation as it is kept: a connection, or a peer's datagrams with one service.

Rule: its first events are kept, and of one that is followed the last; what is missing is a
:class:`~twisted_lab.events.Gap`, with the bytes that moved in it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from twisted_lab.events import (
    Accepted,
    Closed,
    Connected,
    Event,
    Gap,
)
from twisted_lab.gaps import moved_in, moved_out, widened
from twisted_lab.packing import pack, unpack

#: How many of a conversation's first events are kept.
KEPT = 32

#: Bytes of its first events after which their payload is kept no more: 1,000 peers who flood us
#: take 5 MiB then, not 10.
PAYLOAD = 2**12

#: What is kept of a conversation that is followed, beyond its first events: so many, so big.
RECENT = 1000
RECENT_BYTES = 2**18

#: Bytes a conversation takes beside its packed events, an event in a deque beside its own, and the
#: deque: measured with tracemalloc, which a test repeats.
_COST = 430
_COST_RECENT = 56
_EMPTY_RECENT = 800


class Conversation:
    """A connection, or a peer's datagrams with one service.

    ``opened`` and ``closed`` are ns, ``duration`` is in seconds; ``closed`` and ``reason`` are None
    while it is open, and for datagrams. ``beheaded``: its first events had to make room.
    """

    __slots__ = (
        "_first",
        "beheaded",
        "bytes_in",
        "bytes_out",
        "closed",
        "count",
        "detail",
        "duration",
        "key",
        "local",
        "opened",
        "peer",
        "proxy",
        "reason",
        "recent",
        "service",
        "transport",
    )

    def __init__(self, event: Event, key: int) -> None:
        self.key = key
        self.service = event.service
        self.peer: str = getattr(event, "peer", "")
        self.local: str = getattr(event, "local", "")
        self.transport: str = getattr(event, "transport", "udp" if key < 0 else "")
        self.proxy: str | None = getattr(event, "proxy", None)
        self.beheaded = key > 0 and not isinstance(event, Accepted | Connected)
        self.opened = event.ns
        self.closed: int | None = None
        self.reason: str | None = None
        self.detail = ""
        self.duration = 0.0
        self.bytes_in = 0  # of a connection, once it is closed
        self.bytes_out = 0
        self.count = 0  # of the events in ``first``
        self._first: bytes | bytearray = bytearray()
        self.recent: Recent | None = None

    @property
    def id(self) -> str:
        """``c5`` for a connection, ``d5`` for a peer's datagrams."""
        return id_of(self.key)

    def size(self) -> int:
        """The bytes of memory it takes."""
        return _COST + sys.getsizeof(self._first) + (0 if self.recent is None else self.recent.size)

    def take(self, event: Event) -> None:
        """Keep *event*: among the first, or among the last."""
        if self.recent is None and (self.count < KEPT or isinstance(event, Closed)):
            full = len(self._first) > PAYLOAD and getattr(event, "data", None)
            self._first += pack(replace(event, data=None) if full else event)  # type: ignore[call-arg, operator]
            self.count += 1
        else:
            self.recent = self.recent or Recent()
            self.recent.take(event)
        if isinstance(event, Closed):
            self._end(event)

    def _end(self, event: Closed) -> None:
        self._first = bytes(self._first)  # without the room to grow
        self.closed, self.duration = event.ns, event.duration
        self.reason, self.detail = event.reason.value, event.detail
        self.bytes_in, self.bytes_out = event.bytes_in, event.bytes_out
        self.peer, self.local = event.peer, event.local

    def kept(self) -> Iterator[Event]:
        """The events that are kept, and the gaps known when they were."""
        connection = self.id if self.key > 0 else None
        yield from unpack(self._first, self.service, connection)
        if self.recent is not None:
            yield from self.recent.events(self.service, connection)

    def events(self, now: int, bytes_in: int, bytes_out: int) -> list[Event]:
        """The same with what is missing up to *now* (ns), when so many bytes had moved in all.

        Of what is closed its own totals count.
        """
        events = list(self.kept())
        if self.closed is not None:
            now, bytes_in, bytes_out = self.closed, self.bytes_in, self.bytes_out
        missing = self._missing(events, now, bytes_in, bytes_out)
        if missing is None:
            return events
        if self.beheaded:
            return [replace(missing, ns=self.opened, until=events[0].ns), *events]
        at = len(events) - (self.closed is not None)
        return [*events[:at], missing, *events[at:]]

    def _missing(self, events: list[Event], now: int, bytes_in: int, bytes_out: int) -> Gap | None:
        """The gap from the last of *events*, an end not counted, until *now*."""
        bytes_in -= sum(moved_in(event) for event in events)
        bytes_out -= sum(moved_out(event) for event in events)
        if bytes_in <= 0 and bytes_out <= 0:
            return None
        last = [event for event in events if not isinstance(event, Closed)][-1:]
        since = max((getattr(one, "until", one.ns) for one in last), default=self.opened)
        reason = "evicted" if self.beheaded else "unwatched"
        connection = self.id if self.key > 0 else None
        return Gap(since, self.service, now, reason, connection, bytes_in, bytes_out)

    def resume(self, now: int, bytes_in: int, bytes_out: int) -> None:
        """It is followed from *now* on; what moved since its last event is a gap."""
        if self.beheaded:
            return
        missing = self._missing(list(self.kept()), now, bytes_in, bytes_out)
        if missing is not None:
            self.recent = self.recent or Recent()
            self.recent.take(missing)


class Recent:
    """The last events of a conversation that is followed, packed; a gap stands for the others."""

    __slots__ = ("_lost", "_packed", "size")

    def __init__(self) -> None:
        self._packed: deque[bytes] = deque()
        self._lost: Gap | None = None
        self.size = _EMPTY_RECENT

    def take(self, event: Event) -> None:
        """Keep *event*; the oldest go when there are too many, or they are too big."""
        packed = pack(event)
        self._packed.append(packed)
        self.size += len(packed) + _COST_RECENT
        while len(self._packed) > RECENT or self.size > RECENT_BYTES < self.size - len(packed):
            self._lose(event)

    def _lose(self, later: Event) -> None:
        packed = self._packed.popleft()
        self.size -= len(packed) + _COST_RECENT
        (event,) = unpack(packed, later.service, getattr(later, "connection", None))
        self._lost = widened(self._lost, event, "evicted")

    def events(self, service: str, connection: str | None) -> Iterator[Event]:
        """What is kept, oldest first."""
        if self._lost is not None:
            yield self._lost
        yield from unpack(b"".join(self._packed), service, connection)


def id_of(key: int) -> str:
    """The id of the conversation with the number *key*: below 0 they are a peer's datagrams."""
    return f"c{key}" if key > 0 else f"d{-key}"


def key_of(id: str) -> int | None:
    """The number of the conversation *id*; None when it is no id."""
    kind, digits = id[:1], id[1:]
    if kind not in ("c", "d") or not (digits.isascii() and digits.isdecimal()) or len(digits) > 18:
        return None
    return int(digits) if kind == "c" else -int(digits)

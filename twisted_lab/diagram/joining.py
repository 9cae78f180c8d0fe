"""Which event at one end is which at the other: what was sent there is what was received here.

Rule: a stream keeps the order of its bytes, so a byte's place in the stream says which send() it
left by and which recv() it came by. A datagram is the same if it has the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from twisted_lab.events import (
    BY_PEER,
    RESETS,
    Accepted,
    Called,
    Closed,
    CloseReason,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    LocalShutdown,
    PeerShutdown,
    Received,
    Sent,
    Tls,
)

#: An end: 0 stands at the left, 1 at the right.
Side = int

#: What goes from the one end to the other.
_GOES_OUT = (Sent, DatagramSent, Connected, LocalShutdown, Closed)

#: What may be the first that is known of a stream; calls that made its socket may stand before.
_FIRSTS = (Accepted, Connected, Received, Sent, Gap)

#: Errors that are the first that a program hears of an RST.
_RESET = ("ECONNRESET", "EPIPE")


@dataclass(frozen=True, slots=True)
class Moment:
    """*event* of one end; its ns is where it stands in a picture of both.

    *began* and *ended* are those of its call, or the same moment twice.
    """

    side: Side
    event: Event
    began: int
    ended: int


@dataclass(frozen=True, slots=True)
class Join:
    """The moment numbered *start* went to the other end, and came there with *end*, if it did.

    *bytes* is how many of them, of a join of kind ``bytes``.
    """

    kind: Literal["open", "bytes", "datagram", "fin", "rst"]
    start: int
    end: int | None
    bytes: int = 0


def moments(left: Sequence[Event], right: Sequence[Event]) -> list[Moment]:
    """Both ends in one order; what goes out stands where its call began, what comes where it ended.

    So no arrow points back in time: a send() may return after the other end's recv() has.
    """
    both = [_moment(side, one) for side, end in enumerate((left, right)) for one in end]
    return sorted(both, key=lambda one: one.event.ns)


def _moment(side: Side, event: Event) -> Moment:
    began = event.ns - (0 if event.call is None else round(event.call.duration * 1e9))
    placed = replace(event, ns=max(0, began)) if isinstance(event, _GOES_OUT) else event
    return Moment(side, placed, began, event.ns)


def joins(both: Sequence[Moment]) -> list[Join]:
    """How the moments of both ends belong together."""
    found: list[Join] = []
    for side in (0, 1):
        there = [(at, one.event) for at, one in enumerate(both) if one.side == side]
        here = [(at, one.event) for at, one in enumerate(both) if one.side != side]
        found += [*_opened(there, here), *_bytes(there, here), *_datagrams(there, here)]
        found += [*_fin(there, here), *_rst(there, here)]
    return found


_End = Sequence[tuple[int, Event]]


def _opened(there: _End, here: _End) -> Iterator[Join]:
    for at, event in there:
        if isinstance(event, Connected):
            yield Join("open", at, _first(here, Accepted))


def _first(end: _End, kind: type[Event]) -> int | None:
    return next((at for at, event in end if isinstance(event, kind)), None)


def _bytes(there: _End, here: _End) -> Iterator[Join]:
    """Each send with every recv that got some of it, where both streams are known from the start.

    What was sent and not received is joined to nothing. One end may have seen TLS's records, and
    the other what is in them: those are not the same bytes.
    """
    if not (_whole(there) and _whole(here)) or _secure(there) != _secure(here):
        return
    comes = [(at, event.bytes) for at, event in here if isinstance(event, Received)]
    came = 0
    for at, event in there:
        if not isinstance(event, Sent) or not event.bytes:
            continue
        left = event.bytes
        while left and comes:
            number, size = comes[0]
            part = min(left, size - came)
            yield Join("bytes", at, number, part)
            left, came = left - part, came + part
            if came == size:
                comes, came = comes[1:], 0
        if left:
            yield Join("bytes", at, None, left)


def _secure(end: _End) -> bool:
    """Whether its bytes are what is within TLS's records."""
    return any(isinstance(event, Tls) and event.error is None for _, event in end)


def _whole(end: _End) -> bool:
    """Whether nothing moved, or was lost, before the connection's beginning."""
    firsts = (event for _, event in end if isinstance(event, _FIRSTS))
    return isinstance(next(firsts, None), Accepted | Connected)


def _datagrams(there: _End, here: _End) -> Iterator[Join]:
    """Each datagram with the first later one that is as long and, as far as kept, the same."""
    comes = [(at, event) for at, event in here if isinstance(event, DatagramReceived)]
    for at, event in there:
        if not isinstance(event, DatagramSent):
            continue
        same = next((one for one in comes if one[0] > at and _same(event, one[1])), None)
        if same is not None:
            comes.remove(same)
        yield Join("datagram", at, None if same is None else same[0], event.bytes)


def _same(sent: DatagramSent, came: DatagramReceived) -> bool:
    cut = came.bytes < sent.bytes and came.call is not None and came.call.note == "cut"
    kept = min(len(sent.data or b""), len(came.data or b""))
    return (cut or sent.bytes == came.bytes) and (sent.data or b"")[:kept] == (came.data or b"")[
        :kept
    ]


def _fin(there: _End, here: _End) -> Iterator[Join]:
    """The end of what one side sends, and where the other heard of it."""
    for at, event in there:
        orderly = isinstance(event, Closed) and event.reason not in RESETS | {CloseReason.RESET}
        if orderly or isinstance(event, LocalShutdown):
            if any(isinstance(one, Closed) for before, one in here if before < at):
                return  # there is nobody any more
            heard = (one for one in here if one[0] > at and _hears_fin(one[1]))
            yield Join("fin", at, next(heard, (None, None))[0])
            return


def _hears_fin(event: Event) -> bool:
    return isinstance(event, PeerShutdown) or (
        isinstance(event, Closed) and event.reason in BY_PEER
    )


def _rst(there: _End, here: _End) -> Iterator[Join]:
    for at, event in there:
        if isinstance(event, Closed) and event.reason in RESETS:
            heard = (one for one in here if one[0] > at and _hears_rst(one[1]))
            yield Join("rst", at, next(heard, (None, None))[0])


def _hears_rst(event: Event) -> bool:
    failed = isinstance(event, Called) and event.call is not None and event.call.error in _RESET
    return failed or (isinstance(event, Closed) and event.reason is CloseReason.RESET)

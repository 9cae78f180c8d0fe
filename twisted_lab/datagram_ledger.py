"""What a datagram port counts and tells: every drop always, events only for who asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted_lab.addresses import show_pair
from twisted_lab.datagram_socket import DIRECT, DatagramSocket, DropReason, Peer, Way
from twisted_lab.errors import summary
from twisted_lab.events import DatagramDropped, DatagramReceived, DatagramSent, Note
from twisted_lab.interfaces import Clock
from twisted_lab.publishing import Publisher
from twisted_lab.talks import Talk

#: Seconds between two notes on amplification: it is said to a person, and a flood asks for it.
NOTE_EVERY = 1.0

#: Seconds from traffic to a look at the kernel's count of drops, for a look is a system call.
LOOK_AFTER = 1.0


class DatagramLedger:
    """The record of one port of *service* at *local*; *seconds* is a monotonic clock.

    ``dropped`` counts datagrams by the reason of their drop. What is told of a peer's *talk* may be
    one of its first events, which samplers get.
    """

    def __init__(
        self, publisher: Publisher, service: str, local: Peer, seconds: Callable[[], float]
    ) -> None:
        self._publisher = publisher
        self._service = service
        self._seconds = seconds
        self._noted_at = float("-inf")
        self.local = local
        self.dropped: Counter[str] = Counter()

    def _local_of(self, way: Way) -> str:
        host, port = self.local
        return show_pair(way.asked or host, port)

    def received(self, data: bytes, peer: Peer, way: Way, talk: Talk | None = None) -> None:
        """The protocol is about to get *data*. Call it only when someone follows the traffic."""
        self._message(DatagramReceived, data, peer, way, talk)

    def sent(self, data: bytes, peer: Peer, way: Way, talk: Talk | None = None) -> None:
        """The kernel has taken *data*. Call it only when someone follows the traffic."""
        self._message(DatagramSent, data, peer, way, talk)

    def _message(
        self,
        event: type[DatagramReceived | DatagramSent],
        data: bytes,
        peer: Peer,
        way: Way,
        talk: Talk | None,
    ) -> None:
        publisher, local = self._publisher, self._local_of(way)
        shown, kept = show_pair(*peer), publisher.captured(data)
        made = event(publisher.now(), self._service, shown, local, len(data), kept)
        publisher.publish(made, _take(talk))

    def drop(
        self,
        reason: str,
        way: Way,
        peer: Peer | None = None,
        size: int = 0,
        count: int = 1,
        talk: Talk | None = None,
    ) -> None:
        """*count* datagrams, the last of them of *size* bytes, go no further."""
        self.dropped[reason] += count
        publisher, sampled = self._publisher, _take(talk)
        if talk is not None:
            talk.dropped += count
        if "datagram-dropped" not in publisher.wanted and not sampled:
            publisher.tally["datagram-dropped"] += count
            return
        shown, local = None if peer is None else show_pair(*peer), self._local_of(way)
        publisher.publish(
            DatagramDropped(publisher.now(), self._service, local, reason, shown, size, count),
            sampled,
        )

    def withheld(self, peer: Peer, size: int, talk: Talk | None = None) -> None:
        """An answer was too long for its request: dropped, and a person learns the way out."""
        self.drop(DropReason.AMPLIFICATION, DIRECT, peer, size, talk=talk)
        now = self._seconds()
        if now - self._noted_at >= NOTE_EVERY:
            self._noted_at = now
            self.note(
                DropReason.AMPLIFICATION,
                f"withheld {size} bytes for {show_pair(*peer)}, which has not sent as many: let the"
                " client pad its request, or allow amplification (--allow-amplification)",
            )

    def failed(self, error: BaseException) -> None:
        """The protocol (or an access gate) raised *error*."""
        self.note("exception", summary(error))

    def note(self, kind: str, text: str) -> None:
        """Something worth seeing."""
        self._publisher.offer(Note, self._service, kind, text)


def _take(talk: Talk | None) -> bool:
    """Whether the next event of *talk* is one of those that are sampled; counts it."""
    if talk is None or not talk.sampled:
        return False
    talk.sampled -= 1
    return True


class KernelDrops:
    """Puts into *ledger* what the kernel dropped on *opened*: exactly, and with few looks."""

    def __init__(self, clock: Clock, opened: DatagramSocket, ledger: DatagramLedger) -> None:
        self._clock = clock
        self._socket = opened
        self._ledger = ledger
        self._known = opened.drops_before
        self._call: Any = None

    def look_later(self) -> None:
        """There was traffic, so there may have been too much."""
        if self._call is None:
            self._call = self._clock.callLater(LOOK_AFTER, self._look)

    def _look(self) -> None:
        self._call = None
        self._count()

    def _count(self) -> None:
        drops = self._socket.kernel_drops()
        count = (drops - self._known) & 0xFFFFFFFF  # the kernel counts in 32 bits
        self._known = drops
        if count:
            self._ledger.drop(DropReason.KERNEL, DIRECT, count=count)

    def finish(self) -> None:
        """Look for the last time; the socket is about to be closed."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._count()

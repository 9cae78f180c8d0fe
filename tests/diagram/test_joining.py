"""Which event at one end is which at the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.diagram.joining import joins, moments
from twisted_lab.events import (
    Accepted,
    Call,
    Called,
    Closed,
    CloseReason,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    LocalShutdown,
    PeerShutdown,
    Received,
    Sent,
    Tls,
)

HERE, THERE = "127.0.0.1:1", "127.0.0.1:2"
CONNECTED = Connected(0, "client", "c1", THERE, HERE, "tcp")
ACCEPTED = Accepted(5, "server", "c2", HERE, THERE, "tcp")


def call(name: str, seconds: float = 0.0, error: str | None = None, note: str = "") -> Call:
    return Call(name, "", None if error else "0", error, seconds, 1, 1, note=note or None)


def closed(ns: int, reason: CloseReason = CloseReason.LOCAL) -> Closed:
    return Closed(ns, "x", "c1", THERE, HERE, reason, 0, 0, 0.0)


class JoinTestCase(SynchronousTestCase):
    def joins(
        self, left: Sequence[Event], right: Sequence[Event], kind: str
    ) -> list[tuple[Any, ...]]:
        """Of each join of *kind*: the ns of its two moments, and its bytes."""
        both = moments(left, right)

        def ns(number: int | None) -> int | None:
            return None if number is None else both[number].event.ns

        return [(ns(one.start), ns(one.end), one.bytes) for one in joins(both) if one.kind == kind]


class StreamTests(JoinTestCase):
    def bytes(self, sent: list[int], received: list[int]) -> list[tuple[Any, ...]]:
        left = [CONNECTED, *(Sent(10 + n, "client", "c1", size) for n, size in enumerate(sent))]
        right = [ACCEPTED, *(Received(50 + n, "s", "c2", size) for n, size in enumerate(received))]
        return self.joins(left, right, "bytes")

    def test_one(self) -> None:
        """One send, one recv."""
        self.assertEqual(self.bytes([6], [6]), [(10, 50, 6)])

    def test_two_sends(self) -> None:
        """Two sends, one recv."""
        self.assertEqual(self.bytes([6, 4], [10]), [(10, 50, 6), (11, 50, 4)])

    def test_two_recvs(self) -> None:
        """One send, two recvs, and a third with the end of it and the next."""
        self.assertEqual(
            self.bytes([10, 5], [4, 4, 7]), [(10, 50, 4), (10, 51, 4), (10, 52, 2), (11, 52, 5)]
        )

    def test_unread(self) -> None:
        """What was not received is joined to nothing."""
        self.assertEqual(self.bytes([6, 3], [4]), [(10, 50, 4), (10, None, 2), (11, None, 3)])

    def test_beginning(self) -> None:
        """Where the beginning of an end is not known, nobody can say which byte is which."""
        left, right = [Sent(10, "c", "c1", 6)], [ACCEPTED, Received(50, "s", "c2", 6)]
        self.assertEqual(self.joins(left, right, "bytes"), [])

    @given(st.lists(st.integers(1, 9), max_size=9), st.lists(st.integers(1, 9), max_size=9))
    def test_all(self, sent: list[int], cuts: list[int]) -> None:
        """However it is cut: of each send all its bytes are joined, in the order of the stream."""
        received, left = [], sum(sent)
        for cut in cuts:
            if left:
                received.append(min(cut, left))
                left -= received[-1]
        found = self.bytes(sent, received)
        for number, size in enumerate(sent):
            self.assertEqual(sum(one[2] for one in found if one[0] == 10 + number), size)
        for number, size in enumerate(received):
            self.assertEqual(sum(one[2] for one in found if one[1] == 50 + number), size)
        arrived = [one[1] for one in found if one[1] is not None]
        self.assertEqual(arrived, sorted(arrived))

    def test_opened(self) -> None:
        """connect() is accept() at the other end."""
        self.assertEqual(self.joins([CONNECTED], [ACCEPTED], "open"), [(0, 5, 0)])


class EndTests(JoinTestCase):
    def test_fin(self) -> None:
        """shutdown(), and close(), are heard as the end of the stream; once."""
        left = [CONNECTED, LocalShutdown(10, "c", "c1"), closed(30)]
        right = [ACCEPTED, PeerShutdown(20, "s", "c2")]
        self.assertEqual(self.joins(left, right, "fin"), [(10, 20, 0)])

    def test_unheard(self) -> None:
        """A FIN that nobody heard ends nowhere; to an end that is gone there is none."""
        self.assertEqual(self.joins([CONNECTED, closed(10)], [ACCEPTED], "fin"), [(10, None, 0)])
        right = [ACCEPTED, PeerShutdown(20, "s", "c2"), closed(30)]
        self.assertEqual(self.joins([CONNECTED, closed(10)], right, "fin"), [(10, 20, 0)])

    def test_rst(self) -> None:
        """A reset is heard by the first call that fails with it."""
        failed = Called(20, "s", "c2", call=call("recv", error="ECONNRESET"))
        right = [ACCEPTED, failed, closed(30, CloseReason.RESET)]
        left = [CONNECTED, closed(10, CloseReason.ABORTED)]
        self.assertEqual(self.joins(left, right, "rst"), [(10, 20, 0)])
        self.assertEqual(self.joins(left, right, "fin"), [])


class DatagramTests(JoinTestCase):
    def sent(self, ns: int, data: bytes) -> DatagramSent:
        return DatagramSent(ns, "c", THERE, HERE, len(data), data)

    def came(self, ns: int, data: bytes, cut: bool = False) -> DatagramReceived:
        how = call("recvfrom", note="cut" if cut else "")
        return DatagramReceived(ns, "s", HERE, THERE, len(data), data, call=how)

    def test_lost(self) -> None:
        """The one in the midst that never came is the one that is lost."""
        left = [self.sent(1, b"one"), self.sent(2, b"two"), self.sent(3, b"three")]
        right = [self.came(9, b"one"), self.came(10, b"three")]
        self.assertEqual(self.joins(left, right, "datagram"), [(1, 9, 3), (2, None, 3), (3, 10, 5)])

    def test_cut(self) -> None:
        """One that was cut is known by its beginning."""
        found = self.joins([self.sent(1, b"longer")], [self.came(9, b"lon", cut=True)], "datagram")
        self.assertEqual(found, [(1, 9, 6)])


class MomentTests(JoinTestCase):
    def test_times(self) -> None:
        """What goes out stands where its call began, what comes where it ended."""
        slow = call("sendall", 0.000_000_040)
        left = [CONNECTED, Sent(50, "c", "c1", 1, call=slow)]
        right = [ACCEPTED, Received(20, "s", "c2", 1, call=call("recv", 0.000_000_015))]
        self.assertEqual(self.joins(left, right, "bytes"), [(10, 20, 1)])
        sent = next(one for one in moments(left, right) if isinstance(one.event, Sent))
        self.assertEqual((sent.began, sent.ended), (10, 50))


class SecureTests(SynchronousTestCase):
    """What is seen of TLS at one end, and outside of it at the other."""

    def joined(self, *there: Event) -> list[str]:
        sent = Sent(20, "client", "c1", 5, b"hello")
        here = [
            ACCEPTED,
            Tls(10, "server", "c2", "TLSv1.3"),
            Received(30, "server", "c2", 5, b"hello"),
        ]
        both = moments([CONNECTED, *there, sent], here)
        return [one.kind for one in joins(both)]

    def test_both(self) -> None:
        """Where both ends saw what is within TLS, it is joined."""
        self.assertEqual(self.joined(Tls(9, "client", "c1", "TLSv1.3")), ["open", "bytes"])

    def test_one(self) -> None:
        """Where one end saw records, nothing is said of which bytes are which."""
        self.assertEqual(self.joined(), ["open"])

"""What is kept of conversations, how much of it, and what is said of what is not."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import show_pair
from twisted_lab.conversation import KEPT, RECENT, RECENT_BYTES
from twisted_lab.conversations import REFUSALS, Conversations
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    Note,
    Received,
    Refused,
    Sent,
    TcpInfo,
)

LOCAL = "127.0.0.1:9000"


def peer(number: int) -> str:
    return f"127.0.0.1:{20000 + number % 40000}"


class ConversationCase(SynchronousTestCase):
    limit = 2**23

    def setUp(self) -> None:
        self.kept = Conversations(self.limit)
        self.times = itertools.count(10**9, 1000)

    def accept(self, number: int = 1) -> None:
        self.kept(Accepted(next(self.times), "echo", f"c{number}", peer(number), LOCAL, "tcp"))

    def move(self, size: int, number: int = 1, kind: Any = Received, data: bytes = b"") -> None:
        self.kept(kind(next(self.times), "echo", f"c{number}", size, data))

    def close(self, number: int, bytes_in: int, bytes_out: int = 0) -> None:
        reason = CloseReason.PEER_FIN
        ends = peer(number), LOCAL
        self.kept(
            Closed(next(self.times), "echo", f"c{number}", *ends, reason, bytes_in, bytes_out, 0.5)
        )

    def events(self, id: str = "c1", bytes_in: int = 0, bytes_out: int = 0) -> list[Event]:
        found = self.kept.get(id)
        assert found is not None
        return found.events(next(self.times), bytes_in, bytes_out)

    def names(self, *about: Any) -> list[str]:
        return [event.event for event in self.events(*about)]


class ConnectionTests(ConversationCase):
    def test_whole(self) -> None:
        """Of a short connection everything is kept, as it was published."""
        self.accept()
        self.move(5, data=b"hello")
        self.move(5, kind=Sent, data=b"hello")
        self.close(1, 5, 5)
        self.assertEqual(self.names(), ["accepted", "received", "sent", "closed"])
        received = self.events()[1]
        self.assertEqual(received, Received(10**9 + 1000, "echo", "c1", 5, b"hello"))
        found = self.kept.get("c1")
        assert found is not None
        self.assertEqual((found.reason, found.bytes_in, found.duration), ("peer-fin", 5, 0.5))

    def test_still_open(self) -> None:
        """What moved since the last event that is kept is a gap that reaches to now."""
        self.accept()
        self.move(5)
        *_, gap = self.events("c1", 105, 100)
        assert isinstance(gap, Gap)
        self.assertEqual((gap.reason, gap.bytes_in, gap.bytes_out), ("unwatched", 100, 100))
        self.assertEqual((gap.ns, gap.count), (10**9 + 1000, None))

    def test_closed_unwatched(self) -> None:
        """The end of a connection nobody watched stands after the gap, with the exact bytes."""
        self.accept()
        for _ in range(KEPT - 1):
            self.move(1)
        self.close(1, 1000, 7)
        *_, gap, closed = self.events()
        assert isinstance(gap, Gap)
        self.assertEqual((gap.bytes_in, gap.bytes_out), (1000 - KEPT + 1, 7))
        self.assertEqual((closed.event, gap.until), ("closed", closed.ns))
        self.assertEqual(len(self.events()), KEPT + 2)

    def test_followed_later(self) -> None:
        """Who comes later sees a gap, and then every event."""
        self.accept()
        for _ in range(KEPT - 1):
            self.move(1)
        self.kept.resume("c1", next(self.times), 500, 300)
        self.move(3)
        names = self.names("c1", 503, 300)
        self.assertEqual(names[KEPT:], ["gap", "received"])

    def test_followed_from_the_start(self) -> None:
        """Who watches from the start sees no gap."""
        self.accept()
        self.kept.resume("c1", next(self.times), 0, 0)
        for _ in range(KEPT * 2):
            self.move(1)
        self.assertEqual(self.names("c1", KEPT * 2), ["accepted", *["received"] * KEPT * 2])

    def test_followed_long(self) -> None:
        """Of a connection that is followed the last events are kept; those before are counted."""
        self.accept()
        for _ in range(KEPT + RECENT + 10):
            self.move(2)
        events = self.events("c1", 2 * (KEPT + RECENT + 10))
        self.assertEqual(len(events), KEPT + RECENT + 1)
        gap = events[KEPT]
        assert isinstance(gap, Gap)
        self.assertEqual((gap.reason, gap.count, gap.bytes_in), ("evicted", 11, 22))
        self.assertEqual(
            (gap.ns, gap.until), (events[KEPT - 1].ns + 1000, events[KEPT + 1].ns - 1000)
        )

    def test_followed_twice(self) -> None:
        """A gap that had to make room is joined to the others, and then nobody can count."""
        self.accept()
        for _ in range(KEPT - 1):
            self.move(1)
        self.kept.resume("c1", next(self.times), 100, 0)
        for _ in range(RECENT + 5):
            self.move(1)
        gap = self.events("c1", 100 + RECENT + 5)[KEPT]
        assert isinstance(gap, Gap)
        self.assertEqual((gap.count, gap.bytes_in), (None, 100 - KEPT + 1 + 5))

    def test_big_messages(self) -> None:
        """Messages kept whole are bounded by their size."""
        self.accept()
        for _ in range(KEPT + 100):
            self.move(2**14, data=b"x" * 2**14)
        self.assertLess(self.kept.size, (KEPT + 2) * (2**14 + 100) + RECENT_BYTES)
        self.assertIn("gap", self.names("c1", 2**14 * (KEPT + 100)))

    def test_payload(self) -> None:
        """Of the first messages the payload is kept while it is little; then only their sizes."""
        self.accept()
        for _ in range(KEPT - 1):
            self.move(300, data=b"x" * 256)
        events = [
            event for event in self.events("c1", 300 * (KEPT - 1)) if event.event == "received"
        ]
        payloads = [getattr(event, "data", None) for event in events]
        with_data = sum(payload == b"x" * 256 for payload in payloads)
        self.assertEqual(payloads, [b"x" * 256] * with_data + [None] * (KEPT - 1 - with_data))
        self.assertTrue(10 < with_data < 20, with_data)
        self.assertEqual({getattr(event, "bytes", 0) for event in events}, {300})

    def test_kernels_view(self) -> None:
        """The kernel's last view is kept with the end."""
        self.accept()
        info = TcpInfo("CLOSE_WAIT", *range(9))
        ends = peer(1), LOCAL
        self.kept(Closed(1, "echo", "c1", *ends, CloseReason.RESET, 0, 0, 1.0, "gone", info))
        *_, closed = self.events()
        assert isinstance(closed, Closed)
        self.assertEqual((closed.tcp_info, closed.detail), (info, "gone"))

    def test_unknown(self) -> None:
        """What is no id, or not kept, is None."""
        self.accept()
        for id in ("", "c", "c2", "d1", "x1", "c1x", "c-1", "c٣", "c" + "9" * 30):
            self.assertIsNone(self.kept.get(id))

    def test_of_ports(self) -> None:
        """What is of a port alone belongs to no conversation."""
        self.kept(Note(1, "echo", "accept", "could not accept"))
        self.kept(DatagramDropped(1, "echo", LOCAL, "kernel", count=5))
        self.assertEqual(list(self.kept.newest()), [])

    def test_refusals(self) -> None:
        """The last refusals are kept."""
        for number in range(REFUSALS + 3):
            self.kept(Refused(number, "echo", peer(1), LOCAL, "access"))
        self.assertEqual(len(self.kept.refusals), REFUSALS)
        self.assertEqual(self.kept.refusals[-1].ns, REFUSALS + 2)


class DatagramTests(ConversationCase):
    def test_peer(self) -> None:
        """A peer's datagrams with one service are one conversation."""
        self.kept(DatagramReceived(1, "echo", "[::1]:5", "[::1]:9000", 3, b"abc"))
        self.kept(DatagramSent(2, "echo", "[::1]:5", "[::1]:9000", 3))
        self.kept(DatagramDropped(3, "echo", "[::1]:9000", "send-emsgsize", "[::1]:5", 3))
        self.kept(DatagramReceived(4, "time", "[::1]:5", "[::1]:37", 1))
        names = ["datagram-received", "datagram-sent", "datagram-dropped"]
        self.assertEqual(self.names("d1", 3, 3), names)
        self.assertEqual(self.names("d2", 1), names[:1])
        found = self.kept.of_peer("time", "[::1]:5")
        assert found is not None
        self.assertEqual((found.id, found.transport, found.closed), ("d2", "udp", None))
        self.assertIsNone(self.kept.of_peer("echo", "[::1]:6"))

    def test_gap(self) -> None:
        """What moved beyond the events that are kept is a gap here as well."""
        self.kept(DatagramReceived(1, "echo", "[::1]:5", "[::1]:9000", 3))
        *_, gap = self.events("d1", 10, 7)
        assert isinstance(gap, Gap)
        self.assertEqual((gap.connection, gap.bytes_in, gap.bytes_out), (None, 7, 7))


class RoomTests(ConversationCase):
    limit = 100_000

    def test_oldest_first(self) -> None:
        """When there is no more room the oldest go, and how many is said."""
        for number in range(1, 1001):
            self.accept(number)
            self.close(number, 0)
        self.assertLess(self.kept.size, self.limit)
        left = [one.key for one in self.kept.newest()]
        self.assertEqual(left, list(range(1000, 1000 - len(left), -1)))
        self.assertEqual(self.kept.forgotten, 1000 - len(left))
        self.assertGreater(len(left), 100)

    def test_forgotten(self) -> None:
        """Closed connections and datagram peers that had to go are counted apart; an open one that
        had to is listed all the same, so it is not."""
        for number in range(1, 1001):
            self.accept(number)
        self.assertEqual((self.kept.forgotten, self.kept.forgotten_talks), (0, 0))
        for number in range(1000):
            self.kept(DatagramReceived(number, "echo", peer(number), LOCAL, 1))
        left = list(self.kept.newest())
        self.assertEqual((self.kept.forgotten, self.kept.forgotten_talks), (0, 1000 - len(left)))

    def test_talk_that_begins_anew(self) -> None:
        """The events of a peer go with its totals; when it comes again it is another talk."""
        for peer in (("::1", 5), ("::1", 6)):
            self.kept(DatagramReceived(1, "echo", show_pair(*peer), "[::1]:9000", 3))
        self.kept.forget_talk("echo", ("::1", 5))
        self.kept.forget_talk("echo", ("::1", 5))
        self.kept.forget_talk("line", ("::1", 6))
        self.assertEqual([one.id for one in self.kept.newest()], ["d2"])
        self.assertEqual(self.kept.forgotten_talks, 1)
        self.kept(DatagramReceived(2, "echo", "[::1]:5", "[::1]:9000", 3))
        self.assertEqual([one.count for one in self.kept.newest()], [1, 1])
        self.assertEqual(self.kept.size, sum(one.size() for one in self.kept.newest()))

    def test_end_of_forgotten(self) -> None:
        """The end of a connection whose beginning had to go is kept, after a gap."""
        self.accept(1)
        for number in range(2, 500):
            self.accept(number)
        self.assertIsNone(self.kept.get("c1"))
        self.close(1, 50, 60)
        gap, closed = self.events()
        assert isinstance(gap, Gap)
        self.assertEqual((gap.reason, gap.bytes_in, gap.bytes_out), ("evicted", 50, 60))
        found = self.kept.get("c1")
        assert found is not None
        self.assertEqual((found.peer, found.reason, closed.event), (peer(1), "peer-fin", "closed"))

    def test_middle_of_forgotten(self) -> None:
        """Of one that is followed what comes is kept, and nothing is said to have come before."""
        self.move(5, 1)
        gap, received = self.events("c1", 105)
        assert isinstance(gap, Gap)
        self.assertEqual((gap.reason, gap.bytes_in, gap.until), ("evicted", 100, received.ns))
        self.kept.resume("c1", next(self.times), 200, 0)
        self.kept.resume("c9", next(self.times), 200, 0)

    def test_peers(self) -> None:
        """Peers choose their addresses: what is known of them goes with their conversations."""
        for number in range(1000):
            self.kept(DatagramReceived(number, "echo", peer(number), LOCAL, 1))
        self.assertLess(self.kept.size, self.limit)
        self.assertIsNone(self.kept.of_peer("echo", peer(0)))
        self.kept(DatagramReceived(2000, "echo", peer(0), LOCAL, 1))
        self.assertIsNotNone(self.kept.of_peer("echo", peer(0)))

    def test_one_too_big(self) -> None:
        """The last conversation stays, whatever its size."""
        self.accept(1)
        for _ in range(KEPT):
            self.move(2**14, data=b"x" * 2**14)
        self.assertIsNotNone(self.kept.get("c1"))


class MemoryTests(ConversationCase):
    limit = 2**40

    def real(self, closed: bool, messages: int) -> tuple[float, float]:
        """Bytes that 2,000 conversations take, measured and as they are counted, each."""
        gc.collect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1, 2001):
            self.accept(number)
            for _ in range(messages):
                self.move(5, number, data=bytes(bytearray(b"hello")))
            if closed:
                self.close(number, 5 * messages)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return (after - before) / 2000, self.kept.size / 2000

    def test_counted(self) -> None:
        """What is counted is what it takes, and never less."""
        for closed, messages in ((False, 0), (True, 2), (False, 30), (False, 60)):
            self.setUp()
            real, counted = self.real(closed, messages)
            self.assertLess(real, counted)
            self.assertLess(counted, 1.35 * real)

    def test_room(self) -> None:
        """10,000 short connections have room in the ring."""
        _, counted = self.real(closed=True, messages=2)
        self.assertLess(10_000 * counted, 2**23)

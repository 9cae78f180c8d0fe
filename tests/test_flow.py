"""A stream reads while nobody holds it, and lets its protocol produce while there is room."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.streams import MUCH, StreamCase, abort, echo, half_close, lose
from twisted_lab import flow
from twisted_lab.events import CloseReason
from twisted_lab.flow import CANNOT_FILL, UNPROVED
from twisted_lab.layer import GRACE, LINGER
from twisted_lab.testing import CAPACITY, HalfCloseSpy, Peer, Pull, Push, Spy


class HoldTests(StreamCase):
    def flow(self) -> list[tuple[Any, ...]]:
        """What the events say of pauses."""
        return [
            (event.event, event.direction, getattr(event, "reason", ""))  # type: ignore[attr-defined]
            for event in self.seen.events
            if event.event in ("paused", "resumed")
        ]

    def test_protocol(self) -> None:
        """A protocol stops and takes up reading; nothing is lost."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.pauseProducing()
        spy.transport.pauseProducing()
        peer.send(MUCH)
        self.network.pump()
        self.assertEqual(spy.received, b"")
        spy.transport.resumeProducing()
        spy.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(spy.received, MUCH)
        self.assertEqual(self.flow(), [("paused", "in", "protocol"), ("resumed", "in", "")])

    def test_several(self) -> None:
        """Reading goes on when the last of those who held it lets go."""
        spy = Spy()
        peer = self.talk(spy)
        self.stream.hold("throughput")
        spy.transport.pauseProducing()
        peer.send(b"x")
        self.stream.release("throughput")
        self.network.pump()
        self.assertEqual(spy.received, b"")
        spy.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.received, b"x")
        self.assertEqual(self.flow(), [("paused", "in", "throughput"), ("resumed", "in", "")])

    def test_peer_that_does_not_read(self) -> None:
        """While the peer does not read we do not either, so it blocks and our memory is bounded."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(MUCH)
        self.network.pump()
        ours = self.stream.transport
        self.assertLessEqual(len(ours.dataBuffer) + ours._tempDataLen, 2 * 2**16)
        self.assertLess(len(spy.received), len(MUCH))
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(peer.received, MUCH)
        self.assertEqual(
            self.flow()[:4],
            [
                ("paused", "out", "output"),
                ("paused", "in", "output"),
                ("resumed", "out", ""),
                ("resumed", "in", ""),
            ],
        )

    def test_full_and_held(self) -> None:
        """A protocol's hold outlasts the output's."""
        spy = Spy()
        peer = self.talk(spy)
        peer.send(b"x")
        spy.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.network.pump()
        self.assert_bytes(peer.received, MUCH)
        self.assertEqual(spy.received, b"")

    def test_sent_before_paused(self) -> None:
        """A write that fills the output is told before the pause it causes."""
        spy = Spy()
        self.talk(spy)
        spy.transport.write(MUCH)
        self.assertEqual(self.seen.names, ["accepted", "sent", "paused", "paused"])

    def test_after_fin(self) -> None:
        """After the peer's FIN there is nothing to hold, and it is not found a second time."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        spy.transport.pauseProducing()
        spy.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", "fin-in"])
        self.assertEqual(self.flow(), [])

    def test_every_pause_has_its_end(self) -> None:
        """Of each direction, what was paused is resumed at most once, and never out of order."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(MUCH)
        self.network.pump()
        self.stream.end(CloseReason.DRAIN, linger=True)
        peer.transport.resumeProducing()
        peer.fin()
        self.network.advance(LINGER)
        for direction in ("in", "out"):
            names = [name for name, where, _ in self.flow() if where == direction]
            self.assertEqual(names, ["paused", "resumed"] * (len(names) // 2), direction)


class ReadSizeTests(StreamCase):
    """How much is read at a time: little until the peer has shown that it reads, too."""

    def size(self) -> int:
        return self.stream.lowest.bufferSize  # type: ignore[no-any-return]

    def test_grows(self) -> None:
        """A peer that has taken more than the kernel can hold for it is read in larger pieces."""
        self.patch(flow, "PROOF", 4 * UNPROVED)
        peer = self.talk(Spy(dataReceived=echo))
        for sent in range(1, 5):
            self.assertEqual(self.size(), UNPROVED)
            peer.send(bytes(UNPROVED))
            self.network.pump()
            self.assertEqual(len(peer.received), sent * UNPROVED)
        for _ in range(2):
            peer.send(bytes(UNPROVED))
            self.network.pump()
        self.assertEqual(self.size(), CANNOT_FILL)

    def test_never_reads(self) -> None:
        """One that reads nothing has two small pieces in our memory at most."""
        peer = self.talk(Spy(dataReceived=echo))
        peer.transport.pauseProducing()
        for _ in range(100):
            peer.send(bytes(UNPROVED))
        self.network.pump()
        lowest = self.stream.lowest
        waits = len(lowest.dataBuffer) - lowest.offset + lowest._tempDataLen
        self.assertLessEqual(waits, 2 * UNPROVED)
        self.assertGreater(waits, UNPROVED)
        self.assertEqual(self.size(), UNPROVED)

    def test_producer(self) -> None:
        """A producer may write CANNOT_FILL at a time without filling the output with each piece:
        else nothing would be read between two, and the peer's FIN be seen never."""
        self.talk(Spy())
        self.stream.registerProducer(Push(), True)
        self.assertEqual(self.size(), CANNOT_FILL)

    def test_limited(self) -> None:
        """A limit of a policy holds however well the peer reads, and until it is freed."""
        self.patch(flow, "PROOF", 4 * UNPROVED)
        peer = self.talk(Spy(dataReceived=echo))
        self.stream.limit_reads(UNPROVED + 100)
        for _ in range(8):
            peer.send(bytes(UNPROVED))
            self.network.pump()
        self.assertEqual(self.size(), UNPROVED + 100)
        self.stream.limit_reads(10)
        self.assertEqual(self.size(), 10)
        self.stream.free_limits()
        self.assertEqual(self.size(), CANNOT_FILL)


class ProducerTests(StreamCase):
    def test_push(self) -> None:
        """A push producer is paused when 64 KiB wait for the peer, and resumed when they went."""
        spy, producer = Spy(), Push()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.registerProducer(producer, True)
        spy.transport.write(MUCH)
        self.network.pump()
        self.assertEqual(producer.calls, ["pause"])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(producer.calls, ["pause", "resume"])
        spy.transport.unregisterProducer()
        spy.transport.write(MUCH)
        self.network.pump()
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_registered_when_full(self) -> None:
        """One that comes when the output is full is paused at once."""
        spy, producer = Spy(), Push()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.registerProducer(producer, True)
        self.assertEqual(producer.calls, ["pause"])

    def test_pull(self) -> None:
        """A pull producer is asked as long as there is room, and all it gave arrives."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        pieces = [MUCH[i : i + 4096] for i in range(0, len(MUCH), 4096)]
        producer = Pull(spy.transport, pieces)
        spy.transport.registerProducer(producer, False)
        spy.transport.loseConnection()
        self.network.pump()
        given = producer.asked * 4096
        self.assertLessEqual(given, CAPACITY + 2 * 2**16 + 4096)
        self.network.pump()
        self.assertEqual(producer.asked * 4096, given)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(peer.received, MUCH)
        self.assert_ended("local", spy)

    def test_pull_registered_when_full(self) -> None:
        """A pull producer that comes when the output is full gives nothing until there is room."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.network.pump()
        pieces = [b"x" * 4096] * 256
        producer = Pull(spy.transport, pieces)
        spy.transport.registerProducer(producer, False)
        self.network.pump()
        self.assertLessEqual(producer.asked * 4096, 2**16)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(peer.received, MUCH + b"".join(pieces))

    def test_one_at_a_time(self) -> None:
        """A second producer is an error."""
        spy = Spy()
        self.talk(spy)
        spy.transport.registerProducer(Push(), True)
        self.assertRaises(RuntimeError, spy.transport.registerProducer, Push(), True)

    def test_after_the_end(self) -> None:
        """A producer that comes too late is stopped at once."""
        for end in (lose, abort, half_close):
            spy, producer = Spy(), Push()
            self.talk(spy)
            end(spy)
            spy.transport.registerProducer(producer, True)
            self.assertEqual(producer.calls, ["stop"])

    def test_close_waits(self) -> None:
        """A close waits until a registered producer is done."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.registerProducer(Push(), True)
        spy.transport.loseConnection()
        self.network.advance(60)
        spy.transport.write(b"last")
        self.network.pump()
        self.assert_saw(peer, b"last", None)
        spy.transport.unregisterProducer()
        self.network.pump()
        self.assertEqual(peer.end, "fin")
        self.assert_ended("local", spy)

    def test_fin_waits_for_a_producer(self) -> None:
        """What a producer was sending when the peer's FIN came is sent to its end."""
        for give in (Spy, HalfCloseSpy):
            self.setUp()
            spy = give()
            peer = self.talk(spy)
            pieces = [b"%04d" % number for number in range(1000)]
            producer = Pull(spy.transport, pieces)
            spy.transport.registerProducer(producer, False)
            peer.fin()
            self.network.pump()
            self.assert_bytes(peer.received, b"".join(pieces))

    def test_fin_waits_for_no_push_producer(self) -> None:
        """One that may push for ever (twisted.web registers such a one) keeps no connection."""
        for data in (b"", MUCH):
            self.setUp()
            spy = Spy()
            peer = self.talk(spy)
            spy.transport.registerProducer(Push(), True)
            spy.transport.write(data)
            peer.fin()
            self.network.advance(GRACE)
            self.assert_saw(peer, data, "fin")
            self.assert_ended("peer-fin", spy)

    def test_web(self) -> None:
        """The same with twisted.web itself: a client that leaves is gone."""

        class Hello(Resource):
            isLeaf = True

            def render_GET(self, request: object) -> bytes:
                return b"hello"

        site = Site(Hello(), reactor=self.clock)  # type: ignore[arg-type]
        peer = self.network.connect(Peer(), self.behind_layer(site))
        peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.network.pump()
        self.assertTrue(peer.received.endswith(b"hello"))
        peer.fin()
        self.network.advance(GRACE)
        self.assertEqual((peer.end, self.layer.streams), ("fin", set()))

    def test_lost(self) -> None:
        """A producer hears that the connection is lost, before its protocol does."""
        log: list[str] = []

        class Logged(Push):
            def stopProducing(self) -> None:
                log.append("producer")

        spy = Spy(connectionLost=lambda spy: log.append("protocol"))
        peer = self.talk(spy)
        spy.transport.registerProducer(Logged(), True)
        peer.reset()
        self.network.pump()
        self.assertEqual(log, ["producer", "protocol"])

    def test_pull_lost(self) -> None:
        """A pull producer is asked no more when its connection is lost."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        producer = Pull(spy.transport, [b"x" * 4096] * 1000)
        spy.transport.registerProducer(producer, False)
        self.network.pump()
        peer.reset()
        self.network.pump()
        self.assertTrue(producer.stopped)
        self.assert_ended("reset", spy, error.ConnectionLost)

    def test_ended_by_a_policy(self) -> None:
        """When someone else ends the stream, its producer is stopped, not left giving to nobody."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(b"x" * 2**15)
        producer = Pull(spy.transport, [b"x"] * 1000)
        spy.transport.registerProducer(producer, False)
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.pump()
        self.assertLessEqual(producer.asked, 1)

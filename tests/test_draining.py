"""A stop lets every connection finish what moves, then parts in order, within its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.protocol import Factory

from tests.streams import MUCH, StreamCase, echo
from twisted_lab.draining import QUIET, Drain
from twisted_lab.layer import GRACE, LINGER, StreamFactory
from twisted_lab.protocols.echo import Echo
from twisted_lab.protocols.line import LineFactory
from twisted_lab.testing import HalfCloseSpy, Peer, Spy

LIMIT = 5.0


class DrainTests(StreamCase):
    def drain(self, limit: float = LIMIT) -> list[Any]:
        """Begin; the list is filled when it is over."""
        done: list[Any] = []
        Drain(self.clock, lambda: tuple(self.layer.streams), limit).start().addCallback(done.append)
        return done

    def test_nobody(self) -> None:
        """With nobody connected it is over at once."""
        self.behind_layer(None)
        self.assertEqual(self.drain(), [None])
        self.assertEqual(self.clock.calls, [])

    def test_quiet(self) -> None:
        """A quiet connection is ended after half a second: FIN, linger, gone."""
        spy = Spy()
        peer = self.talk(spy)
        self.network.advance(60)
        done = self.drain()
        self.network.advance(QUIET - 0.1)
        self.assertEqual((peer.end, spy.transport.ending), (None, False))
        self.network.advance(0.2)
        self.assertEqual((peer.end, done), ("fin", []))
        self.network.advance(LINGER + 0.1)
        self.assertEqual(done, [None])
        self.assert_ended("drain", spy)
        self.assertEqual(self.closed().detail, "the server stops")

    def test_peer_that_answers(self) -> None:
        """With a peer that closes on FIN it is over sooner."""
        peer = self.talk(Spy())
        done = self.drain()
        self.network.advance(QUIET + 0.1)
        peer.close()
        self.network.advance(0.1)
        self.assertEqual(done, [None])

    def test_still_talking(self) -> None:
        """A connection on which something moves is served until it stops."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        done = self.drain()
        for _ in range(10):
            peer.send(b"x")
            self.network.advance(QUIET - 0.2)
        self.assertEqual((peer.received, peer.end), (b"x" * 10, None))
        self.network.advance(QUIET + 0.2)
        self.assertEqual((peer.end, done), ("fin", []))

    def test_answer_to_come(self) -> None:
        """Who waits for an answer that takes time gets it, if it comes within the limit."""
        factory = LineFactory(clock=self.clock, now=lambda: datetime.now(UTC))
        peer = self.network.connect(self.make_peer(), self.behind_layer(factory))
        late = self.network.connect(self.make_peer(), StreamFactory(self.layer))
        peer.send(b"/delay 2 slow\n")
        late.send(b"/delay 60 too slow\n")
        self.network.pump()
        done = self.drain()
        self.network.advance(2.0 + QUIET + 0.2)
        self.assert_saw(peer, b"slow\n", "fin")
        self.network.advance(LIMIT)
        self.assert_saw(late, b"", "reset")
        self.assertEqual(done, [None])

    def test_slow_reader(self) -> None:
        """Nothing is lost to a peer that reads, however slowly (P02)."""
        peer = self.talk(Spy())
        peer.transport.pauseProducing()
        self.stream.write(MUCH)
        done = self.drain(60)
        while peer.end is None:
            self.network.advance(QUIET - 0.2)
            peer.transport.resumeProducing()
            self.network.turn()
            peer.transport.pauseProducing()
        self.assert_saw(peer, MUCH, "fin")
        self.network.advance(LINGER + 0.2)
        self.assertEqual(done, [None])
        self.assertEqual(self.closed().reason, "drain")

    def test_never_reads(self) -> None:
        """A peer that reads nothing is aborted at the limit (P03)."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        done = self.drain(GRACE - 1)
        self.network.advance(GRACE - 1.1)
        self.assertEqual((spy.ends, done), ([], []))
        self.network.advance(0.4)
        self.assertEqual(done, [None])
        self.assertEqual(self.closed().reason, "drain")

    def test_never_quiet(self) -> None:
        """So is one that never stops talking."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        done = self.drain()
        while not done and self.clock.seconds() < LIMIT + 0.3:
            peer.send(b"x")
            self.network.advance(0.1)
        self.assertEqual((peer.end, done), ("reset", [None]))
        self.assertEqual(self.closed().reason, "drain")

    def test_at_once(self) -> None:
        """With no time at all everybody is aborted at once."""
        peer = self.talk(Spy())
        done = self.drain(0)
        self.network.advance(0.1)
        self.assertEqual((peer.end, done), ("reset", [None]))

    def test_already_ending(self) -> None:
        """A connection that is ending already is left to it, and keeps its reason."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseConnection()
        done = self.drain()
        self.network.advance(1.0)
        peer.transport.resumeProducing()
        self.network.advance(0.1)
        self.assert_saw(peer, MUCH, "fin")
        self.assertEqual(done, [None])
        self.assert_ended("local", spy)

    def test_half_closed(self) -> None:
        """A connection whose peer has sent FIN and still reads is ended in order, too."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        spy.transport.write(b"answer")
        done = self.drain()
        self.network.advance(QUIET + 0.2)
        self.assert_saw(peer, b"answer", "fin")
        self.assertEqual(done, [None])
        self.assert_ended("peer-fin", spy)

    def test_many(self) -> None:
        """Each is ended in its own time; it is over with the last."""
        factory = self.behind_layer(Factory.forProtocol(Echo))
        peers = [self.network.connect(Peer(), factory) for _ in range(3)]
        done = self.drain()
        self.network.advance(0.4)
        peers[0].send(b"x")
        self.network.advance(0.2)
        self.assertEqual([peer.end for peer in peers], [None, "fin", "fin"])
        for peer in peers[1:]:
            peer.fin()
        self.network.advance(0.6)
        self.assertEqual((peers[0].received, peers[0].end, done), (b"x", "fin", []))
        peers[0].fin()
        self.network.advance(0.1)
        self.assertEqual(done, [None])

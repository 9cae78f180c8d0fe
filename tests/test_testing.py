"""Connections in memory behave as Twisted's on sockets do, and move only when told."""

from __future__ import annotations

import inspect
from socket import SHUT_RD, SHUT_WR
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from examples.shout import Shout
from tests.own_page import block
from tests.streams import MUCH, BytesCase, abort, echo, fail, half_close, lose
from twisted_lab import testing
from twisted_lab.events import Listening, NotListening
from twisted_lab.protocols.echo import Echo
from twisted_lab.testing import (
    CAPACITY,
    Collector,
    HalfCloseSpy,
    Network,
    Peer,
    Pull,
    Push,
    Spy,
    network,
)

HIGH_WATER = 2**16


class Case(BytesCase):
    def setUp(self) -> None:
        self.network = Network()

    def talk(self, server: Spy) -> Peer:
        self.server = server
        return self.network.pair(Peer(), server)


class DataTests(Case):
    def test_both_ways(self) -> None:
        """What one end writes the other reads, in order."""
        peer = self.talk(Spy(dataReceived=echo))
        peer.send(b"one ")
        peer.send(b"two")
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", b"one two"])
        self.assertEqual(peer.received, b"one two")

    def test_only_when_told(self) -> None:
        """Nothing moves before the network takes a turn, and a turn says whether any did."""
        peer = self.talk(Spy())
        peer.send(b"x")
        self.assertEqual(self.server.calls, ["made"])
        self.assertEqual([self.network.turn() for _ in range(3)], [True, True, False])
        self.assertEqual(self.server.calls, ["made", b"x"])

    def test_reads_are_bounded(self) -> None:
        """One read is 64 KiB at most, as Twisted's."""
        peer = self.talk(Spy())
        peer.send(MUCH)
        self.network.pump()
        self.assert_bytes(self.server.received, MUCH)
        self.assertEqual({len(read) for read in self.server.calls[1:]}, {2**16})

    def test_unread(self) -> None:
        """Who does not read holds what the connection holds; the rest waits at the sender."""
        peer = self.talk(Spy(connectionMade=lambda spy: spy.transport.pauseProducing()))
        peer.send(MUCH)
        self.network.pump()
        waiting = peer.transport
        self.assertEqual(self.server.received, b"")
        self.assertEqual(len(waiting.dataBuffer) - waiting.offset, len(MUCH) - CAPACITY)
        self.server.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(self.server.received, MUCH)

    def test_capacity(self) -> None:
        """How much a connection holds can be chosen."""
        self.network = Network(capacity=10)
        peer = self.talk(Spy())
        peer.send(b"x" * 25)
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", b"x" * 10, b"x" * 10, b"x" * 5])


class ProducerTests(Case):
    def test_high_water(self) -> None:
        """A push producer is paused by the byte over 64 KiB, and resumed when all is sent."""
        peer = self.talk(Spy())
        peer.transport.pauseProducing()
        producer = Push()
        self.server.transport.registerProducer(producer, True)
        self.server.transport.write(b"x" * HIGH_WATER)
        self.assertEqual(producer.calls, [])
        self.server.transport.write(b"x")
        self.assertEqual(producer.calls, ["pause"])
        self.network.pump()
        self.assertEqual(producer.calls, ["pause"])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(producer.calls, ["pause", "resume"])
        self.assertEqual(len(peer.received), HIGH_WATER + 1)

    def test_pull(self) -> None:
        """A pull producer is asked again whenever its last piece has gone."""
        peer = self.talk(Spy())
        producer = Pull(self.server.transport, [b"a", b"b", b"c"])
        self.server.transport.registerProducer(producer, False)
        self.network.pump()
        self.assertEqual(peer.received, b"abc")
        self.assertEqual(producer.asked, 3)

    def test_close_waits(self) -> None:
        """A close waits for a producer that is paused (and, in Twisted 26.10, for no other)."""
        peer = self.talk(Spy())
        producer = Push()
        self.server.transport.registerProducer(producer, True)
        self.server.transport.write(MUCH)
        self.server.transport.loseConnection()
        self.network.pump()
        self.assert_saw(peer, MUCH, None)
        self.assertEqual(producer.calls, ["pause", "resume"])
        self.server.transport.write(b"last")
        self.server.transport.unregisterProducer()
        self.network.pump()
        self.assertEqual((peer.received[-4:], peer.end), (b"last", "fin"))

    def test_stopped(self) -> None:
        """A producer hears that its connection is gone."""
        peer = self.talk(Spy())
        producer = Push()
        self.server.transport.registerProducer(producer, True)
        peer.reset()
        self.network.pump()
        self.assertEqual(producer.calls, ["stop"])


class EndTests(Case):
    def test_close_flushes(self) -> None:
        """loseConnection() sends all that was written, then FIN."""
        peer = self.talk(Spy())
        self.server.transport.write(MUCH)
        self.server.transport.loseConnection()
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.assertEqual(self.server.ends, [error.ConnectionDone])

    def test_close_waits_for_a_reader(self) -> None:
        """A close has no end while the peer does not read."""
        peer = self.talk(Spy())
        peer.transport.pauseProducing()
        self.server.transport.write(MUCH)
        self.server.transport.loseConnection()
        self.network.advance(3600)
        self.assertEqual(self.server.ends, [])

    def test_half_close(self) -> None:
        """loseWriteConnection() sends FIN after all that was written; the other way lives."""
        peer = self.talk(HalfCloseSpy())
        peer.transport.pauseProducing()
        self.server.transport.write(MUCH)
        self.server.transport.loseWriteConnection()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made"])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", "fin-out"])
        self.assert_saw(peer, MUCH, "fin")
        peer.send(b"still")
        self.network.pump()
        self.assertEqual(self.server.received, b"still")

    def test_fin_is_read_last(self) -> None:
        """FIN is noticed after everything before it was read, and only by who reads."""
        peer = self.talk(HalfCloseSpy())
        self.server.transport.pauseProducing()
        peer.send(MUCH)
        peer.fin()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made"])
        self.server.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(self.server.received, MUCH)
        self.assertEqual(self.server.calls[-1], "fin-in")

    def test_fin_to_who_does_not_know_of_it(self) -> None:
        """For a protocol without half-close, FIN is the end of the connection."""
        peer = self.talk(Spy())
        peer.fin()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", error.ConnectionDone])
        self.assertEqual(peer.end, "fin")

    def test_the_textbook_loses(self) -> None:
        """The textbook's echo loses what FIN follows at once, as it does on sockets."""
        peer = self.talk(Spy(dataReceived=echo))
        peer.send(b"hello")
        peer.fin()
        self.network.pump()
        self.assertEqual(self.server.received, b"hello")
        self.assert_saw(peer, b"", "fin")

    def test_abort(self) -> None:
        """abortConnection() drops what is not read; the other end sees RST."""
        peer = self.talk(Spy())
        peer.transport.pauseProducing()
        self.server.transport.write(MUCH)
        self.network.pump()
        self.server.transport.abortConnection()
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, b"", "reset")
        self.assertEqual(self.server.ends, [error.ConnectionAborted])

    def test_reset_by_the_peer(self) -> None:
        """The peer's RST is a ConnectionLost."""
        peer = self.talk(HalfCloseSpy())
        peer.reset()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", error.ConnectionLost])
        self.assertEqual(peer.end, "own")

    def test_reset_found_by_writing(self) -> None:
        """Who does not read finds the RST when it writes."""
        peer = self.talk(Spy())
        self.server.transport.pauseProducing()
        peer.reset()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made"])
        self.server.transport.write(b"x")
        self.network.pump()
        self.assertEqual(self.server.ends, [error.ConnectionLost])

    def test_unread_input_makes_a_reset(self) -> None:
        """A close with unread input is an RST, and takes with it what the peer has not read."""
        peer = self.talk(Spy())
        self.server.transport.pauseProducing()
        peer.send(b"never read")
        self.network.pump()
        peer.transport.pauseProducing()
        self.server.transport.write(b"reply")
        self.server.transport.loseConnection()
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, b"", "reset")

    def test_sent_to_who_has_closed(self) -> None:
        """What is sent to who has closed is answered by RST."""
        peer = self.talk(HalfCloseSpy(readConnectionLost=lambda spy: spy.transport.write(b"late")))
        peer.close()
        self.network.pump()
        self.assertEqual(self.server.calls, ["made", "fin-in"])
        self.server.transport.write(b"more")
        self.network.pump()
        self.assertEqual(self.server.ends, [error.ConnectionLost])

    def test_own(self) -> None:
        """A peer that has closed says that the end was its own."""
        peer = self.talk(Spy())
        peer.close()
        self.network.pump()
        self.assertEqual(peer.end, "own")

    def test_acts_in_callbacks(self) -> None:
        """Each end may be made in a callback."""
        for act, seen in ((lose, "fin"), (abort, "reset"), (half_close, "fin")):
            peer = self.talk(HalfCloseSpy(dataReceived=act))
            peer.send(b"x")
            self.network.pump()
            self.assertEqual(peer.end, seen)


class ExceptionTests(Case):
    def test_in_dataReceived(self) -> None:
        """What a protocol raises is logged, and ends its connection with that failure."""
        peer = self.talk(Spy(dataReceived=fail))
        peer.send(b"x")
        self.network.pump()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.server.ends, [ValueError])
        self.assertEqual(peer.end, "fin")

    def test_in_a_call(self) -> None:
        """What a delayed call raises comes out of pump(), as it comes out of a Clock."""
        self.network.clock.callLater(0, fail, None)
        self.assertRaises(ValueError, self.network.pump)


class TimeTests(Case):
    def test_the_clock(self) -> None:
        """The clock may be the test's own."""
        clock = Clock()
        self.assertIs(Network(clock).clock, clock)

    def test_advance(self) -> None:
        """Every call comes at its own time, and what it sends arrives before the next."""
        peer = self.talk(Spy())
        log: list[Any] = []

        def call() -> None:
            log.append((self.network.clock.seconds(), bytes(peer.received)))
            self.server.transport.write(b"x")

        for when in (2.0, 1.0, 3.0, 3.5):
            self.network.clock.callLater(when, call)
        self.network.advance(3.25)
        self.assertEqual(log, [(1.0, b""), (2.0, b"x"), (3.0, b"xx")])
        self.assertEqual(self.network.clock.seconds(), 3.25)

    def test_pump_takes_no_time(self) -> None:
        """pump() does what is due, also what that makes due, and no more."""
        log: list[str] = []
        clock = self.network.clock
        clock.callLater(0, lambda: (log.append("now"), clock.callLater(0, log.append, "next")))
        clock.callLater(0.001, log.append, "later")
        self.network.pump()
        self.assertEqual(log, ["now", "next"])
        self.assertEqual(clock.seconds(), 0.0)

    def test_calls_that_change_calls(self) -> None:
        """A call may cancel or put off another that was due at the same time."""
        log: list[str] = []
        clock = self.network.clock
        clock.callLater(1, lambda: (cancelled.cancel(), later.reset(5)))
        cancelled = clock.callLater(1, log.append, "cancelled")
        later = clock.callLater(1, log.append, "later")
        self.network.advance(5)
        self.assertEqual(log, [])
        self.network.advance(1)
        self.assertEqual(log, ["later"])

    def test_endless(self) -> None:
        """Two that never stop talking are an error, not a test that hangs."""
        self.patch(network, "_ENDLESS", 100)
        peer = self.talk(Spy(dataReceived=echo))
        peer.dataReceived = peer.send  # type: ignore[method-assign]
        peer.send(b"x")
        with self.assertRaisesRegex(AssertionError, "still moving after 100 turns"):
            self.network.pump()


class ConnectTests(Case):
    def test_factory(self) -> None:
        """connect() asks the factory, with the client's address; each client has its own."""
        asked: list[Any] = []

        class Asked(Factory):
            protocol = Echo

            def buildProtocol(self, addr: Any) -> Protocol | None:
                asked.append(addr)
                return super().buildProtocol(addr)

        peers = [self.network.connect(Peer(), Asked(), host="192.0.2.1") for _ in "12"]
        self.assertEqual([peer.transport.getHost() for peer in peers], asked)
        self.assertEqual({address.host for address in asked}, {"192.0.2.1"})
        self.assertNotEqual(asked[0], asked[1])

    def test_refused(self) -> None:
        """A factory that builds nothing closes the connection."""

        class Closed(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        peer = self.network.connect(Peer(), Closed())
        self.network.pump()
        self.assert_saw(peer, b"", "fin")

    def test_interfaces(self) -> None:
        """The transport is Twisted's; the peer knows of half-close."""
        peer = self.talk(Spy())
        verifyObject(ITCPTransport, self.server.transport)
        verifyObject(IHalfCloseableProtocol, peer)

    def test_addresses_and_options(self) -> None:
        """Each end knows both addresses, keeps TCP's options and has a name to read in a log."""
        peer = self.talk(Spy())
        transport = self.server.transport
        self.assertEqual(transport.getHost(), peer.transport.getPeer())
        self.assertEqual(transport.getPeer(), peer.transport.getHost())
        self.assertFalse(transport.getTcpNoDelay())
        transport.setTcpNoDelay(True)
        self.assertTrue(transport.getTcpNoDelay())
        self.assertEqual(transport.getHandle().fileno(), -1)
        self.assertIn("Spy in memory", repr(transport))

    def test_the_socket(self) -> None:
        """Below is what Twisted sees as a socket that does not block."""
        peer = self.talk(Spy())
        end = self.server.transport.getHandle()
        self.assertRaises(BlockingIOError, end.recv, 1)
        self.assertEqual(end.send(memoryview(MUCH)), CAPACITY)
        self.assertRaises(BlockingIOError, end.send, memoryview(b"x"))
        end.shutdown(SHUT_RD)
        self.network.pump()
        self.assertEqual((len(peer.received), peer.end), (CAPACITY, None))
        end.shutdown(SHUT_WR)
        self.assertRaises(BrokenPipeError, end.send, memoryview(b"x"))


class CollectorTests(SynchronousTestCase):
    def test_collects(self) -> None:
        """Every event is kept in order, and found by its name."""
        collector = Collector()
        opened = Listening(1, "echo", "127.0.0.1:9000", "tcp")
        closed = NotListening(2, "echo", "127.0.0.1:9000", "tcp")
        collector(opened)
        collector(closed)
        self.assertEqual(collector.events, [opened, closed])
        self.assertEqual(collector.names, ["listening", "not-listening"])
        self.assertEqual(collector.of("listening"), [opened])
        self.assertEqual(collector.of("closed"), [])


class PublicTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Every public name is there, says what it is, and so does each of its methods."""
        for name in testing.__all__:
            thing = getattr(testing, name)
            if inspect.isclass(thing):
                members = [
                    thing,
                    *(m for n, m in vars(thing).items() if n[0] != "_" and callable(m)),
                ]
                self.assertEqual([one for one in members if not inspect.getdoc(one)], [], name)
        public = {name for name, thing in vars(testing).items() if inspect.isclass(thing)}
        self.assertEqual(set(testing.__all__), public | {"CAPACITY"})

    def test_page(self) -> None:
        """What docs/own.md shows of the network in memory runs."""
        exec(block("Network()"), {**vars(testing), "Factory": Factory, "Shout": Shout})

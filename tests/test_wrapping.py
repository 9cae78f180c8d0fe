"""The one layer: what passes through it, and what a protocol that fails does to it."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv6Address
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ITCPTransport,
)
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory
from zope.interface.verify import verifyObject

from tests.streams import MUCH, StreamCase, abort, echo, fail, half_close, lose
from twisted_lab import flow, layer, wrapping
from twisted_lab.events import CATALOGUE, CloseReason
from twisted_lab.layer import LINGER
from twisted_lab.testing import HalfCloseSpy, Peer, Pull, Push, Spy


class BeginningTests(StreamCase):
    def test_interfaces(self) -> None:
        """A stream is a TCP transport to its protocol, and to its transport one that knows FIN."""
        self.talk(Spy())
        for interface in (ITCPTransport, IConsumer, IPushProducer, IHalfCloseableProtocol):
            verifyObject(interface, self.stream)

    def test_accepted(self) -> None:
        """A connection is announced with who it is and where it came in."""
        peer = self.talk(Spy())
        (accepted,) = self.seen.of("accepted")
        self.assertEqual(accepted.connection, "c1")
        self.assertEqual(accepted.peer, f"127.0.0.1:{peer.transport.getHost().port}")
        self.assertEqual(accepted.local, "127.0.0.1:9000")
        self.assertEqual(accepted.transport, "tcp")

    def test_local_address(self) -> None:
        """The listener's address is shown; a wildcard listener has none, so the socket's own is."""
        for listener, shown in (("unix:/run/x", "unix:/run/x"), ("", "127.0.0.1:9000")):
            factory = self.behind_layer(Factory.forProtocol(Spy))
            factory.local = listener
            self.network.connect(Peer(), factory)
            self.assertEqual(self.seen.of("accepted")[-1].local, shown)

    def test_the_transports_own(self) -> None:
        """What a stream does not define is its transport's own; what nobody has is an error."""
        spy = Spy()
        self.talk(spy)
        spy.transport.setTcpNoDelay(True)
        self.assertTrue(spy.transport.getTcpNoDelay())
        spy.transport.setTcpKeepAlive(True)
        self.assertTrue(spy.transport.getTcpKeepAlive())
        self.assertEqual(spy.transport.getPeer(), spy.transport.address)
        self.assertIs(spy.transport.socket, spy.transport.transport.socket)
        self.assertIs(spy.transport.lowest, spy.transport.transport)
        self.assertIn("c1 test 127.0.0.1:", repr(spy.transport))
        self.assertRaises(AttributeError, getattr, spy.transport, "no_such_thing")
        self.assertRaises(AttributeError, getattr, spy.transport, "_no_such_thing")

    def test_before_it_is_connected(self) -> None:
        """A stream without a transport says so plainly."""
        factory = self.behind_layer(Factory.forProtocol(Spy))
        stream = factory.buildProtocol(IPv6Address("TCP", "::1", 1))
        self.assertRaises(AttributeError, stream.getPeer)
        self.assertRaises(AttributeError, getattr, stream, "socket")

    def test_ended_before_it_began(self) -> None:
        """When a policy ends a stream as it opens, its protocol never hears of it."""

        class Closing:
            def opened(self, stream: Any) -> None:
                stream.end(CloseReason.LIMIT, linger=True)

        spy = Spy()
        peer = self.talk(spy, Closing())
        self.assertEqual(spy.calls, [])
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.closed().reason, CloseReason.LIMIT)

    def test_aborted_before_it_began(self) -> None:
        """The same for an abort."""

        class Aborting:
            def opened(self, stream: Any) -> None:
                stream.abort(CloseReason.FAULT)

        spy = Spy()
        peer = self.talk(spy, Aborting())
        self.assertEqual(spy.calls, [])
        self.assertEqual(peer.end, "reset")
        self.assertEqual(self.closed().reason, CloseReason.FAULT)


class DataTests(StreamCase):
    def test_events(self) -> None:
        """A conversation, as its events tell it."""
        peer = self.talk(Spy(dataReceived=echo))
        peer.send(b"hello")
        self.network.pump()
        peer.fin()
        self.network.pump()
        self.assertEqual(peer.received, b"hello")
        self.assertEqual(
            self.seen.names, ["accepted", "received", "sent", "peer-shutdown", "closed"]
        )
        closed = self.closed()
        self.assertEqual((closed.bytes_in, closed.bytes_out), (5, 5))

    def test_totals(self) -> None:
        """The end tells how much went in and out, and how long it took."""
        peer = self.talk(Spy(dataReceived=lambda spy: spy.transport.write(b"ok")))
        peer.send(MUCH)
        self.network.advance(2.5)
        peer.fin()
        self.network.pump()
        closed = self.closed()
        reads = self.seen.of("received")
        self.assertEqual(closed.bytes_in, len(MUCH))
        self.assertEqual(closed.bytes_out, 2 * len(reads))
        self.assertEqual(sum(read.bytes for read in reads), len(MUCH))
        self.assertEqual(closed.duration, 2.5)
        self.assertEqual((closed.peer, closed.local), (self.seen.events[0].peer, "127.0.0.1:9000"))

    def test_write_sequence(self) -> None:
        """Pieces written together are one write."""
        peer = self.talk(Spy(connectionMade=lambda spy: spy.transport.writeSequence([b"a", b"b"])))
        self.assertEqual(peer.received, b"ab")
        self.assertEqual([sent.bytes for sent in self.seen.of("sent")], [2])

    def test_written_after_the_end(self) -> None:
        """What is written after our FIN, or after a close, is dropped and not counted."""
        for close in (half_close, lose, abort):
            self.setUp()
            spy = Spy()
            peer = self.talk(spy)
            close(spy)
            spy.transport.write(b"late")
            self.network.pump()
            self.assertEqual(peer.received, b"")
            self.assertEqual(self.seen.of("sent"), [])
            self.assertEqual(self.stream.bytes_out, 0)

    def test_tell(self) -> None:
        """Only on services that speak in lines is a person told something."""
        for lines, said in ((True, b"closing\r\n"), (False, b"")):
            peer = self.talk(Spy(), lines=lines)
            self.stream.tell("closing")
            self.network.pump()
            self.assertEqual(peer.received, said)

    def test_note(self) -> None:
        """A protocol may say something worth seeing about its connection."""
        spy = Spy(connectionMade=lambda spy: spy.transport.note("odd", "look here"))
        self.talk(spy)
        (note,) = self.seen.of("note")
        self.assertEqual((note.kind, note.text, note.connection), ("odd", "look here", "c1"))

    def test_limit_reads(self) -> None:
        """One read can be kept small."""
        spy = Spy()
        peer = self.talk(spy)
        self.stream.limit_reads(2)
        peer.send(b"abcde")
        self.network.pump()
        self.assertEqual(spy.calls, ["made", b"ab", b"cd", b"e"])

    def test_message_begun_at(self) -> None:
        """Timers learn from the protocol whether a message is half received."""
        spy = Spy()
        self.talk(spy)
        self.assertIsNone(self.stream.message_begun_at)
        spy.message_begun_at = 7.0  # type: ignore[attr-defined]
        self.assertEqual(self.stream.message_begun_at, 7.0)

    def test_protocol_that_asks_its_transport(self) -> None:
        """A protocol in one of Twisted's wrappers, which ask their transport, says nothing."""
        wrapping_factory = WrappingFactory(Factory.forProtocol(Spy))
        self.network.connect(Peer(), self.behind_layer(wrapping_factory))
        (wrapper,) = wrapping_factory.protocols
        self.assertIsNone(wrapper.transport.message_begun_at)
        self.assertFalse(wrapper.transport.answering)

    def test_unsent(self) -> None:
        """In memory the kernel's unsent bytes are unknown: none."""
        self.talk(Spy())
        self.assertEqual(self.stream.unsent(), 0)


class UnobservedTests(StreamCase):
    def test_nothing_is_built(self) -> None:
        """With no observer no event is built, whatever happens."""

        def refuse(*fields: Any, **more: Any) -> None:
            raise AssertionError("an event was built")

        for module in (wrapping, layer, flow):
            for name, kind in [*vars(module).items()]:
                if kind in CATALOGUE.values():
                    unbuilt = type(name, (), {"event": kind.event, "__init__": refuse})
                    self.patch(module, name, unbuilt)
        self.publisher.remove(self.seen)
        for end in (Peer.fin, Peer.reset):
            spy = Spy(dataReceived=echo, connectionLost=fail)
            peer = self.talk(spy)
            peer.transport.pauseProducing()
            peer.send(MUCH)
            self.network.pump()
            peer.transport.resumeProducing()
            self.network.pump()
            self.assert_bytes(peer.received, MUCH)
            end(peer)
            self.network.pump()
            self.assertEqual(len(spy.ends), 1)

    def test_only_what_is_wanted(self) -> None:
        """An observer of ends alone is not shown anything else."""
        self.publisher.remove(self.seen)
        self.publisher.add(self.seen, ["closed"])
        peer = self.talk(Spy(dataReceived=echo))
        peer.send(b"x")
        peer.fin()
        self.network.pump()
        self.assertEqual(self.seen.names, ["closed"])

    def test_observer_that_raises(self) -> None:
        """An observer that raises is dropped, which is said once; no connection notices."""

        def bad(event: object) -> None:
            raise RuntimeError("full disk")

        self.publisher.add(bad)
        peer = self.talk(Spy(dataReceived=echo))
        peer.send(b"x")
        peer.fin()
        self.network.pump()
        self.assertEqual(peer.received, b"x")
        (note,) = self.seen.of("note")
        self.assertEqual(note.kind, "observer")
        self.assertIn("full disk", note.text)


class ExceptionTests(StreamCase):
    def check(self, where: str, spy: Spy, reason: str = "error") -> None:
        self.network.advance(LINGER)
        self.assertEqual(self.closed().reason, reason)
        self.assertEqual(len(spy.ends), 1)
        (note,) = self.seen.of("note")
        self.assertEqual((note.kind, note.connection), ("exception", "c1"))
        self.assertTrue(note.text.startswith(f"{where}: ValueError: a bug of the protocol's ("))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_in_connectionMade(self) -> None:
        """The connection is closed, noted, and the protocol hears that it is over."""
        spy = Spy(connectionMade=fail)
        peer = self.talk(spy)
        self.assertEqual(peer.end, "fin")
        self.check("connectionMade", spy)

    def test_in_dataReceived(self) -> None:
        """What was written before is still sent."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), fail(spy)))
        peer = self.talk(spy)
        peer.send(b"x")
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.check("dataReceived", spy)
        self.assertTrue(self.closed().detail.startswith("dataReceived: ValueError"))

    def test_in_readConnectionLost(self) -> None:
        """The peer ended first, and that is what the end says."""
        spy = HalfCloseSpy(readConnectionLost=fail)
        self.talk(spy).fin()
        self.network.pump()
        self.check("readConnectionLost", spy, "peer-fin")

    def test_in_writeConnectionLost(self) -> None:
        """We ended first, and that is what the end says."""
        spy = HalfCloseSpy(dataReceived=half_close, writeConnectionLost=fail)
        self.talk(spy).send(b"x")
        self.network.pump()
        self.check("writeConnectionLost", spy, "local")

    def test_in_connectionLost(self) -> None:
        """It is noted, and changes nothing."""
        spy = Spy(connectionLost=fail)
        self.talk(spy).fin()
        self.network.pump()
        self.check("connectionLost", spy, "peer-fin")

    def test_others_live(self) -> None:
        """The other connections of the service notice nothing (P08)."""
        spies = [Spy(dataReceived=fail), Spy(dataReceived=echo)]
        waiting = list(spies)
        factory = self.behind_layer(Factory.forProtocol(lambda: waiting.pop(0)))
        peers = [self.network.connect(Peer(), factory) for _ in spies]
        for peer in peers:
            peer.send(b"x")
        self.network.pump()
        self.assertEqual([peer.end for peer in peers], ["fin", None])
        self.assertEqual(peers[1].received, b"x")

    def test_in_a_push_producer(self) -> None:
        """A producer's exception ends its connection as an error of the protocol's."""

        class Bad(Push):
            def resumeProducing(self) -> None:
                raise ValueError("a bug of the protocol's")

        spy = Spy()
        peer = self.talk(spy)
        spy.transport.registerProducer(Bad(), True)
        spy.transport.write(MUCH)
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.check("resumeProducing", spy)

    def test_in_a_pull_producer(self) -> None:
        """The same for one that is asked; it is not asked again and again."""
        spy = Spy()
        peer = self.talk(spy)
        producer = Pull(spy.transport, [])
        spy.transport.registerProducer(producer, False)
        try:
            self.network.pump()
        except IndexError:
            self.fail("the producer's exception reached the reactor")
        self.assertEqual(producer.asked, 1)
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.closed().reason, "error")

    def test_in_stopProducing(self) -> None:
        """A producer that raises at the end does not keep its protocol from hearing of it."""

        class Bad(Push):
            def stopProducing(self) -> None:
                raise ValueError("a bug of the protocol's")

        spy = Spy()
        peer = self.talk(spy)
        spy.transport.registerProducer(Bad(), True)
        peer.reset()
        self.network.pump()
        self.assertEqual(spy.ends, [error.ConnectionLost])
        self.closed()

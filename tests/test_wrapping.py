"""The one layer: every stream has one end with a true reason, and nothing is lost on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
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
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.streams import (
    MUCH,
    HalfCloseSpy,
    Pull,
    Push,
    Spy,
    StreamCase,
    abort,
    echo,
    fail,
    half_close,
    lose,
)
from twisted_lab import flow, layer, wrapping
from twisted_lab.events import CATALOGUE, CloseReason
from twisted_lab.layer import GRACE, LINGER, YOUTH
from twisted_lab.testing import CAPACITY, Peer


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
        self.assertIs(spy.transport.lowest, spy.transport.transport)
        self.assertIn("c1 test 127.0.0.1:", repr(spy.transport))
        self.assertRaises(AttributeError, getattr, spy.transport, "no_such_thing")
        self.assertRaises(AttributeError, getattr, spy.transport, "_no_such_thing")

    def test_before_it_is_connected(self) -> None:
        """A stream without a transport says so plainly."""
        factory = self.behind_layer(Factory.forProtocol(Spy))
        stream = factory.buildProtocol(IPv6Address("TCP", "::1", 1))
        self.assertRaises(AttributeError, getattr, stream, "getPeer")

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


class EndTests(StreamCase):
    def test_peer_fin(self) -> None:
        """The peer's FIN ends a connection whose protocol knows nothing of half-close."""
        spy = Spy()
        self.talk(spy).fin()
        self.network.pump()
        self.assert_ended("peer-fin", spy)

    def test_answers_before_fin(self) -> None:
        """What came before the FIN is answered, though the FIN came with it (S02)."""
        for size in (0, 1, 6, CAPACITY, len(MUCH)):
            self.setUp()
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy)
            peer.send(MUCH[:size])
            peer.fin()
            self.network.pump()
            self.assert_bytes(peer.received, MUCH[:size])
            self.assertEqual(peer.end, "fin")
            self.assert_ended("peer-fin", spy)

    def test_answers_a_late_reader(self) -> None:
        """The same when the peer begins to read only later (S03)."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(MUCH)
        peer.fin()
        self.network.advance(3.0)
        self.assertEqual(spy.ends, [])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(peer.received, MUCH)
        self.assert_ended("peer-fin", spy)

    def test_local(self) -> None:
        """loseConnection() sends all that was written, then closes."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), lose(spy)))
        peer = self.talk(spy)
        peer.send(b"x")
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.assertTrue(spy.transport.disconnecting)
        self.assert_ended("local", spy)

    def test_stop_producing(self) -> None:
        """IPushProducer's stopProducing() is a close."""
        spy = Spy(dataReceived=lambda spy: spy.transport.stopProducing())
        self.talk(spy).send(b"x")
        self.network.pump()
        self.assert_ended("local", spy)

    def test_aborted(self) -> None:
        """abortConnection() resets, and what is not sent is lost."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), abort(spy)))
        peer = self.talk(spy)
        peer.send(b"x")
        self.network.pump()
        self.assert_saw(peer, b"", "reset")
        self.assert_ended("aborted", spy, error.ConnectionAborted)

    def test_reset(self) -> None:
        """The peer's RST is a reset."""
        spy = HalfCloseSpy()
        self.talk(spy).reset()
        self.network.pump()
        self.assert_ended("reset", spy, error.ConnectionLost)

    def test_reset_found_by_writing(self) -> None:
        """An RST that came while we did not read is found by writing."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.pauseProducing()
        peer.reset()
        self.network.pump()
        spy.transport.write(b"x")
        self.network.pump()
        self.assert_ended("reset", spy, error.ConnectionLost)

    def test_every_reason(self) -> None:
        """Whoever ends a stream names the reason and the detail, and they stay."""
        for reason, linger in itertools.product(CloseReason, (False, True)):
            self.setUp()
            spy = Spy()
            peer = self.talk(spy)
            self.stream.end(reason, "because", linger=linger)
            self.stream.end(CloseReason.LOCAL, "later")
            self.stream.abort(CloseReason.ABORTED, "later still") if not linger else None
            self.network.advance(LINGER)
            self.assertIn(peer.end, ("fin", "reset"))
            self.assertEqual((self.closed().reason, self.closed().detail), (reason, "because"))

    def test_ends_of_both(self) -> None:
        """Whatever both ends do, and in which order, the first of them names the end."""
        ours: dict[str, Callable[[Spy], None]] = {
            "local": lose,
            "local ": half_close,
            "aborted": abort,
        }
        theirs: dict[str, Callable[[Peer], None]] = {
            "peer-fin": Peer.fin,
            "peer-fin ": Peer.close,
            "reset": Peer.reset,
        }
        for kind, our, their, first in itertools.product(
            (Spy, HalfCloseSpy), ours, theirs, ("us", "them")
        ):
            self.setUp()
            spy = kind()
            peer = self.talk(spy)
            steps = [lambda: ours[our](spy), lambda: theirs[their](peer)]  # noqa: B023
            for step in steps if first == "us" else reversed(steps):
                step()
                self.network.pump()
            spy.transport.loseConnection()  # half-closed, and knowing it: still open
            self.network.advance(LINGER)
            self.assertEqual(
                (self.closed().reason.value, len(spy.ends)),
                ((our if first == "us" else their).strip(), 1),
                (kind, our, their, first),
            )

    def test_at_the_same_time(self) -> None:
        """When both end in one turn there is one end all the same."""
        ours = (lose, half_close, abort)
        for kind, our, their in itertools.product(
            (Spy, HalfCloseSpy), ours, (Peer.fin, Peer.close, Peer.reset)
        ):
            self.setUp()
            spy = kind()
            peer = self.talk(spy)
            our(spy)
            their(peer)
            self.network.pump()
            spy.transport.loseConnection()
            self.network.advance(LINGER)
            self.closed()
            self.assertEqual(len(spy.ends), 1, (kind, our, their))

    def test_ends_in_every_callback(self) -> None:
        """A protocol may close, half-close or abort in every callback."""
        callbacks = (
            "connectionMade",
            "dataReceived",
            "readConnectionLost",
            "writeConnectionLost",
            "connectionLost",
        )
        for callback, act in itertools.product(callbacks, (lose, half_close, abort)):
            self.setUp()
            spy = HalfCloseSpy(**{callback: act})
            peer = self.talk(spy)
            peer.send(b"x")
            self.network.pump()
            if callback == "writeConnectionLost":
                half_close(spy)
            self.network.pump()
            peer.fin()
            self.network.pump()
            spy.transport.loseConnection()
            self.network.advance(LINGER)
            self.closed()
            self.assertEqual(len(spy.ends), 1, (callback, act))

    def test_lost_otherwise(self) -> None:
        """A transport lost through a bug, as no peer loses it, is an error and not a reset."""
        spy = Spy()
        self.talk(spy)
        self.stream.transport.connectionLost(Failure(ValueError()))
        self.assert_ended("error", spy, ValueError)

    def test_connection_lost_again(self) -> None:
        """A transport that says it twice is believed once."""
        spy = Spy()
        self.talk(spy).fin()
        self.network.pump()
        self.stream.connectionLost(error.ConnectionLost())  # type: ignore[arg-type]
        self.stream.writeConnectionLost()
        self.stream.look()
        self.assert_ended("peer-fin", spy)

    def test_events_after_the_end(self) -> None:
        """After ``closed`` nothing more is told of a stream, whatever its protocol still does."""

        def everything(spy: Spy) -> None:
            for act in (lose, half_close, abort):
                act(spy)
            spy.transport.write(b"x")
            spy.transport.pauseProducing()
            spy.transport.resumeProducing()
            spy.transport.registerProducer(Push(), True)
            spy.transport.unregisterProducer()

        for end in (Peer.fin, Peer.reset):
            self.setUp()
            end(self.talk(Spy(connectionLost=everything)))
            self.network.advance(60)
            self.assertEqual(self.seen.names[-1], "closed")
            self.closed()


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


class HalfCloseTests(StreamCase):
    def test_peer_first(self) -> None:
        """A protocol that knows of half-close answers after the FIN as long as it likes."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.fin()
        self.network.advance(60)
        spy.transport.write(b"answer")
        self.network.pump()
        self.assert_saw(peer, b"answer", None)
        spy.transport.loseConnection()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", "fin-in", error.ConnectionDone])
        self.assertEqual(self.seen.names.count("peer-shutdown"), 1)
        self.assert_ended("peer-fin", spy)

    def test_ourselves_first(self) -> None:
        """After our FIN we still read; the peer's FIN then ends it."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        spy.transport.write(b"bye")
        spy.transport.loseWriteConnection()
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.assert_saw(peer, b"bye", "fin")
        peer.send(b"more")
        self.network.pump()
        peer.fin()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", "fin-out", b"more", "fin-in", error.ConnectionDone])
        self.assertEqual(
            self.seen.names, ["accepted", "sent", "local-shutdown", "received", "closed"]
        )
        self.assert_ended("local", spy)

    def test_ourselves_first_unaware(self) -> None:
        """The same without the callbacks, for a protocol that knows nothing of half-close."""
        spy = Spy(dataReceived=half_close)
        peer = self.talk(spy)
        peer.send(b"x")
        self.network.pump()
        peer.send(b"y")
        peer.fin()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", b"x", b"y", error.ConnectionDone])
        self.assert_ended("local", spy)

    def test_our_fin_waits(self) -> None:
        """writeConnectionLost comes when all was sent, not before."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.assertEqual((spy.calls, self.seen.of("local-shutdown")), (["made"], []))
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", "fin-out"])
        self.assert_bytes(peer.received, MUCH)

    def test_both(self) -> None:
        """When both directions are ended the connection is, also when our FIN was the second."""
        spy = HalfCloseSpy(readConnectionLost=half_close)
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        self.assertEqual(peer.end, "fin")
        self.network.advance(GRACE + 1)
        self.assert_ended("peer-fin", spy)

    def test_both_later(self) -> None:
        """The same when our FIN comes some time after the peer's."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.fin()
        self.network.advance(60)
        spy.transport.write(b"answer")
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.assert_saw(peer, b"answer", "fin")
        self.network.advance(GRACE + 1)
        self.assert_ended("peer-fin", spy)

    def test_our_fin_waits_for_a_producer(self) -> None:
        """As ITCPTransport says, our FIN waits for a registered producer."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        producer = Pull(spy.transport, [b"a", b"b", b"c"])
        spy.transport.registerProducer(producer, False)
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.assert_saw(peer, b"abc", "fin")
        self.assertEqual(spy.calls, ["made", "fin-out"])


class GraceTests(StreamCase):
    def test_never_reads(self) -> None:
        """A close to a peer that reads nothing is an abort after 5 s; the first reason stays."""
        for name, reason in ((lose, "local"), (fail, "error")):
            self.setUp()
            spy = Spy(dataReceived=lambda spy, name=name: (spy.transport.write(MUCH), name(spy)))
            peer = self.talk(spy)
            peer.transport.pauseProducing()
            peer.send(b"x")
            self.network.advance(GRACE - 0.1)
            self.assertEqual(spy.ends, [])
            self.network.advance(1.2)
            peer.transport.resumeProducing()
            self.network.pump()
            self.assertEqual(peer.end, "reset")
            self.assert_ended(reason, spy, error.ConnectionAborted)

    def test_fin_from_who_never_reads(self) -> None:
        """The same when the peer's FIN began the close."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(MUCH[: 3 * CAPACITY])
        peer.fin()
        self.network.advance(2 * GRACE)
        # We stopped reading, as the peer does; so its FIN is not even read yet.
        self.assertEqual(spy.ends, [])
        spy.transport.loseConnection()
        self.network.advance(GRACE + 1)
        self.assert_ended("local", spy, error.ConnectionAborted)

    def test_slow_reader(self) -> None:
        """As long as something moves nothing is aborted."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), lose(spy)))
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(b"x")
        while len(peer.received) < len(MUCH):
            self.network.advance(GRACE - 1)
            self.assertIsNone(peer.end)
            peer.transport.resumeProducing()
            self.network.turn()
            peer.transport.pauseProducing()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.assert_ended("local", spy)

    def test_waits_from_the_last_move(self) -> None:
        """The 5 s are counted from when something moved last."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), lose(spy)))
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.send(b"x")
        self.network.advance(4)
        peer.transport.resumeProducing()
        self.network.turn()
        peer.transport.pauseProducing()
        self.network.advance(GRACE - 0.1)
        self.assertEqual(spy.ends, [])
        self.network.advance(2.1)
        self.assertEqual(spy.ends, [error.ConnectionAborted])

    def test_own_grace(self) -> None:
        """The grace is the service's to choose, shorter than a second too."""
        spy = Spy()
        peer = self.talk(spy, grace=0.25)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        lose(spy)
        self.network.advance(0.2)
        self.assertEqual(spy.ends, [])
        self.network.advance(0.2)
        self.assertEqual(spy.ends, [error.ConnectionAborted])

    def test_close_that_waits_for_a_producer(self) -> None:
        """A close that waits for a producer the peer has stopped has an end, too."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.registerProducer(Push(), True)
        spy.transport.write(MUCH)
        spy.transport.loseConnection()
        self.network.advance(60)
        self.assert_ended("local", spy, error.ConnectionAborted)

    def test_close_that_waits_beside_a_timer(self) -> None:
        """The same when a policy's timer wants to be asked only much later."""

        class Later:
            def check(self, stream: Any, now: float) -> float:
                return 600.0

        spy = Spy()
        peer = self.talk(spy, Later())
        peer.transport.pauseProducing()
        spy.transport.registerProducer(Push(), True)
        spy.transport.write(MUCH)
        spy.transport.loseConnection()
        self.network.advance(60)
        self.assert_ended("local", spy, error.ConnectionAborted)

    def test_close_that_waits_for_a_slow_producer(self) -> None:
        """A producer may take its time, as long as the peer takes what it gives."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.registerProducer(Push(), True)
        spy.transport.loseConnection()
        for _ in range(10):
            self.network.advance(GRACE * 2)
            spy.transport.write(b"x")
        spy.transport.unregisterProducer()
        self.network.pump()
        self.assert_saw(peer, b"x" * 10, "fin")
        self.assert_ended("local", spy)

    def test_both_half_closed(self) -> None:
        """When both have half-closed and the peer never reads, that has an end as well."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseWriteConnection()
        self.network.advance(60)
        self.assert_ended("peer-fin", spy, error.ConnectionAborted)

    def test_abort_and_alarm_in_one_turn(self) -> None:
        """An alarm that rings between an abort and its end changes nothing."""

        class Every:
            def check(self, stream: Any, now: float) -> float:
                return now + 1

        spy = Spy()
        self.talk(spy, Every())
        self.clock.callLater(1.0 + YOUTH - 1e-9, abort, spy)
        self.network.advance(1.0)
        self.clock.rightNow = 2.0
        self.network.pump()
        self.assert_ended("aborted", spy, error.ConnectionAborted)


class LingerTests(StreamCase):
    def test_reply_survives(self) -> None:
        """A reply-and-close sends FIN first and reads on, so no RST overtakes the reply (S17)."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(b"reply")
        self.stream.end(CloseReason.LIMIT, linger=True)
        peer.send(MUCH)
        self.network.advance(LINGER / 2)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, b"reply", "fin")
        self.assertEqual(spy.received, b"")  # dropped: the protocol is done
        self.network.advance(LINGER)
        self.assert_ended("limit", spy)

    def test_without_linger_it_does_not(self) -> None:
        """Without it unread input turns the close into an RST; that is the difference."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(b"reply")
        self.stream.end(CloseReason.LIMIT)
        peer.send(b"x")
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, b"", "reset")

    def test_until_the_peer_is_done(self) -> None:
        """It ends with the peer's FIN."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.advance(0.1)
        self.assertEqual((peer.end, spy.ends), ("fin", []))
        self.assertEqual(self.seen.names, ["accepted", "local-shutdown"])
        peer.fin()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", error.ConnectionDone])
        self.assert_ended("limit", spy)

    def test_at_most(self) -> None:
        """It ends after the linger when the peer never ends, though it goes on sending."""
        spy = Spy()
        peer = self.talk(spy)
        self.stream.end(CloseReason.LIMIT, linger=True)
        for _ in range(20):
            peer.send(b"more")
            self.network.advance(LINGER / 20)
        self.network.advance(0.1)
        self.assert_ended("limit", spy)

    def test_counted_from_the_fin(self) -> None:
        """The linger begins when our FIN is out, however late the peer begins to read."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.network.pump()
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.advance(3 * LINGER)
        peer.send(b"x")
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.network.advance(LINGER)
        self.assert_ended("limit", spy)

    def test_paused(self) -> None:
        """It reads though its protocol had stopped reading."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.pauseProducing()
        spy.transport.write(b"reply")
        self.stream.end(CloseReason.LIMIT, linger=True)
        peer.send(MUCH)
        peer.fin()
        self.network.pump()
        self.assert_saw(peer, b"reply", "fin")
        self.assert_ended("limit", spy)

    def test_never_reads(self) -> None:
        """A peer that reads nothing is aborted after the grace."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.advance(GRACE + 1.1)
        self.assert_ended("limit", spy, error.ConnectionAborted)

    def test_after_half_close(self) -> None:
        """A stream already half-closed by its protocol lingers, too."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(b"reply")
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.stream.end(CloseReason.DRAIN, linger=True)
        peer.send(b"x")
        self.network.advance(0.1)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, b"reply", "fin")

    def test_after_their_fin(self) -> None:
        """There is nothing to linger for when the peer is done."""
        spy = HalfCloseSpy(readConnectionLost=lambda spy: spy.transport.write(b"reply"))
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.pump()
        self.assert_saw(peer, b"reply", "fin")
        self.assert_ended("peer-fin", spy)

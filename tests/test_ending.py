"""Every stream has one end with a true reason, and nothing is lost on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.python.failure import Failure

from tests.streams import MUCH, StreamCase, abort, echo, fail, half_close, lose
from twisted_lab.events import CloseReason
from twisted_lab.layer import GRACE, LINGER, YOUTH
from twisted_lab.testing import CAPACITY, HalfCloseSpy, Peer, Pull, Push, Spy


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


class ProducerTests(StreamCase):
    def test_closed_again(self) -> None:
        """A close that comes while another is under way, with a producer or without, is none."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.registerProducer(Push(), True)
        self.stream.end(CloseReason.DRAIN)
        spy.transport.loseConnection()
        self.assertIsNone(self.stream._after_producer)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.assert_ended("drain", spy)


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

    def test_no_longer(self) -> None:
        """It ends at the linger also when there was something else to look at just before."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.network.pump()
        self.stream.end(CloseReason.LIMIT, linger=True)  # looked at each second from here
        self.network.advance(LINGER / 2)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, MUCH, "fin")  # and lingers from here
        self.network.advance(LINGER * 0.9)
        self.assertFalse(self.stream._lost)
        self.network.advance(LINGER * 0.2)
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

    def test_after_half_close_unsent(self) -> None:
        """The same when what it wrote before is still on its way; nothing turns it into an RST."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.stream.end(CloseReason.DRAIN, linger=True)
        self.network.advance(LINGER + 0.5)
        peer.transport.resumeProducing()
        self.network.pump()
        for _ in range(2):  # an RST is found by the second
            peer.send(b"x")
            self.network.pump()
        self.assert_saw(peer, MUCH, "fin")
        self.network.advance(2 * LINGER)  # it looks once a second
        self.assert_ended("local", spy)

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

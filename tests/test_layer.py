"""What streams of one service share: the hooks of its policies, one factory, one alarm."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.streams import MUCH, Log, StreamCase, echo
from twisted_lab.events import CloseReason
from twisted_lab.layer import YOUTH
from twisted_lab.testing import Collector, HalfCloseSpy, Peer, Spy


class HookTests(StreamCase):
    def converse(self, *policies: Any) -> Spy:
        """One word, its echo, the end."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy, *policies)
        peer.send(b"hello")
        self.network.pump()
        peer.fin()
        self.network.pump()
        self.assertEqual(peer.received, b"hello")
        return spy

    def test_order(self) -> None:
        """A connection meets the hooks in this order."""
        log = Log()
        self.converse(log)
        self.assertEqual(
            log.calls,
            [
                *("admit", "entered", "opened"),
                *(("received", 5), ("sent", 5)),
                *("closed", "left"),
            ],
        )

    def test_only_those_there(self) -> None:
        """A policy has only the hooks it needs; one with none is no error."""

        class Counts:
            total = 0

            def received(self, stream: Any, count: int) -> None:
                self.total += count

        counts = Counts()
        self.converse(counts, object())
        self.assertEqual(counts.total, 5)
        self.assertEqual((self.layer.sent, self.layer.check), ((), ()))

    def raises_in(self, hook: str) -> None:
        """A policy that raises is removed with a note, and the connection lives on."""
        bad, good = Log(wrong=hook), Log()
        spy = self.converse(bad, good)
        self.assertEqual(self.closed().reason, "peer-fin")
        self.assertEqual(len(spy.ends), 1)
        (note,) = self.seen.of("note")
        self.assertEqual((note.kind, note.connection), ("policy", None))
        said = "policy Log failed and was removed: ValueError: a bug of the policy's ("
        self.assertTrue(note.text.startswith(said))
        last = bad.calls[-1]
        self.assertEqual(last if isinstance(last, str) else last[0], hook)
        self.assertEqual(len(good.calls), 7)

    def test_raises_in_admit(self) -> None:
        """A gate that raises is removed with a note, lets everyone in and hears no more."""
        self.raises_in("admit")

    def test_raises_in_entered(self) -> None:
        """The same for one that raises when it counts somebody in."""
        self.raises_in("entered")

    def test_raises_in_opened(self) -> None:
        """The same for a policy that raises when a stream opens."""
        self.raises_in("opened")

    def test_raises_in_received(self) -> None:
        """The same when something comes."""
        self.raises_in("received")

    def test_raises_in_sent(self) -> None:
        """The same when something goes."""
        self.raises_in("sent")

    def test_raises_in_closed(self) -> None:
        """The same when a stream ends."""
        self.raises_in("closed")

    def test_raises_in_left(self) -> None:
        """The same for one that raises when it counts somebody out."""
        self.raises_in("left")

    def test_raises_beside_another(self) -> None:
        """It is the one that raises that goes, not the first."""
        good, bad = Log(), Log(wrong="received")
        self.converse(good, bad)
        self.assertEqual((len(good.calls), len(self.seen.of("note"))), (7, 1))
        self.assertEqual(self.layer.policies, [good])

    def test_raises_twice(self) -> None:
        """One that raises again on its way out is noted once."""

        class Worse(Log):
            def received(self, stream: Any, count: int) -> None:
                stream.transport.connectionLost(Failure(ConnectionDone()))
                super().received(stream, count)

            def closed(self, stream: Any) -> None:
                super().closed(stream)
                raise ValueError("another bug of the policy's")

        worse = Worse(wrong="received")
        self.talk(Spy(), worse).send(b"x")
        self.network.pump()
        self.assertEqual(worse.calls[-2:], ["closed", ("received", 1)])
        (note,) = self.seen.of("note")
        self.assertIn("another bug", note.text)

    def test_check_that_raises(self) -> None:
        """The same for a timer; the others are still asked."""
        bad, good = Log(wrong="check"), Log()
        self.talk(Spy(), bad, good)
        self.network.advance(2.5)
        self.assertEqual([call for call in bad.calls if call[0] == "check"], [("check", YOUTH)])
        times = [call[1] for call in good.calls if call[0] == "check"]
        self.assertEqual([round(time, 6) for time in times], [0.05, 1.05, 2.05])

    def test_unusual_hooks(self) -> None:
        """A hook need not be a method: any callable attribute is one, and may raise as well."""

        class Odd:
            pass

        def bad(stream: Any) -> None:
            raise ValueError("a bug of the policy's")

        odd = Odd()
        odd.opened = bad  # type: ignore[attr-defined]
        self.converse(odd)
        self.assertEqual(self.seen.of("note")[0].kind, "policy")
        self.assertEqual(self.layer.opened, ())

    def test_remove(self) -> None:
        """A policy taken out is called no more."""
        log = Log()
        self.talk(Spy(), log)
        self.layer.remove(log)
        log.calls.clear()
        self.network.advance(10)
        self.assertEqual(log.calls, [])

    def test_soonest(self) -> None:
        """Timers are asked again when the soonest of them said."""

        class At:
            def __init__(self, *times: float) -> None:
                self.times = times
                self.asked: list[float] = []

            def check(self, stream: Any, now: float) -> float:
                self.asked.append(now)
                return next((time for time in self.times if time > now), float("inf"))

        early, late = At(1.0, 2.0), At(1.5)
        peer = self.talk(Spy(), early, late)
        self.network.advance(60)
        self.assertEqual(early.asked, [YOUTH, 1.0, 1.5, 2.0])
        self.assertEqual(self.clock.calls, [])
        peer.reset()
        self.network.pump()
        self.closed()

    def test_timer_that_ends(self) -> None:
        """A timer may end the stream; it is not asked about it again."""

        class Ends(Log):
            def check(self, stream: Any, now: float) -> float:
                if now >= 3:
                    stream.end(CloseReason.LIFETIME, "open for 3 s, closing")
                return 3.0

        peer = self.talk(Spy(), Ends())
        self.network.advance(4)
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.closed().reason, "lifetime")

    def test_ended_by_received(self) -> None:
        """What comes with the end is not given to the protocol."""

        class Ends:
            def received(self, stream: Any, count: int) -> None:
                stream.end(CloseReason.LIMIT, linger=True)

        spy = Spy()
        self.talk(spy, Ends()).send(b"x")
        self.network.advance(2)
        self.assertEqual(spy.received, b"")
        self.assertEqual(self.closed().reason, "limit")

    def test_ended_by_sent(self) -> None:
        """What was written with the end is still sent."""

        class Ends:
            def sent(self, stream: Any, count: int) -> None:
                stream.end(CloseReason.LIMIT, linger=True)

        spy = Spy(connectionMade=lambda spy: [spy.transport.write(MUCH) for _ in "12"])
        peer = self.talk(spy, Ends())
        self.network.advance(2)
        self.assert_saw(peer, MUCH, "fin")
        self.assertEqual(self.closed().reason, "limit")

    def test_watched(self) -> None:
        """Each message is watched only while a policy or an observer wants it."""
        self.publisher.remove(self.seen)
        log = Log()
        self.talk(Spy())
        self.assertFalse(self.layer.watched)
        self.layer.install(log)
        self.assertTrue(self.layer.watched)
        self.stream.dataReceived(b"hello")
        self.stream.write(b"hello")
        self.assertEqual(log.calls, [("received", 5), ("sent", 5)])
        self.layer.remove(log)
        self.assertFalse(self.layer.watched)
        self.publisher.add(self.seen)
        self.assertTrue(self.layer.watched)


class SampleTests(StreamCase):
    """What is told of a stream to who takes samples alone."""

    def setUp(self) -> None:
        super().setUp()
        self.publisher.remove(self.seen)
        self.sampled = Collector()
        self.publisher.add(self.sampled, ("accepted", "closed"), sample=4)

    def names(self) -> list[str]:
        return [event.event for event in self.sampled.events]

    def test_first(self) -> None:
        """The first events of a stream are built, whatever they are; later ones are not."""
        peer = self.talk(Spy(dataReceived=echo))
        for _ in range(3):
            peer.send(b"hello")
            self.network.pump()
        self.assertEqual(self.names(), ["accepted", "received", "sent", "received"])
        self.assertFalse(self.stream.watched)
        self.assertEqual(self.publisher.tally["received"], 2)

    def test_end(self) -> None:
        """The end is told, however much was before it, and once."""
        peer = self.talk(Spy(dataReceived=echo))
        for _ in range(5):
            peer.send(b"hello")
            self.network.pump()
        peer.fin()
        self.network.pump()
        self.assertEqual(self.names()[4:], ["closed"])
        self.assertEqual(self.sampled.of("closed")[0].bytes_in, 25)

    def test_notes(self) -> None:
        """Notes count among the first events, and a peer who provokes more has none built."""
        self.talk(Spy())
        for _ in range(9):
            self.stream.note("bad-command", "what?")
        self.assertEqual(self.names(), ["accepted", *["note"] * 3])
        self.assertEqual({event.connection for event in self.sampled.events}, {"c1"})
        self.assertEqual(self.publisher.tally["note"], 9)

    def test_followed(self) -> None:
        """All events of a stream that is followed are built, until it is no more."""
        peer = self.talk(Spy(dataReceived=echo))
        self.layer.follow(self.stream, True)
        for _ in range(9):
            peer.send(b"x")
            self.network.pump()
        self.assertEqual(len(self.names()), 19)
        self.layer.follow(self.stream, False)
        peer.send(b"x")
        self.network.pump()
        self.assertEqual(len(self.names()), 19)
        self.assertFalse(self.stream.watched)

    def test_followed_early(self) -> None:
        """One that was followed for a while, or twice, still has its first events built."""
        peer = self.talk(Spy())
        for followed in (True, True, False, False):
            self.layer.follow(self.stream, followed)
        for _ in range(9):
            peer.send(b"x")
            self.network.pump()
        self.assertEqual(self.names(), ["accepted", *["received"] * 3])
        self.assertFalse(self.stream.watched)

    def test_others(self) -> None:
        """One stream that is followed has no other's events built."""
        factory = self.behind_layer(Factory.forProtocol(lambda: Spy(dataReceived=echo)))
        peers = [self.network.connect(self.make_peer(), factory) for _ in "12"]
        streams = sorted(self.layer.streams, key=lambda stream: stream.id)
        self.layer.follow(streams[0], True)
        for _ in range(9):
            for peer in peers:
                peer.send(b"x")
            self.network.pump()
        heard = [event.connection for event in self.sampled.events if event.event == "received"]
        self.assertEqual((heard.count("c1"), heard.count("c2")), (9, 2))

    def test_observer_comes(self) -> None:
        """An observer of all traffic that comes and goes leaves each stream as it was."""
        self.talk(Spy(dataReceived=echo))
        for _ in range(9):
            self.stream.dataReceived(b"hello")
        before = self.names()
        self.publisher.add(self.seen)
        self.assertTrue(self.stream.watched)
        self.stream.dataReceived(b"hello")
        self.assertEqual(len(self.seen.of("received")), 1)
        self.assertEqual(self.names(), before)
        self.publisher.remove(self.seen)
        self.assertFalse(self.stream.watched)

    def test_policy_of_messages(self) -> None:
        """A policy that hears of each message still does when no more samples are taken."""
        log = Log()
        peer = self.talk(Spy(), log)
        for _ in range(9):
            peer.send(b"x")
            self.network.pump()
        self.assertEqual(log.calls.count(("received", 1)), 9)


class UseTests(StreamCase):
    def test_who_comes(self) -> None:
        """A policy that comes is told of the open streams, and so uncounts whom it counted."""
        peer = self.talk(Spy())
        log = Log()
        self.layer.use([log])
        self.assertEqual(log.calls, ["entered", "opened"])
        peer.close()
        self.network.pump()
        self.assertEqual(log.calls[-2:], ["closed", "left"])
        self.assertEqual(log.calls.count("entered"), log.calls.count("left"))

    def test_who_stays(self) -> None:
        """A policy that stays is told nothing anew."""
        log = Log()
        self.talk(Spy(), log)
        del log.calls[:]
        self.layer.use([Log("other"), log])
        self.assertEqual(log.calls, [])
        self.assertIs(self.layer.policies[1], log)

    def test_who_goes(self) -> None:
        """A policy that goes lets go of the open streams, and hears of them no more."""
        log = LettingGo()
        peer = self.talk(Spy(), log)
        self.layer.use([])
        self.assertEqual(log.calls[-1], "let_go")
        peer.close()
        self.network.pump()
        self.assertEqual(log.calls[-1], "let_go")

    def test_ending(self) -> None:
        """A stream that is ending is counted, but not begun with."""
        self.talk(Spy())
        self.stream.end(CloseReason.LOCAL)
        log = Log()
        self.layer.use([log])
        self.assertEqual(log.calls, ["entered"])
        self.network.pump()
        self.assertEqual(log.calls, ["entered", "closed", "left"])

    def test_time(self) -> None:
        """Every stream looks at its time at once, however far away its next look was."""
        self.talk(Spy())
        self.network.advance(1)
        self.assertEqual(self.clock.calls, [])
        log = Log()
        self.layer.use([log])
        self.network.advance(YOUTH)
        self.assertIn(("check", self.clock.seconds()), log.calls)

    def test_spared(self) -> None:
        """Who spares loopback, or plain streams, is not told that they are in."""
        for spared in ("spares_loopback", "only_secure"):
            log = Log()
            setattr(log, spared, True)
            self.talk(Spy())
            self.layer.use([log])
            self.assertEqual(log.calls, ["opened"])

    def test_wrong(self) -> None:
        """A policy that raises as it comes or goes is reported, and the stream lives."""
        for wrong in ("entered", "opened"):
            spy = Spy()
            peer = self.talk(spy)
            self.layer.use([Log(wrong=wrong)])
            self.assertEqual(self.layer.policies, [])
            self.assertIn("was removed", self.seen.of("note")[-1].text)
            peer.send(b"hello")
            self.network.pump()
            self.assertEqual(spy.received, b"hello")
        self.talk(Spy(), LettingGo(wrong="let_go"))
        self.layer.use([])
        self.assertEqual(len(self.seen.of("note")), 3)


class LettingGo(Log):
    def let_go(self, stream: Any) -> None:
        self._log("let_go")


class FactoryTests(StreamCase):
    def test_interface(self) -> None:
        """It is a factory; the protocol's own hears when it is in use, and no longer is."""
        own = Factory.forProtocol(Spy)
        log: list[str] = []
        own.startFactory = lambda: log.append("start")  # type: ignore[method-assign]
        own.stopFactory = lambda: log.append("stop")  # type: ignore[method-assign]
        factory = self.behind_layer(own)
        verifyObject(IProtocolFactory, factory)
        factory.doStart()
        factory.doStop()
        self.assertEqual(log, ["start", "stop"])
        self.assertEqual(factory.logPrefix(), "socketlab test")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_protocols_factory(self) -> None:
        """The protocol knows its own factory, as always in Twisted."""
        own = Factory.forProtocol(HalfCloseSpy)
        factory = self.behind_layer(own)
        stream = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        self.assertIs(stream.protocol.factory, own)

    def test_numbers(self) -> None:
        """Every connection has a number of its own."""
        factory = self.behind_layer(Factory.forProtocol(Spy))
        for _ in range(3):
            self.network.connect(Peer(), factory)
        self.assertEqual({stream.id for stream in self.layer.streams}, {"c1", "c2", "c3"})

    def test_accept_failed(self) -> None:
        """What Twisted's port could not accept is told as a refusal, or noted."""
        factory = self.behind_layer(None)
        for address in (("192.0.2.1", 1), ("2001:db8::1", 1, 0, 0), b""):
            factory.accept_failed({"address": address})
        factory.accept_failed({"acceptError": OSError(24, "Too many open files")})
        factory.accept_failed({})
        refusals = [(refused.peer, refused.reason) for refused in self.seen.of("refused")]
        self.assertEqual(
            refusals,
            [
                ("192.0.2.1:1", "descriptors"),
                ("[2001:db8::1]:1", "descriptors"),
                ("unix:", "descriptors"),
            ],
        )
        (note,) = self.seen.of("note")
        self.assertIn("Too many open files", note.text)


class YoungTests(StreamCase):
    def test_one_alarm(self) -> None:
        """Connections that come and go have one alarm between them, not one each."""
        factory = self.behind_layer(Factory.forProtocol(Spy), Log())
        peers = [self.network.connect(Peer(), factory) for _ in range(10)]
        self.assertEqual(len(self.clock.calls), 1)
        for peer in peers:
            peer.fin()
        self.network.pump()
        self.assertEqual(len(self.clock.calls), 1)
        self.network.advance(YOUTH)
        self.assertEqual(self.clock.calls, [])

    def test_ended_by_another(self) -> None:
        """When one of them ends the others, those are not asked about again."""

        class EndsAll:
            asked = 0

            def check(_self, stream: Any, now: float) -> float:
                EndsAll.asked += 1
                for other in tuple(self.layer.streams):
                    other.transport.connectionLost(Failure(ConnectionDone()))
                return float("inf")

        factory = self.behind_layer(Factory.forProtocol(Spy), EndsAll())
        for _ in range(5):
            self.network.connect(Peer(), factory)
        self.network.advance(1)
        self.assertEqual(EndsAll.asked, 1)
        self.assertEqual(len(self.seen.of("closed")), 5)

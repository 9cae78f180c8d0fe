"""What streams of one service share: gates that count exactly, hooks, and one factory."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.streams import MUCH, HalfCloseSpy, Spy, StreamCase, echo
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import YOUTH
from twisted_lab.testing import Peer


class Log:
    """A policy with every hook; ``calls`` is what was called, with the host's key or the count.

    *wrong* names the hook that raises; *refuses* makes it a gate that says no.
    """

    def __init__(self, name: str = "", wrong: str = "", refuses: bool = False) -> None:
        self.name = name
        self.wrong = wrong
        self.refuses = refuses
        self.calls: list[Any] = []

    def _log(self, hook: str, *about: Any) -> None:
        self.calls.append((hook, *about) if about else hook)
        if hook == self.wrong:
            raise ValueError("a bug of the policy's")

    def admit(self, host: Any) -> Refusal | None:
        self._log("admit")
        return Refusal(self.name, f"{self.name} says no") if self.refuses else None

    def entered(self, host: Any) -> None:
        self._log("entered")

    def left(self, host: Any) -> None:
        self._log("left")

    def opened(self, stream: Any) -> None:
        self._log("opened")

    def received(self, stream: Any, count: int) -> None:
        self._log("received", count)

    def sent(self, stream: Any, count: int) -> None:
        self._log("sent", count)

    def check(self, stream: Any, now: float) -> float:
        self._log("check", now)
        return now + 1.0

    def closed(self, stream: Any) -> None:
        self._log("closed")


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

    def test_one_that_raises(self) -> None:
        """A policy that raises is removed with a note, and the connection lives on."""
        for hook in ("admit", "entered", "opened", "received", "sent", "closed", "left"):
            self.setUp()
            bad, good = Log(wrong=hook), Log()
            spy = self.converse(bad, good)
            self.assertEqual(self.closed().reason, "peer-fin")
            self.assertEqual(len(spy.ends), 1)
            (note,) = self.seen.of("note")
            self.assertEqual((note.kind, note.connection), ("policy", None))
            self.assertTrue(
                note.text.startswith(
                    "policy Log failed and was removed: ValueError: a bug of the policy's ("
                )
            )
            last = bad.calls[-1]
            self.assertEqual(last if isinstance(last, str) else last[0], hook)
            self.assertEqual(len(good.calls), 7)

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
        self.layer.remove(log)
        self.assertFalse(self.layer.watched)
        self.publisher.add(self.seen)
        self.assertTrue(self.layer.watched)


class GateTests(StreamCase):
    def connect(self, *policies: Any, factory: Any = None, **options: Any) -> Peer:
        """Try to get in; afterwards nobody is."""
        factory = self.behind_layer(factory or Factory.forProtocol(Spy), *policies, **options)
        peer = self.network.connect(Peer(), factory, host="192.0.2.1")
        self.network.pump()
        return peer

    def test_in_and_out(self) -> None:
        """Who is let in is counted once, and uncounted once, however the connection ends."""
        for end in (Peer.fin, Peer.close, Peer.reset):
            log = Log()
            end(self.connect(log))
            self.network.pump()
            calls = [call for call in log.calls if call in ("admit", "entered", "left")]
            self.assertEqual(calls, ["admit", "entered", "left"])

    def test_refused_by_a_later_gate(self) -> None:
        """Who is refused was never in, also for the gates that had said yes."""
        first, second, third = Log("a"), Log("b", refuses=True), Log("c")
        peer = self.connect(first, second, third)
        self.assert_saw(peer, b"", "fin")
        self.assertEqual([log.calls for log in (first, second, third)], [["admit"], ["admit"], []])
        (refused,) = self.seen.events
        self.assertEqual(refused.event, "refused")
        self.assertEqual((refused.reason, refused.detail), ("b", "b says no"))  # type: ignore[attr-defined]
        self.assertEqual(self.layer.streams, set())

    def test_refused_where(self) -> None:
        """A refusal says who was turned away, and at which door."""
        factory = self.behind_layer(None, Log("gate", refuses=True))
        factory.local = "0.0.0.0:9000"
        self.assertIsNone(factory.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1234)))
        (refused,) = self.seen.of("refused")
        self.assertEqual((refused.peer, refused.local), ("192.0.2.7:1234", "0.0.0.0:9000"))

    def test_gate_that_raises(self) -> None:
        """A gate that raises is removed and lets everyone in; the others still stand."""
        bad, closed = Log("bad", wrong="admit"), Log("closed", refuses=True)
        self.connect(bad, closed)
        self.assertEqual(self.seen.names, ["note", "refused"])
        self.assertEqual(closed.calls, ["admit"])

    def test_spares_loopback(self) -> None:
        """A policy that spares loopback is not asked about it."""

        class Spares(Log):
            spares_loopback = True

        log = Spares("gate", refuses=True)
        factory = self.behind_layer(Factory.forProtocol(Spy), log)
        peers = [
            self.network.connect(Peer(), factory, host=host) for host in ("127.0.0.1", "192.0.2.1")
        ]
        self.network.pump()
        self.assertEqual([peer.end for peer in peers], [None, "fin"])
        self.assertEqual([call for call in log.calls if call == "admit"], ["admit"])
        self.layer.remove(log)
        self.assertIsNotNone(factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))

    def test_built_none(self) -> None:
        """When the protocol's own factory refuses, the connection is closed and uncounted."""

        class Refusing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        log = Log()
        peer = self.connect(log, factory=Refusing(), lines=True)
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(log.calls, ["admit", "entered", "left"])
        (refused,) = self.seen.events
        self.assertEqual(refused.reason, "protocol")  # type: ignore[attr-defined]

    def test_built_badly(self) -> None:
        """The same when it raises, which is noted."""

        class Bad(Factory):
            def buildProtocol(self, addr: object) -> Protocol:
                raise ValueError("a bug of the factory's")

        log = Log()
        peer = self.connect(log, factory=Bad())
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(log.calls, ["admit", "entered", "left"])
        self.assertEqual(self.seen.names, ["note", "refused"])
        note = self.seen.of("note")[0]
        self.assertTrue(note.text.startswith("buildProtocol: ValueError: a bug of the factory's ("))
        self.assertEqual(self.flushLoggedErrors(), [])


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

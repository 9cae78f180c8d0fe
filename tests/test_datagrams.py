"""The datagram port over a socket that is a list, and a clock that stands still."""

from __future__ import annotations

import errno
import itertools
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.error import CannotListenError, InvalidAddressError
from twisted.internet.interfaces import IListeningPort, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_lab.datagram_gates import DatagramSettings
from twisted_lab.datagram_socket import CUT, DIRECT, PARSED, Peer, Way
from twisted_lab.datagrams import DATAGRAMS_A_TURN, DatagramPort
from twisted_lab.events import DatagramDropped, DatagramReceived, DatagramSent, Event, Note
from twisted_lab.publishing import Publisher
from twisted_lab.talks import TALKS_KEPT

PEER = ("192.0.2.7", 5000)
OTHER = ("192.0.2.8", 5000)


class FakeHandle:
    """The part of a socket.socket the port touches."""

    def __init__(self, sent: list[tuple[bytes, Peer, Way]], family: int) -> None:
        self.family = family
        self.closed = False
        self.error: OSError | None = None
        self._sent = sent

    def fileno(self) -> int:
        return 7

    def getsockname(self) -> tuple[Any, ...]:
        if self.family == socket.AF_INET6:
            return ("2001:db8::1", 9000, 0, 0)
        return ("192.0.2.1", 9000)

    def sendto(self, data: bytes, peer: Peer, way: Way = DIRECT) -> None:
        if self.error is not None:
            raise self.error
        self._sent.append((data, peer, way))

    def close(self) -> None:
        self.closed = True


class FakeSocket:
    """A datagram socket whose arrivals are put in by hand."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        self.sent: list[tuple[bytes, Peer, Way]] = []
        self.queue: list[tuple[bytes, Peer, Way]] = []
        self.handle = FakeHandle(self.sent, family)
        self.send = self.handle.sendto
        self.drops = self.drops_before = 0

    def __call__(self, interface: str, port: int, size: int) -> FakeSocket:
        self.asked = (interface, port, size)
        return self

    def arrivals(self, most: int) -> Iterator[tuple[bytes, Peer, Way]]:
        for _ in range(most):
            if not self.queue:
                return
            yield self.queue.pop(0)

    def kernel_drops(self) -> int:
        return self.drops


class FakeReactor(Clock):
    """A clock that also keeps readers."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)


class Scripted(DatagramProtocol):
    """Calls *act(protocol, data, addr)* for each datagram, and remembers them all."""

    noisy = False

    def __init__(self, act: Callable[[Any, bytes, Peer], object]) -> None:
        self.act = act
        self.got: list[tuple[bytes, Peer]] = []
        self.stopped = 0

    def datagramReceived(self, datagram: bytes, addr: Peer) -> None:
        self.got.append((datagram, addr))
        self.act(self, datagram, addr)

    def stopProtocol(self) -> None:
        self.stopped += 1


def echo(protocol: Any, data: bytes, addr: Peer) -> None:
    protocol.transport.write(data, addr)


def nothing(protocol: Any, data: bytes, addr: Peer) -> None:
    """Discard."""


class PortCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.socket = FakeSocket()
        self.publisher = Publisher(lambda: 0)
        self.events: list[Event] = []
        self.served: Counter[int] = Counter()

    def listen(
        self,
        act: Callable[[Any, bytes, Peer], object] = echo,
        settings: DatagramSettings | None = None,
        observed: bool = False,
    ) -> DatagramPort:
        if observed:
            self.publisher.add(self.events.append)
        self.protocol = Scripted(act)
        port = DatagramPort(
            self.reactor,
            "192.0.2.1",
            0,
            self.protocol,
            publisher=self.publisher,
            service="echo",
            served_ports=self.served,
            settings=settings or DatagramSettings(),
            open_socket=self.socket,  # type: ignore[arg-type]
        )
        port.startListening()
        return port

    def arrive(
        self, port: DatagramPort, *data: bytes, peer: Peer = PEER, way: Way = DIRECT
    ) -> None:
        self.socket.queue.extend((each, peer, way) for each in data)
        port.doRead()

    def payloads(self) -> list[bytes]:
        return [data for data, _peer, _way in self.socket.sent]


class TalkTests(PortCase):
    """What is known of each peer, while somebody takes samples."""

    def sampling(self, sample: int = 3) -> DatagramPort:
        self.publisher.add(self.events.append, (), sample=sample)
        return self.listen()

    def names(self) -> list[str]:
        return [event.event for event in self.events]

    def test_totals(self) -> None:
        """A peer's datagrams and bytes are counted in both directions."""
        port = self.sampling()
        self.arrive(port, b"one", b"three")
        self.arrive(port, b"x", peer=OTHER)
        talk = port.talks.by_peer[PEER]
        self.assertEqual((talk.datagrams_in, talk.bytes_in), (2, 8))
        self.assertEqual((talk.datagrams_out, talk.bytes_out), (2, 8))
        self.assertEqual(port.talks.by_peer[OTHER].bytes_out, 1)
        self.assertEqual((port.bytes_received, port.bytes_sent), (9, 9))

    def test_times(self) -> None:
        """A peer's last datagram is never before its first, also once nobody takes samples."""
        ticks = itertools.count()
        self.publisher = Publisher(lambda: next(ticks))
        port = self.sampling()
        self.arrive(port, b"one")
        talk = port.talks.by_peer[PEER]
        self.assertEqual(talk.last, talk.first)
        self.publisher.remove(self.events.append)
        self.arrive(port, b"two")
        self.assertGreater(talk.last, talk.first)

    def test_nobody(self) -> None:
        """Where nobody takes samples a peer leaves no trace, and the port still counts."""
        port = self.listen()
        self.arrive(port, b"one")
        self.assertEqual(len(port.talks.by_peer), 0)
        self.assertEqual((port.bytes_received, port.bytes_sent), (3, 3))

    def test_first(self) -> None:
        """The first events of each peer are built, later ones are not."""
        port = self.sampling()
        self.arrive(port, b"a", b"b", b"c")
        self.arrive(port, b"d", peer=OTHER)
        kinds = ["datagram-received", "datagram-sent", "datagram-received"]
        self.assertEqual(self.names(), kinds + kinds[:2])

    def test_followed(self) -> None:
        """All events of a peer that is followed are built, until it is no more."""
        port = self.sampling(1)
        self.arrive(port, b"a")
        port.talks.follow(PEER, True)
        self.arrive(port, b"b", b"c")
        self.assertEqual(len(self.events), 5)
        port.talks.follow(PEER, False)
        self.arrive(port, b"d")
        self.assertEqual(len(self.events), 5)
        port.talks.follow(OTHER, True)
        self.assertEqual(list(port.talks.by_peer), [PEER])

    def test_drops(self) -> None:
        """A drop counts for a peer that is known, and is among its first events."""
        port = self.sampling()
        self.arrive(port, b"a")
        self.socket.handle.error = OSError(errno.EMSGSIZE, "too long")
        self.arrive(port, b"b", b"c")
        self.assertEqual(port.talks.by_peer[PEER].dropped, 2)
        self.assertEqual(self.names(), ["datagram-received", "datagram-sent", "datagram-received"])
        self.assertEqual(self.publisher.tally["datagram-dropped"], 2)

    def test_bound(self) -> None:
        """Peers choose their addresses: only so many are remembered, the last to begin."""
        port = self.sampling()
        forgotten: list[Any] = []
        port.talks.forgot = forgotten.append
        for number in range(TALKS_KEPT + 5):
            self.arrive(port, b"x", peer=("192.0.2.9", 1024 + number))
        self.assertEqual(len(port.talks.by_peer), TALKS_KEPT)
        self.assertEqual(forgotten, [("192.0.2.9", number) for number in range(1024, 1029)])
        self.assertNotIn(("192.0.2.9", 1028), port.talks.by_peer)


class RenewTests(PortCase):
    def test_rate(self) -> None:
        """A rate that changes holds at once; who used up its burst has no other."""
        port = self.listen(settings=DatagramSettings(rate=2.0))
        self.arrive(port, *[b"x"] * 5)
        self.assertEqual(len(self.payloads()), 2)
        port.renew(DatagramSettings(rate=4.0))
        self.arrive(port, *[b"x"] * 5)
        self.assertEqual(len(self.payloads()), 2)
        self.reactor.advance(1)
        self.arrive(port, *[b"x"] * 5)
        self.assertEqual(len(self.payloads()), 6)

    def test_access(self) -> None:
        """Whoever is denied from now on is dropped with the gate's reason."""
        port = self.listen(observed=True)
        port.renew(DatagramSettings(admit=lambda host: "access"))
        self.arrive(port, b"x")
        self.assertEqual(self.payloads(), [])
        port.renew(DatagramSettings())
        self.arrive(port, b"y")
        self.assertEqual(self.payloads(), [b"y"])

    def test_without_rate(self) -> None:
        """A port may have had no rate, or have none from now on."""
        port = self.listen(settings=DatagramSettings(rate=None))
        for rate in (1.0, None):
            port.renew(DatagramSettings(rate=rate))
            self.arrive(port, *[b"x"] * 3)
        self.assertEqual(len(self.payloads()), 1 + 3)


class LifeTests(PortCase):
    def test_interfaces(self) -> None:
        """The port is what Twisted takes for a listening port, a reader and a transport."""
        port = self.listen()
        for interface in (IListeningPort, IReadDescriptor, IUDPTransport):
            self.assertTrue(verifyObject(interface, port))
        self.assertEqual((port.fileno(), port.logPrefix()), (7, "Scripted (UDP)"))

    def test_listening(self) -> None:
        """Listening opens the socket, adds its number to those served, and reads."""
        port = self.listen()
        self.assertEqual(self.socket.asked, ("192.0.2.1", 0, 65536))
        self.assertEqual((port.getHost().host, port.getHost().port), ("192.0.2.1", 9000))
        self.assertEqual(set(self.served), {9000})
        self.assertEqual(self.reactor.readers, {port})
        self.assertIs(self.protocol.transport, port)

    def test_cannot_listen(self) -> None:
        """A port in use is Twisted's own error, and nothing is half started."""

        def in_use(*_: object) -> Any:
            raise OSError(errno.EADDRINUSE, "in use")

        port = self.listen()
        port._open_socket = in_use
        self.assertRaises(CannotListenError, port.startListening)

    def test_protocol_that_cannot_start(self) -> None:
        """If the protocol's start raises, the socket is closed again."""

        def broken() -> None:
            raise ZeroDivisionError

        self.patch(Scripted, "startProtocol", lambda _self: broken())
        self.assertRaises(ZeroDivisionError, self.listen)
        self.assertTrue(self.socket.handle.closed)
        self.assertEqual((set(self.served), self.reactor.readers), (set(), set()))

    def test_stopping(self) -> None:
        """Stopping reads no more at once; the rest happens in the next turn, once."""
        port = self.listen()
        first, second = port.stopListening(), port.stopListening()
        self.assertEqual(self.reactor.readers, set())
        self.assertNoResult(first)
        port.startReading()
        self.assertEqual(self.reactor.readers, set())
        self.reactor.advance(0)
        self.successResultOf(first)
        self.successResultOf(second)
        self.successResultOf(port.stopListening())
        port.connectionLost()
        self.assertEqual((self.protocol.stopped, set(self.served)), (1, set()))
        self.assertTrue(self.socket.handle.closed)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_of_two_stops(self) -> None:
        """A number that two sockets serve (127.0.0.1 and ::1, say) is guarded until both stop."""
        ports = [self.listen(), self.listen()]
        for port, left in zip(ports, ({9000}, set()), strict=True):
            stopped = port.stopListening()
            self.reactor.advance(0)
            self.successResultOf(stopped)
            self.assertEqual(set(self.served), left)

    def test_stop_that_raises(self) -> None:
        """A protocol that fails to stop still has its port closed."""
        port = self.listen(observed=True)

        def broken() -> None:
            raise KeyError("no")

        self.protocol.doStop = broken  # type: ignore[method-assign]
        stopped = port.stopListening()
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertTrue(self.socket.handle.closed)
        self.assertIn("KeyError", str(self.events))

    def test_pausing_inside_a_turn(self) -> None:
        """A protocol that stops reading gets nothing more, even of the same turn."""
        port = self.listen(lambda protocol, _data, _addr: protocol.transport.stopReading())
        self.arrive(port, b"one", b"two")
        self.assertEqual(self.protocol.got, [(b"one", PEER)])
        port.startReading()
        self.assertEqual(self.reactor.readers, {port})

    def test_not_connected(self) -> None:
        """A server's port has many peers: it cannot be connected, and a write names one."""
        port = self.listen()
        self.assertRaises(RuntimeError, port.connect, "192.0.2.7", 5000)
        self.assertRaises(InvalidAddressError, port.write, b"to whom?")


class TurnTests(PortCase):
    def test_bound_is_a_count(self) -> None:
        """A turn takes 64 datagrams, however empty they are."""
        port = self.listen(settings=DatagramSettings(rate=None))
        self.arrive(port, *[b""] * 100)
        self.assertEqual((DATAGRAMS_A_TURN, port.received, port.sent), (64, 64, 64))
        self.assertEqual(len(self.socket.queue), 36)

    def test_refused_ones_count_too(self) -> None:
        """A flood of datagrams the gates refuse does not hold the reactor either."""
        port = self.listen()
        self.arrive(port, *[b"x"] * 100, peer=("192.0.2.7", 7))
        self.assertEqual((len(self.socket.queue), port.dropped["loop-port"]), (36, 64))
        self.assertEqual(self.protocol.got, [])

    def test_gates_see_our_own_port(self) -> None:
        """A datagram that seems to come from ourselves is dropped: the loop never begins."""
        port = self.listen()
        self.arrive(port, b"x", peer=("192.0.2.1", 9000))
        self.assertEqual((port.dropped, port.received), ({"loop-served": 1}, 0))

    def test_rate(self) -> None:
        """What a source sends over its rate is dropped."""
        port = self.listen(settings=DatagramSettings(rate=3))
        self.arrive(port, *[b"x"] * 5)
        self.assertEqual((port.received, port.dropped), (3, {"rate": 2}))

    def test_cut_datagram(self) -> None:
        """What was not read whole is not handed on."""
        port = self.listen()
        self.arrive(port, b"half", way=CUT)
        self.assertEqual((port.received, port.dropped), (0, {"truncated": 1}))

    def test_protocol_that_raises(self) -> None:
        """An exception is one note with its place, and the next datagram is served."""

        def divide(protocol: Any, data: bytes, addr: Peer) -> None:
            echo(protocol, b"%d" % (12 // len(data)), addr)

        port = self.listen(divide, observed=True)
        self.arrive(port, b"", b"1234")
        (note,) = [event for event in self.events if isinstance(event, Note)]
        self.assertEqual(note.kind, "exception")
        self.assertIn("ZeroDivisionError", note.text)
        self.assertIn("test_datagrams.py:", note.text)
        self.assertEqual(self.payloads(), [b"3"])

    def test_the_worst_exceptions(self) -> None:
        """SystemExit, and an exception that cannot even be shown, leave the port alone."""

        class Unspeakable(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no words")

        def fail(_protocol: Any, data: bytes, _addr: Peer) -> None:
            raise SystemExit(1) if data == b"exit" else Unspeakable

        port = self.listen(fail, observed=True)
        self.arrive(port, b"exit", b"fail")
        notes = [event.text for event in self.events if isinstance(event, Note)]
        self.assertEqual(len(notes), 2)
        self.assertEqual([note[:11] for note in notes], ["SystemExit:", "Unspeakable"])
        self.assertEqual(self.reactor.readers, {port})

    def test_access_gate_that_raises(self) -> None:
        """If the access gate fails, the datagram is not let in, and what was saved is untouched."""

        def admit(_host: object) -> str | None:
            raise ValueError("no list")

        port = self.listen(settings=DatagramSettings(admit=admit))
        self.arrive(port, b"x")
        self.assertEqual((port.received, self.protocol.got), (0, []))


class AmplificationTests(PortCase):
    def answering(self, *answers: bytes) -> Callable[[Any, bytes, Peer], None]:
        def act(protocol: Any, _data: bytes, addr: Peer) -> None:
            for answer in answers:
                protocol.transport.write(answer, addr)

        return act

    def test_as_long_as_the_request(self) -> None:
        """An answer of its request's length goes out, an empty one to an empty one too."""
        port = self.listen()
        self.arrive(port, b"12345", b"")
        self.assertEqual(self.payloads(), [b"12345", b""])

    def test_longer_than_the_request(self) -> None:
        """A longer one is dropped, and a person is told the way out."""
        port = self.listen(self.answering(b"x" * 6), observed=True)
        self.arrive(port, b"12345", b"12345")
        self.assertEqual((self.payloads(), port.dropped), ([], {"amplification": 2}))
        (note,) = [event for event in self.events if isinstance(event, Note)]
        self.assertIn("pad its request", note.text)
        self.assertIn("--allow-amplification", note.text)
        self.reactor.advance(1)
        self.arrive(port, b"12345")
        self.assertEqual(len([event for event in self.events if isinstance(event, Note)]), 2)

    def test_many_short_answers(self) -> None:
        """Headers count: 100 bytes are answered by 100, or by 29 and 43, never by 100 times 1."""
        port = self.listen(self.answering(*[b"x"] * 100))
        self.arrive(port, b"x" * 100)
        self.assertEqual(len(self.socket.sent), (100 + 28) // (1 + 28))
        self.socket.sent.clear()
        self.protocol.act = self.answering(b"x" * 29, b"y" * 43, b"")
        self.arrive(port, b"x" * 100)
        self.assertEqual([len(data) for data in self.payloads()], [29, 43])

    def test_ipv6_headers(self) -> None:
        """On IPv6 each datagram costs 48 bytes beside its payload."""
        self.socket = FakeSocket(socket.AF_INET6)
        port = self.listen(self.answering(*[b""] * 5))
        self.arrive(port, b"x" * 48, peer=("2001:db8::7", 5000))
        self.assertEqual((len(self.socket.sent), port.getHost().host), (2, "2001:db8::1"))

    def test_later_answer(self) -> None:
        """What a request left over may be sent later, the way it came, and no more."""
        way = Way(asked="192.0.2.2")
        port = self.listen(nothing)
        self.arrive(port, b"x" * 50, way=way)
        port.write(b"y" * 51, PEER)
        port.write(b"y" * 50, PEER)
        port.write(b"", PEER)
        self.assertEqual(self.socket.sent, [(b"y" * 50, PEER, way)])
        self.assertEqual(port.dropped["amplification"], 2)

    def test_what_was_answered_is_not_left_over(self) -> None:
        """An echo leaves nothing over."""
        port = self.listen()
        self.arrive(port, b"12345")
        port.write(b"", PEER)
        self.assertEqual((port.sent, port.dropped), (1, {"amplification": 1}))

    def test_inside_a_request_it_is_the_request_that_counts(self) -> None:
        """Savings do not make an answer longer than its request."""
        port = self.listen(nothing)
        self.arrive(port, b"x" * 500)
        self.protocol.act = self.answering(b"x" * 6)
        self.arrive(port, b"12345")
        self.assertEqual(self.payloads(), [])

    def test_strangers(self) -> None:
        """A request gives no right to write to somebody else."""
        port = self.listen(lambda protocol, data, _addr: protocol.transport.write(data, OTHER))
        self.arrive(port, b"12345")
        self.assertEqual((self.payloads(), port.dropped), ([], {"amplification": 1}))

    def test_allowed(self) -> None:
        """Where it is allowed, everything goes: at once, later, and to strangers."""
        way = Way(asked="192.0.2.2")
        settings = DatagramSettings(allow_amplification=True)
        port = self.listen(self.answering(b"x" * 999, b"y" * 999), settings)
        self.arrive(port, b"", way=way)
        port.write(b"later", PEER)
        port.write(b"hello", OTHER)
        ways = [(peer, used) for _data, peer, used in self.socket.sent]
        self.assertEqual(ways, [(PEER, way)] * 3 + [(OTHER, PARSED)])
        self.assertEqual((port.sent, port.dropped), (4, {}))


class SendErrorTests(PortCase):
    def test_every_error_is_a_reason(self) -> None:
        """Whatever the kernel says to a send, it is counted by name and nothing is raised."""
        port = self.listen(observed=True)
        names = "EINVAL ENETUNREACH EHOSTUNREACH EPERM EMSGSIZE ECONNREFUSED EAGAIN ENOBUFS".split()
        for name in names:
            self.socket.handle.error = OSError(getattr(errno, name), "no")
            self.arrive(port, b"x")
        self.assertEqual(port.dropped, {f"send-{name.lower()}": 1 for name in names})
        self.assertEqual((port.sent, port.received), (0, len(names)))
        self.assertEqual([e for e in self.events if isinstance(e, Note)], [])


class KernelDropTests(PortCase):
    def test_looks_a_second_after_traffic(self) -> None:
        """Drops of the kernel are found a second after traffic, counted once, and told."""
        port = self.listen(observed=True)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.arrive(port, b"x")
        self.arrive(port, b"x")
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.socket.drops = 5
        self.reactor.advance(1)
        self.assertEqual(port.dropped, {"kernel": 5})
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        dropped = DatagramDropped(0, "echo", "192.0.2.1:9000", "kernel", count=5)
        self.assertIn(dropped, self.events)
        self.arrive(port, b"x")
        self.socket.drops = 7
        self.reactor.advance(1)
        self.assertEqual(port.dropped, {"kernel": 7})

    def test_looks_when_it_stops(self) -> None:
        """The last drops are counted at the end, also when the kernel's counter wrapped."""
        port = self.listen()
        port._kernel_drops._known = 0xFFFFFFFE
        self.socket.drops = 3
        port.stopListening()
        self.reactor.advance(0)
        self.assertEqual(port.dropped, {"kernel": 5})


class EventTests(PortCase):
    def test_traffic(self) -> None:
        """Each datagram in and out is an event, from and to the address asked."""
        self.publisher.capture = 2
        port = self.listen(observed=True)
        self.arrive(port, b"abc", way=Way(asked="192.0.2.2"))
        peer, local = "192.0.2.7:5000", "192.0.2.2:9000"
        self.assertEqual(
            self.events,
            [
                DatagramReceived(0, "echo", peer, local, 3, b"ab"),
                DatagramSent(0, "echo", peer, local, 3, b"ab"),
            ],
        )

    def test_drops(self) -> None:
        """A drop says who sent how much, and why it went no further."""
        port = self.listen(observed=True)
        self.arrive(port, b"abc", peer=("192.0.2.7", 53))
        self.assertEqual(
            self.events,
            [DatagramDropped(0, "echo", "192.0.2.1:9000", "loop-port", "192.0.2.7:53", 3)],
        )

    def test_nobody_looks(self) -> None:
        """Without an observer nothing is published, and everything still counted."""
        published: list[Event] = []
        self.publisher.publish = published.append  # type: ignore[assignment, method-assign]
        port = self.listen(lambda protocol, _data, _addr: echo(protocol, b"long", PEER))
        self.arrive(port, b"abc", b"abcd")
        self.arrive(port, b"abc", peer=("192.0.2.7", 53))
        self.protocol.act = lambda *_: 1 // 0
        self.arrive(port, b"abc")
        self.assertEqual(published, [])
        self.assertEqual(port.dropped, {"amplification": 1, "loop-port": 1})
        self.assertEqual((port.received, port.sent), (3, 1))

    def test_only_drops_are_asked_for(self) -> None:
        """An observer of drops costs the traffic nothing."""
        self.publisher.add(self.events.append, ["datagram-dropped"])
        port = self.listen()
        self.arrive(port, b"abc")
        self.arrive(port, b"abc", peer=("192.0.2.7", 53))
        self.assertEqual([event.event for event in self.events], ["datagram-dropped"])

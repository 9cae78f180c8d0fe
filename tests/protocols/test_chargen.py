"""The character generator: its pattern, its pace, its end, and how much a datagram gets."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.streams import StreamCase
from twisted_lab.policies.throughput import Throughput
from twisted_lab.protocols.chargen import CHARACTERS, ROTATION, Chargen, DatagramChargen
from twisted_lab.testing import Peer

LINES = ROTATION.split(b"\r\n")[:-1]


class PatternTests(SynchronousTestCase):
    def test_characters(self) -> None:
        """The 95 printing characters of ASCII, in the order of their codes."""
        self.assertEqual(CHARACTERS.decode("ascii"), "".join(map(chr, range(32, 127))))

    def test_lines(self) -> None:
        """95 lines of 72 characters, each one character further, and every character in each
        place once."""
        self.assertEqual(len(LINES), 95)
        self.assertEqual({len(line) for line in LINES}, {72})
        for one, following in zip(LINES, LINES[1:] + LINES[:1], strict=True):
            self.assertEqual(one[1:], following[:-1])
        for column in zip(*LINES, strict=True):
            self.assertEqual(sorted(column), list(CHARACTERS))


class ChargenTests(StreamCase):
    def listen(self, *policies: Any) -> Peer:
        """A peer that is connected and reads as long as the test lets it."""
        factory = self.behind_layer(_factory(), *policies)
        peer = self.network.connect(self.make_peer(), factory)
        (self.stream,) = self.layer.streams
        return peer

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.network.turn()

    def assert_pattern(self, seen: bytes) -> None:
        self.assert_bytes(seen, (ROTATION * (len(seen) // len(ROTATION) + 1))[: len(seen)])

    def test_interfaces(self) -> None:
        """It produces on demand and knows of half-close."""
        for interface in (IPullProducer, IHalfCloseableProtocol):
            verifyObject(interface, Chargen())

    def test_without_end(self) -> None:
        """The pattern goes on, without a gap, as long as somebody reads; input changes nothing."""
        peer = self.listen()
        peer.send(b"stop")
        self.turns(60)
        self.assertGreater(len(peer.received), 20 * len(ROTATION))
        self.assert_pattern(peer.received)
        self.assertIsNone(peer.end)
        peer.reset()
        self.network.pump()
        self.assertEqual(self.closed().reason, "reset")

    def test_stops_with_the_reader(self) -> None:
        """When the client does not read nothing is made, and no timer waits; then it goes on."""
        peer = self.listen()
        peer.transport.pauseProducing()
        self.network.pump()
        made = self.stream.bytes_out
        self.network.advance(1.0)
        self.assertEqual(self.stream.bytes_out, made)
        self.assertEqual(self.clock.calls, [])
        self.assertLess(made, 4 * 65536)
        peer.transport.resumeProducing()
        self.turns(60)
        self.assertGreater(len(peer.received), made)
        self.assert_pattern(peer.received)

    def test_fin(self) -> None:
        """The client's FIN ends it, after a whole line."""
        peer = self.listen()
        self.turns(20)
        peer.fin()
        self.network.pump()
        self.assertEqual(peer.end, "fin")
        self.assert_pattern(peer.received)
        self.assertEqual(peer.received[-2:], b"\r\n")
        self.assertEqual(self.closed().reason, "peer-fin")

    def test_fin_of_who_does_not_read(self) -> None:
        """Also when output waits: what was begun is flushed first."""
        peer = self.listen()
        peer.transport.pauseProducing()
        self.network.pump()
        peer.fin()
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(peer.end, "fin")
        self.assert_pattern(peer.received)

    def test_slowed_down(self) -> None:
        """Under a throughput limit it is as slow as that, cut anywhere, ended at a line's end."""
        peer = self.listen(Throughput(1000, self.clock))
        self.network.advance(10.0)
        self.assertLess(abs(len(peer.received) - 10_000), 1100)
        self.assert_pattern(peer.received)
        peer.fin()
        self.network.advance(10.0)
        self.assertEqual((peer.end, peer.received[-2:]), ("fin", b"\r\n"))
        self.assert_pattern(peer.received)


def _factory() -> Any:
    from twisted.internet.protocol import Factory

    return Factory.forProtocol(Chargen)


class DatagramTests(SynchronousTestCase):
    def ask(self, chargen: DatagramChargen, *sizes: int) -> list[bytes]:
        """The answers to requests of these *sizes*."""
        sent: list[bytes] = []

        class Port:
            write = staticmethod(lambda data, to: sent.append(data))

        chargen.transport = Port()  # type: ignore[assignment]
        for size in sizes:
            chargen.datagramReceived(bytes(size), ("192.0.2.1", 7000))
        return sent

    def test_sizes(self) -> None:
        """Each request has one answer, of 0 to 512 characters, and all sizes come."""
        answers = self.ask(DatagramChargen(Random(1)), *[600] * 20_000)
        self.assertEqual({len(answer) for answer in answers}, set(range(513)))

    def test_never_longer(self) -> None:
        """No answer is longer than its request; none to an empty one has a character."""
        sizes = [0, 1, 2, 100, 511, 512] * 200
        answers = self.ask(DatagramChargen(Random(1)), *sizes)
        for size in set(sizes):
            longest = max(len(a) for a, of in zip(answers, sizes, strict=True) if of == size)
            self.assertLessEqual(longest, size)

    def test_unlimited(self) -> None:
        """Where amplification is allowed a byte is enough."""
        answers = self.ask(DatagramChargen(Random(1), unlimited=True), *[1] * 2000)
        self.assertGreater(max(map(len, answers)), 500)
        self.assertLessEqual(max(map(len, answers)), 512)

    def test_pattern(self) -> None:
        """The characters are those of the pattern, from the begin of a line; any line comes."""
        begun = set()
        for answer in self.ask(DatagramChargen(Random(1)), *[512] * 5000):
            lines = [n for n in range(95) if (ROTATION * 2)[n * 74 :].startswith(answer)]
            self.assertNotEqual(lines, [])
            begun.add(lines[0])
        self.assertEqual(begun, set(range(95)))

"""Each line is one datagram, each answer is shown, and what was not sent is not called sent."""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import MessageLengthError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.client.connected import FakeConsole
from twisted_lab.client.datagrams import REFUSED, WAIT, DatagramTalk
from twisted_lab.client.words import Lines, ReadableDatagrams, as_typed
from twisted_lab.publishing import Publisher
from twisted_lab.testing import Collector

PEER = ("192.0.2.1", 7)


class FakeSocket:
    """A connected UDP socket; ``wrong`` is what the next send() raises, or calls."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.wrong: Any = None
        self.peer: Any = None
        self.open = True
        self.socket = self
        self.error = 0

    def getsockopt(self, level: int, name: int) -> int:
        return self.error

    def connect(self, host: str, port: int) -> None:
        self.peer = host, port

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", "192.0.2.9", 50000)

    def write(self, data: bytes) -> None:
        if isinstance(self.wrong, Exception):
            raise self.wrong
        if self.wrong is not None:
            self.wrong()
        else:
            self.sent.append(data)

    def stopListening(self) -> None:
        self.open = False


class DatagramTalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.seen, self.said = Clock(), Collector(), []
        publisher = Publisher()
        publisher.add(self.seen)
        self.console: Any = FakeConsole()
        said: list[str] = self.said
        self.talk = DatagramTalk(
            self.clock,
            publisher,
            self.console,
            PEER,
            ReadableDatagrams(),
            Lines(as_typed),
            said.append,
            said.append,
            lambda: said.append("deaf"),
            lambda: said.append("done"),
        )
        self.socket = FakeSocket()
        self.talk.makeConnection(self.socket)
        self.talk.startProtocol()

    def test_lines(self) -> None:
        """Each line is one datagram, without its end; an empty one is one, too."""
        self.console.talker.typed(b"one\ntwo\r\n\nla")
        self.console.talker.typed(b"st")
        self.assertEqual(self.socket.sent, [b"one", b"two", b""])
        self.console.talker.input_ended()
        self.assertEqual(self.socket.sent[-1], b"last")
        self.assertEqual([sent.bytes for sent in self.seen.of("datagram-sent")], [3, 3, 0, 4])
        self.assertEqual(self.socket.peer, PEER)

    def test_answers(self) -> None:
        """Each that comes is shown as a line, and told with both addresses."""
        self.talk.datagramReceived(b"\x1bhi", PEER)
        self.assertEqual(self.console.shown, rb"\x1bhi" + b"\n")
        (event,) = self.seen.of("datagram-received")
        self.assertEqual((event.peer, event.local), ("192.0.2.1:7", "192.0.2.9:50000"))

    def test_end(self) -> None:
        """After the end of input answers are waited for, which is said; then it ends."""
        self.console.talker.input_ended()
        self.assertEqual(self.seen.of("note")[-1].text, "end of input: waiting 1 s for answers")
        self.clock.advance(WAIT / 2)
        self.talk.datagramReceived(b"late", PEER)
        self.assertEqual((self.said, self.socket.open), ([], True))
        self.clock.advance(WAIT / 2)
        self.assertEqual((self.said, self.socket.open), (["done"], False))
        self.assertEqual(self.console.shown, b"late\n")

    def test_refused(self) -> None:
        """ICMP says that nobody is there: it is told once and ends."""
        self.talk.connectionRefused()
        self.talk.connectionRefused()
        self.assertEqual(self.said, [REFUSED, "done"])

    def test_refused_by_send(self) -> None:
        """The send() that reports it has sent nothing, and what is typed after it neither."""
        self.socket.wrong = self.talk.connectionRefused
        self.console.talker.typed(b"one\ntwo\n")
        self.assertEqual(self.seen.of("datagram-sent"), [])
        self.assertEqual([lost.bytes for lost in self.seen.of("datagram-dropped")], [3])
        self.assertEqual(self.said[:2], [REFUSED, "done"])
        self.assertIn("not sent: nobody listens there", self.said[2])
        self.console.talker.input_ended()
        self.assertEqual(self.clock.calls, [])

    def test_closed_by_the_reactor(self) -> None:
        """Where the reactor sees the error first and closes the socket, what it was is told."""
        for number, why in ((ECONNREFUSED, REFUSED), (EHOSTUNREACH, "No route to host")):
            self.setUp()
            self.socket.error = number
            self.talk.transport = None
            self.talk.stopProtocol()
            self.assertEqual(self.said, [why, "done"])

    def test_not_sent(self) -> None:
        """What the kernel does not take is lost, with its reason; the next one is tried."""
        for wrong, why in (
            (OSError(ENETUNREACH, "Network is unreachable"), "Network is unreachable"),
            (MessageLengthError("x"), "too long for a datagram"),
        ):
            self.socket.wrong = wrong
            self.console.talker.typed(b"one\n")
            self.assertEqual(self.seen.of("datagram-dropped")[-1].reason, why)
            self.assertEqual(self.said[-1], f"a datagram of 3 bytes was not sent: {why}")
        self.socket.wrong = None
        self.console.talker.typed(b"two\n")
        self.assertEqual(self.socket.sent, [b"two"])

    def test_refused_input(self) -> None:
        """A line that is too long for a datagram is told, not sent."""
        self.console.talker.typed(b"x" * 70_000 + b"\n")
        self.assertEqual(self.said, ["a line of more than 65,536 bytes was not sent"])

    def test_nobody_reads(self) -> None:
        """Without a reader of stdout it ends."""
        self.console.talker.nobody_reads()
        self.assertEqual((self.said, self.socket.open), (["deaf", "done"], False))

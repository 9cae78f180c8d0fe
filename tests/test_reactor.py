"""The lean reactor does what epoll's does, in the same order, with fewer system calls."""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import os
import socket
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import abstract, error
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import ClientFactory, DatagramProtocol, Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.tcp import BaseClient
from twisted.protocols.basic import LineReceiver
from twisted.python import context, log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.integration.peers import reset
from tests.programs import run
from twisted_lab.reactor import LeanReactor, moved_seams

#: Turns of the loop after which nothing happens any more: no act here takes more than three.
TURNS = 8

BIG = bytes(range(256)) * 1024


@contextlib.contextmanager
def running(kind: type[EPollReactor]) -> Iterator[Any]:
    """A reactor that is not installed, to be turned by hand."""
    reactor = kind()
    try:
        yield reactor
    finally:
        for selectable in reactor.removeAll():
            selectable.connectionLost(Failure(error.ConnectionDone()))
        for reader in list(reactor._internalReaders):
            reactor.removeReader(reader)
            reader.connectionLost(None)
        reactor._poller.close()


def turn(reactor: Any, times: int = TURNS) -> None:
    for _ in range(times):
        reactor.runUntilCurrent()
        reactor.doIteration(0)


# --- a protocol that does as it is told -----------------------------------------------------------


class Producer:
    """Notes what it is told; as a pull producer it has three pieces."""

    def __init__(self, protocol: Scripted) -> None:
        self._protocol = protocol
        self._left = 3

    def pauseProducing(self) -> None:
        self._protocol.trace.append("pause")

    def resumeProducing(self) -> None:
        self._protocol.trace.append("resume")
        if not self._protocol.streaming:
            self._left -= 1
            self._protocol.transport.write(b"<pulled>")
            if not self._left:
                self._protocol.transport.unregisterProducer()

    def stopProducing(self) -> None:
        self._protocol.trace.append("stop")


class Scripted(Protocol):
    """Does the acts of a script, those of one entry for each piece of data it is given."""

    transport: Any
    streaming = True
    client = False

    def __init__(self, reactor: Any, script: Sequence[Sequence[str]]) -> None:
        self.reactor = reactor
        self.trace: list[Any] = []
        self._script = iter(script)

    def dataReceived(self, data: bytes) -> None:
        self.trace.append(data)
        for act in next(self._script, ()):
            if act == START_TLS:
                self.transport.startTLS(
                    CertificateOptions(), self.client
                )  # the TLS client speaks first
            else:
                ACTS[act](self)

    def connectionLost(self, reason: Any = None) -> None:
        self.trace.append(reason.type.__name__)

    def register(self, streaming: bool) -> None:
        self.streaming = streaming
        self.transport.registerProducer(Producer(self), streaming)

    def connectionMade(self) -> None:
        self.client = isinstance(self.transport, BaseClient)

    def pause(self) -> None:
        self.transport.pauseProducing()
        self.reactor.callLater(0, self.transport.resumeProducing)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Scripted):
    """The same, and goes on when the peer has sent FIN."""

    def readConnectionLost(self) -> None:
        self.trace.append("FIN in")
        self.transport.write(b"<after FIN>")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.trace.append("FIN out")


ACTS: dict[str, Callable[[Scripted], object]] = {
    "write": lambda it: it.transport.write(b"<write>"),
    "write nothing": lambda it: it.transport.write(b""),
    "write text": lambda it: it.transport.write("text"),
    "write an array": lambda it: it.transport.write(bytearray(b"<array>")),
    "write some": lambda it: it.transport.write(bytes(20_000)),
    "write much": lambda it: it.transport.write(BIG),
    "write pieces": lambda it: it.transport.writeSequence([b"<one", b"two>"]),
    "write later": lambda it: it.reactor.callLater(0, it.transport.write, b"<later>"),
    "lose": lambda it: it.transport.loseConnection(),
    "half-close": lambda it: it.transport.loseWriteConnection(),
    "abort": lambda it: it.transport.abortConnection(),
    "raise": lambda it: 1 / 0,
    "push": lambda it: it.register(True),
    "pull": lambda it: it.register(False),
    "unregister": lambda it: it.transport.unregisterProducer(),
    "pause": Scripted.pause,
    "stop writing": lambda it: it.transport.stopWriting(),
}
START_TLS = "start TLS"

#: These drop what waits for room. How much that is, is the kernel's affair, and only the same when
#: the peer has read everything before.
DROPPING = {"abort", "raise", "write text", "write an array", "stop writing"}

Road = Callable[[Any, Protocol], socket.socket]


def unix_server(reactor: Any, protocol: Protocol) -> socket.socket:
    """Connect *protocol* to a socket of ours, which is returned."""
    ours, its = socket.socketpair()
    its.setblocking(False)
    reactor.adoptStreamConnection(its.fileno(), socket.AF_UNIX, factory(protocol))
    its.close()
    return ours


def tcp_server(reactor: Any, protocol: Protocol) -> socket.socket:
    """The same over TCP, accepted by a port."""
    port = reactor.listenTCP(0, factory(protocol), interface="127.0.0.1")
    ours = socket.create_connection(("127.0.0.1", port.getHost().port))
    turn(reactor, 2)
    port.stopListening()
    turn(reactor, 1)
    return ours


def tcp_client(reactor: Any, protocol: Protocol) -> socket.socket:
    """The same, connected to us."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reactor.connectTCP(*listener.getsockname(), client_factory(protocol))
        turn(reactor, 2)
        ours, _ = listener.accept()
    turn(reactor, 2)
    return ours


def unix_client(reactor: Any, protocol: Protocol) -> socket.socket:
    """The same over a UNIX socket."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path := str(Path(folder, "s")))
        listener.listen()
        reactor.connectUNIX(path, client_factory(protocol))
        turn(reactor, 2)
        ours, _ = listener.accept()
    turn(reactor, 2)
    return ours


ROADS: dict[str, Road] = {
    road.__name__: road for road in (unix_server, tcp_server, tcp_client, unix_client)
}


def factory(protocol: Protocol) -> Any:
    made = Factory()
    made.noisy = False
    made.buildProtocol = lambda address: protocol
    return made


def client_factory(protocol: Protocol) -> Any:
    made = ClientFactory()
    made.noisy = False
    made.buildProtocol = lambda address: protocol
    return made


class Talk:
    """What a protocol was called with, and what its peer got, on one road under one reactor."""

    def __init__(
        self,
        kind: type[EPollReactor],
        road: str,
        script: Sequence[Sequence[str]],
        protocol: type[Scripted] = Scripted,
        reads: bool = True,
    ) -> None:
        self.received = b""
        self.end = "open"
        with running(kind) as reactor:
            made = protocol(reactor, script)
            self.socket = ROADS[road](reactor, made)
            self.socket.setblocking(False)
            if self.socket.family == socket.AF_INET:  # each message is to come when it is sent
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.socket:
                for number in range(len(script)):
                    self._tell(b"data %d" % number)
                    turn(reactor)
                    while reads and self._read():
                        turn(reactor)
                while self._read():
                    turn(reactor)
                # Only now: see test_end_behind_data.
                with contextlib.suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)
                turn(reactor)
                while self._read():
                    turn(reactor)
            turn(reactor)
            self.trace = list(made.trace)
            made.transport.abortConnection()  # one that neither reads nor writes is still open
            turn(reactor)

    def _tell(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.send(data)

    def _read(self) -> int:
        before = len(self.received)
        try:
            while data := self.socket.recv(2**20):
                self.received += data
            self.end = "FIN"
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.end = "reset"
        return len(self.received) - before

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        length, digest = len(self.received), hashlib.sha256(self.received).hexdigest()
        got = f"{self.received!r:.300} ({length} bytes, SHA-256 {digest:.8})"
        return f"{self.trace}, and the peer got {got} and {self.end}"


class SameTests(SynchronousTestCase):
    """A protocol and its peer cannot tell the two reactors apart."""

    def compare(self, road: str, script: Sequence[Sequence[str]], **how: Any) -> Talk:
        self.flushLoggedErrors()  # what an example that failed has left
        epoll = Talk(EPollReactor, road, script, **how)
        failed = len(self.flushLoggedErrors())
        lean = Talk(LeanReactor, road, script, **how)
        self.assertEqual(lean, epoll, (road, script, how))
        self.assertEqual(len(self.flushLoggedErrors()), failed, (road, script, how))
        return lean

    def test_each_act(self) -> None:
        """Each act alone, after a write and before one, on each road."""
        for road in ROADS:
            for act in ACTS:
                for script in (
                    [[act]],
                    [["write", act]],
                    [[act, "write"]],
                    [[act], ["write"], ["write"]],
                    [["write", act], [act]],
                ):
                    for protocol in (Scripted, HalfCloseable):
                        self.compare(road, script, protocol=protocol)

    def test_peer_that_does_not_read(self) -> None:
        """What the kernel does not take waits for room, in order, and producers are told."""
        for road in ROADS:
            for first in ("push", "write"):
                script = [[first, *["write much"] * 20], ["write", "write much"], ["write"]]
                talk = self.compare(road, script, reads=False)
                self.assertEqual(len(talk.received) > 20 * len(BIG), True, road)
                self.assertEqual("resume" in talk.trace, first == "push", road)

    def test_end_behind_what_fills(self) -> None:
        """What follows the last byte does not wait until the peer has read it."""
        for road in ROADS:
            for act in ("half-close", "lose", "push", "pull"):
                for script in ([[act, *["write some"] * 3], []], [[*["write some"] * 3, act], []]):
                    self.compare(road, script, protocol=HalfCloseable, reads=False)
        talk = Talk(
            LeanReactor,
            "unix_client",
            [[*["write some"] * 3, "half-close"], []],
            protocol=HalfCloseable,
            reads=False,
        )
        self.assertEqual(talk.trace[:3], [b"data 0", "FIN out", b"data 1"])

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.lists(st.sampled_from(sorted(ACTS)), max_size=5), min_size=1, max_size=4),
        st.sampled_from(sorted(ROADS)),
        st.sampled_from([Scripted, HalfCloseable]),
        st.booleans(),
    )
    def test_any_script(
        self, script: list[list[str]], road: str, protocol: type[Scripted], reads: bool
    ) -> None:
        """Any acts in any order."""
        if not reads:
            script = [[act for act in acts if act not in DROPPING] for acts in script]
        self.compare(road, script, protocol=protocol, reads=reads)

    def test_tls(self) -> None:
        """startTLS in the midst: what was written before goes in the clear, and then TLS begins."""
        for road in ROADS:
            for act in ("write", "write much", "lose", "abort"):
                # The hello after its first bytes is random.
                seen = [
                    (talk.received[:12], talk.received.count(b"<write>"), talk.trace, talk.end)
                    for kind in (EPollReactor, LeanReactor)
                    for talk in [Talk(kind, road, [["write", START_TLS, act]])]
                ]
                self.assertEqual(seen[1], seen[0], (road, act))
                if act.startswith("write"):
                    self.assertTrue(seen[1][0].startswith(b"<write>\x16\x03"), seen)
                    self.assertEqual(seen[1][1], 1, "written after TLS began, and in the clear")

    def test_reset(self) -> None:
        """A reset right behind the data is a lost connection, and not a FIN."""
        for road in ("tcp_server", "tcp_client"):
            for kind in (EPollReactor, LeanReactor):
                with running(kind) as reactor:
                    protocol = HalfCloseable(reactor, [["write"]])
                    ours = ROADS[road](reactor, protocol)
                    ours.send(b"?")
                    reset(ours)
                    turn(reactor)
                    self.assertEqual(protocol.trace, [b"?", "ConnectionLost"], (road, kind))

    def test_producer_of_little(self) -> None:
        """One whose writes are taken as they come is never paused, however much it is in all."""
        talk = self.compare("tcp_server", [["push", "write some"], *[["write some"]] * 9])
        self.assertNotIn("pause", talk.trace)

    def test_freed(self) -> None:
        """A connection that is over is freed at once, by no garbage collection."""
        self.addCleanup(gc.enable)
        gc.disable()
        with running(LeanReactor) as reactor:
            protocol = Scripted(reactor, ())
            unix_server(reactor, protocol).close()
            transport = weakref.ref(protocol.transport)
            turn(reactor)
            self.assertEqual(protocol.trace, ["ConnectionDone"])
            del protocol
            self.assertIsNone(transport())

    def test_end_behind_data(self) -> None:
        """But for one thing: an answer to data is out before a FIN right behind the data is seen.

        Twisted's own sees the FIN first and drops what it has not sent.
        """
        for road in ROADS:
            for kind, answer in ((LeanReactor, b"<write>"), (EPollReactor, b"")):
                with running(kind) as reactor:
                    ours = ROADS[road](reactor, Scripted(reactor, [["write"]]))
                    ours.send(b"?")
                    ours.shutdown(socket.SHUT_WR)
                    turn(reactor)
                    self.assertEqual(ours.recv(100), answer, (kind, road))
                    ours.close()


# --- what it saves --------------------------------------------------------------------------------


class CountingSocket:
    """A socket that counts what is asked of the kernel."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.reads = 0
        self.sends: list[int] = []

    def recv(self, size: int) -> bytes:
        self.reads += 1
        return self._socket.recv(size)

    def send(self, data: bytes) -> int:
        self.sends.append(self._socket.send(data))
        return self.sends[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class CountingPoller:
    """An epoll object that notes how often its interest list was changed."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self.changes = 0

    def modify(self, *given: Any) -> None:
        self.changes += 1
        self._poller.modify(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


class Lines(LineReceiver):
    """Sends each line back, in two writes."""

    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self.transport.write(line)
        self.transport.write(b"\n")


class CostTests(SynchronousTestCase):
    def counted(
        self, kind: type[EPollReactor], road: str, protocol: Protocol, data: bytes
    ) -> tuple[CountingSocket, int]:
        """The system calls for *data*, answered in full by *protocol*."""
        with running(kind) as reactor, ROADS[road](reactor, protocol) as ours:
            transport: Any = protocol.transport
            transport.socket = sock = CountingSocket(transport.socket)
            reactor._poller = poller = CountingPoller(reactor._poller)
            ours.sendall(data)
            turn(reactor)
            self.assertEqual(ours.recv(2**20), data)
            return sock, poller.changes

    def test_lines(self) -> None:
        """A thousand lines in one segment are one read and one send."""
        data = b"".join(b"line %d\n" % number for number in range(1000))
        sock, changes = self.counted(LeanReactor, "tcp_server", Lines(), data)
        self.assertEqual((sock.reads, sock.sends, changes), (1, [len(data)], 0))

    def test_epoll(self) -> None:
        """Twisted's own needs two more calls to wait for room, which is what is saved."""
        sock, changes = self.counted(EPollReactor, "tcp_server", Lines(), b"a line\n")
        self.assertEqual((sock.reads, sock.sends, changes), (1, [7], 2))

    def test_each_road(self) -> None:
        """One send, and no wait for room, however the connection came to be."""
        for road in ROADS:
            sock, changes = self.counted(LeanReactor, road, Lines(), b"1\n2\n3\n")
            self.assertEqual((sock.sends, changes), ([6], 0), road)

    def test_streaming_producer(self) -> None:
        """One that has not been paused has nothing to wait for."""

        class Producing(Lines):
            def connectionMade(self) -> None:
                self.transport.registerProducer(self, True)

        sock, changes = self.counted(LeanReactor, "tcp_server", Producing(), b"1\n2\n")
        self.assertEqual((sock.sends, changes), ([4], 0))


class FairnessTests(SynchronousTestCase):
    def test_flood(self) -> None:
        """A turn reads each connection once, at most 64 KiB, however much one has sent."""
        with running(LeanReactor) as reactor:
            flood, modest = Scripted(reactor, ()), Scripted(reactor, ())
            with tcp_server(reactor, flood) as loud, tcp_server(reactor, modest) as quiet:
                loud.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        loud.send(BIG)
                for number in range(1, 5):
                    quiet.send(b"?")
                    reactor.doIteration(0)
                    self.assertEqual(modest.trace, [b"?"] * number)
                    self.assertEqual(len(flood.trace), number)
                self.assertLessEqual(max(map(len, flood.trace)), 2**16)

    def test_flooding_echo(self) -> None:
        """Nor does it send for one connection alone: 128 KiB a turn, as Twisted has it."""
        with running(LeanReactor) as reactor:
            protocol = Scripted(reactor, [["write much", "write much"]])
            with tcp_server(reactor, protocol) as ours:
                made: Any = protocol.transport
                made.socket = sock = CountingSocket(made.socket)
                ours.send(b"?")
                reactor.doIteration(0)
                self.assertLessEqual(sum(sock.sends), made.SEND_LIMIT)


# --- datagrams ------------------------------------------------------------------------------------


class Answering(DatagramProtocol):
    """Answers a datagram to the hosts it names, or to who sent it; notes what that raises."""

    transport: Any

    def __init__(self) -> None:
        self.trace: list[object] = []

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self.trace.append(datagram)
        hosts = [addr[0], "127.0.0.1", "::1", "localhost", "", addr[0]]
        for size, host in zip((7, 7, 7, 7, 7, 70_000, 7), [*hosts, addr[0]], strict=True):
            try:
                self.transport.write(datagram * size, (host, addr[1]))
            except Exception as problem:
                self.trace.append(type(problem).__name__)

    def connectionRefused(self) -> None:
        self.trace.append("refused")


class DatagramTests(SynchronousTestCase):
    def talk(self, kind: type[EPollReactor], interface: str, adopted: bool) -> list[object]:
        """What it was given and raised, and all it sent, when it was asked twice."""
        family = socket.AF_INET6 if ":" in interface else socket.AF_INET
        protocol = Answering()
        with running(kind) as reactor, socket.socket(family, socket.SOCK_DGRAM) as ours:
            ours.bind((interface, 0))
            ours.setblocking(False)
            if adopted:
                with socket.socket(family, socket.SOCK_DGRAM) as its:
                    its.setblocking(False)
                    its.bind((interface, 0))
                    port = reactor.adoptDatagramPort(its.fileno(), family, protocol)
            else:
                port = reactor.listenUDP(0, protocol, interface)
            for question in (b"a", b"b"):
                ours.sendto(question, (interface, port.getHost().port))
                turn(reactor)
            with contextlib.suppress(BlockingIOError):
                while True:
                    protocol.trace.append(ours.recv(2**16))
            port.stopListening()
            turn(reactor, 1)
        return protocol.trace

    def test_same(self) -> None:
        """Who is answered, and what is refused, is as with Twisted's own."""
        for interface in ("127.0.0.1", "::1"):
            for adopted in (False, True):
                lean = self.talk(LeanReactor, interface, adopted)
                self.assertEqual(lean, self.talk(EPollReactor, interface, adopted), interface)
                self.assertEqual(lean.count("InvalidAddressError"), 6)
                self.assertEqual(lean.count("MessageLengthError"), 2)

    def test_connected(self) -> None:
        """One that is connected takes no address, and hears of ICMP errors."""
        for kind in (EPollReactor, LeanReactor):
            with running(kind) as reactor, socket.socket(type=socket.SOCK_DGRAM) as ours:
                ours.bind(("127.0.0.1", 0))
                protocol = Answering()
                port = reactor.listenUDP(0, protocol, "127.0.0.1")
                port.connect(*ours.getsockname())
                port.write(b"there")
                self.assertEqual(ours.recv(10), b"there")
                ours.close()
                port.write(b"to nobody")
                port.write(b"to nobody")
                self.assertEqual(protocol.trace, ["refused"])
                port.stopListening()
                turn(reactor, 1)

    def test_refused(self) -> None:
        """One that is not connected goes on when a host it answered has gone."""
        with running(LeanReactor) as reactor, socket.socket(type=socket.SOCK_DGRAM) as ours:
            ours.bind(("127.0.0.1", 0))
            port = reactor.listenUDP(0, Answering(), "127.0.0.1")
            port.write(b"one", ours.getsockname())
            port.socket = Refusing(port.socket)
            self.assertIsNone(port.write(b"two", ours.getsockname()))
            port.socket.errno = errno.EPERM
            self.assertRaises(PermissionError, port.write, b"three", ours.getsockname())
            self.assertEqual(ours.recv(10), b"one")
            port.stopListening()
            turn(reactor, 1)

    def test_bounded(self) -> None:
        """However many hosts it answers, it remembers a thousand."""
        with running(LeanReactor) as reactor:
            port = reactor.listenUDP(0, Answering(), "127.0.0.1")
            for number in range(1500):
                port.write(b"", (f"127.1.{number // 250}.{number % 250 + 1}", 9))
            self.assertLessEqual(len(port._known), 1000)
            self.assertGreater(len(port._known), 0)
            port.stopListening()
            turn(reactor, 1)

    def test_looked_at_once(self) -> None:
        """A host is looked at for the first datagram alone."""
        looked: list[str] = []

        def look(host: str, *family: int) -> bool:
            looked.append(host)
            return real(host, *family)

        real = abstract.isIPAddress
        self.patch(abstract, "isIPAddress", look)
        with running(LeanReactor) as reactor, socket.socket(type=socket.SOCK_DGRAM) as ours:
            ours.bind(("127.0.0.1", 0))
            port = reactor.listenUDP(0, Answering(), "127.0.0.1")
            port.write(b"one", ours.getsockname())
            before = len(looked)
            port.write(b"two", ours.getsockname())
            self.assertEqual((before > 0, len(looked)), (True, before))
            port.stopListening()
            turn(reactor, 1)


class Refusing:
    """A socket that sends nothing."""

    errno = errno.ECONNREFUSED

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, *given: Any) -> int:
        raise OSError(self.errno, os.strerror(self.errno))

    sendto = send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


# --- the log --------------------------------------------------------------------------------------


class Logging(Scripted):
    """Says something about each piece of data, by ``log.msg``, and keeps the context."""

    def dataReceived(self, data: bytes) -> None:
        log.msg("said", about=data)
        self.trace.append(context.theContextTracker.currentContext().contexts[-1])
        super().dataReceived(data)


class LogTests(SynchronousTestCase):
    def systems(self, kind: type[EPollReactor], *script: list[str], **prefix: Any) -> list[Any]:
        """The ``system`` of what was logged, by the protocol and by the reactor."""
        events: list[Any] = []
        log.addObserver(events.append)
        self.addCleanup(log.removeObserver, events.append)
        with running(kind) as reactor:
            protocol = Logging(reactor, script)
            with tcp_server(reactor, protocol) as ours:
                if prefix:
                    protocol.transport.logPrefix = prefix["logPrefix"]
                for _ in script:
                    ours.send(b"?")
                    turn(reactor)
            turn(reactor)
        log.removeObserver(events.append)
        self.captured = [one for one in protocol.trace if hasattr(one, "__getitem__")]
        self.flushLoggedErrors()
        return [
            (event["system"], event["isError"])
            for event in events
            if "about" in event or event["isError"]
        ]

    def test_system(self) -> None:
        """What a protocol logs, and an exception of it, is said of its connection."""
        for script in (["write"],), (["raise"],), (["write"], ["raise"]):
            said = self.systems(LeanReactor, *script)
            self.assertEqual(said, self.systems(EPollReactor, *script))
            self.assertEqual({system for system, _ in said}, {"Logging,0,127.0.0.1"})

    def test_buggy_prefix(self) -> None:
        """A logPrefix that raises is logged once, and what it was wanted for is logged too."""
        said = self.systems(LeanReactor, [], logPrefix=lambda: 1 / 0)
        buggy = "(buggy logPrefix method)"
        self.assertEqual(said, [(buggy, 1), (buggy, 0)])

    def test_kept(self) -> None:
        """A context taken along, as a thread pool does, says the same later and elsewhere."""
        self.systems(LeanReactor, [])
        kept = context.call(self.captured[0], context.get, log.ILogContext)
        self.assertEqual(kept, {"system": "Logging,0,127.0.0.1"})
        self.assertEqual(context.call(self.captured[0], context.get, "other", 7), 7)
        self.assertEqual(self.captured[0][log.ILogContext]["system"], "Logging,0,127.0.0.1")

    def test_around(self) -> None:
        """What was in the context around the loop stays in it."""

        class Asking(Protocol):
            def dataReceived(self, data: bytes) -> None:
                seen.append(context.get(log.ILogContext))

        seen: list[Any] = []
        for kind in (EPollReactor, LeanReactor):
            with running(kind) as reactor, tcp_server(reactor, Asking()) as ours:
                ours.send(b"?")
                log.callWithContext({"colour": "blue"}, turn, reactor)
        self.assertEqual(seen[1], seen[0])
        self.assertEqual(seen[1]["colour"], "blue")

    def test_turn_within_a_turn(self) -> None:
        """When a protocol turns the loop itself, what others log then is said of theirs."""

        class Turning(Protocol):
            def dataReceived(self, data: bytes) -> None:
                seen.append(context.get(log.ILogContext))
                if len(seen) == 1:
                    turn(reactor, 1)
                    seen.append(context.get(log.ILogContext))

        runs = []
        for kind in (EPollReactor, LeanReactor):
            seen: list[Any] = []
            with running(kind) as reactor:
                one, two = unix_server(reactor, Turning()), tcp_server(reactor, Turning())
                for sock in (one, two):
                    sock.send(b"?")
                turn(reactor)
                one.close()
                two.close()
                runs.append(seen)
        self.assertEqual(len(runs[0]), 3)
        self.assertEqual(runs[1], runs[0])

    def test_leaves_no_trace(self) -> None:
        """After a turn the context is what it was, also when an interrupt ended the turn."""

        class Interrupted(Protocol):
            def connectionLost(self, reason: Any = None) -> None:
                raise KeyboardInterrupt

        before = list(context.theContextTracker.currentContext().contexts)
        with running(LeanReactor) as reactor:
            tcp_server(reactor, Interrupted()).close()
            self.assertRaises(KeyboardInterrupt, turn, reactor)
        self.assertEqual(context.theContextTracker.currentContext().contexts, before)

    def test_exception_at_the_end(self) -> None:
        """An exception in connectionLost is logged, and the loop goes on."""

        class Failing(Protocol):
            def connectionLost(self, reason: Any = None) -> None:
                raise ValueError("a bug of the protocol's")

        with running(LeanReactor) as reactor:
            tcp_server(reactor, Failing()).close()
            turn(reactor)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


# --- installing -----------------------------------------------------------------------------------


class ReadTests(SynchronousTestCase):
    def test_nothing_there(self) -> None:
        """A read that finds nothing is nothing."""
        with running(LeanReactor) as reactor:
            for road in ROADS:
                protocol = Scripted(reactor, ())
                with ROADS[road](reactor, protocol):
                    self.assertIsNone(protocol.transport.doRead())
                    self.assertEqual(protocol.trace, [])
                turn(reactor)


class NoRoomTests(SynchronousTestCase):
    def test_no_room(self) -> None:
        """What the kernel takes nothing of, or has no memory for, waits for room."""
        for refusal in (errno.EAGAIN, errno.ENOBUFS):
            with running(LeanReactor) as reactor:
                protocol = Scripted(reactor, [["write", "write"]])
                with unix_server(reactor, protocol) as ours:
                    transport = protocol.transport
                    real, transport.socket = transport.socket, Refusing(transport.socket)
                    transport.socket.errno = refusal
                    ours.send(b"?")
                    turn(reactor, 1)
                    self.assertEqual(reactor.getWriters(), [transport])
                    transport.socket = real
                    turn(reactor, 1)
                    self.assertEqual(ours.recv(100), b"<write><write>")
                    self.assertEqual(reactor.getWriters(), [])

    def test_ended_by_another(self) -> None:
        """A connection that another one ended in the same turn is not read any more."""

        class Ending(Scripted):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                other.transport.abortConnection()

        with running(LeanReactor) as reactor:
            one, other = Ending(reactor, ()), Ending(reactor, ())
            first, second = unix_server(reactor, one), unix_server(reactor, other)
            with first, second:
                for sock in (first, second):
                    sock.send(b"?")
                turn(reactor, 1)
                self.assertEqual((one.trace, other.trace), ([b"?"], []))
                turn(reactor)


class AdoptingTests(SynchronousTestCase):
    def test_family(self) -> None:
        """A family that Twisted cannot adopt is refused as Twisted does."""
        with running(LeanReactor) as reactor:
            for adopt in (reactor.adoptStreamPort, reactor.adoptStreamConnection):
                self.assertRaises(
                    error.UnsupportedAddressFamily, adopt, 0, socket.AF_PACKET, Factory()
                )

    def test_datagram_family(self) -> None:
        """So is one that is not for datagrams."""
        with running(LeanReactor) as reactor:
            self.assertRaises(
                error.UnsupportedAddressFamily,
                reactor.adoptDatagramPort,
                *(0, socket.AF_UNIX, Answering()),
            )

    def test_port(self) -> None:
        """A port that is adopted makes the same connections."""
        for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, "")):
            with running(LeanReactor) as reactor, socket.socket(family) as listener:
                listener.setblocking(False)
                listener.bind(address)
                listener.listen()
                lines = Lines()
                reactor.adoptStreamPort(listener.fileno(), family, factory(lines))
                with socket.socket(family) as ours:
                    ours.connect(listener.getsockname())
                    ours.send(b"1\n2\n")
                    turn(reactor)
                    self.assertEqual(ours.recv(100), b"1\n2\n")
                self.assertTrue(hasattr(lines.transport, "log_context"))

    def test_connection(self) -> None:
        """So is a connection over TCP."""
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        ours = self.enterContext(socket.create_connection(listener.getsockname()))
        with running(LeanReactor) as reactor, listener.accept()[0] as its:
            its.setblocking(False)
            reactor.adoptStreamConnection(its.fileno(), socket.AF_INET, factory(Lines()))
            its.close()  # Twisted took a copy
            ours.send(b"1\n")
            turn(reactor)
            self.assertEqual(ours.recv(100), b"1\n")


class DescriptorTests(SynchronousTestCase):
    def test_passed(self) -> None:
        """A descriptor sent over a UNIX socket goes with the bytes it was sent with."""

        class Passing(Protocol):
            transport: Any

            def dataReceived(self, data: bytes) -> None:
                self.transport.sendFileDescriptor(passed)
                self.transport.write(b"here")

        passed, other = os.pipe()
        self.addCleanup(os.close, passed)
        self.addCleanup(os.close, other)
        with running(LeanReactor) as reactor, unix_server(reactor, Passing()) as ours:
            ours.send(b"?")
            turn(reactor)
            first, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
            self.addCleanup(os.close, *descriptors)
            self.assertEqual((first, ours.recv(10)), (b"h", b"ere"))
            self.assertEqual(os.fstat(descriptors[0]).st_ino, os.fstat(passed).st_ino)


_INSTALL = "from twisted_lab import reactor; reactor.install(); "
_SAY = "from twisted.internet import reactor as one; print(type(one).__name__)"


class InstallTests(SynchronousTestCase):
    def test_seams(self) -> None:
        """The Twisted that is installed is as it must be."""
        self.assertEqual(moved_seams(), [])

    def test_install(self) -> None:
        """install() makes it the reactor, and says nothing."""
        done = run(sys.executable, "-c", _INSTALL + _SAY)
        self.assertEqual((done.status, done.out, done.err), (0, "LeanReactor\n", ""))

    def test_twistd(self) -> None:
        """twistd knows it by name."""
        twistd = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
        self.assertRegex(run(*twistd, "--help-reactors").out, r"(?m)^ +lean\t.*epoll")

    def test_moved(self) -> None:
        """Where Twisted has moved a seam it is the epoll reactor, and one line says which."""
        moves = (
            "FileDescriptor.write = lambda self, data, urgent=False: None; ",
            "FileDescriptor.write = lambda self, data: None; ",
            "del FileDescriptor.write; ",
            "FileDescriptor.write = len; ",
        )
        for move in moves:
            move = "from twisted.internet.abstract import FileDescriptor; " + move
            done = run(sys.executable, "-c", move + _INSTALL + _SAY)
            said = "the epoll reactor, not lean: Twisted moved FileDescriptor.write"
            self.assertEqual((done.status, done.out), (0, "EPollReactor\n"), move)
            self.assertTrue(done.err.startswith(said), done.err)
            self.assertEqual(len(done.err.splitlines()), 1)

"""For people who test their own protocols: connections in memory, driven by hand.

What it is: Twisted's own TCP transport, unchanged, at both ends of a connection that is kept in
memory, so half-close, back-pressure, flushing, FIN and RST are what they are on a socket.
What it is not: a kernel. Nothing has latency, nothing is lost, TCP_INFO and the kernel's unsent
bytes are unknown; what depends on those needs a real socket (:func:`serve`).

::

    network = Network()
    peer = network.connect(Peer(), factory)
    peer.send(b"hello")
    peer.fin()
    network.advance(1.0)  # or pump(), when no time needs to pass
    assert (peer.received, peer.end) == (b"hello", "fin")

Rule: nothing moves but in :meth:`Network.turn`; there is no thread and no real time.
"""

from __future__ import annotations

import errno
import itertools
import socket
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from twisted.internet import error, tcp
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IReactorFDSet,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.events import Event
from twisted_lab.interfaces import Observer
from twisted_lab.layer import Layer, StreamFactory
from twisted_lab.protocols import Kind
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService, listens_of
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared

#: Bytes one direction holds of what was sent and not yet received. A real kernel holds some MiB;
#: with less a test sees soon what a peer that does not read does to a server.
CAPACITY = 2**16

#: Turns after which :meth:`Network.pump` gives up: 6 GiB at :data:`CAPACITY` a turn.
_ENDLESS = 100_000

SERVER = IPv4Address("TCP", "127.0.0.1", 9000)

_Client = TypeVar("_Client", bound=IProtocol)


class MemorySocket:
    """One end of a TCP connection in memory: the calls of a non-blocking socket Twisted makes.

    An RST takes with it what its receiver has not read yet (RFC 9293 3.10.7.4: "all segment
    queues should be flushed"; Linux keeps it, others do not). Closing with unread input, or
    sending to who has closed, is answered by RST (RFC 1122 4.2.2.13).
    """

    peer: MemorySocket

    def __init__(self, capacity: int) -> None:
        self._inbox = bytearray()
        self._capacity = capacity
        self._closed = self._fin_in = self._fin_out = self._reset = False
        self._resets_on_close = False
        self._options: dict[tuple[int, int], Any] = {}

    @classmethod
    def pair(cls, capacity: int = CAPACITY) -> tuple[MemorySocket, MemorySocket]:
        """Two connected ends; each direction holds *capacity* bytes."""
        one, other = cls(capacity), cls(capacity)
        one.peer, other.peer = other, one
        return one, other

    @property
    def readable(self) -> bool:
        """Whether recv() has something to say: bytes, the peer's FIN, an RST."""
        return bool(self._inbox) or self._fin_in or self._reset

    @property
    def writable(self) -> bool:
        """Whether send() takes a byte, or has an error to tell."""
        return self._reset or self.peer._closed or len(self.peer._inbox) < self._capacity

    def send(self, data: bytes | memoryview) -> int:
        """Take what there is room for, and say how many bytes that was."""
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, "reset by the peer")
        if self._fin_out:
            raise BrokenPipeError(errno.EPIPE, "sent after FIN")
        if self.peer._closed:
            self._take_reset()
            return len(data)
        if not self.writable:
            raise BlockingIOError(errno.EWOULDBLOCK, "no room")
        taken = data[: self._capacity - len(self.peer._inbox)]
        self.peer._inbox += taken
        return len(taken)

    def recv(self, size: int) -> bytes:
        """At most *size* bytes; ``b""`` after the last when the peer has sent FIN."""
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, "reset by the peer")
        if not self.readable:
            raise BlockingIOError(errno.EWOULDBLOCK, "nothing there")
        data = bytes(self._inbox[:size])
        del self._inbox[:size]
        return data

    def shutdown(self, how: int) -> None:
        """Send FIN, if *how* is about sending."""
        if how != socket.SHUT_RD:
            self._fin_out = self.peer._fin_in = True

    def close(self) -> None:
        """FIN, or RST when input is unread or SO_LINGER asked for it."""
        if self._inbox or self._resets_on_close:
            self.peer._take_reset()
        self.shutdown(socket.SHUT_RDWR)
        self._closed = True
        self._inbox.clear()

    def _take_reset(self) -> None:
        if not self._closed:
            self._reset = True
            self._inbox.clear()

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        """SO_LINGER with no time makes close() send RST; the rest is kept for getsockopt()."""
        if (level, name) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._resets_on_close = value[0] != 0
        self._options[level, name] = value

    def getsockopt(self, level: int, name: int) -> Any:
        """What was set; 0 if nothing was."""
        return self._options.get((level, name), 0)

    def setblocking(self, flag: bool) -> None:
        """Never blocks."""

    def fileno(self) -> int:
        """There is no descriptor: no real reactor can watch this."""
        return -1


class MemoryTransport(tcp.Server):
    """Twisted's own TCP transport over a :class:`MemorySocket`; made by :class:`Network`."""

    socket: MemorySocket  # type: ignore[assignment]  # the part of a socket that Twisted uses

    def __init__(
        self,
        end: MemorySocket,
        protocol: IProtocol,
        network: Network,
        host: IPv4Address,
        peer: IPv4Address,
    ) -> None:
        # No port accepted it, and the socket is ours: both are what the types do not foresee.
        super().__init__(end, protocol, (peer.host, peer.port), None, 0, network)  # type: ignore[arg-type]
        self._addresses = host, peer

    def __repr__(self) -> str:
        return "<MemoryTransport {0.port} to {1.port}>".format(*self._addresses)

    def getHost(self) -> IPv4Address:
        """The address of this end."""
        return self._addresses[0]

    def getPeer(self) -> IPv4Address:
        """The address of the other end."""
        return self._addresses[1]


@implementer(IReactorFDSet)
class Network:
    """What joins transports in memory, and the reactor that drives them, one turn when told.

    *clock* is shared with the code under test; each direction of a connection holds *capacity*
    bytes. As a reactor does, it logs what a protocol raises and ends that connection.
    """

    def __init__(self, clock: Clock | None = None, capacity: int = CAPACITY) -> None:
        self.clock = Clock() if clock is None else clock
        self.capacity = capacity
        self._readers: dict[Any, None] = {}  # in the order they came, so that runs repeat
        self._writers: dict[Any, None] = {}
        self._ports = itertools.count(50001)

    def join(self, client: _Client, server: IProtocol, host: str = "127.0.0.1") -> _Client:
        """Connect two protocols, *server* first; *client* has an address on *host*."""
        return self._join(client, server, self._address(host))

    def connect(
        self, client: _Client, factory: IProtocolFactory, host: str = "127.0.0.1"
    ) -> _Client:
        """Connect *client* to what *factory* builds, as a listening port does.

        When it builds None, the connection is closed at once.
        """
        address = self._address(host)
        server = factory.buildProtocol(address)
        self._join(client, Protocol() if server is None else server, address)
        if server is None:
            client.transport.socket.peer.close()  # type: ignore[attr-defined]
        return client

    def _address(self, host: str) -> IPv4Address:
        return IPv4Address("TCP", host, next(self._ports))

    def _join(self, client: _Client, server: IProtocol, address: IPv4Address) -> _Client:
        near, far = MemorySocket.pair(self.capacity)
        server.makeConnection(MemoryTransport(near, server, self, SERVER, address))
        client.makeConnection(MemoryTransport(far, client, self, address, SERVER))
        return client

    def pump(self) -> None:
        """Take turns until nothing moves that needs no time to pass."""
        for _ in range(_ENDLESS):
            if not self.turn():
                return
        raise AssertionError(f"still moving after {_ENDLESS} turns")

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass: every call at its time, and between them all that moves."""
        until = self.clock.seconds() + seconds
        self.pump()
        while (following := self._next_call()) <= until:
            self.clock.rightNow = following
            self.pump()
        self.clock.rightNow = until

    def _next_call(self) -> float:
        return min((call.getTime() for call in self.clock.calls), default=float("inf"))

    def turn(self) -> bool:
        """One turn of a reactor: calls that are due, then transports that are ready; any at all?"""
        due = [call for call in self.clock.calls if call.getTime() <= self.clock.seconds()]
        for call in due:
            if call.active() and call.getTime() <= self.clock.seconds():
                self.clock.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        readable = [reader for reader in self._readers if reader.socket.readable]
        writable = [writer for writer in self._writers if writer.socket.writable]
        for transport in dict.fromkeys(readable + writable):
            # Reading goes first, as in Twisted's reactors.
            if transport in readable and transport in self._readers:
                self._do(transport, transport.doRead, reading=True)
            if transport in writable and transport in self._writers:
                self._do(transport, transport.doWrite, reading=False)
        return bool(due or readable or writable)

    def _do(self, transport: Any, act: Callable[[], object], *, reading: bool) -> None:
        try:
            why = act()
        except Exception as raised:
            log.err()
            why = raised
        if not why:
            return
        self.removeReader(transport)
        if reading and isinstance(why, error.ConnectionDone):
            transport.readConnectionLost(Failure(why))
        else:
            transport.connectionLost(Failure(why))

    # What a transport asks of its reactor (IReactorFDSet, and callLater for an abort).

    def callLater(self, delay: float, call: Callable[..., object], *args: Any, **kw: Any) -> Any:
        """The clock's."""
        return self.clock.callLater(delay, call, *args, **kw)

    def addReader(self, reader: Any) -> None:
        """Call doRead() of *reader* whenever there is something to read."""
        self._readers[reader] = None

    def addWriter(self, writer: Any) -> None:
        """Call doWrite() of *writer* whenever there is room."""
        self._writers[writer] = None

    def removeReader(self, reader: Any) -> None:
        """No longer."""
        self._readers.pop(reader, None)

    def removeWriter(self, writer: Any) -> None:
        """No longer."""
        self._writers.pop(writer, None)

    def removeAll(self) -> list[Any]:
        """Forget all transports; those that were watched."""
        everybody = list(self._readers | self._writers)
        self._readers.clear()
        self._writers.clear()
        return everybody

    def getReaders(self) -> list[Any]:
        """Who waits for input."""
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        """Who waits for room."""
        return list(self._writers)


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """The other end of what is tested: does what the test says and keeps what it sees.

    It reads whatever comes into ``received``, until told to :meth:`stop_reading`. ``end`` is how
    the stream towards it ended: None while it is open, ``"fin"``, ``"reset"``, or ``"own"`` when
    this end was gone first. It closes nothing by itself.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.end: str | None = None

    def send(self, data: bytes) -> None:
        """Send *data*, after what was sent before."""
        self.transport.write(data)  # type: ignore[union-attr]

    def fin(self) -> None:
        """Send FIN after all that was sent, and read on."""
        self.transport.loseWriteConnection()  # type: ignore[union-attr]

    def close(self) -> None:
        """Send FIN after all that was sent, and read no more: data that comes meets RST."""
        self.transport.loseConnection()  # type: ignore[union-attr]

    def reset(self) -> None:
        """Send RST; what was not read yet at the other end is lost."""
        self.transport.abortConnection()  # type: ignore[union-attr]

    def stop_reading(self) -> None:
        """Let the connection fill up."""
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def read_on(self) -> None:
        """Read again."""
        self.transport.resumeProducing()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def readConnectionLost(self) -> None:
        """FIN came."""
        self.end = "fin"

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """RST came, or this end closed."""
        if reason.check(error.ConnectionLost):
            self.end = "reset"
        elif self.end is None:
            self.end = "own"


class Collector:
    """An observer that keeps every event, in order, in ``events``."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep *event*."""
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        """The name of each event."""
        return [event.event for event in self.events]

    def of(self, name: str) -> list[Any]:
        """The events called *name*: ``collector.of("closed")``."""
        return [event for event in self.events if event.event == name]


def layered(
    factory: IProtocolFactory,
    network: Network,
    observer: Observer | None = None,
    policies: Iterable[object] = (),
    **more: Any,
) -> StreamFactory:
    """What *network* connects to, to have *factory*'s protocols behind socketlab's one layer.

    *more* goes to :class:`twisted_lab.layer.Layer`, which is the result's ``layer``.
    """
    clock = network.clock
    publisher = Publisher(lambda: round(clock.seconds() * 1e9))
    if observer is not None:
        publisher.add(observer)
    ids = itertools.count(1)
    layer = Layer("test", factory, clock, publisher, lambda: f"c{next(ids)}", policies, **more)
    return StreamFactory(layer)


def serve(
    reactor: Any, factory: IProtocolFactory, observer: Observer | None = None, **settings: Any
) -> LabService:
    """*factory*'s protocols on real sockets: a service on a free port of 127.0.0.1, started.

    Its first address is ``.ports[0].port.getHost()``; a test stops it with ``stopService()``.
    *settings* are those of :class:`twisted_lab.settings.Settings`.
    """
    publisher = Publisher()
    if observer is not None:
        publisher.add(observer)
    kind = Kind("test", "a protocol under test", stream=lambda doors: factory)
    chosen = Settings(**{"port": 0, "interface": "127.0.0.1", **settings})
    service = LabService(kind, chosen, Shared(reactor, publisher), listens_of(kind, chosen))
    service.startService()
    return service

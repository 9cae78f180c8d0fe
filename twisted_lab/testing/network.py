"""TCP connections in memory, moved by hand.

What it is: Twisted's own TCP transport, unchanged, over a connection kept in memory, so that
half-close, back-pressure, flushing, FIN and RST are what they are on a socket. What it is not: a
kernel. Nothing is late or lost, and TCP_INFO and the kernel's unsent bytes are unknown.

Rule: nothing moves but in :meth:`Network.turn`; there is no thread and no real time.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from errno import ECONNRESET, EPIPE, EWOULDBLOCK
from typing import Any, TypeVar

from twisted.internet import error, tcp
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python import log
from twisted.python.failure import Failure

#: Bytes that one direction of a connection holds, sent and not yet received. A kernel holds some
#: MiB; with less a test sees soon what a peer that does not read does to a server.
CAPACITY = 2**16

#: Turns after which pump() gives up. 16 MiB through :data:`CAPACITY` and back take about 1,000.
_ENDLESS = 100_000

_SERVER = "127.0.0.1", 9000
_Client = TypeVar("_Client", bound=IProtocol)


class _Socket:
    """One end of a connection: those calls of a non-blocking socket that Twisted makes.

    An RST takes with it what its receiver has not read (RFC 9293 3.10.7.4: "all segment queues
    should be flushed"; Linux keeps it, others do not). It is the answer to what is sent to who has
    closed, and what a close with unread input sends instead of FIN (RFC 1122 4.2.2.13).
    """

    peer: _Socket

    def __init__(self, name: tuple[str, int], capacity: int) -> None:
        self.name = name
        self.inbox = bytearray()
        self.capacity = capacity
        self.fin_in = self.fin_out = self.was_reset = self.closed = False
        self.options: dict[tuple[int, int], Any] = {}

    @property
    def readable(self) -> bool:
        return bool(self.inbox) or self.fin_in or self.was_reset

    @property
    def writable(self) -> bool:
        return self.was_reset or self.peer.closed or len(self.peer.inbox) < self.capacity

    def send(self, data: memoryview) -> int:
        if self.was_reset or self.fin_out:
            raise OSError(ECONNRESET if self.was_reset else EPIPE, "no longer connected")
        if self.peer.closed:
            self.take_reset()
            return len(data)
        if not self.writable:
            raise BlockingIOError(EWOULDBLOCK, "no room")
        taken = data[: self.capacity - len(self.peer.inbox)]
        self.peer.inbox += taken
        return len(taken)

    def recv(self, size: int) -> bytes:
        if self.was_reset:
            raise ConnectionResetError(ECONNRESET, "reset by the peer")
        if not self.readable:
            raise BlockingIOError(EWOULDBLOCK, "nothing there")
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        return data

    def shutdown(self, how: int) -> None:
        if how != socket.SHUT_RD:
            self.fin_out = self.peer.fin_in = True

    def close(self) -> None:
        if self.inbox or self.options.get((socket.SOL_SOCKET, socket.SO_LINGER)):
            self.peer.take_reset()
        self.shutdown(socket.SHUT_RDWR)
        self.closed = True
        self.inbox.clear()

    def take_reset(self) -> None:
        self.was_reset = True
        self.inbox.clear()

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        # Twisted sets SO_LINGER only in order to reset.
        self.options[level, name] = value

    def getsockopt(self, level: int, name: int) -> Any:
        return self.options.get((level, name), 0)

    def getsockname(self) -> tuple[str, int]:
        return self.name

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def fileno(self) -> int:
        return -1  # no real reactor can watch it


def _transport(end: Any, protocol: IProtocol, network: Any, peer: tuple[str, int]) -> tcp.Server:
    nobody: Any = None  # no listening port accepted it
    transport = tcp.Server(end, protocol, peer, nobody, 0, network)
    transport.repstr = f"<{type(protocol).__name__} in memory, with {peer[0]}:{peer[1]}>"
    return transport


class Network:
    """Joins transports in memory, and is the reactor that moves them, one turn when told.

    *clock* is the one of the code under test; each direction of a connection holds *capacity*
    bytes. As a reactor does, it logs what a protocol raises, and ends that connection.
    """

    def __init__(self, clock: Clock | None = None, capacity: int = CAPACITY) -> None:
        self.clock = Clock() if clock is None else clock
        self.capacity = capacity
        self._readers: dict[Any, None] = {}  # in the order they came, so that runs repeat
        self._writers: dict[Any, None] = {}
        self._ports = itertools.count(50001)
        # All that a transport asks of its reactor:
        self.callLater = self.clock.callLater
        self.addReader = self._readers.setdefault
        self.addWriter = self._writers.setdefault
        self.removeReader = lambda reader: self._readers.pop(reader, None)
        self.removeWriter = lambda writer: self._writers.pop(writer, None)

    def connect(
        self, client: _Client, factory: IProtocolFactory, host: str = "127.0.0.1"
    ) -> _Client:
        """Connect *client*, at the IPv4 address *host*, to what *factory* builds.

        As a listening port does: when *factory* builds None, the connection is closed at once.
        """
        name = host, next(self._ports)
        server = factory.buildProtocol(IPv4Address("TCP", *name))
        ours = self._pair(client, Protocol() if server is None else server, name)
        if server is None:
            ours.connectionLost(Failure(error.ConnectionDone()))
        return client

    def pair(self, client: _Client, server: IProtocol) -> _Client:
        """Connect *client* to *server*, two protocols."""
        self._pair(client, server, ("127.0.0.1", next(self._ports)))
        return client

    def _pair(self, client: IProtocol, server: IProtocol, name: tuple[str, int]) -> tcp.Server:
        near, far = _Socket(_SERVER, self.capacity), _Socket(name, self.capacity)
        near.peer, far.peer = far, near
        ours = _transport(near, server, self, name)
        server.makeConnection(ours)
        client.makeConnection(_transport(far, client, self, _SERVER))
        return ours

    def pump(self) -> None:
        """Take turns until nothing moves, unless time passes."""
        for _ in range(_ENDLESS):
            if not self.turn():
                return
        raise AssertionError(f"still moving after {_ENDLESS} turns")

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass: every call at its time, and between them all that moves."""
        until = self.clock.seconds() + seconds
        self.pump()
        while (calls := self.clock.calls) and (following := calls[0].getTime()) <= until:
            self.clock.rightNow = following
            self.pump()
        self.clock.rightNow = until

    def turn(self) -> bool:
        """One turn of a reactor: the calls that are due, then the transports; False: none was."""
        now = self.clock.seconds()
        due = [call for call in self.clock.calls if call.getTime() <= now]
        for call in due:
            if call.active() and call.getTime() <= now:
                self.clock.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        readable = {
            reader: None for reader in self._readers if reader.connected and reader.socket.readable
        }
        writable = {
            writer: None for writer in self._writers if writer.connected and writer.socket.writable
        }
        for transport in readable | writable:
            # Reading goes first, as in Twisted's reactors: a FIN may overtake what is to be sent.
            if transport in readable and transport in self._readers:
                self._do(transport, transport.doRead, transport.readConnectionLost)
            if transport in writable and transport in self._writers:
                self._do(transport, transport.doWrite, transport.connectionLost)
        return bool(due or readable or writable)

    def _do(self, transport: Any, act: Callable[[], Any], done: Callable[[Failure], Any]) -> None:
        try:
            why = act()
        except Exception as raised:
            log.err()
            why = raised
        if why:
            self.removeReader(transport)
            end = done if isinstance(why, error.ConnectionDone) else transport.connectionLost
            end(Failure(why))

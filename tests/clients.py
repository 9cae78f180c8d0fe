"""Clients in the same process as what they talk to, over real sockets and the real reactor."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import TestCase

from twisted_lab.publishing import Publisher
from twisted_lab.shared import Shared
from twisted_lab.testing import Collector, Peer

#: Seconds after which what should have happened is a failure.
PATIENCE = 10.0


class Datagrams(DatagramProtocol):
    """Keeps every datagram that comes."""

    noisy = False

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.received.append(datagram)


class ReactorTestCase(TestCase):
    """``self.reactor``, ``self.folder``, and ``self.shared`` whose events are in ``self.seen``."""

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        folder = tempfile.TemporaryDirectory(prefix="socketlab-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.seen = Collector()
        publisher = Publisher()
        publisher.add(self.seen)
        self.shared = Shared(reactor, publisher)
        # Cleanups run in reverse: this one after everything was stopped.
        self.addCleanup(self._nothing_due)

    def _nothing_due(self) -> Deferred[None]:
        """Fires when nothing of ours waits for its time, which is soon."""
        return Deferred.fromCoroutine(self.until(lambda: not self.timers()))

    def timers(self) -> list[Any]:
        """The timers of ours that the reactor still has."""
        return [
            call
            for call in self.reactor.getDelayedCalls()
            if getattr(call.func, "__module__", "").startswith("twisted_lab")
        ]

    async def until(
        self, true: Callable[[], object], otherwise: str = "it never came true"
    ) -> None:
        """Return once *true()* is."""
        ends = self.reactor.seconds() + PATIENCE
        while not true():
            if self.reactor.seconds() > ends:
                self.fail(otherwise)
            await task.deferLater(self.reactor, 0.005)

    async def connect(self, port: int, host: str = "127.0.0.1") -> Peer:
        """A client of the TCP port; at the end of the test it closes, and its end is awaited."""
        kind = endpoints.TCP6ClientEndpoint if ":" in host else endpoints.TCP4ClientEndpoint
        return await self._client(kind(self.reactor, host, port))

    async def connect_unix(self, path: Path) -> Peer:
        """The same of a UNIX socket."""
        return await self._client(endpoints.UNIXClientEndpoint(self.reactor, str(path)))

    async def _client(self, endpoint: Any) -> Peer:
        peer: Peer = await endpoints.connectProtocol(endpoint, Peer())

        def gone() -> Deferred[None]:
            peer.transport.abortConnection()
            return Deferred.fromCoroutine(self.until(lambda: not peer.transport.connected))

        self.addCleanup(gone)
        return peer

    async def assert_refused(self, connecting: Awaitable[Peer]) -> None:
        """Nobody listens there."""
        try:
            await connecting
        except ConnectionRefusedError:
            return
        self.fail("somebody listens there")

    async def echoes(self, peer: Peer, data: bytes = b"hello") -> None:
        """*peer* gets *data* back."""
        before = len(peer.received)
        peer.send(data)
        await self.until(lambda: peer.received[before:] == data, f"no echo of {data!r}")

    async def echoes_datagram(self, port: int, host: str = "127.0.0.1") -> None:
        """The UDP port sends a datagram back."""
        client = Datagrams()
        listening = self.reactor.listenUDP(0, client, interface=host)
        try:
            listening.write(b"hello", (host, port))
            await self.until(lambda: client.received == [b"hello"], "no datagram came back")
        finally:
            await listening.stopListening()

    def taken(self, kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
        """A port somebody else has taken."""
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        self.addCleanup(sock.close)
        sock.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        return int(sock.getsockname()[1])

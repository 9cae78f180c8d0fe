"""A passed socket is served, and at the end it is as it was: its file, its mode, its listening."""

from __future__ import annotations

import os
import socket
import stat
import sys
from typing import Any
from unittest import skipIf

from tests.clients import ReactorTestCase
from twisted_lab.errors import CannotServe
from twisted_lab.service import LabService, make_service
from twisted_lab.settings import read_settings
from twisted_lab.shared import Shared
from twisted_lab.transports.inherited import Inherited


class AdoptingTestCase(ReactorTestCase):
    """Serves sockets that this process opened as systemd does, and holds on to them as it does."""

    def pass_(self, *held: socket.socket) -> None:
        """Pass copies of *held*, which stay open."""
        first = 800
        for number, one in enumerate(held, first):
            self.addCleanup(one.close)
            os.dup2(one.fileno(), number)
        environ = {"LISTEN_PID": "1", "LISTEN_FDS": str(len(held))}
        inherited = Inherited(environ.copy, environ, lambda: 1, first)
        self.shared = Shared(self.reactor, self.shared.publisher, inherited=inherited)
        self.addCleanup(self._close, range(first, first + len(held)))

    def _close(self, numbers: range) -> None:
        for number in numbers:
            if self.shared.inherited.holds(number):
                self.shared.inherited.give_up(number)

    def serve(self, *listen: str, name: str = "echo", **texts: Any) -> LabService:
        service = make_service(name, read_settings({"listen": listen, **texts}), self.shared)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def tcp(self) -> socket.socket:
        return socket.create_server(("127.0.0.1", 0))

    def unix(self) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX)
        opened.bind(str(self.folder / "socket"))
        os.chmod(self.folder / "socket", 0o600)
        opened.listen(7)
        return opened

    def udp(self, host: str = "127.0.0.1") -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind((host, 0))
        return opened


class StreamTests(AdoptingTestCase):
    async def test_tcp(self) -> None:
        """Half-close, events and gates are those of a port we opened; the backlog is not ours."""
        held = self.tcp()
        self.pass_(held)
        self.serve("systemd:0")
        (listening,) = self.seen.of("listening")
        self.assertEqual((listening.transport, listening.backlog), ("tcp", None))
        peer = await self.connect(held.getsockname()[1])
        peer.send(b"hello")
        peer.fin()
        await self.until(lambda: peer.end == "fin" and peer.received == b"hello")
        (accepted,) = self.seen.of("accepted")
        self.assertEqual(accepted.local, listening.local)

    async def test_stop(self) -> None:
        """After a stop the socket still listens, for whoever is started next."""
        held = self.tcp()
        self.pass_(held)
        service = self.serve("systemd:0")
        await service.stopService()
        client = socket.create_connection(held.getsockname(), 5)
        self.addCleanup(client.close)
        self.assertEqual(held.accept()[0].close(), None)

    async def test_once(self) -> None:
        """A service that gave its socket up says so when it is started again."""
        self.pass_(self.tcp())
        service = self.serve("systemd:0")
        await service.stopService()
        error = self.assertRaises(CannotServe, service.privilegedStartService)
        self.assertIn("given up", str(error))

    async def test_unix(self) -> None:
        """A UNIX socket's file keeps its mode while it is served, and stays at a stop."""
        held = self.unix()
        path = self.folder / "socket"
        self.pass_(held)
        service = self.serve("systemd:0")
        peer = await self.connect_unix(path)
        await self.echoes(peer)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        await service.stopService()
        self.assertEqual([one.name for one in self.folder.iterdir()], ["socket"])
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(str(path))

    async def test_start_that_fails(self) -> None:
        """When another port cannot be opened the passed socket is left as it was."""
        held = self.unix()
        self.pass_(held)
        taken = self.taken()
        self.assertRaises(CannotServe, self.serve, "systemd:0", f"tcp:127.0.0.1:{taken}")
        self.assertTrue((self.folder / "socket").exists())
        self.assertTrue(held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


class DatagramTests(AdoptingTestCase):
    async def test_echo(self) -> None:
        """A passed UDP socket answers, also when streams are passed beside it."""
        stream, datagrams = self.tcp(), self.udp()
        self.pass_(stream, datagrams)
        self.serve("systemd:unknown")
        await self.echoes_datagram(datagrams.getsockname()[1])
        await self.echoes(await self.connect(stream.getsockname()[1]))

    @skipIf(sys.platform != "linux", "IP_PKTINFO is Linux's")
    async def test_came_before(self) -> None:
        """A datagram that came to all addresses before we were started is answered, from the
        address it was sent to: systemd starts us because of it."""
        held = self.udp("0.0.0.0")
        self.pass_(held)
        client = self.udp()
        self.addCleanup(client.close)
        client.settimeout(5)
        to = ("127.0.0.2", held.getsockname()[1])
        client.sendto(b"first", to)
        self.serve("systemd:0", allow=["127.0.0.0/8"])
        client.setblocking(False)
        got: list[Any] = []

        def answered() -> bool:
            try:
                got.append(client.recvfrom(99))
            except BlockingIOError:
                return False
            return True

        await self.until(answered)
        self.assertEqual(got, [(b"first", to)])

    @skipIf(sys.platform != "linux", "the kernel's counter is Linux's")
    async def test_dropped_before(self) -> None:
        """What the kernel dropped before the socket was ours is not counted as ours."""
        held = self.udp()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client = self.udp()
        self.addCleanup(client.close)
        for _ in range(100):
            client.sendto(b"x" * 1000, held.getsockname())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**18)
        self.pass_(held)
        service = self.serve("systemd:0")
        await self.echoes_datagram(held.getsockname()[1])
        await service.stopService()
        self.assertEqual(
            [one for one in self.seen.of("datagram-dropped") if one.reason == "kernel"], []
        )


class ReloadTests(AdoptingTestCase):
    async def test_unchanged(self) -> None:
        """A service keeps what it was asked to listen on, so a reload sees that nothing changed."""
        self.pass_(self.tcp())
        asked = read_settings({"listen": ["systemd:0"]})
        service = make_service("echo", asked, self.shared)
        self.assertEqual(service.settings, asked)

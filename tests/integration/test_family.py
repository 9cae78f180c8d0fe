"""Every service on every transport that can carry it; and who stops reading costs nothing."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.roads import ROADS, Client, connect
from tests.integration.test_deploying import ActivationCase
from tests.integration.test_proxied import HEADERS, NAMES, begin
from tests.integration.test_starting import LOOPBACK, ask
from twisted_lab.protocols import KINDS
from twisted_lab.protocols.chargen import ROTATION

Check = Callable[["FamilyTests", Client], None]

STREAMS = [name for name, kind in KINDS.items() if kind.stream is not None]
DATAGRAMS = [name for name, kind in KINDS.items() if kind.datagram is not None]


class FamilyTests(ActivationCase):
    proxied = False

    def serve(self, services: list[str], *listens: str) -> Child:
        """A child that serves all of *services*, each on *listens*, in which NAME is its name."""
        child = Child("--config", self.config(services, *listens)).__enter__()
        self.addCleanup(child.__exit__)
        return child

    def config(self, services: list[str], *listens: str) -> str:
        """The file that says so."""
        tables = (
            f'[[service]]\nkind = "{name}"\nlisten = {list(listens)}\n'.replace("NAME", name)
            for name in services
        )
        (self.folder / "services.toml").write_text("\n".join(tables))
        return str(self.folder / "services.toml")

    def check(self, name: str, road: str, client: Client) -> None:
        self.road = road
        with contextlib.closing(client):
            CHECKS[name](self, client)

    def test_streams(self) -> None:
        """Each service that has streams does what it should over TCP, UNIX and TLS."""
        child = self.serve(STREAMS, "tcp:0", "unix:NAME.sock", "tls:0")
        for name in STREAMS:
            for road in ROADS:
                self.check(name, road, connect(child, name, road))

    def test_proxied(self) -> None:
        """The same behind a balancer."""
        self.proxied = True
        listens = (f"haproxy:{road}" for road in ("tcp:0", "unix:NAME.sock", "tls:0"))
        child = self.serve(STREAMS, *listens)
        for name in STREAMS:
            for road in ROADS:
                client, more = begin(child, name, road, HEADERS[road])
                client.socket.sendall(more)
                self.check(name, road, client)

    def test_passed(self) -> None:
        """The same on sockets that systemd opened, streams and datagrams."""
        for services, forms in ((STREAMS, ()), (DATAGRAMS, ("--datagram",))):
            kind = socket.SOCK_DGRAM if forms else socket.SOCK_STREAM
            ports = {name: self.free(kind) for name in services}
            listen = [word for port in ports.values() for word in ("-l", f"127.0.0.1:{port}")]
            names = f"--fdname={':'.join(services)}"
            serve = ("--config", self.config(services, "systemd:NAME"))
            child = self.activate(*forms, *listen, names, serve=serve)
            for name, port in ports.items():
                if forms:
                    self.check_datagram(name, "127.0.0.1", port)
                else:
                    self.check(name, "tcp4", Client(self.stream(("127.0.0.1", port))))
            self.assertEqual(child.stop(), 0)

    def test_datagrams(self) -> None:
        """Each service that has datagrams answers them on IPv4 and IPv6 as it should."""
        child = self.serve(DATAGRAMS, "udp:0")
        for name in DATAGRAMS:
            for host in LOOPBACK:
                self.check_datagram(name, host, child.port(name, "udp", host))

    def check_datagram(self, name: str, host: str, port: int) -> None:
        """A request of 512 bytes is answered with what its stream says, or by nothing."""
        if name == "discard":
            with self.assertRaises(TimeoutError):
                ask(host, port, bytes(512), patience=0.2)
            return
        said = ask(host, port, bytes(512))
        self.assertRegex(said, re.compile(rb"\A" + ANSWERS[name] + rb"\Z", re.DOTALL), name)

    def echo(self, client: Client) -> None:
        client.finish(b"hello" * 1000)
        self.assertEqual(client.receive_all(), b"hello" * 1000, self.road)

    def line(self, client: Client) -> None:
        client.finish(b"/upper hello\r\nlast")
        self.assertEqual(client.receive_all(), b"HELLO\r\nlast", self.road)

    def discard(self, client: Client) -> None:
        client.finish(b"hello" * 1000)
        self.assertEqual(client.receive_all(), b"", self.road)

    def chargen(self, client: Client) -> None:
        seen = client.receive_exactly(2**20)
        self.assertEqual(seen, (ROTATION * (len(seen) // len(ROTATION) + 1))[: len(seen)])
        client.finish()
        self.assertTrue((seen + client.receive_all()).endswith(b"\r\n"), self.road)
        self.assertTrue(client.ended_well)

    def daytime(self, client: Client) -> None:
        self.assertRegex(self.said(client), re.compile(rb"\A" + ANSWERS["daytime"] + rb"\Z"))

    def time(self, client: Client) -> None:
        now = int.from_bytes(self.said(client), "big") - 2_208_988_800
        self.assertLess(abs(now - time.time()), 20)

    def qotd(self, client: Client) -> None:
        self.assertRegex(self.said(client), re.compile(rb"\A" + ANSWERS["qotd"] + rb"\Z"))

    def info(self, client: Client) -> None:
        said: dict[str, Any] = json.loads(self.said(client))
        transport = {"tcp4": "tcp", "tcp6": "tcp"}.get(self.road, self.road)
        peer = NAMES[self.road] if self.proxied else client.name
        self.assertEqual((said["peer"], said["transport"]), (peer, transport))
        self.assertEqual(said["tls"] is not None, self.road == "tls")
        self.assertEqual(said["proxy"] is not None, self.proxied)

    def said(self, client: Client) -> bytes:
        """All that a service says which says one thing and closes, whatever it is sent."""
        client.send(bytes(20_000))
        said = client.receive_all()
        self.assertTrue(client.ended_well, self.road)
        return said


#: By service: what it answers to a datagram of 512 zeros.
ANSWERS = {
    "echo": rb"\0{512}",
    "datagram": rb"\0{512}",
    "chargen": rb"[ -~\r\n]{0,512}",
    "daytime": rb"[A-Z][a-z]+, [A-Z][a-z]+ \d+, \d{4} \d\d:\d\d:\d\d-UTC\r\n",
    "time": rb".{4}",
    "qotd": rb"[ -~\r\n]{10,511}",
    "info": rb'\{"peer": .+"transport": "udp".+\}\r\n',
}

#: By service: what it must do. A service without a row is a test that fails.
CHECKS: dict[str, Check] = {
    "echo": FamilyTests.echo,
    "line": FamilyTests.line,
    "discard": FamilyTests.discard,
    "chargen": FamilyTests.chargen,
    "daytime": FamilyTests.daytime,
    "time": FamilyTests.time,
    "qotd": FamilyTests.qotd,
    "info": FamilyTests.info,
}


def stopped_readers(child: Child, count: int, seconds: float) -> float:
    """CPU seconds *child*, a chargen, uses in *seconds* with *count* clients that read nothing.

    They begin to count when its output to all of them has stopped.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            # Small buffers on both sides: those of thousands would fill the kernel's memory.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            sock.connect(("127.0.0.1", child.port("chargen")))
        wait_for(lambda: _rests(child))
        before = child.cpu_seconds()
        time.sleep(seconds)
        return child.cpu_seconds() - before


def _rests(child: Child) -> bool:
    before = child.cpu_seconds()
    time.sleep(0.2)
    return child.cpu_seconds() == before


class StoppedReaderTests(SynchronousTestCase):
    def test_no_cpu(self) -> None:
        """200 chargen clients that stop reading take no CPU for a second."""
        with Child("chargen", "--port", "0") as child:
            self.assertLessEqual(stopped_readers(child, 200, 1.0), 0.02)

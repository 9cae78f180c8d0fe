"""A service in a child process, for tests of a client."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import struct
from pathlib import Path

from tests.integration.child import read_all, wait_for
from tests.packages import PackageTestCase
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.events import Closed
from twisted_lab.served import REPORTED, Server, serve_child, start

_WEB = """
from twisted.web.resource import Resource
from twisted.web.server import Site

class Hello(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"hello"

site = Site(Hello())
"""


class ServedTests(PackageTestCase):
    def serve(self, service: str, **words: object) -> Server:
        folder = self.folder / str(len(os.listdir(self.folder)))
        folder.mkdir()
        server = start(service, folder, words)
        self.addCleanup(server.close)
        return server

    def test_address(self) -> None:
        """Its address is the client's to use, and it stands itself where a port is wanted."""
        server = self.serve("echo")
        number = int(server)
        self.assertEqual((server, server.port, hash(server)), (number, number, hash(number)))
        self.assertEqual((server.host, server.address), ("127.0.0.1", ("127.0.0.1", number)))
        self.assertEqual((f"{server}", f"{server:6d}"), (str(number), f"{number:6d}"))
        self.assertEqual("%d" % server, str(number))  # noqa: UP031  # people write it
        self.assertNotEqual(server, number + 1)
        for address in (server.address, ("localhost", server), ("127.0.0.1", server)):
            with socket.create_connection(address, 10) as client:  # type: ignore[arg-type]
                client.sendall(b"hello")
                self.assertEqual(client.recv(5), b"hello")
        with socket.socket() as client:
            client.connect(("127.0.0.1", server))
        self.assertEqual(server.addresses("udp")[0], ("127.0.0.1", number))

    def test_events(self) -> None:
        """What happened to a connection can be asked for, as the values of the catalogue."""
        server = self.serve("echo", idle_timeout="200ms")
        with socket.create_connection(server.address, 10) as client:
            client.sendall(b"hello")
            closed = server.wait_for("closed", reason="idle")
            self.assertEqual(read_all(client), b"hello")
        self.assertIsInstance(closed, Closed)
        self.assertEqual((closed.bytes_in, closed.bytes_out), (5, 5))
        (received,) = server.events("received", connection=closed.connection)
        self.assertEqual(received.data, b"hello")
        self.assertEqual(server.events()[0].event, "listening")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.events()[-1].event, "not-listening")
        self.assertIsNone(server.close())

    def test_reset(self) -> None:
        """A reset by the client is seen as one."""
        server = self.serve("echo")
        with socket.create_connection(server.address, 10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.wait_for("closed", reason="reset")

    def test_not_seen(self) -> None:
        """What did not happen is an AssertionError with what did."""
        server = self.serve("echo")
        socket.create_connection(server.address, 10).close()
        server.wait_for("closed")
        with self.assertRaisesRegex(
            AssertionError,
            r"^no event closed reason=reset within 0.1 s; of closed there was: .*peer-fin",
        ):
            server.wait_for("closed", reason="reset", timeout=0.1)

    def test_own(self) -> None:
        """One's own module is found where this process finds it, twisted.web's Site among them."""
        self.module("web", _WEB)
        server = self.serve("web:site", listen="tls:0", port=0)
        plain = http.client.HTTPConnection("127.0.0.1", server, timeout=10)  # type: ignore[arg-type]
        context = ssl.create_default_context(cafile=server.cafile)
        secure = http.client.HTTPSConnection(
            *server.addresses("tls")[0], timeout=10, context=context
        )
        for client in (plain, secure):
            client.request("GET", "/")
            self.assertEqual(client.getresponse().read(), b"hello")
            client.close()

    def test_certificate(self) -> None:
        """A client can verify the certificate made on the spot; the connection that fetched it is
        not among the events."""
        server = self.serve("echo", listen="tls:0")
        self.assertRegex(server.fingerprint or "", "^([0-9A-F]{2}:){31}[0-9A-F]{2}$")
        context = ssl.create_default_context(cafile=server.cafile)
        for name in ("localhost", "127.0.0.1"):
            with (
                socket.create_connection(server.address, 10) as sock,
                context.wrap_socket(sock, server_hostname=name) as client,
            ):
                client.sendall(b"hello")
                self.assertEqual(client.recv(5), b"hello")
        wait_for(lambda: len(server.events("closed")) == 2)
        self.assertEqual(len(server.events("accepted")), 2)
        self.assertEqual(server.cafile, server.cafile)

    def test_another_certificate(self) -> None:
        """A certificate that is not the one announced is not trusted."""
        one, other = (self.serve("echo", listen="tls:0") for _ in range(2))

        class Child:
            announced = other._child.announced
            fingerprint = one.fingerprint

        server = Server("echo", Child(), self.folder, self.folder / "recording")  # type: ignore[arg-type]
        with self.assertRaisesRegex(CannotServe, "shows another certificate than it announced"):
            server.cafile  # noqa: B018  # reading it is what fails
        self.assertFalse((self.folder / "certificate.pem").exists())

    def test_no_certificate(self) -> None:
        """Without TLS there is none to trust."""
        server = self.serve("line")
        self.assertIsNone(server.fingerprint)
        with self.assertRaisesRegex(CannotServe, "has no TLS"):
            server.cafile  # noqa: B018  # reading it is what fails

    def test_unix(self) -> None:
        """A service on a UNIX socket alone has a path and no port."""
        path = str(self.folder / "s")
        server = self.serve("echo", listen=f"unix:{path}")
        self.assertEqual((server.address, server.port, str(server)), (path, None, ""))
        self.assertTrue(server)
        self.assertRaises(TypeError, int, server)

    def test_bad(self) -> None:
        """A bad option is refused without a child, what the child refuses in its own words."""
        for words in ({"max_conections": 2}, {"port": "abc"}, {"quiet": 3}):
            self.assertRaises(ConfigurationError, self.serve, "echo", **words)
        self.assertEqual(list(self.folder.rglob("output")), [])
        for service, said in (
            ("ecko", "there is no service 'ecko'"),
            ("no.such:Thing", "^'no.such:Thing': no module 'no'$"),
        ):
            with self.assertRaisesRegex(CannotServe, said):
                self.serve(service)

    def test_report(self) -> None:
        """Its report has the last events and lines, escaped and bounded."""
        server = self.serve("echo", quiet=True)
        with socket.create_connection(server.address, 10) as client:
            for _ in range(REPORTED):
                client.sendall(b"\x1b[31mred\n" + b"x" * 1000)
                client.recv(2000)
        server.wait_for("closed")
        report = server.report()
        self.assertIn(r"data=\x1b[31mred\nx", report)
        self.assertTrue(all(line.isprintable() for line in report.splitlines()))
        self.assertLess(len(report.splitlines()), 2 * REPORTED + 5)
        self.assertIn("reason=peer-fin", report)

    def test_dies(self) -> None:
        """One that ended by itself is told of."""
        server = self.serve("echo")
        os.kill(server.pid, 9)
        wait_for(lambda: server.close() is not None)
        self.assertIn("ended by itself, with status -9", server.close() or "")

    def test_block(self) -> None:
        """For the time of a block it serves; the reactor here is nobody's business."""
        with serve_child("discard", record=self.folder / "run.jsonl") as server:
            socket.create_connection(server.address, 10).close()
            server.wait_for("closed")
        self.assertIn('"closed"', Path(self.folder / "run.jsonl").read_text())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(server.address, 10)

"""The one address that is contacted, and those that are refused."""

from __future__ import annotations

import socket
import ssl

from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from twisted_lab.conformance.target import Server, Trust, resolve
from twisted_lab.errors import ConfigurationError


class ResolveTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Streams, datagrams, TLS and UNIX sockets, each with what connect() takes."""
        for text, address, family, shown in (
            ("tcp:127.0.0.1:7", ("127.0.0.1", 7), socket.AF_INET, "tcp:127.0.0.1:7"),
            ("udp:[::1]:7", ("::1", 7), socket.AF_INET6, "udp:[::1]:7"),
            ("unix:/tmp/x", "/tmp/x", socket.AF_UNIX, "unix:/tmp/x"),
        ):
            server = resolve(text)
            self.assertEqual((server.address, server.family, str(server)), (address, family, shown))
            self.assertTrue(server.loopback)
            self.assertIs(server.context, None)

    def test_secure(self) -> None:
        """TLS verifies, unless it is told not to; the profile "tls" needs no word for it."""
        server = resolve("127.0.0.1:7", secure=True)
        assert server.context is not None
        self.assertEqual((server.kind, server.name), ("tls", "127.0.0.1"))
        self.assertEqual(server.context.verify_mode, ssl.CERT_REQUIRED)
        server = resolve("tls:127.0.0.1:7", trust=Trust(insecure=True, sni="x.example"))
        assert server.context is not None
        self.assertEqual((server.context.verify_mode, server.name), (ssl.CERT_NONE, "x.example"))

    def test_first_that_answers(self) -> None:
        """Of several addresses the one that takes a connection."""
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port = listener.getsockname()[1]
            self.assertEqual(resolve(str(port)).host, "::1")

    def test_none_answers(self) -> None:
        """Where none does, it is the first, and what is wrong is said later."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.assertEqual(resolve(str(closed.getsockname()[1])).host, "127.0.0.1")

    def test_public(self) -> None:
        """A public address needs a word of its owner, a multicast address, too."""
        for address in ("8.8.8.8", "[2001:4860:4860::8888]", "224.0.1.1"):
            wrong = self.assertRaises(ConfigurationError, resolve, f"udp:{address}:7")
            self.assertIn("--i-may-test-this", str(wrong))
            self.assertFalse(resolve(f"udp:{address}:7", public=True).loopback)
        for address in ("192.168.1.1", "10.0.0.1", "[fe80::1]", "[fd00::1]", "192.0.2.1"):
            self.assertFalse(resolve(f"udp:{address}:7").loopback)

    def test_abstract(self) -> None:
        """A name in the abstract namespace is shown escaped."""
        self.assertEqual(str(Server("unix", path="\0x")), "unix:\\x00x")


class TrustTests(FolderTestCase):
    def test_no_certificate(self) -> None:
        """A file that is none is named."""
        (self.folder / "x.pem").write_text("x")
        for name in (str(self.folder / "x.pem"), "/nope"):
            wrong = self.assertRaises(ConfigurationError, Trust(cafile=name).context)
            self.assertIn(f"--cafile '{name}': ", str(wrong))

"""socketlab connect to programs we did not write: nc, socat, http.server, openssl."""

from __future__ import annotations

import datetime
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.connecting import (
    MUCH,
    PATIENCE,
    Peer,
    connect,
    connecting,
    free_port,
    in_thread,
    program,
    scratch,
    serving,
)


class OthersTests(SynchronousTestCase):
    """Programs that we did not write."""

    def test_nc(self) -> None:
        """nc -l gets what is sent, and what it sends is shown."""
        port = free_port()
        with serving(
            port, program("nc"), "-l", "-N", "127.0.0.1", str(port),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as nc:  # fmt: skip
            in_thread(lambda: (nc.stdin.write(MUCH), nc.stdin.close()))  # type: ignore[union-attr]
            got: list[bytes] = []
            reader = in_thread(lambda: got.append(nc.stdout.read()))  # type: ignore[union-attr]
            done = connect(port, "--quiet", typed=MUCH)
            reader.join(PATIENCE)
            self.assertEqual((done.status, done.err), (0, ""))
            self.assertTrue(done.out == MUCH and got == [MUCH], len(done.out))

    def test_socat(self) -> None:
        """socat's echo answers all after our FIN."""
        port = free_port()
        with serving(port, program("socat"), f"TCP-LISTEN:{port},bind=127.0.0.1", "EXEC:cat"):
            done = connect(port, "--quiet", typed=MUCH)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertTrue(done.out == MUCH, len(done.out))

    def test_socat_datagrams(self) -> None:
        """socat's UDP echo answers each line."""
        port = free_port()
        command = (program("socat"), f"UDP-RECVFROM:{port},bind=127.0.0.1,fork", "EXEC:cat")
        with subprocess.Popen(command) as socat:
            try:
                wait_for(lambda: f":{port:04X} " in Path("/proc/net/udp").read_text())
                done = connect(f"udp:127.0.0.1:{port}", "--quiet", typed=b"one\n")
            finally:
                socat.kill()
        self.assertEqual((done.status, done.out, done.err), (0, b"one", ""))

    def test_http(self) -> None:
        """Python's http.server answers a request typed with --crlf."""
        port = free_port()
        with scratch() as folder:
            Path(folder, "index.html").write_text("<p>hello")
            web = (sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(port))
            with serving(port, *web, cwd=folder):
                done = connect(port, "--crlf", "--quiet", typed=b"GET / HTTP/1.0\n\n")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertTrue(done.out.startswith(b"HTTP/1.0 200 OK\r\n"))
        self.assertTrue(done.out.endswith(b"\r\n\r\n<p>hello"))


class TlsTests(SynchronousTestCase):
    """openssl s_server, with certificates of an authority of the test's own."""

    def setUp(self) -> None:
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(self.folder / "ca.pem")

    @contextmanager
    def server(self, *names: str, version: str = "", **issued: Any) -> Iterator[int]:
        """The port of an s_server that sends each line back, reversed."""
        pem = self.folder / "server.pem"
        certificate = self.authority.issue_cert(*names, **issued)
        certificate.private_key_and_cert_chain_pem.write_to_path(pem)
        port = free_port()
        where = ("-rev", "-accept", f"127.0.0.1:{port}", "-cert", str(pem))
        extra = (f"-tls{version}",) if version else ()
        with serving(port, program("openssl"), "s_server", "-quiet", *where, *extra):
            yield port

    @property
    def cafile(self) -> tuple[str, str]:
        return "--cafile", str(self.folder / "ca.pem")

    def assert_refused(self, done: Any, why: str) -> None:
        self.assertEqual((done.status, done.out), (1, b""))
        self.assertRegex(
            done.sentence, f"socketlab connect: tls .*: the TLS handshake failed: {why}"
        )
        self.assertIn(f"TLS failed: {why}", done.err)

    def talk(self, port: int, *arguments: str) -> tuple[str, bytes]:
        """What comes back when a line is sent and its answer waited for; stderr beside it."""
        with connecting(f"tls:localhost:{port}", *arguments) as client:
            client.stdin.write(b"hello\n")
            client.stdin.flush()
            answer = client.stdout.readline()
            _, said = client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 0, said)
        return said.decode(), answer

    def test_good(self) -> None:
        """A certificate of an authority we trust: version, cipher and name are said."""
        for version in ("1_2", "1_3"):
            with self.server("localhost", version=version) as port:
                said, answer = self.talk(port, *self.cafile)
            self.assertEqual(answer, b"olleh\n")
            words = r" \S+, for localhost; the certificate is of .*trustme"
            self.assertIn("sent TLS close_notify", said)
            self.assertRegex(said, f"TLSv{version.replace('_', '.')}{words}")

    def test_unknown_authority(self) -> None:
        """Without --cafile it is nobody's certificate."""
        with self.server("localhost") as port:
            done = connect(f"tls:localhost:{port}", typed=b"secret\n")
            self.assert_refused(done, "the certificate is of an authority we do not trust")

    def test_expired(self) -> None:
        """An expired certificate is refused, as that."""
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        with self.server("localhost", not_after=past) as port:
            done = connect(f"tls:localhost:{port}", *self.cafile)
            self.assert_refused(done, "the certificate has expired")

    def test_wrong_name(self) -> None:
        """A certificate for somebody else is refused, unless --sni asks for that one."""
        with self.server("other.example") as port:
            done = connect(f"tls:localhost:{port}", *self.cafile)
            self.assert_refused(done, "the certificate is not for localhost")
            said, answer = self.talk(port, *self.cafile, "--sni", "other.example")
        self.assertEqual(answer, b"olleh\n")
        self.assertIn("for other.example;", said)

    def test_insecure(self) -> None:
        """--insecure takes any certificate, and --tls is the same as tls:."""
        with self.server("other.example") as port:
            _, answer = self.talk(port, "--insecure")
            self.assertEqual(answer, b"olleh\n")
            done = connect(port, "--tls", "--insecure")
            self.assertEqual(done.status, 0, done.err)

    def test_no_tls(self) -> None:
        """A server that speaks no TLS is named as one that failed at it."""
        with Peer() as peer, connecting(f"tls:127.0.0.1:{peer.port}") as client:
            sock = peer.accept()
            sock.sendall(b"220 hello\r\n")
            _, said = client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 1)
            self.assertIn(b"TLS failed: wrong version number", said)

    def test_bench(self) -> None:
        """5 MiB over TLS come back exactly from our own bench, after our close_notify."""
        with Child("echo", "--listen", "tls:0") as bench:
            endpoint = f"tls:127.0.0.1:{bench.port('echo', 'tls')}"
            done = connect(endpoint, "--insecure", "--quiet", typed=MUCH)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertTrue(done.out == MUCH, len(done.out))

    def test_truncated(self) -> None:
        """FIN without close_notify is told, and no success: what came may be cut."""
        pem = self.folder / "cut.pem"
        self.authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        with Peer() as peer, connecting(f"tls:127.0.0.1:{peer.port}", "--insecure") as client:
            server = context.wrap_socket(peer.accept(), server_side=True)
            server.sendall(b"begin")
            self.assertEqual(client.stdout.read(5), b"begin")
            server.close()
            said = client.stderr.read()
            self.assertEqual(client.wait(PATIENCE), 1)
            self.assertIn(b"FIN without TLS close_notify", said.splitlines()[-1])

"""The clients people have: nc, telnet, socat, openssl, curl.

One that is not installed is skipped with its name; in CI, where ``scripts/install-test-programs``
installs them all, it fails.
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import shutil
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import trustme
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import PATIENCE, Child, shared
from tests.integration.peers import missing
from tests.integration.roads import FOUR_ROADS, connect

_MEBIBYTE = random.Random(1).randbytes(2**20)


def _program(name: str) -> str:
    """Where *name* is."""
    path = shutil.which(name)
    if path is None:
        raise missing(name)
    return path


def _openbsd_nc() -> str:
    """Where OpenBSD's nc is; there are others, with other options."""
    path = _program("nc")
    usage = subprocess.run([path, "-h"], capture_output=True, check=False, timeout=PATIENCE)
    if b"OpenBSD" not in usage.stderr + usage.stdout:
        raise missing("nc of OpenBSD")
    return path


def _output(command: list[str], said: bytes) -> bytes:
    """What *command* prints, given *said* and then the end of its input; it must end well."""
    done = subprocess.run(command, input=said, capture_output=True, check=False, timeout=PATIENCE)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr!r}")
    return done.stdout


class Session:
    """A program that is typed at and watched; on a terminal of its own if it wants one."""

    def __init__(self, command: list[str], *, terminal: bool = False) -> None:
        self._seen = b""
        if terminal:
            self._out, inner = pty.openpty()
            attributes = termios.tcgetattr(inner)
            attributes[3] &= ~termios.ECHO  # only what comes from the server is to be seen
            termios.tcsetattr(inner, termios.TCSANOW, attributes)
            self._in = os.dup(self._out)
            stdin = stdout = inner
            self._process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=stdout, start_new_session=True
            )
            os.close(inner)
        else:
            stdin, self._in = os.pipe()
            self._out, stdout = os.pipe()
            self._process = subprocess.Popen(
                command, stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT
            )
            os.close(stdin)
            os.close(stdout)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def type(self, text: bytes) -> None:
        os.write(self._in, text)

    def expect(self, text: bytes) -> None:
        """Return when *text* has come, after all that was expected before."""
        while text not in self._seen:
            if not self._read():
                raise AssertionError(f"{text!r} did not come, but {self._seen!r}")
        self._seen = self._seen.partition(text)[2]

    def _read(self) -> bool:
        if not select.select([self._out], [], [], PATIENCE)[0]:
            raise AssertionError(f"nothing came, after {self._seen!r}")
        try:
            piece = os.read(self._out, 2**16)
        except OSError:  # EIO: the other end of the terminal is closed
            piece = b""
        self._seen += piece
        return bool(piece)

    def end_input(self) -> None:
        """Let its input end."""
        os.close(self._in)
        self._in = os.open(os.devnull, os.O_WRONLY)

    def status(self) -> int:
        """How it ended."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)


@contextlib.contextmanager
def _all_roads() -> Iterator[Child]:
    """A line service on four roads, its certificate for localhost, its CA's in ``ca.pem``."""
    ca = trustme.CA()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ca.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            folder / "server.pem"
        )
        tls = f"tls:0:interface=127.0.0.1:privateKey={folder}/server.pem"
        child = stack.enter_context(
            Child("line", "--port", "0", "--listen", "unix:socket", "--listen", tls)
        )
        ca.cert_pem.write_to_path(child.folder / "ca.pem")
        yield child


class NcTests(SynchronousTestCase):
    """OpenBSD's nc."""

    def test_half_close(self) -> None:
        """``printf hello | nc -N`` prints hello, and a mebibyte comes back whole."""
        nc = _openbsd_nc()
        child = shared("--port", "0")
        for service in ("echo", "line"):
            for host in ("127.0.0.1", "::1"):
                command = [nc, "-N", host, str(child.port(service, "tcp", host))]
                self.assertEqual(_output(command, b"hello"), b"hello")
        self.assertEqual(_output([nc, "-N", "127.0.0.1", str(child.port())], _MEBIBYTE), _MEBIBYTE)

    def test_open_input(self) -> None:
        """A person who types a line and does not end sees the answer."""
        child = shared("--port", "0")
        with (
            Session([_openbsd_nc(), "127.0.0.1", str(child.port("line"))]) as session,
        ):
            session.type(b"hello\n")
            session.expect(b"hello\n")
            session.type(b"/upper more\n")
            session.expect(b"MORE\n")
            session.type(b"/quit\n")
            session.expect(b"bye\n")
            session.end_input()  # it waits for both ends
            self.assertEqual(session.status(), 0)

    def test_udp(self) -> None:
        """``nc -u`` gets each datagram back."""
        child = shared("--port", "0")
        with (
            Session([_openbsd_nc(), "-u", "127.0.0.1", str(child.port("echo", "udp"))]) as session,
        ):
            for text in (b"one\n", b"two\n"):
                session.type(text)
                session.expect(text)

    def test_unix(self) -> None:
        """``nc -N -U`` gets its last line answered."""
        nc = _openbsd_nc()
        with Child("line", *FOUR_ROADS) as child:
            command = [nc, "-N", "-U", str(child.folder / "socket")]
            self.assertEqual(_output(command, b"one\ntwo"), b"one\ntwo")


class TelnetTests(SynchronousTestCase):
    """telnet, on a terminal."""

    def _telnet(self, child: Child) -> Session:
        command = [_program("telnet"), "127.0.0.1", str(child.port("line"))]
        session = Session(command, terminal=True)
        self.addCleanup(session.__exit__, None, None, None)
        session.expect(b"Escape character is '^]'.")
        session.type(b"hello\n")
        session.expect(b"hello\r\n")
        return session

    def test_quit_by_escape(self) -> None:
        """A line is answered; ``^]`` and ``quit`` leave."""
        child = shared("--port", "0")
        session = self._telnet(child)
        session.type(b"\x1d")
        session.expect(b"telnet> ")
        session.type(b"quit\n")
        session.expect(b"Connection closed.")
        self.assertEqual(session.status(), 0)

    def test_quit_by_line(self) -> None:
        """``/quit`` says bye, and telnet that the connection is closed."""
        child = shared("--port", "0")
        session = self._telnet(child)
        session.type(b"/quit\n")
        session.expect(b"bye\r\n")
        session.expect(b"Connection closed by foreign host.")

    def test_commands_are_data(self) -> None:
        """Telnet's own bytes (RFC 854: IAC DO ECHO) come back untouched, on a raw socket."""
        with Child("line", *FOUR_ROADS) as child:
            client = connect(child, "line", "tcp4")
            self.addCleanup(client.close)
            client.finish(b"\xff\xfd\x01hello\r\n")
            self.assertEqual(client.receive_all(), b"\xff\xfd\x01hello\r\n")


class SocatTests(SynchronousTestCase):
    """socat."""

    def test_streams(self) -> None:
        """Whatever ends with the input comes back, over TCP, UNIX and verified TLS."""
        socat = _program("socat")
        text = b"".join(b"%0999d\n" % number for number in range(1000))
        with _all_roads() as child:
            tls = child.port("line", "tls")
            for address in (
                f"TCP4:127.0.0.1:{child.port('line')}",
                f"TCP6:[::1]:{child.port('line', 'tcp', '::1')}",
                f"UNIX-CONNECT:{child.folder}/socket",
                f"OPENSSL:127.0.0.1:{tls},cafile={child.folder}/ca.pem,commonname=localhost",
            ):
                # -t: seconds to wait for the rest once the input has ended.
                answer = _output([socat, "-t", "20", "-", address], text)
                self.assertEqual(len(answer), len(text), address)
                self.assertEqual(answer, text)

    def test_udp(self) -> None:
        """Each datagram comes back."""
        child = shared("--port", "0")
        address = f"UDP4:127.0.0.1:{child.port('echo', 'udp')}"
        with Session([_program("socat"), "-", address]) as session:
            for text in (b"one\n", b"two\n"):
                session.type(text)
                session.expect(text)


class OpensslTests(SynchronousTestCase):
    """openssl s_client."""

    def test_verified(self) -> None:
        """It believes the certificate, is answered line by line, and ends when told bye."""
        with _all_roads() as child:
            command = [
                *(_program("openssl"), "s_client", "-quiet", "-verify_return_error"),
                *("-connect", f"127.0.0.1:{child.port('line', 'tls')}"),
                *("-CAfile", str(child.folder / "ca.pem"), "-verify_hostname", "localhost"),
                *("-alpn", "h2,http/1.1"),  # as browsers and curl offer
            ]
            with Session(command) as session:
                session.type(b"hello\n")
                session.expect(b"hello\n")
                session.type(b"/who\n")
                session.expect(b"over tls\n")
                session.type(b"/quit\n")
                session.expect(b"bye\n")
                self.assertEqual(session.status(), 0)

    def test_made_on_the_spot(self) -> None:
        """The SHA-256 that is announced is that of the certificate openssl gets."""
        openssl = _program("openssl")
        with Child("echo", "--listen", "tls:0") as child:
            port = child.port("echo", "tls")
            shown = _output([openssl, "s_client", "-connect", f"127.0.0.1:{port}"], b"")
            said = _output([openssl, "x509", "-noout", "-fingerprint", "-sha256"], shown)
            self.assertIn(said.decode().strip().partition("=")[2], child.output)


class CurlTests(SynchronousTestCase):
    """curl, which speaks telnet."""

    def test_telnet(self) -> None:
        """``curl telnet://`` is answered, and ends with the connection."""
        curl = _program("curl")
        if b" telnet" not in _output([curl, "--version"], b""):
            raise missing("curl with telnet")
        child = shared("--port", "0")
        command = [curl, "--silent", "--no-buffer", f"telnet://127.0.0.1:{child.port('line')}"]
        self.assertEqual(_output(command, b"hello\n/quit\n"), b"hello\nbye\n")

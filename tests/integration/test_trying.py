"""Everything a person is given to paste, run as it stands against what it was made for.

A program that is not installed is skipped with its name; in CI it fails.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trustme
from twisted.internet.defer import DeferredSemaphore, gatherResults
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.threads import deferToThread

from tests.clients import PATIENCE, ReactorTestCase
from tests.integration.child import wait_for
from tests.integration.peers import missing
from tests.integration.test_haproxy import Haproxy
from tests.test_service import settings
from twisted_lab.loading import kind_of, load_kind
from twisted_lab.protocols import KINDS, Kind
from twisted_lab.protocols.qotd import QUOTES
from twisted_lab.service import LabService, make_service
from twisted_lab.service_views import target_at
from twisted_lab.transports.endpoints import UnixListen
from twisted_lab.trying import Try, tries

STREAMS = [kind.name for kind in KINDS.values() if kind.stream is not None]
DATAGRAMS = [kind.name for kind in KINDS.values() if kind.datagram is not None]

#: Services that say what they have to say and close, or that are cut off; a line for them ends.
ENDING = ("chargen", "daytime", "time", "qotd", "info")

#: A number for each text that is typed, so that it can be known again.
_typed = itertools.count(1)


class Shout(DatagramProtocol):
    """Somebody's own: a datagram comes back in capitals."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        assert self.transport is not None
        self.transport.write(datagram.upper(), addr)


def _this_second_or_two() -> bytes:
    """Seconds since 1900 but for the last digits, and the year, month and day as ctime() has it."""
    now = datetime.now(UTC)
    seconds = str(int(now.timestamp()) + 2208988800)[:-3]
    return rb"%s\d{3}\b|\w{3} \w{3} [ \d]\d [\d:]{8} %d" % (seconds.encode(), now.year)


def expected(kind: str, one: Try) -> bytes:
    """A regular expression for what *one* prints when a *kind* answered it."""
    if kind == "line" and one.language in ("python", "c"):
        return rb"hello(.|\n)*(you are|bye)"
    if kind == "discard":
        return {"python": b"b''|nothing but|nobody answers", "c": b""}.get(one.language, b"")
    if kind == "chargen" and "udp" in one.title:
        return b""  # RFC 864 lets it be of any length up to 512, none at all included
    if kind == "chargen":
        return rb"!\"#\$%&'\(\)\*\+,-\./0123(.|\n)*ijklmnop"
    return {
        "daytime": str(datetime.now(UTC).year).encode(),
        "time": _this_second_or_two(),
        "qotd": b"|".join(re.escape(quote.split(b"\n")[0][:20].strip()) for quote in QUOTES),
        "info": rb"\"?instance",
        "Shout": b"HELLO",
    }.get(kind, b"hello")


class Run:
    """A command in a folder, typed at; killed, with all it started, when it is done with."""

    def __init__(self, command: list[str], folder: str) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.late = False
        self._timer = threading.Timer(2 * PATIENCE, self._time_out)
        self._timer.start()

    def type(self, text: bytes) -> None:
        """The person goes on sitting there: the input does not end."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def read_until(self, pattern: bytes) -> bytes:
        """What it prints, up to *pattern* or its end."""
        assert self._process.stdout is not None
        seen = b""
        while not re.search(pattern, seen):
            piece = os.read(self._process.stdout.fileno(), 2**16)
            if not piece:
                break
            seen += piece
        return seen

    def wait(self) -> None:
        """Return when it has ended by itself, its input still open."""
        self._process.wait()

    def end(self) -> tuple[int, bytes, bytes]:
        """Its status, and what else it printed; its input ends."""
        out, err = self._process.communicate()
        return self._process.returncode, out, err

    def _time_out(self) -> None:
        self.late = True
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self._timer.cancel()
        self.kill()
        self._process.communicate()


def work(one: Try, folder: str) -> bytes:
    """Run the program *one*; what it printed. Fails when it ends badly."""
    if one.language == "python":
        Path(folder, "try.py").write_text(one.text)
        command = [sys.executable, "-W", "error", "try.py"]
    else:
        if shutil.which("cc") is None:
            raise missing("cc")
        Path(folder, "try.c").write_text(one.text)
        (compiling,) = re.findall(r"\A/\* (cc .+) \*/\n", one.text)
        strict = compiling.replace("cc ", "cc -Wall -Wextra -Werror ")
        command = ["sh", "-c", strict]
    run = Run(command, folder)
    try:
        status, out, err = run.end()
    finally:
        run.close()
    if status:
        raise AssertionError(f"{one.title} ended with {status}: {err!r}\n{one.text}")
    return out


def work_line(kind: str, one: Try, folder: str, reached: Callable[[bytes], bool]) -> bytes:
    """A line for the shell, with somebody at the keyboard; what it printed.

    *reached* says whether the service got what was typed, where nothing else does.
    """
    for program in re.findall(r"\b(nc|telnet|socat|openssl|od|head) ", one.text):
        if shutil.which(program) is None:
            raise missing(program)
    run = Run(["sh", "-c", one.text], folder)
    typed = b"hello %d\r\n" % next(_typed)
    try:
        if kind not in ENDING:
            run.type(typed)
        if kind == "discard":
            wait_for(lambda: reached(typed), lambda: f"{typed!r} never came: {one.text}")
            return b""
        out = run.read_until(b"(?!)" if kind in ENDING else expected(kind, one))
        if kind in ENDING:
            run.wait()
    finally:
        run.close()
    if run.late:
        raise AssertionError(f"it did not end, after {out!r}: {one.text}")
    return out


def work_haproxy(one: Try) -> bytes:
    """The line in the configuration of a haproxy, and a client in front of it."""
    server, _, sends = one.text.removeprefix("server bench ").partition(" ")
    with Haproxy(server, sends, socket.AF_INET) as front, front.connect() as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(b"hello\r\n")
        return sock.recv(2**16)


class TryingTestCase(ReactorTestCase):
    def serve(self, kind: str | Kind, *listens: str, **texts: Any) -> LabService:
        service = make_service(kind, settings(listen=list(listens), **texts), self.shared)
        return self.started(service)

    def started(self, service: LabService) -> LabService:
        self.addCleanup(service.stopService)
        service.startService()
        return service

    async def assert_work(self, services: Iterable[LabService], count: int | None = None) -> None:
        """Everything to try with *services* works; there are *count* of it."""
        two = DeferredSemaphore(2)
        runs = [
            two.run(deferToThread, self._assert_works, service.kind.name, one)
            for service in services
            for opened in service.ports
            for one in tries(target_at(service, opened))
        ]
        self.assertEqual(len(runs), len(runs) if count is None else count)
        try:
            await gatherResults(runs, consumeErrors=True)
        except Exception as error:
            raise getattr(error, "subFailure", error).value from None

    def _assert_works(self, kind: str, one: Try) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for pem in self.folder.glob("client.pem"):
                shutil.copy(pem, folder)
            if one.language == "haproxy":
                out = work_haproxy(one)
            elif one.language == "sh":
                out = work_line(kind, one, folder, self._reached)
            else:
                out = work(one, folder)
        if not re.search(expected(kind, one), out):
            raise AssertionError(f"{one.title} of {kind} printed {out!r}\n{one.text}")

    def _reached(self, typed: bytes) -> bool:
        return any(typed in getattr(event, "data", b"") for event in list(self.seen.events))


class StreamTests(TryingTestCase):
    async def test_tcp(self) -> None:
        """Over TCP, each service."""
        await self.assert_work(self.serve(name, "tcp:127.0.0.1:0") for name in STREAMS)

    async def test_ipv6(self) -> None:
        """Over IPv6."""
        await self.assert_work(self.serve(name, "tcp:[::1]:0") for name in ("echo", "line"))

    async def test_wildcards(self) -> None:
        """Of a service on every address, by loopback."""
        await self.assert_work([self.serve("echo", "tcp:0:interface=0.0.0.0", "tcp:[::]:0")])

    async def test_unix(self) -> None:
        """Over a UNIX socket, each service."""
        await self.assert_work(self.serve(name, f"unix:{self.folder}/{name}") for name in STREAMS)

    async def test_odd_paths(self) -> None:
        """Whatever the path of the socket: spaces, quotes, what socat takes for itself.

        (Not UTF-8 at all: tests/trying. Twisted's log cannot write such a name.)
        """
        names = ("a b", "it's", 'say "x"', "a,b!!c", "$HOME;`id`", "-n", "grüße", "[1](2){3}")
        names += ("tab\there", "esc\x1b[31m", "a\\nb", "??=")
        listens = [UnixListen(f"{self.folder}/{name}") for name in names]
        listens.append(UnixListen(f"{self.folder}/ends with a line feed\n"))
        echo = LabService(KINDS["echo"], settings(), self.shared, tuple(listens))
        await self.assert_work([self.started(echo)], 4 * len(names) + 2)

    async def test_abstract(self) -> None:
        """Over UNIX sockets without a file, each service."""
        made = [
            LabService(
                KINDS[name],
                settings(),
                self.shared,
                (UnixListen(f"\0{os.getpid()} {name}", lockfile=False),),
            )
            for name in STREAMS
        ]
        await self.assert_work(map(self.started, made))

    async def test_tls(self) -> None:
        """Over TLS, each service, its certificate known by its fingerprint."""
        await self.assert_work(self.serve(name, "tls:0") for name in STREAMS)

    async def test_tls_of_another(self) -> None:
        """The Python client talks to nobody who shows another certificate."""
        mine, other = self.serve("echo", "tls:0"), self.serve("discard", "tls:0")
        ports = [str(one.ports[0].port.getHost().port) for one in (mine, other)]
        (program,) = [
            one for one in tries(target_at(mine, mine.ports[0])) if one.language == "python"
        ]
        to_other = Try(program.title, "python", program.text.replace(*ports))
        with self.assertRaises(AssertionError) as caught:
            await deferToThread(work, to_other, str(self.folder))
        self.assertIn("not the certificate of the bench", str(caught.exception))
        self.assertEqual(sum(stream.bytes_in for stream in other.streams()), 0)

    async def test_client_certificate(self) -> None:
        """Where TLS asks for a certificate of the client, it is client.pem in the same folder."""
        ca = trustme.CA()
        ca.cert_pem.write_to_path(self.folder / "ca.pem")
        own = ca.issue_cert("client.example")
        own.private_key_and_cert_chain_pem.write_to_path(self.folder / "client.pem")
        echo = self.serve("echo", "tls:0", client_ca=f"{self.folder}/ca.pem")
        await self.assert_work([echo], 2 * len(echo.ports))

    async def test_proxied(self) -> None:
        """Behind a balancer, each service, over TCP and a UNIX socket."""
        await self.assert_work(
            self.serve(name, "haproxy:tcp:127.0.0.1:0", f"haproxy:unix:{self.folder}/{name}")
            for name in STREAMS
        )

    async def test_proxied_tls(self) -> None:
        """Behind a balancer that speaks TLS to us."""
        await self.assert_work(self.serve(name, "haproxy:tls:0") for name in ("echo", "daytime"))

    async def test_own(self) -> None:
        """Somebody's own protocol, over all of these."""
        listens = "tcp:127.0.0.1:0", "tls:0", f"unix:{self.folder}/s", "haproxy:tcp:0"
        own = self.serve(load_kind("examples.shout:Shout"), *listens)
        await self.assert_work([own])


class DatagramTests(TryingTestCase):
    async def test_udp(self) -> None:
        """Over UDP, each service; what could be longer than its request is asked with padding."""
        await self.assert_work(self.serve(name, "udp:127.0.0.1:0") for name in DATAGRAMS)

    async def test_ipv6(self) -> None:
        """Over IPv6, and of a service on every address."""
        await self.assert_work(
            self.serve(name, "udp:[::1]:0", "udp:[::]:0", allow=["::1/128"])
            for name in ("echo", "time")
        )

    async def test_own(self) -> None:
        """Somebody's own."""
        await self.assert_work([self.serve(kind_of(Shout), "udp:127.0.0.1:0")], 3)

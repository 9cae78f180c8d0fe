"""A bench in a child process, as a person starts it, for tests over real sockets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

#: Seconds after which a child that neither serves nor ends is a failure.
PATIENCE = 30.0

#: twistd of the Python that runs the tests, whatever PATH says.
TWISTD = (
    sys.executable,
    "-c",
    "import sys; from twisted.scripts.twistd import run; sys.exit(run())",
    "-n",
    "--pidfile=",
)

_LINE = re.compile(
    r"^  ([\w.-]+) +((?:haproxy:)?(?:tcp|udp|tls|unix)) +(.+?) +try: (.+)$", re.MULTILINE
)


class Child:
    """``twistd -n socketlab ARGUMENTS…`` with its output, its addresses and its process.

    Use as a context manager: it is stopped at the end, killed if it must be. *started_by* is the
    command in front of the arguments; *environment* is added to ours.
    """

    def __init__(
        self,
        *arguments: str,
        started_by: tuple[str, ...] | None = None,
        environment: dict[str, str] | None = None,
        **popen: Any,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="socketlab-test-")
        self.folder = Path(self._folder.name)
        self.log = self.folder / "twistd.log"
        before = started_by or (*TWISTD, f"--logfile={self.log}", "socketlab")
        self._output = (self.folder / "output").open("w+b")
        self.process = subprocess.Popen(
            [*before, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=os.environ | (environment or {}),
            **popen,
        )

    def __enter__(self) -> Child:
        try:
            self.wait_until_serving()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._output.close()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        """What it printed so far, stdout and stderr together."""
        return (self.folder / "output").read_text(errors="replace")

    @property
    def log_text(self) -> str:
        """twistd's log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until_serving(self) -> None:
        wait_for(
            lambda: "Stop with Ctrl-C." in self.output or self.process.poll() is not None,
            lambda: f"did not serve: {self.output}\n{self.log_text}",
        )
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.output}")

    def addresses(self, service: str, transport: str = "tcp") -> list[str]:
        """Where *service* listens on *transport*, as announced."""
        return [
            address
            for name, kind, where, _try in _LINE.findall(self.output)
            if (name, kind) == (service, transport)
            for address in where.split()
        ]

    def port(self, service: str = "echo", transport: str = "tcp", host: str = "127.0.0.1") -> int:
        """The port of *service* on *host*."""
        shown = f"[{host}]" if ":" in host else host
        for address in self.addresses(service, transport):
            where, _, port = address.rpartition(":")
            if where == shown:
                return int(port)
        raise AssertionError(f"no {service} on {transport} {host}: {self.output}")

    def connect(
        self, service: str = "echo", host: str = "127.0.0.1", timeout: float = 20.0
    ) -> socket.socket:
        """A new TCP connection to *service*."""
        return socket.create_connection((host, self.port(service, "tcp", host)), timeout)

    def rss(self) -> int:
        """Its resident memory, in bytes."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        """User and system time it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Its exit status."""
        return self.process.wait(timeout)

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Stop it as a person would; its exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def kill(self) -> None:
        """End it whatever it does; in order first, so that its coverage is kept."""
        if self.process.poll() is None:
            for number in (signal.SIGTERM, signal.SIGTERM):
                self.send_signal(number)
            try:
                self.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_for(
    true: Any, otherwise: Any = lambda: "it never came true", limit: float = PATIENCE
) -> None:
    """Return once *true()* is; fail with *otherwise()* after *limit* seconds."""
    until = time.monotonic() + limit
    while not true():
        if time.monotonic() > until:
            raise AssertionError(otherwise())
        time.sleep(0.01)


def read_all(sock: socket.socket) -> bytes:
    """Everything until the end of the stream."""
    pieces = []
    while piece := sock.recv(2**16):
        pieces.append(piece)
    return b"".join(pieces)

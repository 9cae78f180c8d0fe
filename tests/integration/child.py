"""A bench in a child process, as a person starts it, for tests over real sockets."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from twisted_lab import child
from twisted_lab.child import PATIENCE
from twisted_lab.errors import CannotServe

#: The reactor of the children: the whole suite shall pass under lean as it does under epoll.
REACTOR = os.environ.get("SOCKETLAB_TEST_REACTOR", "epoll")

#: twistd of the Python that runs the tests, whatever PATH says.
TWISTD = (
    sys.executable,
    "-c",
    "import sys; from twisted.scripts.twistd import run; sys.exit(run())",
    f"--reactor={REACTOR}",
    "-n",
    "--pidfile=",
)


#: What stands before a command that shall not outlive us, whatever ends us (prctl(2)).
WITH_US = ("setpriv", "--pdeathsig", "TERM")


class Child(child.Child):
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
        popen = {"cwd": self.folder, **popen}
        super().__init__((*before, *arguments), self.folder, environment, **popen)

    def __enter__(self) -> Child:
        try:
            self.wait_until_serving()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def log_text(self) -> str:
        """twistd's log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_until_serving(self, patience: float = PATIENCE) -> None:
        """Fails with all it printed and logged when it does not."""
        try:
            super().wait_until_serving(patience)
        except CannotServe as error:
            raise AssertionError(f"{error}: {self.output}\n{self.log_text}") from None

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

    def cpu_clock(self) -> float:
        """The same to the nanosecond (clock_getcpuclockid(3)), where ticks are too coarse."""
        return time.clock_gettime(~self.pid << 3 | 2)


@cache
def shared(*arguments: str) -> Child:
    """One bench with *arguments* for all the tests of this process that only talk to it.

    It has seen other tests' connections, and will see more: who looks at what it keeps, at its
    process or its log, or ends it, starts his own.
    """
    started_by = (*WITH_US, *TWISTD, "--logfile=twistd.log", "socketlab")
    bench = Child(*arguments, started_by=started_by)
    atexit.register(bench.__exit__)
    return bench.__enter__()


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

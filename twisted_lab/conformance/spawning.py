"""The server's own process, where we start it: its port, its end, and what it wrote."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from twisted_lab.conformance.target import Server
from twisted_lab.conformance.verdicts import Failed
from twisted_lab.diagnosis import Finding
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: What stands for the port, in a command and in an endpoint.
PORT = "{port}"

#: Where a server is that was started, if nobody says otherwise.
SPAWNED = f"tcp:127.0.0.1:{PORT}"

#: Lines kept of what it writes to stdout and stderr, and bytes of each.
_LINES, _LINE = 200, 500

#: Seconds that a server has to open its port, and to end when it is asked to.
_START, _END = 15.0, 3.0

_STEP = 0.02


class Watcher(Protocol):
    """Who looks at a server that is started with its ``environment``, and says what it did wrong.

    A context manager: what is its own is gone after it.
    """

    @property
    def environment(self) -> Mapping[str, str]:
        """What the environment of the server needs besides."""

    def __enter__(self) -> Self:
        """It looks from now on."""

    def __exit__(self, *error: object) -> None:
        """It looks no more."""

    def findings(self) -> Sequence[Finding]:
        """The mistakes of the server, which has ended."""


class Spawned:
    """*command*, in which ``{port}`` is a free port, run as a process group of its own.

    *resolve* makes the server of the port; *environment* is what its own has besides.
    Use as a context manager: it is ended with it.
    """

    def __init__(
        self,
        command: str,
        resolve: Callable[[int], Server],
        slow: float = 1.0,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise ConfigurationError(f"--spawn '{escape(command)}': {error}") from None
        if not self._words:
            raise ConfigurationError("--spawn '': expected a command")
        self.command = command
        self.pid = 0
        self._resolve = resolve
        self._environment = environment
        self._patience = _START * slow
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: deque[str] = deque(maxlen=_LINES)

    def __enter__(self) -> Spawned:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self, *, same_port: bool = False) -> Server:
        """Start it, and wait until it listens; raises :class:`Failed` when it does not.

        On a port of its own each time, for another may be in TIME_WAIT, unless *same_port*.
        """
        if not same_port:
            self._port = free_port()
        server = self._resolve(self._port)
        words = [word.replace(PORT, str(self._port)) for word in self._words]
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"--spawn '{escape(self.command)}': {why}") from None
        self.pid = self._process.pid
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self._wait(server)
        return server

    def _wait(self, server: Server) -> None:
        """Until the kernel has its port listening: a connect could use up a server for one."""
        until = time.monotonic() + self._patience
        while not listens(server):
            if (how := self.ended()) is not None:
                raise Failed(f"the server ended before it listened: {how}{self._last_words()}")
            if time.monotonic() > until:
                raise Failed(f"the server did not open {server} in {self._patience:g} s")
            time.sleep(_STEP)

    def ended(self) -> str | None:
        """How it ended, in words, if it did."""
        status = None if self._process is None else self._process.poll()
        if status is None:
            return None
        return f"killed by {_name(-status)}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for it and all it started."""
        process = self._process
        if process is None:
            return
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END)
        self._signal(signal.SIGKILL)
        process.wait()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    @property
    def said(self) -> list[str]:
        """The last lines that it wrote to stdout and stderr, escaped."""
        return list(self._said)

    def _last_words(self) -> str:
        time.sleep(_STEP)  # its pipe is read by a thread
        return f": {self._said[-1]}" if self._said else ""

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as pipe:
            while line := pipe.readline(_LINE):
                self._said.append(escape(line.rstrip(b"\n"), _LINE))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def free_port() -> int:
    """One that is free for streams and for datagrams."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            with suppress(OSError):
                datagrams.bind(("127.0.0.1", port))
                return port


def listens(server: Server) -> bool:
    """Whether a socket of this machine is bound to the server's port, by /proc/net (proc(5))."""
    if server.kind == "unix":  # an abstract name is shown with @
        path = f" {server.path.replace(chr(0), '@', 1)}\n"
        return path in Path("/proc/net/unix").read_text("utf-8", "surrogateescape")
    state, names = ("07", ("udp", "udp6")) if server.kind == "udp" else ("0A", ("tcp", "tcp6"))
    wanted = f":{server.port:04X}"
    for name in names:
        with suppress(OSError):
            for line in Path("/proc/net", name).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == state:
                    return True
    return False

"""``socketlab connect`` as a process, and the programs it talks to."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.integration.child import wait_for
from tests.integration.peers import MIB, missing
from tests.programs import SOCKETLAB

#: 5 MiB that do not look like themselves when something is lost or twice there.
MUCH = os.urandom(5 * MIB)

#: What a client may hold at most while one side does not move: 64 KiB each way, twice, and slack.
BOUND = 8 * MIB

#: Seconds after which what should end has failed.
PATIENCE = 60.0


class Ended(NamedTuple):
    """How a client ended, and what it wrote."""

    status: int
    out: bytes
    err: str

    @property
    def sentence(self) -> str:
        """The last line on stderr."""
        return self.err.splitlines()[-1] if self.err else ""


def connect(*arguments: Any, typed: bytes | None = b"", **popen: Any) -> Ended:
    """Run it to its end with *typed* from a pipe (None: whatever *popen* has for stdin)."""
    words = [*SOCKETLAB, "connect", *map(str, arguments)]
    given = {} if typed is None else {"input": typed}
    done = subprocess.run(
        words,
        stdout=popen.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
        **given,
        **popen,
    )
    return Ended(done.returncode, done.stdout or b"", done.stderr.decode())


def in_thread(action: Callable[[], object]) -> threading.Thread:
    """Do *action* beside the test; it ends with the test's process at the latest."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


@contextmanager
def connecting(*arguments: Any, **popen: Any) -> Iterator[Any]:
    """Run it for as long as the block takes; pipes for stdin, stdout and stderr unless told."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    words = [*SOCKETLAB, "connect", *map(str, arguments)]
    with subprocess.Popen(words, **{**pipes, **popen}) as process:
        try:
            yield process
        finally:
            process.kill()


def feed(pipe: Any, data: bytes) -> None:
    """Give *data* to a client that may go before it has read all."""
    with suppress(BrokenPipeError, ValueError):
        pipe.write(data)


def rss(pid: int) -> int:
    """The resident memory of process *pid*, in bytes."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def program(name: str) -> str:
    """The path of a program that we did not write."""
    found = shutil.which(name)
    if found is None:
        raise missing(name)
    return found


def free_port() -> int:
    """A port nobody has now, for programs that cannot say which one they took."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(port: int, *command: str, **popen: Any) -> Iterator[Any]:
    """Run *command* until its *port* listens, and as long as the block takes."""
    popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **popen}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **popen) as process:
        try:
            wait_for(lambda: _listens(port), lambda: f"{command[0]} does not listen")
            yield process
        finally:
            process.kill()


def _listens(port: int) -> bool:
    """Whether somebody does, seen without connecting: some serve one connection only."""
    want = f":{port:04X} "
    tables = ("/proc/net/tcp", "/proc/net/tcp6")
    lines = [line for table in tables for line in Path(table).read_text().splitlines()]
    return any(want in line and line.split()[3] == "0A" for line in lines)


class Peer:
    """A server of one connection, in the test's own hands: ``with Peer() as peer``."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port: int = self.listener.getsockname()[1]
        self.socket: Any = None

    def __enter__(self) -> Peer:
        return self

    def accept(self) -> socket.socket:
        """The connection, once it is there."""
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(PATIENCE)
        taken: socket.socket = self.socket
        return taken

    def __exit__(self, *error: object) -> None:
        self.listener.close()
        if self.socket is not None:
            self.socket.close()


class AtTerminal:
    """It, at a terminal of its own."""

    def __init__(self, *arguments: Any, **popen: Any) -> None:
        self._seen = bytearray()  # of a flood, too
        self.person, terminal = pty.openpty()
        words = [*SOCKETLAB, "connect", *map(str, arguments)]
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
        self.process = subprocess.Popen(
            words, **{**ends, **popen}, start_new_session=True, preexec_fn=_control
        )
        self.terminal = terminal

    def __enter__(self) -> AtTerminal:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.person)
        os.close(self.terminal)

    @property
    def seen(self) -> bytes:
        """All that the terminal was given so far."""
        return bytes(self._seen)

    def type(self, data: bytes) -> None:
        """Press keys."""
        os.write(self.person, data)

    def wait_for(self, text: bytes) -> None:
        """Read on until *text* was seen."""
        until, looked = time.monotonic() + PATIENCE, 0
        while self._seen.find(text, looked) < 0:
            looked = max(0, len(self._seen) - len(text))
            if time.monotonic() > until:
                raise AssertionError(f"no {text!r} in {self.seen[-1000:]!r}")
            self._read(0.1)

    def _read(self, patience: float) -> bool:
        if not select.select([self.person], [], [], patience)[0]:
            return False
        with suppress(OSError):  # EIO: nobody has the terminal any more
            self._seen += os.read(self.person, 2**16)
        return True

    def wait(self) -> int:
        """The exit status, with all it wrote in ``seen``."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            self._read(0.1)
            if time.monotonic() > until:
                raise AssertionError(f"still there; {self.seen[-1000:]!r}")
        while self._read(0):
            pass
        return self.process.returncode


def _control() -> None:
    """Make stdin the terminal that Ctrl-C is typed at."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for as long as a block takes."""
    return tempfile.TemporaryDirectory(prefix="socketlab-test-")


INTERRUPTED = 128 + signal.SIGINT

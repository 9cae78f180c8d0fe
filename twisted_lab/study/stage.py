"""Where the programs of an experiment run: side by side, every call recorded, by one clock."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from twisted_lab.dating import began
from twisted_lab.events import Event, Note
from twisted_lab.study.benched import Bench
from twisted_lab.study.program import Program
from twisted_lab.study.seen import Ended, Seen
from twisted_lab.watch.hooked import Hooked
from twisted_lab.watch.sockets import Sockets

#: Seconds after which a program that should have gone on has failed: a busy machine needs some.
PATIENCE = 20.0

#: Bytes of each message that are kept.
_CAPTURE = 256

#: Lines kept of what a program prints, and letters of one.
_LINES, _LINE = 1000, 2000

_NUMBER = re.compile(r"(\d+)\s*$")


class Stalled(Exception):
    """A program did not go on; the sentence says which, and what was waited for."""


class Actor:
    """*program*, started with *arguments* in *folder*; *zero* is the ns where its events begin."""

    def __init__(
        self,
        program: Program,
        arguments: Sequence[str],
        folder: Path,
        zero: int,
        before: Sequence[str] = (),
        patience: float = PATIENCE,
        name: str = "",
    ) -> None:
        self._program = program
        #: Its part, or what it is called beside others of the same part.
        self.name = name or program.name
        self._title = f"{program.file} ({name})" if name else program.file
        self._zero = zero
        self._patience = patience
        calls = Path(tempfile.mkdtemp(prefix=f"{program.name}-", dir=folder))
        self._hooked = Hooked(calls, (), _CAPTURE, os.environ)
        environment = {**os.environ, **self._hooked.environment, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, *before, program.path or program.file, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._output: list[str] = []
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=one, daemon=True) for one in (self._read, self._hear)
        ]
        for one in self._readers:
            one.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while line := pipe.readline(_LINE):
                if len(self._output) < _LINES:
                    self._output.append(line.rstrip("\n"))
                    self._lines.put(self._output[-1])
        self._lines.put(None)

    def _hear(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            while line := pipe.readline(_LINE):
                self._errors = [*self._errors[-_LINES:], line.rstrip("\n")]

    def line(self) -> str:
        """The next line that it prints; raises :class:`Stalled` when there is none."""
        try:
            found = self._lines.get(timeout=self._patience)
        except queue.Empty:
            found = None
        if found is None:
            raise Stalled(f"{self._program.file} printed no more, where a line was waited for")
        return found

    def number(self) -> int:
        """The number at the end of the next line: of a server mostly its port."""
        line = self.line()
        found = _NUMBER.search(line)
        if found is None:
            raise Stalled(f"{self._program.file} printed {line!r}, which ends with no number")
        return int(found[1])

    def enter(self) -> None:
        """Press Enter: it goes on from its input()."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except OSError:
            raise Stalled(f"{self._program.file} was over when it should have gone on") from None

    def finish(self) -> None:
        """Wait until it has ended; raises :class:`Stalled` where it does not.

        One that serves on is told to stop.
        """
        if not self._program.ends:
            self.stop()
            return
        self._wait()

    def stop(self) -> None:
        """Tell it to end (SIGTERM), and wait until it has."""
        self._process.send_signal(signal.SIGTERM)
        self._wait()

    def kill(self) -> None:
        """End it where it stands (SIGKILL)."""
        self._process.kill()
        self._wait()

    def _wait(self) -> None:
        try:
            self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            raise Stalled(f"{self._program.file} did not end in {self._patience:g} s") from None

    def ended(self) -> Ended:
        """What it did; it is ended if it was not."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for one in self._readers:
            one.join()
        assert self._process.stdin is not None
        with suppress(OSError):  # it ended before it took what was written
            self._process.stdin.close()
        try:
            events = tuple(self._events())
        finally:
            self._hooked.close()
        status = self._process.returncode
        output, errors = tuple(self._output), tuple(self._errors)
        return Ended(self.name, events, output, errors, status, self._title)

    def _events(self) -> Iterator[Event]:
        sockets = Sockets(self._zero, self.name)
        while records := self._hooked.read(all=True):
            for pid, record in records:
                yield from sockets.events(pid, record)
        now = time.monotonic_ns() - self._zero
        yield from sockets.ended(now)
        if self._hooked.lost:
            said = f"{self._hooked.lost} calls came too fast, and are not recorded"
            yield Note(now, self.name, "watch", said)


class Stage:
    """Runs *programs*; what they need besides is in *files*. Use as a context manager.

    *before* are words that go before a program of Twisted's, after ``python``. After it, or after
    :meth:`clear`, ``seen`` is what they did. All is in a folder of its own, which is gone then.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | None = None,
        before: Sequence[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        self._programs = programs
        self._before = before
        self._patience = patience
        self._actors: dict[str, Actor | Bench] = {}
        self._zero = zero = time.monotonic_ns()
        self._epoch = began(lambda: time.monotonic_ns() - zero)
        self._files = dict(files or {})
        self.seen = Seen({})

    def __enter__(self) -> Stage:
        self._folder = tempfile.TemporaryDirectory(prefix="socketlab-study-")
        self.folder = Path(self._folder.name)
        for name, data in self._files.items():
            (self.folder / name).write_bytes(data)
        for program in self._programs.values():
            (self.folder / program.file).write_text(program.source)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
        self._folder.cleanup()

    def start(self, part: str, *arguments: object, name: str = "") -> Actor:
        """Start the program that has the *part*; *name* tells it from others of the same."""
        program = self._programs[part]
        actor = Actor(
            program,
            list(map(str, arguments)),
            self.folder,
            self._zero,
            self._before if program.twisted else (),
            self._patience,
            name,
        )
        self._actors[actor.name] = actor
        return actor

    def bench(self, service: str) -> Bench:
        """Serve *service*, ``module:Name`` of the folder, by the bench, until all is over."""
        bench = Bench(service, self.folder, self._epoch)
        self._actors[bench.name] = bench
        return bench

    @staticmethod
    def pause(seconds: float) -> None:
        """Let the programs be as they are for a while: where waiting is what is to be seen."""
        time.sleep(seconds)

    def clear(self) -> None:
        """End what still runs, and gather what all did."""
        if self._actors:
            ended = {part: actor.ended() for part, actor in self._actors.items()}
            left = {
                one.name: one.read_bytes()
                for one in self.folder.iterdir()
                if one.is_file() and one.suffix == ".txt" and one.name not in self._files
            }
            self.seen = Seen(ended, left)
            self._actors.clear()


def plain_play(stage: Stage) -> None:
    """How most experiments go: a server on a free port, a client with that port, and both end."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.finish()
    server.finish()

"""The program that is watched: started so that it tells its calls, and ended with.

Rule: it behaves as without us. It has our terminal, our standard streams and our process group;
signals that reach us alone are passed on, and those of the terminal reach it anyway.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Protocol

from twisted_lab.diagnosis import Finding
from twisted_lab.errors import ConfigurationError, SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.events import Event, Note
from twisted_lab.watch.hooked import Hooked
from twisted_lab.watch.records import Record
from twisted_lab.watch.sockets import Sockets
from twisted_lab.watch.strace import Tracer
from twisted_lab.watch.strace.places import has_lines

#: What reaches the whole foreground group when a key is pressed: the program has it already.
_KEYS = (signal.SIGINT, signal.SIGQUIT)

#: What somebody sends to us, and means the program.
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


#: What Pythons are called.
_PYTHON = re.compile(r"(python|pypy)[\d.]*$")

#: Bytes of a script's first line that the kernel reads (execve(2)).
_FIRST_LINE = 256

#: Why there may be nothing to see.
_WHY_NOTHING = {
    "hook": "it is no Python, or was started with -I, -E or -S: --by strace sees any program",
    "strace": "strace could not watch it; it may not be allowed to here",
}


class Source(Protocol):
    """What sees a program's calls."""

    @property
    def words(self) -> Sequence[str]:
        """What to start."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What its environment has besides."""

    @property
    def lost(self) -> int:
        """How many records there was no room for."""

    @property
    def worked(self) -> bool:
        """Whether the program could be watched at all."""

    @property
    def living(self) -> Sequence[int]:
        """The processes that are watched now."""

    def read(self, *, all: bool = False) -> Sequence[tuple[int, Record]]:
        """What the program did since the last time, as (pid, record); *all*: to its end."""

    def close(self) -> None:
        """Let go of it."""


class Program:
    """*words*, run and watched. *zero* is the monotonic ns where events begin.

    *capture* is how many bytes of each message are kept; *by* is what sees the calls, ``hook`` or
    ``strace``, and None takes the one for the program. Use as a context manager: what is ours is
    gone after it, and the program too if it still ran. Raises :class:`ConfigurationError` when
    there is no such program, or no strace where it takes that.
    """

    def __init__(
        self,
        words: Sequence[str],
        zero: int,
        capture: int,
        by: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._zero = zero
        found = _found(words[0])
        python = is_python(found)
        script = next((word for word in words[1:] if not word.startswith("-")), None)
        # The name of a script says more than ``python``.
        self.name = os.path.basename((python and script) or words[0])
        self._folder = Path(tempfile.mkdtemp(prefix="socketlab-watch-"))
        self.by = by or ("hook" if python else "strace")
        try:
            self._source: Source = (
                Hooked(self._folder, words, capture, environment)
                if self.by == "hook"
                else Tracer(words, capture, stacks=not python and has_lines(found))
            )
        except SocketlabError:
            self._remove()
            raise
        self._sockets = Sockets(zero, self.name)
        self._environment = {**environment, **self._source.environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._lost = 0
        self._seen = False
        #: Somebody pressed Ctrl-C, or asked us to end, once it had ended.
        self.interrupted = False

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._source.close()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it; raises :class:`ConfigurationError` when it cannot be."""
        for number in (*_KEYS, *_PASSED_ON):
            self._before[number] = signal.signal(number, self._heard)
        try:
            self._process = subprocess.Popen(
                self._source.words, env=self._environment, close_fds=False, restore_signals=True
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"'{escape(self._source.words[0])}': {why}") from None

    def _heard(self, number: int, frame: FrameType | None) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            self.interrupted = True
        elif number not in _KEYS:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def events(self) -> Iterator[Event]:
        """What it did since the last time, in the order of time."""
        yield from self._events(self._source.read())
        if self._source.lost > self._lost:
            missed, self._lost = self._source.lost - self._lost, self._source.lost
            yield self.note(f"{missed} calls came too fast, and are not recorded")

    def _events(self, records: Iterable[tuple[int, Record]]) -> Iterator[Event]:
        for pid, record in records:
            for event in self._sockets.events(pid, record):
                self._seen = True
                yield event

    def ended(self) -> bool:
        """Whether it has ended."""
        assert self._process is not None
        return self._process.poll() is not None

    def last_events(self) -> Iterator[Event]:
        """After its end: what is left to be read, and what its end did."""
        yield from self.events()
        while records := self._source.read(all=True):
            yield from self._events(records)
        yield from self._sockets.ended(self._now())
        for pid in self._source.living:
            yield self.note(f"process {pid} goes on, and is watched no more")
        if not self._source.worked:
            yield self.note(f"nothing was seen: {_WHY_NOTHING[self.by]}")
        elif not self._seen:
            yield self.note("it made no call of a socket")

    def _now(self) -> int:
        return time.monotonic_ns() - self._zero

    def note(self, text: str) -> Note:
        """*text*, to be said now of the program."""
        return Note(self._now(), self.name, "watch", text)

    def diagnosis(self, finding: Finding) -> Note:
        """*finding*, as what was seen; its moment, and its call, are those that decided."""
        decisive = finding.evidence[-1]
        text = f"{finding.mistake.title}: {finding.says}"
        return Note(
            decisive.ns, self.name, "diagnosis", text, finding.connection, call=decisive.call
        )

    @property
    def status(self) -> int:
        """Its exit status, 128 and the number of the signal that ended it."""
        assert self._process is not None
        status = self._process.wait()
        return status if status >= 0 else 128 - status


def _found(word: str) -> str:
    """The file of the program *word*; raises :class:`ConfigurationError` where there is none."""
    found = shutil.which(word)
    if found is None:
        exists = os.sep in word and os.path.exists(word)
        why = os.strerror(errno.EACCES if exists else errno.ENOENT)
        raise ConfigurationError(f"'{escape(word)}': {why}")
    return found


def is_python(program: str) -> bool:
    """Whether the file *program* is a Python, or a script for one."""
    if _PYTHON.match(os.path.basename(program)):
        return True
    try:
        with open(program, "rb") as file:
            first = file.readline(_FIRST_LINE)
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first

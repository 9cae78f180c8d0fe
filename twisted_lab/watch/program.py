"""The program that is watched: started so that it tells its calls, and ended with.

Rule: it behaves as without us. It has our terminal, our standard streams and our process group;
signals that reach us alone are passed on, and those of the terminal reach it anyway.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from types import FrameType

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.events import Event, Note
from twisted_lab.watch.rings import Rings
from twisted_lab.watch.sockets import Sockets

#: What reaches the whole foreground group when a key is pressed: the program has it already.
_KEYS = (signal.SIGINT, signal.SIGQUIT)

#: What somebody sends to us, and means the program.
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class Program:
    """*words*, run and watched. *zero* is the monotonic ns where events begin.

    *capture* is how many bytes of each message are kept. Use as a context manager: what is ours
    is gone after it, and the program too if it still ran.
    """

    def __init__(
        self,
        words: Sequence[str],
        zero: int,
        capture: int,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.words = list(words)
        self.name = os.path.basename(self._script() or self.words[0])
        self._zero = zero
        self._folder = Path(tempfile.mkdtemp(prefix="socketlab-watch-"))
        self._rings = Rings(self._folder)
        self._sockets = Sockets(zero, self.name)
        self._environment = {
            **environment,
            "SOCKETLAB_WATCH": str(self._folder),
            "SOCKETLAB_CAPTURE": str(capture),
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(_hook()), environment.get("PYTHONPATH", "")))
            ),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        self._lost = 0

    def _script(self) -> str | None:
        """The script that a Python is given, for its name says more than ``python``."""
        if not os.path.basename(self.words[0]).startswith("python"):
            return None
        return next((word for word in self.words[1:] if not word.startswith("-")), None)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._rings.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it; raises :class:`ConfigurationError` when there is no such program."""
        for number in (*_KEYS, *_PASSED_ON):
            self._before[number] = signal.signal(number, self._heard)
        try:
            self._process = subprocess.Popen(
                self.words, env=self._environment, close_fds=False, restore_signals=True
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"'{escape(self.words[0])}': {why}") from None

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if number not in _KEYS and self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def events(self, *, all: bool = False) -> Iterator[Event]:
        """What it did since the last time, in the order of time; *all*: to the last."""
        for pid, record in self._rings.read(all=all):
            yield from self._sockets.events(pid, record)
        if self._rings.lost > self._lost:
            missed, self._lost = self._rings.lost - self._lost, self._rings.lost
            yield self.note(f"{missed} calls came too fast, and are not recorded")

    def ended(self) -> bool:
        """Whether it has ended."""
        assert self._process is not None
        return self._process.poll() is not None

    def last_events(self) -> Iterator[Event]:
        """After its end: what is left to be read, and what its end did."""
        while found := list(self.events(all=True)):
            yield from found
        yield from self._sockets.ended(self._now())
        for pid in self._rings.living:
            yield self.note(f"process {pid} goes on, and is watched no more")
        if not self._sockets.processes:
            yield self.note(
                f"nothing was seen: {escape(self.name)} is no Python, or was started with"
                " -I, -E or -S",
            )

    def _now(self) -> int:
        return time.monotonic_ns() - self._zero

    def note(self, text: str, kind: str = "watch", connection: str | None = None) -> Note:
        """*text*, to be said now of the program, or of one of its connections."""
        return Note(self._now(), self.name, kind, text, connection)

    @property
    def status(self) -> int:
        """Its exit status, 128 and the number of the signal that ended it."""
        assert self._process is not None
        status = self._process.wait()
        return status if status >= 0 else 128 - status


def _hook() -> Path:
    """The folder that goes before all others in the program's path."""
    return Path(str(resources.files("twisted_lab.watch") / "hook"))

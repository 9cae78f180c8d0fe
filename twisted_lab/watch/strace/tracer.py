"""strace(1) beside the program: started with it, read while it runs, and let go of.

The program is our child as it would be without strace (``-DD``); what strace writes comes through
a terminal of ours, so that a program that calls faster than we read waits, and nothing is lost.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from twisted_lab.dating import began
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.watch.order import InOrder
from twisted_lab.watch.records import Record
from twisted_lab.watch.strace.calls import TRACED, Calls
from twisted_lab.watch.strace.lines import Line, Lines
from twisted_lab.watch.strace.outlet import Outlet

#: Seconds without a line after which the stack of the last is whole.
_WHOLE = 0.05

#: ns for which the name of a connection is waited for: the next call on it has it.
_NAMELESS = 200_000_000

#: Seconds that what is left is waited for, once the program has ended.
_PATIENCE = 2.0


class Tracer:
    """Watches the program *words*; *capture* bytes of each message are kept.

    *stacks*: the place of each call is asked for, which takes its time.
    Raises :class:`ConfigurationError` where there is no strace.
    """

    def __init__(self, words: Sequence[str], capture: int, *, stacks: bool) -> None:
        strace = shutil.which("strace")
        if strace is None:
            raise ConfigurationError(
                f"'{escape(words[0])}' is no Python, and is watched through strace, which is not"
                " installed: apt-get install strace"
            )
        self._outlet = Outlet()
        self.words = [strace, *_options(capture, stacks), "-o", self._outlet.path, *words]
        self.environment: Mapping[str, str] = {}
        self._lines = Lines()
        self._calls = Calls(began(time.monotonic_ns), os.path.basename(words[0]))
        self._order = InOrder()

    def read(self, *, all: bool = False) -> list[tuple[int, Record]]:
        """What the program did since the last time, as (pid, record); *all*: to its end."""
        if all:
            self._outlet.wait(_PATIENCE)
        now = time.monotonic()
        found = self._records(self._lines.take(self._outlet.read()))
        if all or now - self._outlet.last > _WHOLE:
            found += self._records(self._lines.flush())
        return self._order.take(found, None if all else self._until(round(now * 1e9)))

    def _until(self, now: int) -> int:
        """The ns up to which all is known."""
        return min(now, self._calls.nameless(now - _NAMELESS) or now)

    def _records(self, lines: Iterable[Line]) -> list[tuple[int, Record]]:
        return [record for line in lines for record in self._calls.records(line)]

    @property
    def lost(self) -> int:
        """None: strace waits for us."""
        return 0

    @property
    def worked(self) -> bool:
        """Whether the program could be watched at all."""
        return self._calls.seen > 0

    @property
    def living(self) -> list[int]:
        """The processes that go on."""
        return self._calls.living

    def close(self) -> None:
        """Let go of what goes on; its calls are watched no more."""
        for pid in self.living:
            if (tracer := _tracer(pid)) and tracer != os.getpid():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(tracer, signal.SIGTERM)  # strace detaches, and ends
        self._outlet.wait(_PATIENCE)
        self._outlet.close()


def _options(capture: int, stacks: bool) -> list[str]:
    return [
        "-DD",
        "-f",
        *(["-k"] if stacks else []),
        "--seccomp-bpf",
        "--interruptible=waiting",
        "--signal=none",
        "--absolute-timestamps=format:unix,precision:ns",
        "--syscall-times=ns",
        "-yy",
        "-xx",
        "-s",
        str(max(1, capture)),
        "-e",
        f"trace={','.join(f'?{name}' for name in TRACED)}",
    ]


def _tracer(pid: int) -> int:
    """Who traces *pid*; 0 for nobody (proc(5), TracerPid)."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("TracerPid:"):
                return int(line.split()[1])
    return 0

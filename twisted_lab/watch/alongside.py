"""A program in Python watched alongside something else that starts it: for its mistakes alone."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted_lab.diagnosis import Evidence, Finding, diagnose
from twisted_lab.watch.hooked import Hooked
from twisted_lab.watch.sockets import Sockets

#: Seconds between two looks: a ring holds some 50,000 calls.
_STEP = 0.05

#: Bytes of each message that are kept: what a mistake is known by.
_CAPTURE = 256


class Alongside:
    """Start programs with its ``environment`` besides, and ask for their :meth:`findings`.

    Use as a context manager. What is not Python's is not seen, and has no findings.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="socketlab-watch-")
        self._source = Hooked(Path(self._folder.name), (), _CAPTURE, os.environ)
        self._sockets = Sockets(time.monotonic_ns(), "server")
        self._evidence = Evidence()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="alongside")

    @property
    def environment(self) -> Mapping[str, str]:
        """What the environment of a program needs besides."""
        return self._source.environment

    def __enter__(self) -> Alongside:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._source.close()
        self._folder.cleanup()

    def _look(self) -> None:
        while not self._over.wait(_STEP):
            self._take(all=False)

    def _take(self, *, all: bool) -> bool:
        records = self._source.read(all=all)
        for pid, record in records:
            for event in self._sockets.events(pid, record):
                self._evidence(event)
        return bool(records)

    def findings(self) -> Sequence[Finding]:
        """The mistakes of what was started, which has ended."""
        self._over.set()
        self._thread.join()
        while self._take(all=True):
            pass
        for event in self._sockets.ended(time.monotonic_ns()):
            self._evidence(event)
        return diagnose(self._evidence)

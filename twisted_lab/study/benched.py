"""A service of an experiment that the bench serves: ``socketlab serve run module:Name``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from twisted_lab.child import SOCKETLAB, Child
from twisted_lab.events import Event
from twisted_lab.playback import Run, open_recording, read_recording
from twisted_lab.study.seen import Ended

#: Bytes of each message that are kept: a page, or a mail.
_CAPTURE = "4KiB"


class Bench:
    """Serves *service*, ``module:Name`` in *folder*; *epoch* is when its events' ns is 0.

    It is the ns since 1970. Raises :class:`~twisted_lab.errors.CannotServe`.
    """

    def __init__(self, service: str, folder: Path, epoch: int) -> None:
        #: What it is called: the Name.
        self.name = service.partition(":")[2]
        self._service = service
        self._epoch = epoch
        own = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=folder))
        self._recording = own / "recording.jsonl"
        options = ("--port", "0", "--no-page", "--capture", _CAPTURE)
        record = ("--record", str(self._recording))
        words = (*SOCKETLAB, "serve", *options, *record, "run", service)
        self._child = Child(words, own, cwd=folder)
        self._child.wait_until_serving()

    @property
    def port(self) -> int:
        """Where it listens, at 127.0.0.1."""
        return int(self._child.announced()[0][2].rpartition(":")[2])

    def ended(self) -> Ended:
        """What it recorded; it is stopped if it was not."""
        self._child.kill()
        said = f"socketlab serve run {self._service}"
        return Ended(self.name, tuple(self._events()), (), (), 0, said)

    def _events(self) -> Iterator[Event]:
        by = 0
        with open_recording(str(self._recording)) as lines:
            for one in read_recording(lines, "the recording"):
                if isinstance(one, Run):
                    by = one.epoch - self._epoch
                else:
                    yield replace(one, ns=one.ns + by)

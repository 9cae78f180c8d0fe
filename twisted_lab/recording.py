"""A recording: every event in a file, whole to its last; as JSON lines, or in another form.

The first line is a header. A disk that is full costs events, counted and noted in the recording
once it can be written again; it never costs a connection, and no line is ever cut in two.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted_lab import __version__, jsonlines
from twisted_lab.dating import began
from twisted_lab.events import Event, Note
from twisted_lab.interfaces import Clock, Form
from twisted_lab.linefile import PRIVATE, LineFile, whole_lines
from twisted_lab.publishing import Publisher

#: Bytes kept while the file cannot be written; what comes on top is lost, and counted.
QUEUE = 2**20

#: Bytes gathered before they are written, and seconds they wait at most.
_BATCH = 2**16
_WAIT = 0.2

#: The recording's format, in its header.
FORMAT = 1


class JsonLines:
    """Events as JSON lines; a :class:`~twisted_lab.interfaces.Form`.

    *wall* dates the header, in ns since 1970.
    """

    def __init__(self, publisher: Publisher, wall: Callable[[], int] = time.time_ns) -> None:
        self._publisher = publisher
        self._wall = wall

    def begin(self) -> bytes:
        """The header: what the file is, since when, and how much of each message it keeps."""
        ns = self._publisher.now()
        started = datetime.fromtimestamp((began(self._publisher.now, self._wall) + ns) / 1e9, UTC)
        return jsonlines.line(
            {
                "socketlab": FORMAT,
                "version": __version__,
                "started": started.isoformat(),
                "ns": ns,
                "capture": self._publisher.capture,
            }
        )

    def of(self, event: Event) -> bytes:
        """One line."""
        return jsonlines.line(event)

    def whole(self, data: bytes, length: int) -> int:
        """The whole lines."""
        return whole_lines(data, length)


class Recorder:
    """Writes every event it is given to *path*; an :class:`~twisted_lab.interfaces.Observer`.

    *form* is how they stand there. Raises :class:`ConfigurationError` when *path* cannot be opened.
    """

    def __init__(
        self,
        path: str,
        clock: Clock,
        publisher: Publisher,
        form: Form,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        self.path = path
        self.lost = 0
        self._clock = clock
        self._publisher = publisher
        self._form = form
        self._queue = bytearray()
        self._alarm: Any = None
        self._noted = 0
        self._closed = False
        self._stuck = False  # what could not be written is tried again by the alarm alone
        self._begun = False
        self._file = LineFile(path, PRIVATE, write=write, whole=form.whole)

    def __call__(self, event: Event) -> None:
        """Take *event*; it is in the file within a fifth of a second."""
        if self._closed:
            return
        if not self._begun:  # a start that fails before anything happened leaves no trace
            self._begun = True
            self._queue += self._form.begin()
            self._flush()
        if len(self._queue) >= QUEUE:
            self.lost += 1
            self._wait()
            return
        if self.lost > self._noted:
            self._note_losses(event)
        self._queue += self._form.of(event)
        if len(self._queue) >= _BATCH and not self._stuck:
            self._flush()
        else:
            self._wait()

    def _note_losses(self, event: Event) -> None:
        count = self.lost - self._noted
        self._noted = self.lost
        self._queue += self._form.of(
            Note(event.ns, event.service, "recording", f"{count} events lost: file not writable")
        )

    def _wait(self) -> None:
        if self._alarm is None:
            self._alarm = self._clock.callLater(_WAIT, self._rang)

    def _rang(self) -> None:
        self._alarm = None
        self._flush()

    def _flush(self) -> None:
        try:
            while self._queue:
                taken = self._file.append(bytes(self._queue))
                del self._queue[:taken]
                if not taken:
                    break  # not even one line had room
        except OSError:
            pass  # full, or a pipe nobody reads
        self._stuck = bool(self._queue)
        if self._stuck:
            self._wait()

    def reopen(self) -> None:
        """Go on in a new file of the same name (after a rotation), under a header of its own."""
        self._flush()
        if self._file.reopen() and self._begun:
            self._queue[:0] = self._form.begin()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self.lost > self._noted:
            self._note_losses(Event(self._publisher.now(), "socketlab"))
        self._flush()
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._file.close()

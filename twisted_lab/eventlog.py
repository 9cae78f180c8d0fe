"""The log: events as lines, at most one a second for each kind of event, with a count.

A log that writes a line for whatever a peer does is an amplifier (15 MB/s of traceback were
measured for forged datagrams of 29 bytes). So: the first event of a kind in a second is a line;
the others are counted, not even built, and the count is said. What a peer chose is escaped.
"""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted_lab import jsonlines
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.interfaces import Clock
from twisted_lab.linefile import LineFile
from twisted_lab.publishing import Publisher

#: What is worth a line. What comes once a message, and the flow of it, is for recordings.
KINDS = ("listening not-listening accepted refused tls note closed datagram-dropped fault").split()

#: What we do ourselves, a few times in a run: a line each.
_OURS = frozenset({"listening", "not-listening"})

#: Seconds for which one kind of event has one line.
_QUIET = 1.0

#: Five files of 10 MB, the current one among them: 50 MB on disk, however long it runs.
ROTATE_BYTES = 10_000_000
ROTATED_KEPT = 4

_TOO_DETAILED = frozenset({"ns", "data", "tcp_info"})


def fields_of(event: Event) -> dict[str, Any]:
    """What a line says of *event*: its fields that say something, peer's words escaped."""
    said: dict[str, Any] = {"event": event.event}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name not in _TOO_DETAILED and value is not None and value != "":
            said[field.name] = escape(value) if isinstance(value, str) else value
    return said


def text_line(said: dict[str, Any], when: datetime | None) -> str:
    """``2026-01-02T03:04:05+00:00 echo closed connection=c1 reason=idle``; no date when None."""
    rest = dict(said)
    start = [when.isoformat(timespec="seconds")] if when else []
    start += [rest.pop(name) for name in ("service", "event") if name in rest]
    return " ".join([*start, *(f"{name}={_quoted(value)}" for name, value in rest.items())])


def _quoted(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '\\"') + '"' if " " in text or '"' in text else text


def json_line(said: dict[str, Any], when: datetime | None) -> str:
    """The same as one JSON object with its ``time``."""
    dated = {"time": when.isoformat(timespec="milliseconds")} if when else {}
    return jsonlines.line(dated | said).decode("ascii").rstrip("\n")


class Log:
    """Turns events into lines and gives them to *write*; an observer of :data:`KINDS`.

    *format* is :func:`text_line` or :func:`json_line`; *now* dates a line, or is None where
    *write* dates it itself. A *write* that raises OSError (a full disk) loses the line:
    ``lost`` counts them. Once a kind has had its line the publisher spares us its events for a
    second; the line after says how many there were (``and_more``).
    """

    def __init__(
        self,
        write: Callable[[str], object],
        clock: Clock,
        publisher: Publisher,
        format: Callable[[dict[str, Any], datetime | None], str] = text_line,
        now: Callable[[], datetime] | None = lambda: datetime.now(UTC),
    ) -> None:
        self.lost = 0
        self._lost_said = 0
        self._write = write
        self._clock = clock
        self._publisher = publisher
        self._format = format
        self._now = now
        self._said: dict[str, int] = {}  # by kind: the publisher's count at its last line
        self._alarms: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        """Say *event*, and nothing more of its kind for a second."""
        kind = event.event
        more = self._unsaid(kind) - getattr(event, "count", 1)
        self._say(fields_of(event) | ({"and_more": more} if more > 0 else {}))
        self._said[kind] = self._publisher.tally[kind]
        if kind not in _OURS:
            self._be_quiet(kind)

    def _unsaid(self, kind: str) -> int:
        return self._publisher.tally[kind] - self._said.get(kind, 0)

    def _be_quiet(self, kind: str) -> None:
        self._publisher.mute(self, kind)
        self._set(kind, self._listen_again)

    def _listen_again(self, kind: str) -> None:
        del self._alarms[kind]
        self._publisher.unmute(self, kind)
        if self._unsaid(kind):
            self._set(kind, self._rang_for_count)

    def _rang_for_count(self, kind: str) -> None:
        """No event came to carry the count, so it is a line of its own."""
        del self._alarms[kind]
        self._say_count(kind)
        self._be_quiet(kind)

    def _say_count(self, kind: str) -> None:
        if more := self._unsaid(kind):
            self._say({"event": kind, "and_more": more})
            self._said[kind] = self._publisher.tally[kind]

    def _set(self, kind: str, then: Callable[[str], None]) -> None:
        if (alarm := self._alarms.pop(kind, None)) is not None:
            alarm.cancel()
        self._alarms[kind] = self._clock.callLater(_QUIET, then, kind)

    def _say(self, said: dict[str, Any]) -> None:
        try:
            if unsaid := self.lost - self._lost_said:
                self._write_line({"event": "note", "kind": "log", "text": f"{unsaid} lines lost"})
                self._lost_said = self.lost
            self._write_line(said)
        except OSError:
            self.lost += 1

    def _write_line(self, said: dict[str, Any]) -> None:
        self._write(self._format(said, self._now and self._now()))

    def close(self) -> None:
        """Say what was only counted so far."""
        for kind, alarm in list(self._alarms.items()):
            alarm.cancel()
            self._say_count(kind)
        self._alarms.clear()


class LogFile:
    """A log file of ours at *path*: rotated, 0640; ``write`` takes one line.

    Raises :class:`ConfigurationError` that names the path when it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._file = LineFile(path, 0o640, rotate_bytes=ROTATE_BYTES, kept=ROTATED_KEPT)
        self.reopen = self._file.reopen
        self.close = self._file.close

    def write(self, text: str) -> None:
        """Append *text* as one line, at once; raises OSError when there is no room for it."""
        if not self._file.append(text.encode("utf-8", "backslashreplace") + b"\n"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

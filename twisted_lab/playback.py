"""A recording read again: its runs and their events, or the line that is none of a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from twisted_lab import jsonlines
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.outfile import cannot
from twisted_lab.recording import FORMAT

#: Bytes of a line at most: what is longer was never a line of a recording.
_LONGEST = 2**27

#: The ns since 1970 before which a run began: of the year 2262, when 63 bits are full.
_LATEST = 2**63


@dataclass(frozen=True, slots=True)
class Run:
    """The header of a run: *started* is when its events' ns was 0."""

    version: str
    started: datetime
    #: The same in nanoseconds since 1970.
    epoch: int


def open_recording(name: str) -> BinaryIO:
    """The file *name*; raises :class:`ConfigurationError`."""
    try:
        return open(name, "rb")
    except OSError as problem:
        raise cannot("read", name, problem) from None


def read_recording(lines: BinaryIO, name: str) -> Iterator[Run | Event]:
    """Each run's header, and after it its events.

    Raises :class:`ConfigurationError` that names the file *name* and the line that is none.
    """
    begun = False
    for number, said in _read(lines, name):
        if "socketlab" in said:
            begun = True
            yield _run(said, name, number)
        elif not begun:
            raise _wrong(name, number, "a recording begins with its header")
        else:
            yield _event(said, name, number)
    if not begun:
        raise ConfigurationError(f"'{escape(name)}' is empty: nothing was recorded")


def _read(lines: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    while line := lines.readline(_LONGEST):
        number += 1
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise _wrong(name, number, "this is no line of a recording")
        yield number, said


def _run(said: dict[str, Any], name: str, number: int) -> Run:
    if said["socketlab"] != FORMAT:
        asked = escape(str(said["socketlab"]))
        raise _wrong(name, number, f"format {asked}, and this socketlab reads {FORMAT}")
    try:
        started = datetime.fromisoformat(said["started"])
        epoch = nanoseconds(started) - int(said["ns"])
        if not 0 <= epoch < _LATEST:
            raise ValueError(epoch)
        return Run(str(said.get("version", "?")), started, epoch)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _wrong(name, number, "this header does not say when it started") from None


def _event(said: dict[str, Any], name: str, number: int) -> Any:
    try:
        return jsonlines.read_event(said)
    except (KeyError, TypeError, ValueError):
        raise _wrong(name, number, "this is no event that this socketlab knows") from None


def _wrong(name: str, number: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"{escape(name)}, line {number}: {what}")


def nanoseconds(date: datetime) -> int:
    """*date* as nanoseconds since 1970; it has microseconds."""
    return round(date.timestamp() * 1e6) * 1000

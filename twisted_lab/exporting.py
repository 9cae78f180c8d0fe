"""A recording as a file that other programs open."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from twisted_lab import jsonlines
from twisted_lab.capturing import PcapngForm
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.recording import FORMAT

#: Bytes of a line at most: what is longer was never a line of a recording.
_LONGEST = 2**27


def export_pcapng(recording: str, target: str) -> None:
    """Write the events of the file *recording* as packets to *target*, or to stdout for ``-``.

    *target* appears when it is whole. Raises :class:`ConfigurationError` that names the file, and
    the line that is none of a recording.
    """
    try:
        lines = open(recording, "rb")  # noqa: SIM115 - closed by the with below
    except OSError as problem:
        raise _cannot("read", recording, problem) from None
    with lines:
        try:
            _write(_blocks(lines, recording), target)
        except OSError as problem:
            raise _cannot("write", target, problem) from None


def _cannot(verb: str, name: str, problem: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot {verb} '{escape(name)}': {problem.strerror or escape(str(problem))}"
    )


def _write(blocks: Iterable[bytes], target: str) -> None:
    if target == "-":
        with open(1, "wb", closefd=False) as stdout:
            stdout.writelines(blocks)
        return
    folder, name = os.path.split(os.path.abspath(target))
    fd, new = tempfile.mkstemp(prefix=f"{name}.", dir=folder)  # nobody else's, as a recording is
    try:
        with open(fd, "wb") as file:
            file.writelines(blocks)
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise


def _blocks(lines: Any, name: str) -> Iterator[bytes]:
    form = None
    for number, said in _read(lines, name):
        if "socketlab" in said:
            form = _begun(said, name, number)
            yield form.begin()
        elif form is None:
            raise _wrong(name, number, "a recording begins with its header")
        else:
            yield form.of(_event(said, name, number))
    if form is None:
        raise ConfigurationError(f"'{escape(name)}' is empty: nothing was recorded")


def _read(lines: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    while line := lines.readline(_LONGEST):
        number += 1
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise _wrong(name, number, "this is no line of a recording")
        yield number, said


def _begun(said: dict[str, Any], name: str, number: int) -> PcapngForm:
    if said["socketlab"] != FORMAT:
        asked = escape(str(said["socketlab"]))
        raise _wrong(name, number, f"format {asked}, and this socketlab reads {FORMAT}")
    try:
        started = datetime.fromisoformat(said["started"])
        return PcapngForm(nanoseconds(started) - int(said["ns"]))
    except (KeyError, TypeError, ValueError):
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

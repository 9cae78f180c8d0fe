"""Programs watched by ``socketlab watch``, as a person runs it, and what was recorded of them."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import SOCKETLAB, Ended, run
from twisted_lab.diagnosis import Evidence, Finding, diagnose
from twisted_lab.events import Event
from twisted_lab.playback import Run, read_recording

FOLDER = Path(__file__).parents[1] / "watched"


@dataclass(frozen=True, slots=True)
class Watched:
    """How it ended, and the events that were recorded; *epoch* is their ns 0, in ns since 1970."""

    ended: Ended
    events: list[Event] = field(default_factory=list)
    epoch: int = 0

    @property
    def findings(self) -> list[Finding]:
        """What the recording proves."""
        return diagnose(Evidence(self.events))


def watched(*program: str, options: tuple[str, ...] = ("--quiet",)) -> Watched:
    """``socketlab watch OPTIONS -- PROGRAM``, with a recording."""
    with tempfile.TemporaryDirectory(prefix="socketlab-test-") as folder:
        file = os.path.join(folder, "run.jsonl")
        words = (*SOCKETLAB, "watch", *options, "--record", file, "--", *program)
        ended = run("env", f"PYTHONPATH={FOLDER}", *words)
        if not os.path.exists(file):
            return Watched(ended)
        with open(file, "rb") as lines:
            (header, *recorded) = read_recording(lines, file)
    assert isinstance(header, Run)
    return Watched(ended, [one for one in recorded if isinstance(one, Event)], header.epoch)


def watched_file(file: Path, *arguments: str) -> Watched:
    """The same of a program in Python."""
    return watched(sys.executable, str(file), *arguments)

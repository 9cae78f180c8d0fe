"""A Containerfile, read: its instructions, each with its arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "contrib" / "Containerfile"


def instructions(name: str) -> list[str]:
    """What follows each instruction called *name*, in order."""
    return re.findall(rf"^{name} (.+)$", PATH.read_text(), re.MULTILINE)


def words(name: str) -> list[Any]:
    """The JSON list of the one instruction called *name*."""
    (found,) = instructions(name)
    listed: list[Any] = json.loads(found[found.index("[") :])
    return listed


def health_check() -> str:
    """The Python text of HEALTHCHECK."""
    program, option, text = words("HEALTHCHECK")
    assert (program, option) == ("python", "-c")
    return str(text)

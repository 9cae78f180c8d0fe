"""The mends: where in small servers without a bug the lines stand that keep it away.

Rule: what is shown as a mend is cut from a server of ``servers/`` that a test checks whole. There
the lines stand between ``# [replies-lost]`` and ``# [/replies-lost]``.
"""

from __future__ import annotations

import re
import textwrap
from importlib import resources
from importlib.resources.abc import Traversable

#: The folders' names, and what people call them.
FRAMEWORKS = {"twisted": "Twisted", "asyncio": "asyncio", "plain": "plain Python"}


def servers(framework: str) -> list[Traversable]:
    """The servers of *framework*, by name."""
    folder = resources.files(__package__) / "servers" / framework
    found = [file for file in folder.iterdir() if file.name.endswith(".py")]
    return sorted(found, key=lambda file: file.name)


def mend_of(bug: str, framework: str) -> str | None:
    """The lines that keep *bug* away in *framework*, a key of :data:`FRAMEWORKS`, if any.

    One bug may be kept away at several places, of one server or of several.
    """
    files = ((file.name, cut_from(file.read_text("utf-8"), bug)) for file in servers(framework))
    mends = [f"# {framework}/{name}\n{cut}" for name, cut in files if cut]
    return "\n".join(mends) if mends else None


def cut_from(text: str, bug: str) -> str:
    """What stands between the marks of *bug*, other marks left out; each place by itself."""
    places: list[str] = []
    inside = False
    for line in text.splitlines():
        mark = line.strip()
        if mark == f"# [{bug}]":
            inside = True
            places.append("")
        elif mark == f"# [/{bug}]":
            inside = False
        elif inside and not mark.startswith("# ["):
            places[-1] += line + "\n"
    return "\n# …\n\n".join(map(_alone, places))


def _alone(place: str) -> str:
    """*place* as it looks by itself; blank lines around marks are one."""
    return re.sub(r"\n{3,}", "\n\n", textwrap.dedent(place).strip("\n")) + "\n"

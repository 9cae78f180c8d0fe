"""The mends: where in small servers without a bug the lines stand that keep it away.

Rule: what is shown as a mend is cut from a server of ``servers/`` that a test checks whole. There
the lines stand between ``# [replies-lost]`` and ``# [/replies-lost]``.
"""

from __future__ import annotations

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
    """The lines that keep *bug* away in *framework*, a key of :data:`FRAMEWORKS`, if any."""
    for file in servers(framework):
        if cut := _marked(file.read_text("utf-8"), bug):
            return f"# {framework}/{file.name}\n{cut}"
    return None


def _marked(text: str, bug: str) -> str:
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
        elif inside and not mark.startswith(("# [", "# [/")):
            places[-1] += line + "\n"
    cut = (textwrap.dedent(place).strip("\n") for place in places)
    return "\n\n# …\n\n".join(cut) + "\n" * bool(places)

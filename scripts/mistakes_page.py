"""Writes docs/mistakes.md: every mistake that a watched program can be told. ::

    python -m scripts.mistakes_page

A test holds the page against the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from twisted_lab.diagnosis import ALL

PAGE = Path(__file__).parents[1] / "docs" / "mistakes.md"

_HEAD = """\
# The mistakes that `socketlab watch` names

Each is proved by the calls of one run, never guessed: a program that is right is told nothing,
though it may do what is usual in a wrong one. `socketlab watch -- PROGRAM` tells them at the end,
with the line, what was seen, why it matters and the mend; they stand in recordings, pictures and on
the page, too. For each there is a wrong program in `tests/watched/wrong/`; those of
`tests/watched/right/` are told nothing.

*This page is made by `python -m scripts.mistakes_page`.*
"""


def text() -> str:
    """The page."""
    return "\n".join((_HEAD, *(line for one in ALL for line in _section(one)))).rstrip() + "\n"


def _section(one: object) -> Iterator[str]:
    mistake = one.MISTAKE  # type: ignore[attr-defined]
    yield f"## {mistake.name}\n"
    yield f"*{mistake.title}*\n"
    yield f"**Told when:** {_when(one)}\n"
    yield f"**Why it matters.** {mistake.why}\n"
    yield f"**The mend.** {mistake.mend}\n"


def _when(one: object) -> str:
    return " ".join((one.find.__doc__ or "").split())  # type: ignore[attr-defined]


if __name__ == "__main__":
    PAGE.write_text(text())

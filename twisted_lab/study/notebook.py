"""The study as a lab notebook in Markdown, its pictures in files beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from twisted_lab import __version__
from twisted_lab.diagram.drawing import style
from twisted_lab.escaping import escape
from twisted_lab.study.running import Outcome

_MARKS = {True: "", False: "**not as was to be shown:** "}

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|])")


def notebook(outcomes: Sequence[Outcome], when: str, name: str) -> tuple[str, dict[str, str]]:
    """The Markdown of *outcomes*, run *when*, and its pictures by their file names.

    *name* is that of its own file: the pictures' begin with it.
    """
    stem = os.path.splitext(name)[0] or "notebook"
    pictures: dict[str, str] = {}
    lines = [
        "# A study of socket programming",
        "",
        f"Run on {when} by socketlab {__version__}.",
        "",
    ]
    for outcome in outcomes:
        lines += _section(outcome, stem, pictures)
    return "\n".join(lines), pictures


def _section(outcome: Outcome, stem: str, pictures: dict[str, str]) -> Iterator[str]:
    one = outcome.experiment
    yield f"## {one.number}. {_safe(one.title)}"
    yield from _part("Aim", [_safe(one.aim)])
    yield from _part("What is asked", [f"- {_safe(asked)}" for asked in one.asked])
    for program in one.programs:
        yield from _part(program.file, _fenced(program.source, "python"))
    for program in one.twisted.values():
        yield from _part(f"The same in Twisted: {program.file}", _fenced(program.source, "python"))
    yield "### What happened"
    yield ""
    for ended in outcome.seen:
        if ended.output:
            said = "\n".join(escape(line, 200) for line in ended.output)
            yield f"{_safe(ended.title)} printed:"
            yield ""
            yield from _fenced(said, "text")
            yield ""
    for number, picture in enumerate(outcome.pictures, 1):
        file = f"{stem}-{one.name}-{number}.svg"
        pictures[file] = alone(picture.wide)
        yield f"![{_safe(escape(picture.caption, 200))}]({file})"
        yield ""
    yield from _part(
        "Observations",
        [
            f"- {_MARKS[seen.holds]}{_safe(escape(seen.says, 1000))}"
            for seen in outcome.observations
        ],
    )
    yield from _part("Result", [_safe(outcome.result)])
    tasks = [
        f"{n}. {_safe(task.change)} {_safe(task.question)}" for n, task in enumerate(one.tasks, 1)
    ]
    yield from _part("Try it yourself", tasks)


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield from lines
    yield ""


def _fenced(text: str, language: str) -> list[str]:
    """*text* as it is, whatever backticks are in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}{language}", text.rstrip("\n"), fence]


def _safe(said: str) -> str:
    """*said* as text of Markdown, nothing in it acting."""
    return _SPECIAL.sub(r"\\\1", said)


def alone(svg: str) -> str:
    """A picture that stood in a page, with the style that it needs alone."""
    return svg.replace("</desc>", f"</desc><style>{style()}</style>", 1)

"""An outcome as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from twisted_lab.escaping import escape
from twisted_lab.explaining import explain, span
from twisted_lab.explaining_calls import shown
from twisted_lab.study.drawing import drawn
from twisted_lab.study.running import Outcome

#: Columns of a line.
_WIDE = 96

#: Calls told at most.
_MOST = 60


def told(outcome: Outcome) -> Iterator[str]:
    """All of it but the pictures."""
    one = outcome.experiment
    yield f"{one.number}. {one.title}"
    yield ""
    yield from _part("Aim", [one.aim])
    yield from _part("What is asked", one.asked, "- ")
    for program in (*one.programs, *one.twisted.values()):
        instead = ", the same in Twisted" if program.twisted else ""
        yield f"{program.file}{instead}"
        for number, line in enumerate(program.source.splitlines(), 1):
            yield f"  {number:3}  {line}".rstrip()
        yield ""
    yield "What happened"
    yield from _happened(outcome)
    yield ""
    yield "Observations"
    for observed in outcome.observations:
        mark = "ok " if observed.holds else "NOT"
        yield from _wrapped(f"{mark} {escape(observed.says, 1000)}", "  ", "      ")
    yield ""
    yield from _part("Result", [outcome.result])
    yield from _part(
        "Try it yourself", [f"{task.change} {task.question}" for task in one.tasks], "- "
    )
    if one.exercise is not None:
        yield from _part("Exercise", [one.exercise.task])
        yield f"  socketlab study {one.name} --grade FILE"
    yield f"  socketlab study {one.name} --html FILE      with pictures"
    yield f"  socketlab study {one.name} --save FOLDER    the programs as files"


def _part(title: str, said: Iterable[str], mark: str = "") -> Iterator[str]:
    yield title
    for one in said:
        yield from _wrapped(mark + one, "  ", "  " + " " * len(mark))
    yield ""


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(text, _WIDE, initial_indent=first, subsequent_indent=others)


def _happened(outcome: Outcome) -> Iterator[str]:
    """The calls of all programs in the order of time, and what was printed."""
    events = sorted(
        ((event, ended.title) for ended in outcome.seen for event in drawn(ended)),
        key=lambda pair: pair[0].ns,
    )
    for event, title in events[:_MOST]:
        call = event.call
        place = title if call is None or call.line is None else f"{title}:{call.line}"
        said = explain(event).says if call is None else shown(call)
        yield f"  {span(event.ns - events[0][0].ns, 4):>9}  {place:14}  {said}"
    if len(events) > _MOST:
        yield f"  … {len(events) - _MOST} more calls"
    for ended in outcome.seen:
        for line in ended.output:
            yield f"  {ended.title} printed: {escape(line, 200)}"

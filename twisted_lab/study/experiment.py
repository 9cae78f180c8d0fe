"""What an experiment is, and where they are.

An experiment is a module of ``experiments/``. Its docstring is the title, and it has:

========== ====================================================================================
AIM        what it is for, in a sentence
ASKED      what is asked, a question each
functions  ``server()``, ``client()`` and others: each body is a program (``program.py``)
PROGRAMS   those functions; their names are their parts
TWISTED    the same with Protocol and Factory: functions by the part that each takes
FILES      files that the programs need, by name; or a function that makes them
play       runs the programs on a :class:`~twisted_lab.study.stage.Stage`; mostly a server, then
           its client
observe    :class:`Observation` values, computed from what was recorded
compare    the same of the run with Twisted's; mostly that the others printed the same
pictures   what is drawn; mostly both ends of the client's conversation
RESULT     what follows when every observation holds
TRY        :class:`Task` values: what to change, and a question each
EXERCISE   where a task can be graded: :class:`Exercise`
========== ====================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.study import experiments
from twisted_lab.study.drawing import Picture, plain_pictures
from twisted_lab.study.program import Program, program_of
from twisted_lab.study.seen import Ended, Seen
from twisted_lab.study.stage import Stage, plain_play

_PORT = re.compile(r"port \d+")


@dataclass(frozen=True, slots=True)
class Observation:
    """*says* what the recording shows; *holds*: it is what the experiment is to show."""

    holds: bool
    says: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something to try: *change* it, and answer the *question*."""

    change: str
    question: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """A task whose answer is a server, which takes its port as its argument: *task* says which.

    ``socketlab check`` asks of it the cases *only* (globs) of *profile*, over *transport*: one that
    is built in, or a file's text. Mistakes *aside* are told, and count for nothing: that a server
    takes one client at a time is no mistake where nobody asks for more.
    """

    task: str
    profile: str
    only: tuple[str, ...]
    transport: str = "tcp"
    aside: tuple[str, ...] = ("starved",)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One of them; the module's docstring says what each part is."""

    number: int
    name: str
    title: str
    aim: str
    asked: tuple[str, ...]
    programs: tuple[Program, ...]
    twisted: Mapping[str, Program]
    files: Callable[[], Mapping[str, bytes]]
    play: Callable[[Stage], None]
    observe: Callable[[Seen], Iterable[Observation]]
    compare: Callable[[Seen, Seen], Iterable[Observation]]
    pictures: Callable[[Seen], Iterable[Picture]]
    result: str
    tasks: tuple[Task, ...]
    exercise: Exercise | None

    def saved(self) -> dict[str, bytes]:
        """Its programs as files, and what they need besides."""
        found = {one.file: one.source.encode() for one in self.programs}
        found |= {
            f"{name}_in_twisted.py": one.source.encode() for name, one in self.twisted.items()
        }
        return {**found, **self.files()}


def names() -> Sequence[str]:
    """The experiments, in the order of the study."""
    return experiments.NAMES


def experiment(name: str) -> Experiment:
    """The one called *name*, or with that number; raises :class:`ConfigurationError`."""
    known = names()
    if name.isdecimal() and 1 <= int(name) <= len(known):
        name = known[int(name) - 1]
    if name not in known:
        raise ConfigurationError(f"no experiment '{escape(name)}'; there are: {', '.join(known)}")
    module = import_module(f"{experiments.__name__}.{name.replace('-', '_')}")
    return _experiment(known.index(name) + 1, name, module)


def _experiment(number: int, name: str, module: Any) -> Experiment:
    def given(what: str, default: Any = None) -> Any:
        return getattr(module, what, default)

    files = given("FILES", {})
    twisted = {
        part: Program(part, program_of(function).source, twisted=True)
        for part, function in given("TWISTED", {}).items()
    }
    assert module.__doc__ is not None
    return Experiment(
        number,
        name,
        module.__doc__.strip().splitlines()[0].rstrip("."),
        module.AIM,
        module.ASKED,
        tuple(map(program_of, module.PROGRAMS)),
        twisted,
        files if callable(files) else lambda: files,
        given("play", plain_play),
        module.observe,
        given("compare", partial(same_output, tuple(twisted))),
        given("pictures", plain_pictures),
        module.RESULT,
        module.TRY,
        given("EXERCISE"),
    )


def same_output(replaced: Sequence[str], plain: Seen, twisted: Seen) -> Iterable[Observation]:
    """Whether the programs that were not *replaced* printed the same with Twisted's."""
    for one in plain:
        if one.name in replaced:
            continue
        again = twisted.get(one.name)
        if again is None:
            yield Observation(False, f"with Twisted's program {one.name}.py did not run")
        elif _portless(again) == _portless(one):
            lines = f"{len(one.output)} line{'s' if len(one.output) != 1 else ''}"
            yield Observation(
                True, f"{one.name}.py, unchanged, printed the same {lines} with Twisted's program"
            )
        else:
            said = " / ".join(again.output) or "nothing"
            yield Observation(
                False, f"with Twisted's program {one.name}.py printed something else: {said}"
            )


def _portless(ended: Ended) -> list[str]:
    """Its output without the ports, which are others each time."""
    return [_PORT.sub("port", line) for line in ended.output]

"""One run of an experiment, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from twisted_lab.errors import SocketlabError
from twisted_lab.events import Note
from twisted_lab.study.drawing import Picture
from twisted_lab.study.experiment import Experiment, Observation
from twisted_lab.study.program import Program
from twisted_lab.study.seen import Seen
from twisted_lab.study.stage import PATIENCE, Stage, Stalled

#: What a program of Twisted's is run by, for each reactor.
REACTORS = {"epoll": (), "lean": ("-m", "twisted_lab.study.under_lean")}

#: What is raised where something is asked of a recording that is not in it.
_LACKING = (LookupError, ValueError, AttributeError)

#: Lines of a program's errors that are told.
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of *experiment*: *seen* by the plain programs, *twisted* with Twisted's.

    *reactor* is what those ran on.
    """

    experiment: Experiment
    seen: Seen
    twisted: Seen
    observations: tuple[Observation, ...]
    pictures: tuple[Picture, ...]
    reactor: str = "epoll"

    @property
    def holds(self) -> bool:
        """Whether every observation does."""
        return all(one.holds for one in self.observations)

    @property
    def result(self) -> str:
        """What follows from the observations."""
        if self.holds:
            return self.experiment.result
        failed = [one for one in self.observations if not one.holds]
        return (
            f"This run does not show it: {len(failed)} of {len(self.observations)} observations"
            " are not what was to be shown."
        )


def run(
    experiment: Experiment,
    reactor: str = "epoll",
    instead: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Outcome:
    """Run *experiment*, with Twisted's programs on *reactor*; *instead* has other sources by part.

    Nothing is raised for what a program does: it is observed.
    """
    programs = {one.name: one for one in experiment.programs}
    for part, source in (instead or {}).items():
        programs[part] = replace(programs[part], source=source)
    seen, observed = _play(experiment, programs, (), patience)
    observed += _looked(lambda: experiment.observe(seen))
    twisted = Seen({})
    if experiment.twisted:
        before = REACTORS[reactor]
        twisted, said = _play(experiment, {**programs, **experiment.twisted}, before, patience)
        observed += said + _looked(lambda: experiment.compare(seen, twisted))
    pictures: tuple[Picture, ...] = ()
    try:
        pictures = tuple(experiment.pictures(seen))
    except _LACKING:
        observed.append(Observation(False, "there is too little to draw"))
    return Outcome(experiment, seen, twisted, tuple(observed), pictures, reactor)


def _play(
    experiment: Experiment,
    programs: Mapping[str, Program],
    before: Iterable[str],
    patience: float,
) -> tuple[Seen, list[Observation]]:
    observed = []
    with Stage(programs, experiment.files(), tuple(before), patience) as stage:
        try:
            experiment.play(stage)
        except (Stalled, SocketlabError) as problem:
            observed.append(Observation(False, str(problem)))
    for one in stage.seen:
        if one.status > 0:
            last = " / ".join(one.errors[-_TOLD:]) or "without a word"
            observed.append(Observation(False, f"{one.name}.py ended with {one.status}: {last}"))
        notes = (note for note in one.events if isinstance(note, Note) and note.kind == "watch")
        observed += [Observation(False, f"of {one.title} {note.text}") for note in notes]
    return stage.seen, observed


def _looked(observe: Callable[[], Iterable[Observation]]) -> list[Observation]:
    """What *observe* finds, as far as it comes with what there is."""
    found: list[Observation] = []
    try:
        found += observe()
    except _LACKING as error:
        found.append(
            Observation(False, f"the recording lacks what more is asked about ({error!r})")
        )
    return found

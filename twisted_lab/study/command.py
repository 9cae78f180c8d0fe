"""The command ``socketlab study``: from its arguments to its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime

from twisted_lab.command_line import run_command
from twisted_lab.outfile import cannot, write_file
from twisted_lab.study.experiment import Experiment, experiment, names
from twisted_lab.study.options import StudyOptions
from twisted_lab.study.running import Outcome, run
from twisted_lab.study.telling import told


def study(arguments: Sequence[str]) -> int:
    """Run experiments, and say what was observed: 0 where all of it was to be shown, else 1.

    2: wrong usage; 130: interrupted.
    """
    try:
        return run_command("study", StudyOptions(), arguments, _study)
    except KeyboardInterrupt:
        print("socketlab study: interrupted", file=sys.stderr)
        return 130


def _study(options: StudyOptions) -> int:
    if options["list"]:
        for number, name in enumerate(names(), 1):
            print(f"{number:2}  {name:22} {experiment(name).title}")
        return 0
    chosen = [experiment(name) for name in (names() if options["all"] else options.names)]
    if options["save"] is not None:
        return _save(chosen, options["save"])
    if options["grade"] is not None or options["many"] is not None:
        return _grade(options, chosen[0])
    outcomes = list(_outcomes(chosen, options["reactor"], brief=_writes(options)))
    _write(options, outcomes)
    return 0 if all(one.holds for one in outcomes) else 1


def _grade(options: StudyOptions, chosen: Experiment) -> int:
    """0 where all passed."""
    from twisted_lab.study.grading import grade, programs_of, table, told

    if options["grade"] is not None:
        grades = [grade(chosen, options["grade"])]
        print("\n".join(told(grades[0])), flush=True)
    else:
        grades = []
        for file in programs_of(options["many"]):
            grades.append(grade(chosen, file))
            print(f"{grades[-1].file}: {grades[-1].verdict}", file=sys.stderr, flush=True)
        print("\n".join(table(grades)), flush=True)
    if options["html"] is not None:
        from twisted_lab.study.class_report import page

        write_file([page(chosen, grades).encode()], options["html"])
    return 0 if all(one.passed for one in grades) else 1


def _writes(options: StudyOptions) -> bool:
    return options["html"] is not None or options["markdown"] is not None


def _outcomes(chosen: Sequence[Experiment], reactor: str, *, brief: bool) -> Iterator[Outcome]:
    """Each one's, told as it comes: whole on stdout, or *brief* on stderr."""
    for one in chosen:
        outcome = run(one, reactor)
        if brief or len(chosen) > 1:
            said = "as was to be shown" if outcome.holds else "NOT as was to be shown"
            count = len(outcome.observations)
            line = f"{one.number:2}  {one.name:22} {count} observations, {said}"
            print(line, file=sys.stderr if brief else sys.stdout, flush=True)
            for observed in outcome.observations:
                if not observed.holds:
                    print(f"    not: {observed.says}", file=sys.stderr, flush=True)
        else:
            print("\n".join(told(outcome)), flush=True)
        yield outcome


def _write(options: StudyOptions, outcomes: Sequence[Outcome]) -> None:
    when = f"{datetime.now().astimezone():%Y-%m-%d at %H:%M %Z}"
    if options["html"] is not None:
        from twisted_lab.study.report import page  # with Pygments, which takes its time

        write_file([page(outcomes, when).encode()], options["html"])
    if options["markdown"] is not None:
        from twisted_lab.study.notebook import notebook

        text, pictures = notebook(outcomes, when, os.path.basename(options["markdown"]))
        write_file([text.encode()], options["markdown"])
        folder = os.path.dirname(options["markdown"])
        for name, picture in pictures.items():
            write_file([picture.encode()], os.path.join(folder, name))


def _save(chosen: Sequence[Experiment], folder: str) -> int:
    """Write the programs of each to a folder of its own; one that is there is not written over."""
    for one in chosen:
        place = os.path.join(folder, one.name) if len(chosen) > 1 else folder
        try:
            os.makedirs(place, exist_ok=True)
            for name, data in one.saved().items():
                path = os.path.join(place, name)
                with open(path, "xb") as file:
                    file.write(data)
                print(path)
        except OSError as problem:
            raise cannot("write", problem.filename or place, problem) from None
    return 0

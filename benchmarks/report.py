"""From samples to what a person reads: the table, the JSON, and the goals.

Only ratios are claimed: the figures beside them belong to one machine and one run.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.load import Case, Reading
from benchmarks.subjects import TEXTBOOK, Subject


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one subject in one round."""

    case: str
    subject: str
    round: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Results:
    """All of one run."""

    environment: Mapping[str, str]
    cases: Sequence[Case]
    subjects: Sequence[Subject]
    samples: Sequence[Sample]
    skipped: Mapping[tuple[str, str], str]

    def readings(self, case: str, subject: str) -> dict[int, Reading]:
        """The readings of one subject in one case, by round."""
        return {
            sample.round: sample.reading
            for sample in self.samples
            if (sample.case, sample.subject) == (case, subject)
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in one case, over its rounds. Ratios are None where textbook was not measured."""

    case: str
    subject: str
    rounds: int
    least: float
    median: float
    most: float
    ratio_of_least: float | None
    median_of_ratios: float | None
    busy: float  # server CPU time over wall time, the median
    operations: int
    per_cpu_second: float  # in the cheapest round
    per_wall_second: float  # in the quickest round


def row(results: Results, case: str, subject: str) -> Row | None:
    """What the rounds of one subject come to; None if it has no reading."""
    readings = results.readings(case, subject)
    if not readings:
        return None
    costs = {number: reading.cost for number, reading in readings.items()}
    textbook = {
        number: reading.cost for number, reading in results.readings(case, TEXTBOOK).items()
    }
    return Row(
        case,
        subject,
        len(costs),
        min(costs.values()),
        median(costs.values()),
        max(costs.values()),
        min(costs.values()) / min(textbook.values()) if textbook else None,
        median_of_ratios(costs, textbook),
        median(reading.cpu / reading.wall for reading in readings.values()),
        sum(reading.operations for reading in readings.values()),
        max(reading.operations / reading.cpu for reading in readings.values()),
        max(reading.operations / reading.wall for reading in readings.values()),
    )


def median_of_ratios(costs: Mapping[int, float], textbook: Mapping[int, float]) -> float | None:
    """The median, over the rounds both were measured in, of one cost over the other."""
    ratios = [cost / textbook[number] for number, cost in costs.items() if number in textbook]
    return median(ratios) if ratios else None


def rows(results: Results, case: str) -> list[Row]:
    """The subjects of a case that have a reading, the cheapest first."""
    found = [row(results, case, subject.name) for subject in results.subjects]
    return sorted(filter(None, found), key=lambda one: one.least)


# --- the goals ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must not exceed its limit.

    It is the best round over the best round of the subject `to`; without one, the worst round.
    """

    case: str
    subject: str
    limit: float
    unit: str
    to: str | None = TEXTBOOK


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a goal; `figure` is None where it was not measured, and `why` says why."""

    goal: Goal
    figure: float | None
    why: str = ""

    @property
    def held(self) -> bool:
        return self.figure is not None and self.figure <= self.goal.limit

    def __str__(self) -> str:
        goal = self.goal
        found = f"not measured: {self.why}" if self.figure is None else f"{self.figure:.2f}"
        state = "held  " if self.held else "FAILED"
        limit = f"at most {goal.limit:g} {goal.unit}"
        return f"{state} {goal.case} {goal.subject}: {found} (goal: {limit})"


LEAN, OURS_LEAN, GO = "textbook+lean", "ours+lean", "go"
CPU_RATIO, GO_RATIO = "times textbook CPU", "times Go's CPU"
PAGE, PAGE_RATIO = "ours+page", "times the CPU without a page"

# The goals. A rate of at least 0.90 is a cost of at most 1/0.90.
GOALS = (
    Goal("tcp-1k-10", "ours", 1.10, CPU_RATIO),
    Goal("tcp-1k-200", "ours", 1.10, CPU_RATIO),
    Goal("tcp-1k-10", "ours+history", 1.60, CPU_RATIO),
    Goal("tcp-1k-200", "ours+history", 1.60, CPU_RATIO),
    Goal("udp-512", "ours", 1.15, CPU_RATIO),
    Goal("connect", "ours", round(1 / 0.90, 3), CPU_RATIO + " (0.90 of its rate)"),
    Goal("idle-memory", "ours", 4096, "bytes per connection in any round", to=None),
    Goal("burst-1000", "ours", 1000, "ms in any round", to=None),
    Goal("tcp-1k-10", LEAN, 0.50, CPU_RATIO),
    Goal("tcp-1k-200", LEAN, 0.50, CPU_RATIO),
    Goal("tcp-1k-10", LEAN, 1.05, GO_RATIO, to=GO),
    Goal("tcp-1k-200", LEAN, 1.05, GO_RATIO, to=GO),
    Goal("tcp-1k-10", OURS_LEAN, 1.15, GO_RATIO, to=GO),
    Goal("tcp-1k-200", OURS_LEAN, 1.15, GO_RATIO, to=GO),
    Goal("tcp-64k", LEAN, 1.15, GO_RATIO, to=GO),
    Goal("udp-512", LEAN, 1.40, GO_RATIO, to=GO),
    Goal("udp-512", LEAN, 1.00, CPU_RATIO),
    Goal("latency-p99", LEAN, 1.00, "times textbook's"),
    Goal("tcp-1k-10", PAGE, 1.05, PAGE_RATIO, to=OURS_LEAN),
    Goal("tcp-1k-200", PAGE, 1.05, PAGE_RATIO, to=OURS_LEAN),
    Goal("udp-512", PAGE, 1.05, PAGE_RATIO, to=OURS_LEAN),
    Goal("idle-memory", PAGE, 4096, "bytes per connection in any round", to=None),
)


def verdicts(results: Results) -> list[Verdict]:
    """Every goal whose case and subject were asked for; one that was not measured is not held."""
    asked = {case.name for case in results.cases}, {one.name for one in results.subjects}
    return [
        verdict(results, goal)
        for goal in GOALS
        if goal.case in asked[0] and goal.subject in asked[1]
    ]


def verdict(results: Results, goal: Goal) -> Verdict:
    found = row(results, goal.case, goal.subject)
    if found is None:
        return Verdict(goal, None, results.skipped.get((goal.case, goal.subject), "no reading"))
    if goal.to is None:
        return Verdict(goal, found.most)
    other = row(results, goal.case, goal.to)
    if other is None:
        return Verdict(goal, None, f"{goal.to} has no reading")
    return Verdict(goal, found.least / other.least)


# --- the table ---------------------------------------------------------------------------------


def markdown(results: Results) -> str:
    """The whole report as Markdown."""
    parts = [
        "# Echo servers, compared in one run",
        "Only the ratios are claimed; the other figures belong to this machine and this run.",
        "\n".join(f"- {name}: {fact}" for name, fact in results.environment.items()),
        *(section(results, case) for case in results.cases),
        skipped(results),
        goals(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def section(results: Results, case: Case) -> str:
    """One case: a line a subject, and, where operations are whole connections, their rates."""
    rates = case.name == "connect"
    head = ["subject", f"min {case.unit}", "median", "max", "ratio of mins", "median of ratios"]
    head += ["rounds", "server busy"] + ["per CPU second", "per wall second"] * rates
    lines = [cells(one, rates) for one in rows(results, case.name)]
    table = [head, ["---"] + ["---:"] * (len(head) - 1), *lines]
    return "\n".join([f"## {case.name}: {case.what}", "", *map(markdown_line, table)])


def cells(one: Row, rates: bool) -> list[str]:
    figures = [amount(one.least), amount(one.median), amount(one.most)]
    ratios = [times(one.ratio_of_least), times(one.median_of_ratios)]
    rest = [str(one.rounds), f"{one.busy:.0%}"]
    if rates:
        rest += [f"{one.per_cpu_second:,.0f}", f"{one.per_wall_second:,.0f}"]
    return [one.subject, *figures, *ratios, *rest]


def markdown_line(fields: Sequence[str]) -> str:
    return "| " + " | ".join(fields) + " |"


def amount(figure: float) -> str:
    return f"{figure:.2f}" if figure < 1000 else f"{figure:,.0f}"


def times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def skipped(results: Results) -> str:
    if not results.skipped:
        return "Nothing was skipped."
    lines = [f"- {case}, {subject}: {why}" for (case, subject), why in results.skipped.items()]
    return "\n".join(["## Skipped, and why", "", *lines])


def goals(results: Results) -> str:
    lines = [f"- {one}" for one in verdicts(results)]
    return "\n".join(["## Goals", "", *lines]) if lines else ""


def as_json(results: Results) -> str:
    """The same, with every sample."""
    found = [asdict(one) for case in results.cases for one in rows(results, case.name)]
    units = {case.name: case.unit for case in results.cases}
    document = {
        "environment": dict(results.environment),
        "units": units,
        "rows": found,
        "samples": [asdict(sample) for sample in results.samples],
        "skipped": [
            {"case": case, "subject": subject, "why": why}
            for (case, subject), why in results.skipped.items()
        ],
        "goals": [
            {"goal": str(one), "held": one.held, "figure": one.figure} for one in verdicts(results)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


# --- where it ran ------------------------------------------------------------------------------


def environment(
    rounds: int, seconds: float, server_core: set[int], load_core: set[int]
) -> dict[str, str]:
    """What a reader must know to judge the figures."""
    pinned = f"server on core {server_core}, load on core {load_core}"
    if server_core == load_core:
        pinned = "only one core: server and load share it"
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "Python": f"{platform.python_version()} ({sys.implementation.name})",
        "Twisted": installed("twisted"),
        "uvloop": installed("uvloop"),
        "kernel": f"{platform.system()} {platform.release()}",
        "CPU": cpu_model(),
        "load average at the start": f"{os.getloadavg()[0]:.2f}",
        "cores": pinned,
        "rounds": f"{rounds}, {seconds:g} s each, subjects interleaved, a fresh server each time",
        "CPU time": "the server's process CPU clock (ns), its children included",
    }


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not here"


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores"

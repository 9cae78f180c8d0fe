"""What ``socketlab watch`` costs the program that is watched. ::

    python -m benchmarks.watching [--rounds 5] [--table FILE]

Three programs, each plain, with the hook, and under strace, in turn, round by round: one asks and
answers over a connection in two threads, one connects and closes, one is asyncio's echo with its
client. Each says what an operation cost its own process in CPU time, user and system, between the
first and the last; what ``socketlab watch`` itself spends beside it is not in it. The ratios are of
the best rounds: the machine's noise only adds.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = Path(__file__).parent / "watched"

_WATCH = (sys.executable, "-m", "twisted_lab", "watch", "--quiet")

#: How a program is run, by what the table calls it.
WAYS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "hooked": (*_WATCH, "--"),
    "strace": (*_WATCH, "--by", "strace", "--"),
}

#: Seconds after which a run hangs.
_PATIENCE = 300


def main() -> int:
    """Measure, and print the table."""
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    best: dict[tuple[str, str], float] = {}
    for number in range(1, options.rounds + 1):
        for file in sorted(PROGRAMS.glob("*.py")):
            for way, words in WAYS.items():
                cost = _cost(*words, sys.executable, str(file))
                key = file.stem, way
                best[key] = min(cost, best.get(key, cost))
        print(f"round {number} of {options.rounds}", file=sys.stderr)
    table = "\n".join(_table(best)) + "\n"
    print(table, end="")
    if options.table is not None:
        options.table.write_text(table)
    return 0


def _cost(*command: str) -> float:
    """Microseconds of CPU an operation, as the program prints them."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE)
    return float(done.stdout)


def _table(best: dict[tuple[str, str], float]) -> Iterator[str]:
    yield "| program | an operation | plain | hooked | strace | hooked/plain | strace/plain |"
    yield "|---|---|---|---|---|---|---|"
    for file in sorted(PROGRAMS.glob("*.py")):
        said = file.read_text().split('"""')[1].partition(":")[2].strip().rstrip(".")
        plain, *others = (best[file.stem, way] for way in WAYS)
        costs = " | ".join(f"{cost:.1f} µs" for cost in (plain, *others))
        ratios = " | ".join(f"{cost / plain:.2f}" for cost in others)
        yield f"| `{file.stem}` | {said} | {costs} | {ratios} |"


if __name__ == "__main__":
    sys.exit(main())

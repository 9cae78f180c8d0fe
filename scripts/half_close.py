"""How many replies are whole when data and FIN arrive without a gap, stock Twisted beside ours.

``python -m scripts.half_close`` prints one row a case; it exits with 1 when one of ours was lost.
The tests in ``tests/integration/test_half_close.py`` do a smaller share of the same.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.integration.child import Child
from tests.integration.half_close import ALL_POLICIES, NO_POLICY, exchange
from tests.integration.roads import FOUR_ROADS, ROADS

#: Bytes, how people say it, and how many connections at once.
SIZES = (
    (0, "0", 20),
    (1, "1", 20),
    (6, "6", 20),
    (2**16, "64 KiB", 50),
    (2**20, "1 MiB", 5),
    (2**24, "16 MiB", 3),
)

_TEXTBOOK = Path(__file__).with_name("textbook.py")

#: The three that are compared: name, and how a child of a service is made.
SUBJECTS: tuple[tuple[str, Callable[[str], Child]], ...] = (
    ("no policy", lambda service: Child(service, *FOUR_ROADS, started_by=NO_POLICY)),
    ("all policies", lambda service: Child(service, *FOUR_ROADS, *ALL_POLICIES)),
    ("stock Twisted", lambda service: Child(service, started_by=(sys.executable, str(_TEXTBOOK)))),
)
_STOCK = SUBJECTS[-1][0]

Cell = tuple[str, int, list[Counter[str]]]


def netcat(child: Child, service: str, times: int) -> Counter[str]:
    """``printf hello | nc -N`` *times* times: how often each wrong answer came, "" for the right.

    The line service is told ``hello`` with a line end, which LineReceiver needs.
    """
    said = b"hello" if service == "echo" else b"hello\r\n"
    command = ["nc", "-N", "127.0.0.1", str(child.port(service))]
    answers = (
        subprocess.run(command, input=said, stdout=subprocess.PIPE, timeout=20).stdout
        for _ in range(times)
    )
    return Counter("" if answer == said else f"{answer!r}" for answer in answers)


def _cases(service: str) -> Iterator[tuple[str, int, Callable[[Child], Counter[str]]]]:
    for road in ROADS:
        for size, label, times in SIZES:
            request = partial(exchange, service=service, road=road, size=size, times=times)
            yield f"{road:5} {label:>6}", times, request
    if shutil.which("nc"):
        yield "nc -N", 10, partial(netcat, service=service, times=10)


def cells(service: str, children: list[Child], rounds: int) -> Iterator[Cell]:
    """Every case of *service*: its name, how many connections, what each of *children* did.

    A case is tried with one child after the other in each round, so that all have the same luck.
    """
    cases: list[tuple[str, int, Callable[[Child], Counter[str]]]] = [
        (
            f"{road:5} {label:>6}",
            times,
            lambda c, r=road, s=size, n=times: exchange(c, service, r, s, n),
        )
        for road in ROADS
        for size, label, times in SIZES
    ]
    if shutil.which("nc"):
        cases.append(("nc -N", 10, lambda child: netcat(child, service, 10)))
    for name, times, attempt in cases:
        faults: list[Counter[str]] = [Counter() for _ in children]
        for _ in range(rounds):
            for child, found in zip(children, faults, strict=True):
                found.update(attempt(child))
        yield f"{service:5} {name}", times * rounds, faults


def _show(cell: Cell, why: bool) -> None:
    name, times, faults = cell
    counts = "".join(f"{found['']:>15}" for found in faults)
    lost = [fault for fault, _ in faults[-1].most_common() if fault]
    print(f"{name:20}{times:>8}{counts}" + (f"   {lost[0]}" if why and lost else ""), flush=True)


def _heading(rounds: int) -> str:
    from twisted import version as twisted_version
    from twisted_lab import __version__

    return (
        "Data and FIN sent without a gap: how many replies were the whole request, with a clean "
        f"end.\nsocketlab {__version__}, Twisted {twisted_version.short()}, Python "
        f"{platform.python_version()}, {platform.system()} {platform.release()}; {rounds} rounds.\n"
        "One byte is a line without its end, which LineReceiver drops by design.\n\n"
        f"{'':20}{'asked':>8}" + "".join(f"{name:>15}" for name, _ in SUBJECTS)
    )


def main() -> int:
    """Print the table; 1 when a reply of ours was not whole."""
    parser = argparse.ArgumentParser(prog="python -m scripts.half_close", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="[default: 3]")
    parser.add_argument("--why", action="store_true", help="what stock Twisted most often did")
    options = parser.parse_args()
    print(_heading(options.rounds))
    ours_lost = False
    for service in ("echo", "line"):
        with ExitStack() as stack:
            children = [stack.enter_context(make(service)) for _, make in SUBJECTS]
            for cell in cells(service, children, options.rounds):
                _show(cell, options.why)
                ours_lost |= any(found[""] != cell[1] for found in cell[2][:-1])
    print(f"\n{'Replies of ours were lost.' if ours_lost else 'Every reply of ours was whole.'}")
    return int(ours_lost)


if __name__ == "__main__":
    sys.exit(main())

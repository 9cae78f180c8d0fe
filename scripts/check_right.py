"""Checks right servers: the checker may accuse none of them of anything. ::

    python -m scripts.check_right
    python -m scripts.check_right --busy ROUNDS
    python -m scripts.check_right --watch

They are those that the mends are cut from, in three frameworks, and those of ``tests/correct/``, in
other languages. *watch*: those in Python are watched besides, and may be told no mistake. *busy*:
two processes burn on each CPU all the while. Prints a line a server, or a round; ends with 1 when a
case failed, a server wrote something, or, where nothing burns, a case could not tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from scripts.building import command
from tests.integration.pem import write_pem
from twisted_lab import conformance
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.mends import FRAMEWORKS
from twisted_lab.conformance.report import sentence
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.watch.alongside import Alongside

MENDS = Path(str(resources.files(conformance))) / "servers"
OTHERS = Path(__file__).parents[1] / "tests" / "correct"

BURN = "while True: pass"


@dataclass(frozen=True, slots=True)
class Right:
    """How a server is checked: its profile, its further arguments, and what it declares."""

    profile: str
    arguments: str = ""
    options: dict[str, Any] = field(default_factory=dict)


_IDLE = {"idle_timeout": 2.0}
_UDP = {"endpoint": "udp:127.0.0.1:{port}"}
_TLS = {"endpoint": "tls:127.0.0.1:{port}", "handshake_timeout": 2.0, "insecure": True}

#: Of each framework.
OF_MENDS = {
    "echo.py": Right("echo", "2", _IDLE),
    "lines.py": Right("line", "2", _IDLE | {"max_line": 16384}),
    "closing.py": Right("time"),
    "datagrams.py": Right("echo", "", _UDP),
    "tls_echo.py": Right("echo", "{cert} {key} 2 2", _TLS | _IDLE),
}

OF_OTHERS = {
    "echo.c": Right("echo", "2", _IDLE),
    "datagrams.c": Right("echo", "", _UDP),
    "echo.go": Right("echo", "2s", _IDLE),
    "lines.go": Right("line", "2s", _IDLE | {"max_line": 16384}),
    "threading_echo.py": Right("echo", "2", _IDLE),
}


def main() -> int:
    """Check; the exit status."""
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--busy", type=int, metavar="ROUNDS", default=0)
    parser.add_argument("--watch", action="store_true")
    options = parser.parse_args()
    rounds = options.busy
    with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
        commands = dict(_commands(Path(folder)))
        if rounds:
            return _busy_rounds(commands, rounds)
        return _once(commands, watched=options.watch)


def _commands(folder: Path) -> Iterator[tuple[str, Right]]:
    """How each server is started, and checked; raises KeyError for a file that nobody listed."""
    pem = write_pem(folder)
    for framework in FRAMEWORKS:
        for file in sorted((MENDS / framework).glob("*.py")):
            if file.name != "__init__.py":
                right = OF_MENDS[file.name]
                words = right.arguments.format(**pem)
                yield f"{command(file, folder)} {{port}} {words}", right
    for file in sorted(OTHERS.iterdir()):
        if file.suffix in (".c", ".go", ".py") and file.name != "__init__.py":
            right = OF_OTHERS[file.name]
            yield f"{command(file, folder)} {{port}} {right.arguments}", right


def _once(commands: dict[str, Right], *, watched: bool) -> int:
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        for report in pool.map(lambda run: _checked(*run, watched=watched), commands.items()):
            said = [*_sentences(report, Verdict.FAILED, Verdict.COULD_NOT_TELL), *report.said]
            said += [line for finding in report.diagnoses for line in finding.told()]
            print(f"{report.name}: {report.wrong or report.counts} ({report.seconds:.1f} s)")
            print("".join(f"  {one}\n" for one in said), end="", flush=True)
            wrong += bool(said or report.wrong)
    print(f"{len(commands)} right servers checked, {wrong} accused, or unsure")
    return 1 if wrong else 0


def _busy_rounds(commands: dict[str, Right], rounds: int) -> int:
    said: Counter[Verdict] = Counter()
    failed = 0
    with _busy(), ThreadPoolExecutor(4) as pool:
        for number in range(1, rounds + 1):
            for report in pool.map(lambda run: _checked(*run), commands.items()):
                said.update(result.finding.verdict for result in report.results)
                failed += len(report.failed) + bool(report.wrong)
                for one in (*_sentences(report, Verdict.FAILED), report.wrong):
                    print(f"  {report.name}: {one}\n" if one else "", end="")
            counts = ", ".join(f"{many} {verdict}" for verdict, many in said.most_common())
            print(f"round {number} of {rounds}: so far {counts}; {failed} accused", flush=True)
    return 1 if failed else 0


def _checked(command: str, right: Right, *, watched: bool = False) -> Report:
    # Who waits for limits that nobody declared makes each run ten seconds longer.
    skip = "" if "idle_timeout" in right.options else "no-time-out"
    watcher = Alongside() if watched else None
    return check(right.profile, spawn=command, skip=skip or (), watcher=watcher, **right.options)


def _sentences(report: Report, *verdicts: Verdict) -> list[str]:
    return [sentence(one) for one in report.results if one.finding.verdict in verdicts]


@contextmanager
def _busy() -> Iterator[None]:
    cpus = os.cpu_count() or 1
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(2 * cpus)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    sys.exit(main())

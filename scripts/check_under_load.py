"""Checks right servers while every CPU is busy: none may be accused of anything. ::

    python -m scripts.check_under_load [ROUNDS]

Two processes burn on each CPU all the while. Prints a line a round and what was said in all; ends
with 1 when a case failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources

from twisted_lab import conformance
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.mends import FRAMEWORKS
from twisted_lab.conformance.report import sentence
from twisted_lab.conformance.verdicts import Verdict

ROUNDS = 20

#: Each server's file, its profile, and where it is asked.
SERVERS = {
    "echo.py": ("echo", "tcp:127.0.0.1:{port}"),
    "lines.py": ("line", "tcp:127.0.0.1:{port}"),
    "closing.py": ("time", "tcp:127.0.0.1:{port}"),
    "datagrams.py": ("echo", "udp:127.0.0.1:{port}"),
}

#: Who wait for limits that nobody declared would make each run ten seconds longer.
SKIP = "no-time-out"

BURN = "while True: pass"


def main() -> int:
    """Check; the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    said: Counter[Verdict] = Counter()
    failed = 0
    runs = [(framework, name) for framework in FRAMEWORKS for name in SERVERS]
    with _busy(), ThreadPoolExecutor(2) as pool:
        for number in range(1, rounds + 1):
            for report in pool.map(lambda run: _checked(*run), runs):
                said.update(result.finding.verdict for result in report.results)
                failed += len(report.failed) + bool(report.wrong)
                for result in report.failed:
                    print(f"  {report.name}: {sentence(result)}")
                if report.wrong:
                    print(f"  {report.name}: {report.wrong}")
            counts = ", ".join(f"{many} {verdict}" for verdict, many in said.most_common())
            print(f"round {number} of {rounds}: so far {counts}; {failed} accused", flush=True)
    return 1 if failed else 0


def _checked(framework: str, name: str) -> Report:
    profile, endpoint = SERVERS[name]
    file = resources.files(conformance) / "servers" / framework / name
    return check(profile, endpoint, spawn=f"{sys.executable} {file} {{port}}", skip=SKIP)


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

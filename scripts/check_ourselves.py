"""Checks our own bench with our own checker: every profile, every road, both reactors. ::

    python -m scripts.check_ourselves

Once as it is, once with every policy there is. Prints a line for each, and ends with 1 when a case
failed, or a machine too busy left one open.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from twisted_lab.child import Child
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.report import sentence
from twisted_lab.conformance.verdicts import Verdict

PROFILES = ("echo", "discard", "chargen", "daytime", "time", "qotd", "line")
REACTORS = ("epoll", "lean")
ROADS = ("tcp", "tls", "unix", "udp")

#: Every policy, none of them so narrow that a case must meet it; the time-outs are met on purpose.
POLICIES = {
    "default": (),
    "all policies": (
        *("--max-connections", "5000", "--max-per-peer", "5000", "--accept-rate", "10000/s"),
        *("--allow", "127.0.0.0/8", "--deny", "192.0.2.0/24", "--lifetime", "10min"),
        *("--idle-timeout", "2s", "--handshake-timeout", "2s", "--min-rate", "1/s"),
        *("--max-bytes", "8GiB", "--throughput", "8GB/s", "--max-line", "16KiB"),
        *("--record", "run.jsonl", "--pcapng", "run.pcapng", "--page", "tcp:0"),
    ),
}

#: What they declare, and without them nothing: then what only waits for a limit is left out.
DECLARED = {
    "default": {"skip": ("no-time-out", "endless-handshake")},
    "all policies": {"idle_timeout": 2.0, "handshake_timeout": 2.0, "max_line": 16384},
}

#: Datagrams are answered with no more than was sent, unless the bench is told otherwise.
LOOSE = ("--allow-amplification",)


def main() -> int:
    """Check all; the exit status."""
    runs = list(product(PROFILES, REACTORS, POLICIES))
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        for run, reports in zip(runs, pool.map(_bench, runs), strict=True):
            for report in reports:
                wrong += _say(run, report)
    print(f"{len(runs)} benches checked, {wrong} wrong")
    return 1 if wrong else 0


def _say(run: tuple[str, str, str], report: Report) -> bool:
    print(
        f"{' '.join(run)} {report.name}: {report.wrong or report.counts} ({report.seconds:.1f} s)"
    )
    doubtful = [
        one
        for one in report.results
        if one.finding.verdict in (Verdict.FAILED, Verdict.COULD_NOT_TELL)
    ]
    for result in doubtful:
        print(f"  {sentence(result)}")
    sys.stdout.flush()
    return bool(doubtful or report.wrong)


def _bench(run: tuple[str, str, str]) -> list[Report]:
    profile, reactor, policies = run
    with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
        child = Child((*_twistd(reactor), profile, *_options(policies)), Path(folder), cwd=folder)
        try:
            child.wait_until_serving()
            return [
                check(profile, endpoint, insecure=True, **DECLARED[policies])
                for endpoint in _endpoints(child, profile, folder)
            ]
        finally:
            child.kill()


def _twistd(reactor: str) -> tuple[str, ...]:
    start = "import sys; from twisted.scripts.twistd import run; sys.exit(run())"
    words = (f"--reactor={reactor}", "-n", "--pidfile=", "--logfile=twistd.log", "socketlab")
    return sys.executable, "-c", start, *words


def _options(policies: str) -> tuple[str, ...]:
    roads = ("--port", "0", "--listen", "tls:0", "--listen", "unix:socket")
    return (*roads, *LOOSE, *POLICIES[policies])


def _endpoints(child: Child, service: str, folder: str) -> Iterator[str]:
    for road in ROADS:
        for address in child.addresses(service, road)[:1]:
            yield f"unix:{folder}/socket" if road == "unix" else f"{road}:{address}"


if __name__ == "__main__":
    sys.exit(main())

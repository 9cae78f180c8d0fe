"""Twisted's own tests under the lean reactor and under epoll, and the difference.

``python -m scripts.twisted_suite``, or ``make twisted-suite``. Each reactor is at once the subject
of the tests that build one (``ReactorBuilder``) and the installed reactor of all others. What
passes under epoll and not under lean is run again, alone, under both; what differs still is
printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

REACTORS = {
    "epoll": "twisted.internet.epollreactor.EPollReactor",
    "lean": "twisted_lab.reactor.LeanReactor",
}

#: The tests of everything a reactor does with sockets, and of what stands right on them.
MODULES = (
    "twisted.internet.test",
    "twisted.test.test_tcp",
    "twisted.test.test_udp",
    "twisted.test.test_unix",
    "twisted.test.test_policies",
    "twisted.protocols.test.test_tls",
    "twisted.web.test.test_http",
)

Outcomes = dict[str, str]

PASSED = "passed"

#: Rounds in which a test that differs may show that it was chance.
AGAIN = 3


def outcomes(reactor: str, names: Sequence[str]) -> Outcomes:
    """What became of each test of *names* under *reactor*, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="socketlab-twisted-") as folder:
        file = Path(folder, "outcomes.json")
        command = (sys.executable, "-m", "scripts.twisted_suite", "--worker", reactor, str(file))
        worker = subprocess.run(
            [*command, *names],
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if not file.exists():
            raise SystemExit(f"under {reactor} the tests did not end:\n{worker.stderr[-4000:]}")
        found: Outcomes = json.loads(file.read_text())
        return found


def worse(epoll: Outcomes, lean: Outcomes) -> dict[str, str]:
    """What became under lean of the tests that pass under epoll and not under lean."""
    passed = (name for name, outcome in sorted(epoll.items()) if outcome == PASSED)
    return {name: lean.get(name, "missing") for name in passed if lean.get(name) != PASSED}


def compare() -> int:
    """Run both, print the difference, and return the exit status."""
    epoll = outcomes("epoll", MODULES)
    print_counts("epoll", epoll)
    # Only what passes there: a test may know EPollReactor by name, skip itself, and hang elsewhere.
    lean = outcomes("lean", [name for name, outcome in epoll.items() if outcome == PASSED])
    print_counts("lean", lean)
    found = worse(epoll, lean)
    for number in range(1, AGAIN + 1):
        if not found:
            break
        print(f"passed under epoll and not under lean, so once more ({number}):")
        print_outcomes(found)
        found = worse(outcomes("epoll", list(found)), outcomes("lean", list(found)))
    print_outcomes(found)
    print(f"{len(found)} tests pass under epoll and not under lean")
    return int(bool(found))


def print_counts(reactor: str, found: Outcomes) -> None:
    """One line, and what failed."""
    counted = Counter(outcome.partition(":")[0] for outcome in found.values())
    said = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
    print(f"{reactor}: {len(found)} tests: {said}", flush=True)
    print_outcomes({name: said for name, said in found.items() if said.startswith(("f", "e"))})


def print_outcomes(found: Outcomes) -> None:
    """A line each."""
    for name, outcome in found.items():
        print(f"  {name}: {outcome}", flush=True)


# --- the worker: one process, one reactor --------------------------------------------------------


def work(reactor: str, file: Path, names: Sequence[str]) -> None:
    """Run the tests *names* with *reactor* as installed and as subject; write the outcomes."""
    path, _, kind = REACTORS[reactor].rpartition(".")
    import_module(path).install()
    from twisted.internet.test.reactormixins import ReactorBuilder
    from twisted.trial.reporter import TestResult
    from twisted.trial.runner import TestLoader, TestSuite, TrialRunner

    class Recorder(TestResult):
        """Keeps one word a test: what was first wrong with it, or that it passed."""

        def __init__(self, *ignored: object) -> None:
            super().__init__()
            self.found: Outcomes = {}

        def _keep(self, test: Any, word: str, why: object = "") -> None:
            first = str(why).strip().partition("\n")[0]
            name = test.id().replace(f"_{kind}Tests", "_EPollReactorTests")
            self.found.setdefault(name, f"{word}: {first}" if first else word)

        def addSuccess(self, test: Any) -> None:
            self._keep(test, PASSED)

        def addError(self, test: Any, error: Any) -> None:
            self._keep(test, "error", getattr(error, "value", error))

        def addFailure(self, test: Any, failure: Any) -> None:
            self._keep(test, "failed", getattr(failure, "value", failure))

        def addSkip(self, test: Any, reason: object) -> None:
            self._keep(test, "skipped", reason)

        def addExpectedFailure(self, test: Any, failure: object, todo: object = None) -> None:
            self._keep(test, "todo")

        def addUnexpectedSuccess(self, test: Any, todo: object = None) -> None:
            self._keep(test, "todo, yet it passed")

        def done(self) -> None:
            file.write_text(json.dumps(self.found))

    # Before the modules are imported, which is when they make a class of tests for each reactor.
    ReactorBuilder._reactors = [REACTORS[reactor]]
    loader = TestLoader()
    ours = [name.replace("_EPollReactorTests", f"_{kind}Tests") for name in names]
    runner = TrialRunner(Recorder, workingDirectory=str(file.parent / "trial"))
    runner.run(TestSuite([loader.loadByName(name, recurse=True) for name in ours]))


def main() -> int:
    """Compare; or, as ``--worker REACTOR FILE TEST...``, be one of the two processes."""
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
        return 0
    argparse.ArgumentParser("python -m scripts.twisted_suite", description=__doc__).parse_args()
    return compare()


if __name__ == "__main__":
    sys.exit(main())

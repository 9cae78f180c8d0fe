"""A student's program for an exercise, graded: checked, watched, and drawn.

Rule: a program fails for what it did, told with its evidence; what could not be told fails nobody.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from twisted_lab.child import wait_for
from twisted_lab.conformance.checking import check
from twisted_lab.conformance.report import Report, sentence
from twisted_lab.conformance.spawning import free_port, listens
from twisted_lab.conformance.target import resolve
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.diagnosis import Finding
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Exercise, Experiment
from twisted_lab.study.program import Program, program_of
from twisted_lab.study.stage import Stage, Stalled
from twisted_lab.watch.alongside import Alongside

#: Seconds that a program has to open its port, for its picture.
_START = 10.0


@dataclass(frozen=True, slots=True)
class Grade:
    """What became of the program in *file*; *picture* is what it did with a client of ours.

    Mistakes *aside* count for nothing here.
    """

    file: str
    report: Report
    picture: Picture | None
    aside: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Every case that could be told is well, and no mistake was seen that counts."""
        counts = [one for one in self.report.diagnoses if one.mistake.name not in self.aside]
        return self.report.well and not counts

    @property
    def verdict(self) -> str:
        """The same in a word."""
        return "passed" if self.passed else "not passed"

    @property
    def cases(self) -> str:
        """How many cases came to what."""
        return self.report.counts or "none"

    @property
    def reasons(self) -> list[str]:
        """Why it did not pass, or what is worth knowing, a sentence each; safe to show."""
        if self.report.wrong:
            last = f" ({self.report.said[-1]})" if self.report.said else ""
            return [self.report.wrong + last]
        failed = [sentence(result) for result in self.report.failed]
        unsure = [
            sentence(result)
            for result in self.report.results
            if result.finding.verdict is Verdict.COULD_NOT_TELL
        ]
        return failed + unsure

    @property
    def mistakes(self) -> list[str]:
        """The mistakes that were seen, each in lines."""
        return ["\n".join(self._told(one)) for one in self.report.diagnoses]

    def _told(self, finding: Finding) -> Iterator[str]:
        if finding.mistake.name in self.aside:
            yield "worth knowing, though this exercise does not ask for it:"
        yield from finding.told()


def grade(experiment: Experiment, file: str) -> Grade:
    """Check *file*, watch it, and draw what it does; raises :class:`ConfigurationError`.

    It is run as ``python FILE PORT``, and is to listen at 127.0.0.1, at that port.
    """
    exercise = experiment.exercise
    if exercise is None:
        raise ConfigurationError(f"{experiment.name} has no exercise; {_those_that_have()}")
    if not os.path.isfile(file):
        raise ConfigurationError(f"'{escape(file)}': no such file")
    path = os.path.abspath(file)
    with _profile(experiment.name, exercise) as profile:
        report = check(
            profile,
            f"{exercise.transport}:127.0.0.1:{{port}}",
            only=exercise.only,
            spawn=shlex.join([sys.executable, path]) + " {port}",
            watcher=Alongside(),
        )
    picture = None if report.wrong else _drawn(exercise, path)
    return Grade(os.path.basename(file), report, picture, exercise.aside)


@contextmanager
def _profile(name: str, exercise: Exercise) -> Iterator[str]:
    """What ``check`` calls the profile of *exercise*."""
    if "\n" not in exercise.profile:
        yield exercise.profile
        return
    with tempfile.TemporaryDirectory(prefix="socketlab-study-") as folder:
        file = os.path.join(folder, f"{name}.toml")
        with open(file, "w") as own:
            own.write(exercise.profile)
        yield file


def programs_of(folder: str) -> list[str]:
    """The programs in *folder*, in the order of their names; raises :class:`ConfigurationError`."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    except OSError as problem:
        raise ConfigurationError(f"'{escape(folder)}': {problem.strerror}") from None
    if not names:
        raise ConfigurationError(f"'{escape(folder)}' has no programs: files that end in .py")
    return [os.path.join(folder, name) for name in names]


def _those_that_have() -> str:
    from twisted_lab.study.experiment import experiment, names

    having = [name for name in names() if experiment(name).exercise is not None]
    return f"those that have one: {', '.join(having)}"


def _drawn(exercise: Exercise, path: str) -> Picture | None:
    """The program with a client that sends in pieces; None where they do not get that far."""
    client = program_of(_datagrams if exercise.transport == "udp" else _pieces)
    name = os.path.basename(path)
    server = Program(name.removesuffix(".py"), "", path=path)
    target = f"{exercise.transport}:127.0.0.1"
    port = free_port()
    at = resolve(f"{target}:{port}")
    with Stage({"server": server, "client": Program("client", client.source)}) as stage:
        try:
            served = stage.start("server", port)
            wait_for(lambda: listens(at), _START)
            stage.start("client", port).finish()
            time.sleep(0.05)  # what it does once its client has gone
            served.stop()
        except (Stalled, TimeoutError):
            pass
    seen = {one.name: one for one in stage.seen}
    if "client" not in seen or not seen["client"].events:
        return None
    left, right = seen["client"], seen[server.name]
    caption = f"{name} and a client that sends in pieces"
    if exercise.transport == "tcp":
        if not (left.connections() and right.connections()):
            return None
        return both(left.nth(0), right.nth(0), caption)
    return both(left, right.without("getaddrinfo"), caption)


def _pieces():  # type: ignore[no-untyped-def]
    """Sends a line in two pieces and another with the rest, says FIN, and reads to the end."""
    import socket
    import sys
    import time

    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.settimeout(2)
    sock.sendall(b"hello wor")
    time.sleep(0.05)
    sock.sendall(b"ld\nagain\n")
    try:
        sock.recv(1024)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1024):
            pass
    except OSError:
        pass
    sock.close()


def _datagrams():  # type: ignore[no-untyped-def]
    """Sends three datagrams, among them an empty one, and waits for an answer to each."""
    import contextlib
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1)
    for data in (b"hello", b"", b"x" * 1000):
        sock.sendto(data, ("127.0.0.1", int(sys.argv[1])))
        with contextlib.suppress(OSError):
            sock.recvfrom(65536)
    sock.close()


def told(grade: Grade) -> list[str]:
    """*grade* as lines for a terminal."""
    lines = [f"{grade.file}: {grade.verdict} ({grade.cases})"]
    lines += [f"  {reason}" for reason in grade.reasons]
    for mistake in grade.mistakes:
        lines += ["", *(f"  {line}" for line in mistake.splitlines())]
    return lines


def table(grades: Sequence[Grade]) -> list[str]:
    """*grades* as a table, a line each."""
    width = max(len(one.file) for one in grades)
    lines = [f"{'program':{width}}  verdict     mistakes  cases"]
    lines += [
        f"{one.file:{width}}  {one.verdict:10}  {len(one.mistakes):8}  {one.cases}"
        for one in grades
    ]
    passed = sum(one.passed for one in grades)
    return [*lines, f"{passed} of {counted(len(grades), 'program')} passed"]

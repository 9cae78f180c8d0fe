"""Starts the subjects and the load, each on its own core, interleaved; this file owns the order.

Round 1 takes every subject of the first case, then every subject of the next; round 2 the same with
the subjects turned by one. Each measurement has a fresh server, and no server outlives its own.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

from benchmarks import load, report
from benchmarks.subjects import SUBJECTS, Subject

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent / "subjects"
RESULTS = Path(__file__).parent / "results"

# Seconds: a Twisted process on a busy machine starts in about one; a first Go build takes twenty.
START, BUILD = 20.0, 180.0

# Seconds a measurement may take beyond its own: warm-up, 5,000 connections, SYN retries.
LOAD_GRACE = 60.0

# Descriptors one process needs: 5,100 idle connections and what an interpreter holds.
DESCRIPTORS = 6000


class NotMeasuredError(Exception):
    """A subject or a case that yields no figure, with the reason the table gives."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What one run measures, and where: the cores are one set each, equal on a single core."""

    subjects: Sequence[Subject]
    cases: Sequence[load.Case]
    rounds: int
    seconds: float
    server_core: set[int]
    load_core: set[int]
    built: Path
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)  # (case, subject): why

    def samples(self) -> Iterator[report.Sample]:
        """Measure everything, round by round."""
        for number in range(1, self.rounds + 1):
            for case in self.cases:
                for subject in turned(self.subjects, number - 1):
                    yield from self._sample(number, case, subject)

    def _sample(self, number: int, case: load.Case, subject: Subject) -> Iterator[report.Sample]:
        if (case.name, subject.name) in self.skipped:
            return
        where = f"round {number}/{self.rounds} {case.name} {subject.name}"
        try:
            reading = self._measure(case, subject)
        except NotMeasuredError as problem:
            since = f", from round {number} on" if number > 1 else ""
            self.skipped[case.name, subject.name] = f"{problem}{since}"
            say(f"{where}: {problem}")
            return
        say(f"{where}: {reading.cost:.2f} {case.unit}")
        yield report.Sample(case.name, subject.name, number, reading)

    def _measure(self, case: load.Case, subject: Subject) -> load.Reading:
        command = self._command(case, subject)
        with running(command, subject, case.form, self.server_core) as (pid, port):
            return self._under_load(case, pid, port)

    def _command(self, case: load.Case, subject: Subject) -> tuple[str, ...]:
        command = subject.tcp if case.form == "tcp" else subject.udp
        if command is None:
            raise NotMeasuredError("no datagram form")
        if case.name in subject.left_out:
            raise NotMeasuredError(subject.left_out[case.name])
        if subject.needs and not shutil.which(subject.needs):
            raise NotMeasuredError(f"needs {subject.needs}, which is not here")
        return filled(command, built=str(self._build(subject)))

    def _build(self, subject: Subject) -> Path:
        target = self.built / subject.name
        if subject.build and not target.exists():
            say(f"building {subject.name}")
            build = filled(subject.build, built=str(target))
            output(build, BUILD, "does not build", environment(subject))
        return target

    def _under_load(self, case: load.Case, pid: int, port: int) -> load.Reading:
        arguments = (case.name, str(port), str(pid), str(self.seconds))
        command = (sys.executable, "-m", "benchmarks.load", *arguments)
        with on_core(self.load_core):
            answer = output(command, self.seconds + LOAD_GRACE, "failed", dict(os.environ))
        return load.Reading(**json.loads(answer))


def turned(subjects: Sequence[Subject], by: int) -> list[Subject]:
    """The subjects in an order of which each round begins one further."""
    by %= len(subjects)
    return [*subjects[by:], *subjects[:by]]


@contextlib.contextmanager
def running(
    command: Sequence[str], subject: Subject, form: str, core: set[int]
) -> Iterator[tuple[int, int]]:
    """A server on its core, answering: its pid and port. It and its children are killed at exit."""
    port = free_port(form) if any("{port}" in word for word in command) else None
    with tempfile.TemporaryFile("w+") as said:
        process = launched(filled(command, port=str(port)), subject, core, said)
        try:
            deadline = time.monotonic() + START
            port = port or announced_port(process, said, form, deadline)
            wait_until_it_echoes(process, said, form, port, deadline)
            yield process.pid, port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own session, so only its own group
            process.wait()


def launched(
    command: Sequence[str], subject: Subject, core: set[int], said: IO[str]
) -> subprocess.Popen[bytes]:
    with on_core(core):
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(subject),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


@contextlib.contextmanager
def on_core(core: set[int]) -> Iterator[None]:
    """What is started meanwhile inherits this affinity."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(subject: Subject) -> dict[str, str]:
    return {**os.environ, **subject.environment}


def filled(command: Sequence[str], **values: str) -> tuple[str, ...]:
    """A command with its places filled in; a place not known yet stays."""
    twistd = str(Path(sys.executable).with_name("twistd"))
    values = {"python": sys.executable, "twistd": twistd, "here": str(HERE)} | values
    return tuple(
        re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), word) for word in command
    )


def output(command: Sequence[str], seconds: float, failed: str, environment: dict[str, str]) -> str:
    """What a command prints; that it failed or took too long is one sentence."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"{failed}: not done within {seconds:g} s") from None
    if done.returncode:
        raise NotMeasuredError(f"{failed}: {last_line(done.stderr)}")
    return done.stdout


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def port_in(text: str, form: str) -> int | None:
    """The first port of 127.0.0.1 on a complete line that says tcp or udp."""
    for line in text.splitlines(keepends=True):
        found = re.search(r"\b127\.0\.0\.1:(\d+)\b", line)
        if found and line.endswith("\n") and re.search(rf"\b{form}\b", line, re.IGNORECASE):
            return int(found[1])
    return None


def announced_port(
    process: subprocess.Popen[bytes], said: IO[str], form: str, deadline: float
) -> int:
    while True:
        alive_before(process, said, deadline)
        said.seek(0)
        port = port_in(said.read(), form)
        if port:
            return port
        time.sleep(0.02)


def alive_before(process: subprocess.Popen[bytes], said: IO[str], deadline: float) -> None:
    if process.poll() is None and time.monotonic() < deadline:
        return
    said.seek(0)
    raise NotMeasuredError(f"not started: {last_line(said.read())}")


def wait_until_it_echoes(
    process: subprocess.Popen[bytes], said: IO[str], form: str, port: int, deadline: float
) -> None:
    while not echoes(form, port):
        alive_before(process, said, deadline)
        time.sleep(0.02)


def echoes(form: str, port: int) -> bool:
    kind = socket.SOCK_STREAM if form == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(("127.0.0.1", port))
            probe.send(b"?")
            return probe.recv(2) == b"?"
        except OSError:
            return False


def free_port(form: str) -> int:
    """A port that was free just now, for a server that cannot say which one it got."""
    kind = socket.SOCK_STREAM if form == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cores() -> tuple[set[int], set[int]]:
    """The last core for the server, the first (where interrupts go) for the load."""
    here = sorted(os.sched_getaffinity(0))
    return {here[-1]}, {here[0]}


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    elif soft < DESCRIPTORS:
        say(f"only {hard} descriptors are allowed; idle-memory needs {DESCRIPTORS}")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Compare echo servers.")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each (7)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement (0.5)")
    parser.add_argument("--cases", metavar="GLOB", default="*")
    parser.add_argument("--subjects", metavar="GLOB", default="*")
    parser.add_argument("--json", metavar="FILE", type=Path, help="default: in benchmarks/results/")
    parser.add_argument("--table", metavar="FILE", type=Path, help="default: beside the JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 naming each goal not held")
    chosen = parser.parse_args(arguments)
    chosen.cases = [case for case in load.CASES if fnmatch(case.name, chosen.cases)]
    chosen.subjects = [one for one in SUBJECTS if fnmatch(one.name, chosen.subjects)]
    if not chosen.cases or not chosen.subjects or chosen.rounds < 1 or chosen.seconds <= 0:
        parser.error("nothing to measure: see the names in benchmarks/README.md")
    return chosen


def measured(chosen: argparse.Namespace) -> report.Results:
    """Run the bench, and gather what the report needs."""
    server_core, load_core = cores()
    with tempfile.TemporaryDirectory(prefix="socketlab-bench-") as built:
        bench = Bench(
            chosen.subjects,
            chosen.cases,
            chosen.rounds,
            chosen.seconds,
            server_core,
            load_core,
            Path(built),
        )
        facts = report.environment(chosen.rounds, chosen.seconds, server_core, load_core)
        samples = list(bench.samples())
    return report.Results(facts, chosen.cases, chosen.subjects, samples, bench.skipped)


def write(results: report.Results, table: Path | None, samples: Path | None) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for path, text in (
        (table or RESULTS / f"{stamp}.md", report.markdown(results)),
        (samples or RESULTS / f"{stamp}.json", report.as_json(results)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        say(f"wrote {path}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and with --check hold the goals; the exit status."""
    chosen = options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that servers are killed
    raise_descriptor_limit()
    try:
        results = measured(chosen)
    except KeyboardInterrupt:
        say("interrupted: nothing written")
        return 130
    write(results, chosen.table, chosen.json)
    print(report.markdown(results))
    verdicts = report.verdicts(results)
    for verdict in verdicts if chosen.check else ():
        say(str(verdict))
    return int(chosen.check and not all(verdict.held for verdict in verdicts))

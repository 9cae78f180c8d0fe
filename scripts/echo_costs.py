"""Where the time of one echo goes, under epoll's reactor and under lean: ``docs/reactor.md``.

``python -m scripts.echo_costs`` has the echo of Twisted's documentation answer 1 KiB on 10
connections, counts its system calls (``strace -c``), and looks some hundred times a CPU second at
what it is doing. Prints two Markdown tables. Needs strace; a quiet machine gives quieter figures.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from benchmarks import runner
from benchmarks.load import Reading
from benchmarks.subjects import SUBJECTS, Subject

CASE = "tcp-1k-10"
SECONDS = 3.0
REACTORS = {"epoll": "textbook", "lean": "textbook+lean"}
CALLS = ("epoll_wait", "recvfrom", "sendto", "epoll_ctl")

#: What a function is busy with, by the end of its file's name and its own; the first that fits.
#: What it calls in C, system calls included, is its own time.
STEPS = (
    ("recv: the bytes come in", r"tcp\.py:doRead|reactor\.py:doRead"),
    ("send: the bytes go out", r"util\.py:untilConcludes|tcp\.py:writeSomeData|reactor\.py:_send"),
    (
        "epoll_ctl: ask to be told of room, and no more",
        r"epollreactor\.py:(?!doPoll)|:st\w+Writing",
    ),
    ("epoll_wait: what is ready", r"epollreactor\.py:doPoll|reactor\.py:doPoll"),
    ("a log context for each event", r"/log\.py:|context\.py:|:_contexts"),
    ("find and call what is ready", r"posixbase\.py:|reactor\.py:_read"),
    ("keep what is to be sent", r"abstract\.py:|_newtls\.py:|reactor\.py:(write|_give)"),
    ("the protocol", r"textbook\.py:|protocol\.py:"),
    ("timers, and the loop itself", r"/base\.py:|/_signals\.py:"),
    ("the rest", r""),
)


def main() -> int:
    """Measure both and print both tables."""
    subjects = {one.name: one for one in SUBJECTS}
    print(f"| system call | {' | '.join(REACTORS)} |\n|---|{'---:|' * len(REACTORS)}")
    counted = [counted_calls(subjects[name]) for name in REACTORS.values()]
    for call in CALLS:
        print(f"| `{call}` | {' | '.join(f'{one[call]:.2f}' for one in counted)} |")
    print(f"\n| µs of CPU per message | {' | '.join(REACTORS)} |\n|---|{'---:|' * len(REACTORS)}")
    sampled = [sampled_steps(subjects[name]) for name in REACTORS.values()]
    for step, _ in STEPS:
        print(f"| {step} | {' | '.join(f'{one[step]:.1f}' for one in sampled)} |")
    print(f"| **in all** | {' | '.join(f'**{sum(one.values()):.1f}**' for one in sampled)} |")
    return 0


# --- system calls --------------------------------------------------------------------------------


def counted_calls(subject: Subject) -> dict[str, float]:
    """Calls per message. Under strace everything is slower, which changes no ratio of counts."""
    with serving(subject, subject.tcp or ()) as (pid, port):
        command = ("strace", "-c", "-p", str(pid))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            strace.stderr.readline()  # "attached"
            loaded(pid, port)
            strace.send_signal(signal.SIGINT)
            said = strace.stderr.read()
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", said, re.MULTILINE)
    counts = {name: int(count) for count, name in rows}
    # The connections' last reads find their ends; each message is one read.
    return {call: counts.get(call, 0) / counts["recvfrom"] for call in CALLS}


# --- samples -------------------------------------------------------------------------------------


def sampled_steps(subject: Subject) -> Counter[str]:
    """Microseconds of CPU per message in each of STEPS."""
    _, script, *arguments = subject.tcp or ()
    with tempfile.TemporaryDirectory(prefix="socketlab-samples-") as folder:
        file = Path(folder, "samples.json")
        wrapped = ("{python}", "-m", "scripts.echo_costs", "--sample", str(file), script)
        with serving(subject, (*wrapped, *arguments)) as (pid, port):
            os.kill(pid, signal.SIGUSR1)
            cost = loaded(pid, port).cost
            os.kill(pid, signal.SIGTERM)
            while not file.exists():
                time.sleep(0.05)
        samples: dict[str, int] = json.loads(file.read_text())
    steps: Counter[str] = Counter()
    for where, count in samples.items():
        step = next(step for step, pattern in STEPS if re.search(pattern, where))
        steps[step] += cost * count / sum(samples.values())
    return steps


def sample(file: Path, script: str) -> None:
    """Run *script* to its end and write to *file* how often it was seen in which function."""
    seen: Counter[str] = Counter()

    def look(number: int, frame: FrameType | None) -> None:
        if frame is not None:
            seen[f"{frame.f_code.co_filename}:{frame.f_code.co_name}"] += 1

    signal.signal(signal.SIGPROF, look)
    signal.signal(signal.SIGUSR1, lambda *_: seen.clear())  # it has started
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        written = file.with_suffix(".new")
        written.write_text(json.dumps(seen))
        written.rename(file)


# --- a server under load -------------------------------------------------------------------------


@contextmanager
def serving(subject: Subject, command: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The subject on its core: its process and its port."""
    server_core, _ = runner.cores()
    with runner.running(runner.filled(command), subject, "tcp", server_core) as found:
        yield found


def loaded(pid: int, port: int) -> Reading:
    """Put it under load, from another core."""
    command = (sys.executable, "-m", "benchmarks.load", CASE, str(port), str(pid), str(SECONDS))
    with runner.on_core(runner.cores()[1]):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Reading(**json.loads(done.stdout))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sample"]:
        file, script = sys.argv[2:4]
        sys.argv = sys.argv[3:]
        sample(Path(file), script)
    else:
        sys.exit(main())

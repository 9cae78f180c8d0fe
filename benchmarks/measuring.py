"""What a process costs, read from outside; this file owns where each figure comes from.

CPU time is the kernel's own CPU clock of the process (``clock_getcpuclockid(3)``): nanoseconds, all
threads, user and system together. Not ``utime`` and ``stime`` of ``/proc/PID/stat``, which come in
ticks of 10 ms; only children that have ended are read there, as nothing else keeps them.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

# How Linux names the CPU clock of a process: the pid inverted, above three bits of which 2 means
# "nanoseconds the scheduler counted". clock_getcpuclockid(3) in glibc does the same sum.
SCHEDULER_CLOCK = 2

# Fields of /proc/PID/stat behind the command's closing parenthesis; 16 and 17 in proc(5).
CUTIME, CSTIME = 13, 14


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, its living descendants and its ended children, in seconds."""
    return sum(map(_cpu_clock, _tree(pid))) + _ended_children(pid)


def user_bytes(pid: int) -> int:
    """User-space memory of a process and its descendants, in bytes, shared pages split (Pss)."""
    return sum(map(_pss, _tree(pid)))


def _cpu_clock(pid: int) -> float:
    try:
        return time.clock_gettime(~pid << 3 | SCHEDULER_CLOCK)
    except OSError:  # it ended just now; from here on it counts as an ended child
        return 0.0


def _ended_children(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[CUTIME]) + int(fields[CSTIME])) / os.sysconf("SC_CLK_TCK")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in children.split():
        yield from _tree(int(child))


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

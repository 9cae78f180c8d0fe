"""The descriptors of stdin, stdout and stderr.

O_NONBLOCK belongs to the open file, not to a descriptor of it: set on a terminal, it is set for the
shell, for stderr and for every other program of the pipeline. So a terminal is opened once more.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def fill_missing() -> None:
    """Open /dev/null for each that is closed: else a socket would take its number."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # until we end


def unshared(fd: int) -> int:
    """A descriptor of the terminal *fd* that shares no flag with anybody; else *fd* itself."""
    if os.isatty(fd):
        with suppress(OSError):  # not ours to open, as after su
            return os.open(os.ttyname(fd), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    return fd


def same_place(one: int, other: int) -> bool:
    """Whether two descriptors are of the same terminal, pipe or file."""
    return os.path.samestat(os.fstat(one), os.fstat(other))

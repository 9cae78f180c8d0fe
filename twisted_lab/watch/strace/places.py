"""Where in the source a call was made, of a program that was compiled with ``-g``.

strace gives the stack (``-k``), which is places in files of machine code; addr2line(1) of binutils
knows the line of each.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

from twisted_lab.watch.strace.lines import Frame

#: Code of the system's own, which the program called.
_LIBRARIES = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "[", "/usr/local/lib/")

#: Bytes of a program that are searched for the name of a section, and seconds for an answer.
_MOST, _PATIENCE = 2**26, 5.0

#: ELF's type of a segment that is loaded, and where its tables are (elf(5), 64 bits).
_PT_LOAD = 1
_HEADER, _SEGMENT = struct.Struct("<16xHHIQQQIHHH"), struct.Struct("<IIQQQQQQ")


def has_lines(program: str) -> bool:
    """Whether the lines of *program* are known: it has them in it, and addr2line is there.

    Go has them too, but its stacks are not to be walked from outside.
    """
    try:
        with open(program, "rb") as file:
            code = file.read(_MOST)
    except OSError:
        return False
    c = b".debug_line" in code and b".gopclntab" not in code
    return code.startswith(b"\x7fELF") and c and shutil.which("addr2line") is not None


def place_of(stack: tuple[Frame, ...]) -> tuple[str, int, str] | None:
    """The file, the line and the function that called: the innermost of the program's own."""
    for frame in stack:
        if not frame.file.startswith(_LIBRARIES) and (found := _line(frame.file, frame.offset)):
            return *found, frame.function
    return None


@lru_cache(4096)
def _line(file: str, offset: int) -> tuple[str, int] | None:
    """The line of the call that returns to *offset* of *file*."""
    address = hex(_address(file, offset) - 1)
    try:
        done = subprocess.run(
            ("addr2line", "-e", file, address), capture_output=True, timeout=_PATIENCE, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    source, _, number = done.stdout.strip().partition(" ")[0].rpartition(":")
    return (source, int(number)) if number.isdecimal() and int(number) else None


def _address(file: str, offset: int) -> int:
    """Where *offset* of *file* is in memory, by its table of segments."""
    for start, address, size in _segments(file):
        if start <= offset < start + size:
            return offset - start + address
    return offset


@lru_cache(64)
def _segments(file: str) -> list[tuple[int, int, int]]:
    try:
        code = Path(file).read_bytes()[:4096]
        *_, table, _, _, _, size, count = _HEADER.unpack_from(code)
        found = [_SEGMENT.unpack_from(code, table + number * size) for number in range(count)]
    except (OSError, struct.error):
        return []
    return [(one[2], one[3], one[5]) for one in found if one[0] == _PT_LOAD]

"""The lines of ``strace -f``, made whole: a call that others came in the midst of is one again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_LINE = re.compile(r"(\d+) +(\d+)\.(\d{9}) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (.*?)(?: <(\d+)\.(\d{9})>)?")
_BEGUN = re.compile(r"(\w+)\((.*?),? *<unfinished \.\.\.>")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_ENDED = re.compile(r"\+\+\+ (?:exited with|killed by) .*")
_FRAME = re.compile(r" > (.*)\((.*?)(?:\+0x[0-9a-f]+)?\) \[0x([0-9a-f]+)\]")

#: Frames of a stack that are kept: what a program does itself is near its innermost end.
_FRAMES = 24


@dataclass(frozen=True, slots=True)
class Frame:
    """A place of a stack: the file with the code, the function, and where in the file."""

    file: str
    function: str
    offset: int


@dataclass(frozen=True, slots=True)
class Line:
    """One call of the thread *thread*: times in ns since 1970; *result* as strace writes it.

    A thread's end has the *name* "", and a call that has begun and not returned no *result*.
    """

    thread: int
    began: int
    name: str
    arguments: str
    result: str | None
    took: int = 0
    stack: tuple[Frame, ...] = ()


class Lines:
    """Makes calls of text, however it is cut."""

    def __init__(self) -> None:
        self._text = ""
        self._begun: dict[int, Line] = {}
        #: The last call, whose stack may follow.
        self._last: Line | None = None
        self._stack: list[Frame] = []

    def take(self, text: str) -> Iterator[Line]:
        """The calls that are whole with *text*."""
        *lines, self._text = (self._text + text).split("\n")
        for line in lines:
            if line.startswith(" > "):
                self._take_frame(line)
                continue
            yield from self.flush()
            self._last, self._stack = self._read(line), []
            if self._last is not None and self._last.result is None:
                yield from self.flush()  # it has begun, or ended a thread: no stack follows
        if self._text[:1].isdecimal():  # the next begins
            yield from self.flush()

    def flush(self) -> Iterator[Line]:
        """The last call: nothing more follows."""
        last, self._last = self._last, None
        stack, self._stack = self._stack, []
        if last is not None:
            yield replace(last, stack=tuple(stack)) if stack else last

    def _take_frame(self, line: str) -> None:
        found = _FRAME.fullmatch(line)
        if found and len(self._stack) < _FRAMES:
            self._stack.append(Frame(found[1], found[2], int(found[3], 16)))

    def _read(self, line: str) -> Line | None:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        thread, ns, said = int(found[1]), int(found[2]) * 10**9 + int(found[3]), found[4]
        if _ENDED.fullmatch(said):
            self._begun.pop(thread, None)
            return Line(thread, ns, "", "", None)
        if begun := _BEGUN.fullmatch(said):
            line_begun = Line(thread, ns, begun[1], begun[2], None)
            self._begun[thread] = line_begun
            return line_begun
        if resumed := _RESUMED.fullmatch(said):
            before = self._begun.pop(thread, None)
            if before is None:
                return None
            ns, said = before.began, f"{before.name}({_joined(before.arguments, resumed[2])}"
        call = _CALL.fullmatch(said)
        if call is None:
            return None
        took = 0 if call[4] is None else int(call[4]) * 10**9 + int(call[5])
        return Line(thread, ns, call[1], call[2], call[3], took)


def _joined(first: str, rest: str) -> str:
    """The arguments, which strace broke off after a comma, or before it."""
    rest = rest.removeprefix(",").lstrip()
    return f"{first}, {rest}" if first and not rest.startswith(")") else first + rest

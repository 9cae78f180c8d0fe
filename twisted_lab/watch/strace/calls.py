"""The lines of strace as records, in the form of those of the rings (``hook/socketlab_hook/seen``).

Rule: of a call that did not concern a socket nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted_lab.watch.records import Record
from twisted_lab.watch.strace import descriptors, moving, naming, waits
from twisted_lab.watch.strace.lines import Line
from twisted_lab.watch.strace.nameless import Nameless
from twisted_lab.watch.strace.processes import FORKS, Processes
from twisted_lab.watch.strace.telling import Telling

_CALLS: dict[str, Callable[[Telling], None]] = {
    **naming.CALLS,
    **moving.CALLS,
    **descriptors.CALLS,
    **waits.CALLS,
}

#: The calls that strace is asked for.
TRACED = (*_CALLS, *sorted(FORKS))


class Calls:
    """Makes records of lines. *offset* is how far the lines' clock is before the monotonic one.

    *name* is what the program is called.
    """

    def __init__(self, offset: int, name: str) -> None:
        self._offset = offset
        self._processes = Processes(name)
        self._nameless = Nameless()

    @property
    def seen(self) -> int:
        """How many threads were seen."""
        return self._processes.seen

    @property
    def living(self) -> list[int]:
        """The processes that have not ended."""
        return self._processes.living

    def nameless(self, since: int) -> int | None:
        """When the first connection was made after *since* whose address is not known yet."""
        return self._nameless.first(since)

    def records(self, line: Line) -> list[tuple[int, Record]]:
        """The records of *line*: (pid, record) each."""
        process, told = self._processes.of(line.thread)
        if not line.name:
            return told + self._processes.ended(process, line, line.began - self._offset)
        if line.name in FORKS:
            return told + self._processes.forked(line)
        call = _CALLS.get(line.name)
        # "?": it did not return, or the kernel makes it again, and another line tells of that.
        if call is not None and line.result is not None and not line.result.startswith("?"):
            one = Telling(process, replace(line, began=line.began - self._offset), self._nameless)
            call(one)
            told += one.records
        return told

"""The processes that strace follows, and their threads: who begot whom, and who has ended."""

from __future__ import annotations

from twisted_lab.watch.records import Record
from twisted_lab.watch.strace.lines import Line
from twisted_lab.watch.strace.tables import Process

#: The calls that make a process, or a thread.
FORKS = frozenset({"clone", "clone3", "fork", "vfork"})


class Processes:
    """All that were seen; *name* is what the program is called."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: dict[int, Process] = {}
        #: The calls that make others and have not returned, by thread: their arguments.
        self._forking: dict[int, str] = {}
        #: How many threads were seen.
        self.seen = 0

    @property
    def living(self) -> list[int]:
        """Those that have not ended."""
        return sorted({process.pid for process in self._threads.values()})

    def of(self, thread: int) -> tuple[Process, list[tuple[int, Record]]]:
        """The process of *thread*, and what there is to tell where that is new.

        Of whom a new one is, only a clone() that has not returned can tell.
        """
        known = self._threads.get(thread)
        if known is not None:
            return known, []
        self.seen += 1
        for parent, arguments in self._forking.items():
            return self._born(parent, thread, arguments)
        process = self._threads[thread] = Process(thread, {thread})
        return process, [(thread, self._begins(process, 0))]

    def _begins(self, process: Process, parent: int) -> Record:
        return "p", process.pid, parent, [self._name], self._name, ""

    def _born(
        self, parent: int, thread: int, arguments: str
    ) -> tuple[Process, list[tuple[int, Record]]]:
        """*thread* is what the clone() of *parent* made."""
        of = self._threads[parent]
        if "CLONE_THREAD" in arguments:
            of.threads.add(thread)
            self._threads[thread] = of
            return of, []
        process = self._threads[thread] = of.forked(thread)
        keys = [held.key for held in process.held.values()]
        begins = self._begins(process, of.pid)
        return process, [(thread, begins), (thread, ("f", *keys))]

    def forked(self, line: Line) -> list[tuple[int, Record]]:
        """A call that makes another, begun or done."""
        if line.result is None:
            self._forking[line.thread] = line.arguments
            return []
        self._forking.pop(line.thread, None)
        child = line.result.partition(" ")[0]
        if not child.isdecimal() or int(child) in self._threads:
            return []
        return self._born(line.thread, int(child), line.arguments)[1]

    def ended(self, process: Process, line: Line, ns: int) -> list[tuple[int, Record]]:
        """The thread of *line* ended at *ns*; with its last a process does, and its sockets."""
        self._threads.pop(line.thread, None)
        process.threads.discard(line.thread)
        if process.threads:
            return []
        keys = tuple(held.key for held in process.held.values())
        return [(process.pid, ("x", ns, *keys))]

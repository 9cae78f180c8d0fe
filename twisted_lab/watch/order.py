"""Records in the order of time, though each process writes its own."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from twisted_lab.watch.records import Record


class InOrder:
    """Gives (pid, record) pairs in the order in which the calls ended."""

    def __init__(self) -> None:
        #: What is not given yet, by the ns of its end; and the last ns of each process.
        self._waiting: list[tuple[int, int, Record]] = []
        self._at: dict[int, int] = {}

    def take(
        self, records: Iterable[tuple[int, Record]], until: int | None
    ) -> list[tuple[int, Record]]:
        """Those of *records* and of the ones before that ended before *until*; None gives all.

        What is later is kept: what it stands on may come with the next.
        """
        for pid, record in records:
            if record[0] == "c":
                self._at[pid] = max(self._at.get(pid, 0), record[1] + record[2])
            elif record[0] in ("x", "e"):
                self._at[pid] = max(self._at.get(pid, 0), record[1])
            self._waiting.append((self._at.get(pid, 0), pid, record))
        self._waiting.sort(key=itemgetter(0))
        ready = [one for one in self._waiting if until is None or one[0] < until]
        del self._waiting[: len(ready)]
        return [(pid, record) for _, pid, record in ready]

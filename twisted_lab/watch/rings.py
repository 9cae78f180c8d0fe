"""The rings that watched processes write their calls to, read: see ``hook/socketlab_hook.py``.

Rule: a ring is read after its writer's death as before, so a ``kill -9`` loses nothing.
"""

from __future__ import annotations

import marshal
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from twisted_lab.watch.order import InOrder
from twisted_lab.watch.records import Record

#: As in the hook, which shares no module with us.
SIZE = 2**23
HEADER = 64
_ROOM = SIZE - HEADER
_MAGIC, _PID, _WRITTEN, _READ, _LOST = range(5)
_SIGN = 0x31574C5354454B43

#: The file that says that the hook was there.
WORD = "hooked"

#: Bytes of a record at most: a path, and some words.
_LONGEST = 2**16

#: Records taken from one ring at a time, so that others have their turn.
_TURN = 5000


class Ring:
    """The ring in the file *path*, which *pid* writes; raises OSError or ValueError."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(fd, SIZE)
        finally:
            os.close(fd)
        self._words = memoryview(self._map)[:HEADER].cast("Q")
        if self._words[_MAGIC] != _SIGN:
            self.close()
            raise ValueError("no ring yet")
        self.pid = self._words[_PID]

    @property
    def lost(self) -> int:
        """How many records did not fit, for we were too slow."""
        return self._words[_LOST]

    def read(self) -> Iterator[Record]:
        """The records since the last time, at most some thousands."""
        at, written = self._words[_READ], self._words[_WRITTEN]
        for _ in range(_TURN):
            if written - at < 4:
                break
            size = int.from_bytes(self._bytes(at, 4), "little")
            if size > _LONGEST or at + 4 + size > written:
                raise ValueError("the program wrote over its ring")
            record = marshal.loads(self._bytes(at + 4, size))
            at += 4 + size
            self._words[_READ] = at
            yield record

    def _bytes(self, at: int, size: int) -> bytes:
        start = HEADER + at % _ROOM
        found = self._map[start : start + size]
        return (
            found + self._map[HEADER : HEADER + size - len(found)] if len(found) < size else found
        )

    def close(self) -> None:
        """Let go of it."""
        self._words.release()
        self._map.close()


class Rings:
    """All rings in *folder*: one for each process that was seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rings: dict[str, Ring] = {}
        self._lost = 0
        self._order = InOrder()

    def read(self, *, all: bool = False) -> list[tuple[int, Record]]:
        """What was written since the last time, as (pid, record), in the order of time.

        What is later than the beginning of this look is kept for the next, unless *all* is wanted:
        what it stands on may be in a ring that was looked at before.
        """
        until = None if all else time.monotonic_ns()
        self._look()
        return self._order.take(self._unread(), until)

    def _unread(self) -> list[tuple[int, Record]]:
        found: list[tuple[int, Record]] = []
        for name, ring in list(self._rings.items()):
            ended = not _lives(ring.pid)
            before = len(found)
            try:
                found += ((ring.pid, record) for record in ring.read())
            except (ValueError, EOFError, TypeError):
                ended = True
            if ended and len(found) == before:
                self._forget(name, ring)
        return found

    def _look(self) -> None:
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                if entry.name not in self._rings and entry.name != WORD:
                    with suppress(OSError, ValueError):
                        self._rings[entry.name] = Ring(Path(entry.path))

    def _forget(self, name: str, ring: Ring) -> None:
        """Its process is gone, and it is empty."""
        self._lost += ring.lost
        ring.close()
        del self._rings[name]
        (self._folder / name).unlink(missing_ok=True)

    @property
    def lost(self) -> int:
        """How many records there was no room for."""
        return self._lost + sum(ring.lost for ring in self._rings.values())

    @property
    def hooked(self) -> bool:
        """Whether the hook was in any process at all."""
        return (self._folder / WORD).exists()

    @property
    def living(self) -> list[int]:
        """The processes that are watched now."""
        return [ring.pid for ring in self._rings.values() if _lives(ring.pid)]

    def close(self) -> None:
        """Let go of all."""
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"

"""A ring in shared memory: one process writes it, and one reads (``twisted_lab.watch.rings``)."""

import marshal
import mmap
import os
import threading
import time
from collections import deque

#: Bytes of a ring, its header included. It is sparse: what is not written takes no memory.
SIZE = 2**23
HEADER = 64

#: The words of the header, 8 bytes each; SIGN stands in the first once the others hold.
MAGIC, PID, WRITTEN, READ, LOST = range(5)
SIGN = 0x31574C5354454B43

#: Our descriptors are above those that a program counts on.
_HIGH = 100

_ROOM = SIZE - HEADER

#: The original, for the hooked one would tell of what is ours.
_close = os.close


class Ring:
    """The ring of this process, a file of its own in *folder*."""

    def __init__(self, folder):
        name = f"{os.getpid()}-{time.monotonic_ns()}"
        self._map = _mapped(os.path.join(folder, name))
        self._words = memoryview(self._map)[:HEADER].cast("Q")
        self._waiting = deque()
        self._lock = threading.Lock()
        self._at = 0
        self._lost = 0
        self._words[PID] = os.getpid()
        self._words[MAGIC] = SIGN

    def put(self, record):
        """Write *record*; threads and signal handlers may come in the midst of each other."""
        self._waiting.append(record)
        while self._waiting and self._lock.acquire(False):
            try:
                self._drain()
            finally:
                self._lock.release()

    def _drain(self):
        waiting, words = self._waiting, self._words
        while waiting:
            packed = marshal.dumps(waiting.popleft(), 2)
            size = len(packed) + 4
            if self._at + size - words[READ] > _ROOM:
                self._lost += 1
                words[LOST] = self._lost
                continue
            self._write(len(packed).to_bytes(4, "little") + packed)
            self._at += size
            words[WRITTEN] = self._at

    def _write(self, data):
        start = HEADER + self._at % _ROOM
        fits = min(len(data), SIZE - start)
        self._map[start : start + fits] = data[:fits]
        if fits < len(data):
            self._map[HEADER : HEADER + len(data) - fits] = data[fits:]


def _mapped(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fillers = []
    try:
        os.ftruncate(fd, SIZE)
        # mmap keeps a copy of the descriptor, the lowest there is: not one that a program, or who
        # reads what it prints, expects.
        while not fillers or fillers[-1] < _HIGH:
            fillers.append(os.dup(fd))
        _close(fillers.pop())
        return mmap.mmap(fd, SIZE)
    finally:
        for one in (fd, *fillers):
            _close(one)

"""A ring in shared memory: one process writes it, and one reads (``twisted_lab.watch.rings``)."""

import marshal
import mmap
import os
import struct
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

#: The length of a record, before it.
_LENGTH = struct.Struct("<I").pack

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
            packed = _LENGTH(len(packed)) + packed
            size, at = len(packed), self._at
            if at + size - words[READ] > _ROOM:
                self._lost += 1
                words[LOST] = self._lost
                continue
            start = HEADER + at % _ROOM
            if start + size <= SIZE:
                self._map[start : start + size] = packed
            else:
                self._write_round(start, packed)
            self._at = words[WRITTEN] = at + size

    def _write_round(self, start, data):
        fits = SIZE - start
        self._map[start:SIZE] = data[:fits]
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

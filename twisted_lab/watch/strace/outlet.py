"""Where strace writes, read as it writes: a pseudo-terminal.

Into a file or a pipe strace writes some thousand bytes at a time, so what happens now would be seen
much later; to a terminal it writes each line (setbuf(3)). A terminal holds some thousand bytes, so
a thread of ours empties it all the while.
"""

from __future__ import annotations

import os
import threading
import time
import tty
from collections import deque

#: Bytes read at a time, and that wait to be taken at most: then strace waits, and the program.
_CHUNK, _MOST = 2**16, 2**24

#: Seconds until a full store is looked at again.
_STEP = 0.005


class Outlet:
    """Give *path* to who writes; :meth:`read` has what was written."""

    def __init__(self) -> None:
        self._fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        #: When something came last, by the monotonic clock.
        self.last = time.monotonic()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._thread = threading.Thread(target=self._empty, daemon=True, name="strace")
        self._thread.start()

    def _empty(self) -> None:
        begun = False
        while True:
            try:
                data = os.read(self._fd, _CHUNK)
            except OSError:  # EIO: who wrote has closed it
                return
            if not begun:
                begun = True
                os.close(self._slave)  # held open until then, for without one there is no terminal
            self._chunks.append(data)
            self._size += len(data)
            self.last = time.monotonic()
            while self._size > _MOST:
                time.sleep(_STEP)

    def read(self) -> str:
        """What was written since the last time."""
        data = b"".join(self._chunks.popleft() for _ in range(len(self._chunks)))
        self._size -= len(data)
        return data.decode("ascii", "replace")

    def wait(self, seconds: float) -> bool:
        """Wait until who writes has closed it; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Let go of it."""
        if self._thread.is_alive():
            return  # its writer lives on, and a descriptor that a thread reads is not to be closed
        os.close(self._fd)

"""How late this machine is: who is late himself accuses nobody of being slow."""

from __future__ import annotations

import threading
import time
from collections import deque

#: Seconds between two looks.
_STEP = 0.02

#: Looks kept: ten minutes.
_KEPT = 30_000


class Lateness:
    """A thread that sleeps for moments and looks how much too late it wakes.

    Use as a context manager. What it sees holds for the server beside us, too, when it is on the
    same machine; for one elsewhere it holds for us alone.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._seen: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._watch, name="lateness", daemon=True)

    def __enter__(self) -> Lateness:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(_STEP):
            now = time.monotonic()
            self._seen.append((now, now - before - _STEP))
            before = now

    def worst(self, since: float) -> float:
        """Seconds by which it woke too late at worst since the moment *since*."""
        return max((late for at, late in tuple(self._seen) if at >= since), default=0.0)

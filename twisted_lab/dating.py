"""When the monotonic clock's moments were, by the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable

#: How often both clocks are asked: whoever is interrupted between them is the exception.
_TRIES = 5


def began(now: Callable[[], int], wall: Callable[[], int] = time.time_ns) -> int:
    """When *now*, a monotonic clock, was 0: nanoseconds since 1970 by *wall*.

    The clocks cannot be asked at once; of several tries that counts which took least.
    """
    return min(_try(now, wall) for _ in range(_TRIES))[1]


def _try(now: Callable[[], int], wall: Callable[[], int]) -> tuple[int, int]:
    before = now()
    date = wall()
    after = now()
    return after - before, date - (before + after) // 2

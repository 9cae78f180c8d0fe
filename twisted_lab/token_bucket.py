"""A token bucket: so many a second, and a burst. It reads no clock; time comes in as seconds."""

from __future__ import annotations

#: What rounding may take off a bucket that is exactly full enough: 0.1 s at 10/s is one token.
_ROUNDING = 1e-6


class TokenBucket:
    """*rate* tokens a second (more than 0), *capacity* at most, full at *now* (in seconds).

    A clock that steps back adds nothing and takes nothing.
    """

    __slots__ = ("_at", "_tokens", "capacity", "rate")

    def __init__(self, rate: float, capacity: float, now: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self._tokens = capacity
        self._at = now

    def _fill(self, now: float) -> float:
        passed = now - self._at
        self._at = now
        if passed > 0:
            self._tokens = min(self.capacity, self._tokens + passed * self.rate)
        return self._tokens

    def change(self, rate: float, capacity: float) -> None:
        """Another rate and capacity from now on; what is over the capacity is lost."""
        self.rate = rate
        self.capacity = capacity
        self._tokens = min(capacity, self._tokens)

    def allow(self, n: float, now: float) -> bool:
        """Take *n* tokens if they are there; else take none. For what can be refused."""
        left = self._fill(now) - n
        if left < -_ROUNDING:
            return False
        self._tokens = left
        return True

    def take(self, n: float, now: float) -> float:
        """Take *n* tokens, on credit if need be. For what has happened and cannot be refused.

        Returns the seconds until the debt is paid: 0.0 when there is none.
        """
        self._tokens = self._fill(now) - n
        return -self._tokens / self.rate if self._tokens < -_ROUNDING else 0.0

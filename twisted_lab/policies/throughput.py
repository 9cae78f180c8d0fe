"""How fast one connection may be: a token bucket each, so a greedy client slows only itself.

Twisted's ThrottlingFactory has one allowance for all and pauses everybody (twisted 26.10: a
greedy client froze a quiet one for 8 s).
"""

from __future__ import annotations

from typing import Any

from twisted_lab.interfaces import Clock, StreamView
from twisted_lab.token_bucket import TokenBucket

#: Reads (and so pauses) a second at most: small enough steps for a smooth rate, few enough to be
#: cheap. The bucket holds two steps, so that a timer that comes late loses nothing.
_STEPS_PER_SECOND = 50
_FULL_READ = 2**16


class _Account:
    """What one stream has left to receive and to send, and the timer that lets it go on."""

    __slots__ = ("received", "sent", "timer")

    def __init__(self, rate: float, capacity: float, now: float) -> None:
        self.received = TokenBucket(rate, capacity, now)
        self.sent = TokenBucket(rate, capacity, now)
        self.timer: Any = None

    def debt(self, now: float) -> float:
        """Seconds until both directions are paid."""
        return max(self.received.take(0, now), self.sent.take(0, now))


class Throughput:
    """Keeps each stream to *rate* bytes per second, in and out each, by pausing its reading."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._step = max(1, min(_FULL_READ, int(rate / _STEPS_PER_SECOND)))
        self._capacity = max(2 * self._step, rate / _STEPS_PER_SECOND)
        self._accounts: dict[StreamView, _Account] = {}

    def opened(self, stream: StreamView) -> None:
        """An account, and reads and writes no larger than a step."""
        self._accounts[stream] = _Account(self._rate, self._capacity, self._clock.seconds())
        stream.limit_reads(self._step)
        stream.limit_writes(self._step)

    def received(self, stream: StreamView, count: int) -> None:
        """Bytes came."""
        account = self._accounts[stream]
        self._pay(stream, account, account.received, count)

    def sent(self, stream: StreamView, count: int) -> None:
        """Bytes went."""
        account = self._accounts[stream]
        self._pay(stream, account, account.sent, count)

    def _pay(self, stream: StreamView, account: _Account, bucket: TokenBucket, count: int) -> None:
        debt = bucket.take(count, self._clock.seconds())
        if debt > 0 and account.timer is None:
            stream.hold("throughput")
            account.timer = self._clock.callLater(debt, self._look, stream, account)

    def _look(self, stream: StreamView, account: _Account) -> None:
        account.timer = None
        debt = account.debt(self._clock.seconds())
        if debt > 0:
            account.timer = self._clock.callLater(debt, self._look, stream, account)
        else:
            stream.release("throughput")

    def closed(self, stream: StreamView) -> None:
        """Forget it."""
        account = self._accounts.pop(stream, None)  # it may have been ending when we came
        if account is not None and account.timer is not None:
            account.timer.cancel()

    def let_go(self, stream: StreamView) -> None:
        """From now on it may be as fast as it can."""
        self.closed(stream)
        stream.release("throughput")
        stream.free_limits()

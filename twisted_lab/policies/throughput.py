"""How fast one connection may be: a token bucket each, so a greedy client slows only itself.

Twisted's ThrottlingFactory has one allowance for all and pauses everybody (twisted 26.10: a
greedy client froze a quiet one for 8 s).
"""

from __future__ import annotations

from twisted_lab.interfaces import Clock, StreamView
from twisted_lab.token_bucket import TokenBucket

#: Reads (and so pauses) a second at most: small enough steps for a smooth rate, few enough to be
#: cheap. The bucket holds two steps, so that a timer that comes late loses nothing.
_STEPS_PER_SECOND = 50
_FULL_READ = 2**16


class Throughput:
    """Keeps each stream to *rate* bytes per second, in and out each, by pausing its reading."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._step = max(1, min(_FULL_READ, int(rate / _STEPS_PER_SECOND)))
        self._buckets: dict[StreamView, tuple[TokenBucket, TokenBucket]] = {}

    def opened(self, stream: StreamView) -> None:
        """A bucket for each direction, and reads no larger than a step."""
        capacity = max(2 * self._step, self._rate / _STEPS_PER_SECOND)
        now = self._clock.seconds()
        self._buckets[stream] = (
            TokenBucket(self._rate, capacity, now),
            TokenBucket(self._rate, capacity, now),
        )
        stream.limit_reads(self._step)

    def received(self, stream: StreamView, count: int) -> None:
        """Bytes came."""
        self._pay(stream, self._buckets[stream][0], count)

    def sent(self, stream: StreamView, count: int) -> None:
        """Bytes went."""
        self._pay(stream, self._buckets[stream][1], count)

    def _pay(self, stream: StreamView, bucket: TokenBucket, count: int) -> None:
        if bucket.take(count, self._clock.seconds()) > 0:
            stream.hold("throughput")
            self._release_when_paid(stream)

    def _release_when_paid(self, stream: StreamView) -> None:
        now = self._clock.seconds()
        wait = max(bucket.take(0, now) for bucket in self._buckets[stream])
        self._clock.callLater(wait, self._look, stream)

    def _look(self, stream: StreamView) -> None:
        buckets = self._buckets.get(stream)
        if buckets is None:
            return
        if any(bucket.take(0, self._clock.seconds()) > 0 for bucket in buckets):
            self._release_when_paid(stream)
        else:
            stream.release("throughput")

    def closed(self, stream: StreamView) -> None:
        """Forget it."""
        self._buckets.pop(stream, None)

"""A token bucket for each source, in a table that peers cannot grow."""

from __future__ import annotations

from collections import OrderedDict

from twisted_lab.token_bucket import TokenBucket

#: How many sources are remembered, the longest silent out first: peers choose their addresses.
SOURCES_KEPT = 4096


class SourceRates:
    """*rate* a second and source, with bursts of *burst*; a source is a ``Host.key``."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def inherit(self, old: SourceRates) -> None:
        """Go on with the buckets of *old*, at this rate and with this burst."""
        self._buckets = old._buckets
        for bucket in self._buckets.values():
            bucket.change(self._rate, self._burst)

    def allow(self, key: str, now: float) -> bool:
        """Whether *key* may have one more at *now* (seconds); takes it if so."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, now)
            if len(self._buckets) > SOURCES_KEPT:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket.allow(1, now)

"""How many connections a second one peer may begin."""

from __future__ import annotations

from collections.abc import Callable

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal
from twisted_lab.source_rates import SourceRates

#: 50 a second with bursts of 100: a page with its pictures passes, a storm does not.
DEFAULT = 50.0


class AcceptRate:
    """Refuses a peer that begins more than *rate* connections a second, in bursts of two seconds'.

    Loopback peers are counted unless *spares_loopback*. *seconds* is a monotonic clock.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        rate: float = DEFAULT,
        *,
        spares_loopback: bool = True,
    ) -> None:
        self._seconds = seconds
        self._rate = rate
        self.spares_loopback = spares_loopback
        self._sources = SourceRates(rate, max(1.0, 2 * rate))

    def inherit(self, old: AcceptRate) -> None:
        """Who used up its burst under *old* has no other."""
        self._sources.inherit(old._sources)

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        if self._sources.allow(host.key, self._seconds()):
            return None
        return Refusal(
            "accept-rate", f"too many connections a second from {host.key} (limit {self._rate:g}/s)"
        )

"""What ``/metrics`` answers: counts of what only events know, and what services say when asked.

This file owns what is counted; :mod:`twisted_lab.metric_families` owns the names. Nothing is
counted for each message: bytes and datagrams are read from the streams and ports at the scrape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted_lab.events import Accepted, Closed, Event, Refused, Tls
from twisted_lab.loop_lag import LoopLag
from twisted_lab.scrape import Scrape, ServiceTotals, ServiceView

__all__ = ["KINDS", "Metrics", "ServiceTotals", "ServiceView"]

#: The events it counts; the rest stands in a :class:`~twisted_lab.scrape.ServiceView`.
KINDS = ("accepted", "refused", "tls", "closed")


class Metrics:
    """Counts events and answers scrapes; an observer of :data:`KINDS`.

    *views* says what each service has now; *lag* measures the reactor; *lost* has for each
    observer that may lose events a function that says how many it has lost; *build* is what runs,
    in words of the one who started it (``version``, ``reactor`` …).
    """

    def __init__(
        self,
        views: Callable[[], Sequence[ServiceView]],
        lag: LoopLag,
        lost: Mapping[str, Callable[[], int]],
        build: Mapping[str, str],
    ) -> None:
        self._views = views
        self._lag = lag
        self._lost = lost
        self._build = build
        self._totals: dict[str, ServiceTotals] = {}

    def of(self, service: str) -> ServiceTotals:
        """What the events of *service* came to so far."""
        totals = self._totals.get(service)
        if totals is None:
            totals = self._totals[service] = ServiceTotals()
        return totals

    def __call__(self, event: Event) -> None:
        """Count *event*."""
        totals = self.of(event.service)
        if isinstance(event, Accepted):
            totals.accepted += 1
        elif isinstance(event, Closed):
            totals.closed[event.reason.value] += 1
            totals.bytes_in += event.bytes_in
            totals.bytes_out += event.bytes_out
            totals.durations.add(event.duration)
        elif isinstance(event, Refused):
            totals.refused[event.reason] += event.count
        elif isinstance(event, Tls):
            totals.tls["done" if event.error is None else "failed"] += 1

    def scrape(self) -> Scrape:
        """All of it, at this moment."""
        services = [(view, self.of(view.name)) for view in self._views()]
        lost = {name: count() for name, count in self._lost.items()}
        return Scrape(services, self._lag.seen, lost, self._build)

    def exposition(self, accept: str = "") -> tuple[str, bytes]:
        """The content type and the body of an answer, in the form the header *accept* prefers.

        OpenMetrics 1.0, or the older Prometheus text 0.0.4 for whoever does not ask for it.
        """
        # To import it takes up to a tenth of a second, which nobody pays who is not scraped.
        from twisted_lab.metric_families import exposition

        return exposition(self.scrape(), accept)

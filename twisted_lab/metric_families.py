"""The metrics by name, and their text as prometheus_client writes it.

Rule 1: no label has a value that a peer chose. Rule 2: no state here, nor in the library: each
scrape has a registry of its own, made of one :class:`~twisted_lab.scrape.Scrape`.

Import it when somebody scrapes and not before, for the library takes its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import CollectorRegistry

from twisted_lab.histogram import Histogram
from twisted_lab.scrape import Scrape, ServiceTotals, ServiceView

#: The values of its labels in their order, and the value: for a histogram, a Histogram; for an
#: info, more labels.
Sample = tuple[tuple[str, ...], Any]

#: No true header is as long; what a library parses for a stranger shall have an end.
ACCEPT_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what it is called, what it means, and where its *samples* come from.

    *name* is without the ``_total`` of a counter and the ``_info`` of an info; *unit* is the end of
    the name, or empty.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    unit: str
    labels: tuple[str, ...]
    meaning: str
    samples: Callable[[Scrape], Iterable[Sample]]

    @property
    def shown(self) -> str:
        """The name as it stands in an answer, and in a query."""
        return self.name + {"counter": "_total", "info": "_info"}.get(self.kind, "")


Pick = Callable[[ServiceView, ServiceTotals], Any]
PickMany = Callable[[ServiceView, ServiceTotals], Mapping[str, int]]


def _each(
    pick: Pick, serves: Callable[[ServiceView], bool]
) -> Callable[[Scrape], Iterable[Sample]]:
    """One sample for each service that *serves* the thing."""
    return lambda scrape: [
        ((view.name,), pick(view, totals)) for view, totals in scrape.services if serves(view)
    ]


def _each_by(
    pick: PickMany, serves: Callable[[ServiceView], bool]
) -> Callable[[Scrape], Iterable[Sample]]:
    """The same, and for each key of what *pick* gives."""
    return lambda scrape: [
        ((view.name, key), value)
        for view, totals in scrape.services
        if serves(view)
        for key, value in pick(view, totals).items()
    ]


def _streams(view: ServiceView) -> bool:
    return view.streams


def _datagrams(view: ServiceView) -> bool:
    return view.datagrams


def _any(view: ServiceView) -> bool:
    return True


def _both(value_in: int, value_out: int) -> dict[str, int]:
    return {"in": value_in, "out": value_out}


#: Every metric there is, in the order of an answer.
CATALOGUE = (
    Metric(
        "socketlab_connections",
        "gauge",
        "",
        ("service", "state"),
        "Connections there are: open ones, and those whose end has begun.",
        _each_by(lambda view, totals: {"open": view.open, "ending": view.ending}, _streams),
    ),
    Metric(
        "socketlab_connections_accepted",
        "counter",
        "",
        ("service",),
        "Connections accepted and let in, before any TLS handshake.",
        _each(lambda view, totals: totals.accepted, _streams),
    ),
    Metric(
        "socketlab_connections_refused",
        "counter",
        "",
        ("service", "reason"),
        "Connections turned away, by the gate that did it.",
        _each_by(lambda view, totals: totals.refused, _streams),
    ),
    Metric(
        "socketlab_connections_closed",
        "counter",
        "",
        ("service", "reason"),
        "Connections that are gone, by who or what ended them first.",
        _each_by(lambda view, totals: totals.closed, _streams),
    ),
    Metric(
        "socketlab_connection_duration_seconds",
        "histogram",
        "seconds",
        ("service",),
        "How long closed connections lasted, from accept to their end.",
        _each(lambda view, totals: totals.durations, _streams),
    ),
    Metric(
        "socketlab_stream_bytes",
        "counter",
        "bytes",
        ("service", "direction"),
        "Bytes of connections, open ones included: in received, out written by the service.",
        _each_by(
            lambda view, totals: _both(
                totals.bytes_in + view.bytes_in, totals.bytes_out + view.bytes_out
            ),
            _streams,
        ),
    ),
    Metric(
        "socketlab_tls_handshakes",
        "counter",
        "",
        ("service", "result"),
        "TLS handshakes that came to an end: done, or failed.",
        _each_by(lambda view, totals: totals.tls, _streams),
    ),
    Metric(
        "socketlab_datagrams",
        "counter",
        "",
        ("service", "direction"),
        "Datagrams: in that the service got, out that the kernel took.",
        _each_by(lambda view, totals: _both(view.datagrams_in, view.datagrams_out), _datagrams),
    ),
    Metric(
        "socketlab_datagram_bytes",
        "counter",
        "bytes",
        ("service", "direction"),
        "Payload of these datagrams.",
        _each_by(
            lambda view, totals: _both(view.datagram_bytes_in, view.datagram_bytes_out), _datagrams
        ),
    ),
    Metric(
        "socketlab_datagrams_dropped",
        "counter",
        "",
        ("service", "reason"),
        "Datagrams not taken, not answered or not sent.",
        _each_by(lambda view, totals: view.dropped, _datagrams),
    ),
    Metric(
        "socketlab_service_suspended",
        "gauge",
        "",
        ("service",),
        "1 while the ports of a service are closed on purpose, else 0.",
        _each(lambda view, totals: int(view.suspended), _any),
    ),
    Metric(
        "socketlab_event_loop_lag_seconds",
        "histogram",
        "seconds",
        (),
        "How late a timer rang that is due every half second.",
        lambda scrape: [((), scrape.lag)],
    ),
    Metric(
        "socketlab_observer_lost_events",
        "counter",
        "",
        ("observer",),
        "Events that an observer should have got and did not.",
        lambda scrape: [((name,), count) for name, count in scrape.lost.items()],
    ),
    Metric(
        "socketlab_build",
        "info",
        "",
        (),
        "What runs.",
        lambda scrape: [((), scrape.build)],
    ),
)

_FAMILIES = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
    "info": InfoMetricFamily,
}


def families(scrape: Scrape) -> Iterator[Any]:
    """Each metric of :data:`CATALOGUE` as a family of prometheus_client, with its samples."""
    for metric in CATALOGUE:
        more = {"unit": metric.unit} if metric.unit else {}
        family: Any = _FAMILIES[metric.kind](
            metric.name, metric.meaning, labels=metric.labels, **more
        )
        for labels, value in metric.samples(scrape):
            if isinstance(value, Histogram):
                family.add_metric(labels, _buckets(value), value.sum)
            else:
                family.add_metric(labels, value)
        yield family


def _buckets(histogram: Histogram) -> list[tuple[str, int]]:
    return [
        ("+Inf" if bound == float("inf") else str(bound), count)
        for bound, count in histogram.cumulative()
    ]


class _Collector:
    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Any]:
        """What a registry of prometheus_client asks for."""
        return families(self._scrape)


def exposition(scrape: Scrape, accept: str) -> tuple[str, bytes]:
    """The content type and the body, as the header *accept* prefers; see Metrics.exposition()."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(scrape))
    encode, content_type = _encoder(accept)
    return content_type, encode(registry)


def _encoder(accept: str) -> tuple[Callable[[Any], bytes], str]:
    try:
        encode, content_type = choose_encoder(accept[:ACCEPT_CHARACTERS])
    except (TypeError, ValueError):  # of a version that is no number
        encode, content_type = choose_encoder("")
    if content_type.startswith("application/openmetrics-text"):
        # The library would say that it wrote whatever later version was asked for.
        return openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST
    return encode, content_type

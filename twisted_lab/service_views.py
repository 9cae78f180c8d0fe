"""What each service is and has at this moment, for the page, the metrics and the start lines.

Rule: counts never go down, not even when the ports of a service are closed and opened again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_lab.datagrams import DatagramPort
from twisted_lab.events import Event
from twisted_lab.scrape import ServiceTotals, ServiceView
from twisted_lab.service import LabService, OpenPort
from twisted_lab.transports.endpoints import TlsListen
from twisted_lab.transports.listeners import word
from twisted_lab.trying import Target, Try, target_of, tries

#: The events for which :class:`ServiceViews` looks at the ports.
KINDS = ("listening",)


@dataclass(frozen=True, slots=True)
class PortView:
    """An open port: the word for its *transport* and where it listens."""

    transport: str
    local: str


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """All there is to say of a service; counts are since the start.

    ``state`` is ``serving``, ``suspended`` or ``stopping``. ``open`` counts its connections that
    are not closed; ``bytes_in`` and ``bytes_out`` are of all its streams, closed ones included.
    ``closed``, ``refused`` and ``dropped`` count by reason, without those that never were.
    ``tries`` are for the first port of each transport.
    """

    name: str
    kind: str
    summary: str
    state: str
    ports: tuple[PortView, ...]
    open: int
    accepted: int
    closed: Mapping[str, int]
    refused: Mapping[str, int]
    bytes_in: int
    bytes_out: int
    datagrams_in: int
    datagrams_out: int
    datagram_bytes_in: int
    datagram_bytes_out: int
    dropped: Mapping[str, int]
    tries: tuple[Try, ...]


class _Datagrams:
    """What the datagram ports of a service carried, those that are closed included."""

    def __init__(self) -> None:
        self._ports: list[DatagramPort] = []
        self._before: Counter[str] = Counter()
        self._dropped_before: Counter[str] = Counter()

    def look(self, ports: Iterable[OpenPort]) -> None:
        """Know *ports* from now on; one that is closed has said its last."""
        open_ports = [opened.port for opened in ports if isinstance(opened.port, DatagramPort)]
        self._ports += [port for port in open_ports if port not in self._ports]
        for port in [port for port in self._ports if not port.listening]:
            self._ports.remove(port)
            self._before += _counts(port)
            self._dropped_before += port.dropped

    def counts(self) -> Counter[str]:
        """By the name of the field of a ServiceView."""
        return sum(map(_counts, self._ports), Counter(self._before))

    def dropped(self) -> Counter[str]:
        """By reason."""
        return sum((port.dropped for port in self._ports), Counter(self._dropped_before))


def _counts(port: DatagramPort) -> Counter[str]:
    return Counter(
        datagrams_in=port.received,
        datagrams_out=port.sent,
        datagram_bytes_in=port.bytes_received,
        datagram_bytes_out=port.bytes_sent,
    )


class ServiceViews:
    """The views of *services*; an observer of :data:`KINDS`."""

    def __init__(self, services: Sequence[LabService]) -> None:
        self._services = services
        self._datagrams = {service.called: _Datagrams() for service in services}

    def __call__(self, event: Event) -> None:
        """A port opened: know it, however soon it closes."""
        for service in self._services:
            self._datagrams[service.called].look(service.ports)

    def views(self) -> list[ServiceView]:
        """What each service has now."""
        return [self._view(service) for service in self._services]

    def _view(self, service: LabService) -> ServiceView:
        streams = service.streams()
        ending = sum(stream.ending for stream in streams)
        datagrams = self._datagrams[service.called]
        datagrams.look(service.ports)
        return ServiceView(
            service.called,
            service.kind.stream is not None,
            service.kind.datagram is not None,
            bool(service.suspended),
            len(streams) - ending,
            ending,
            sum(stream.bytes_in for stream in streams),
            sum(stream.bytes_out for stream in streams),
            dropped=datagrams.dropped(),
            **datagrams.counts(),
        )

    def summaries(self, totals_of: Callable[[str], ServiceTotals]) -> list[ServiceSummary]:
        """All there is to say of each; *totals_of* a service's name is what its events came to."""
        return [self._summary(one, totals_of(one.called)) for one in self._services]

    def _summary(self, service: LabService, totals: ServiceTotals) -> ServiceSummary:
        view = self._view(service)
        return ServiceSummary(
            service.called,
            service.kind.name,
            service.kind.summary,
            _state(service),
            tuple(PortView(word(opened.listen), opened.address) for opened in service.ports),
            view.open + view.ending,
            totals.accepted,
            {reason: count for reason, count in totals.closed.items() if count},
            dict(totals.refused),
            totals.bytes_in + view.bytes_in,
            totals.bytes_out + view.bytes_out,
            view.datagrams_in,
            view.datagrams_out,
            view.datagram_bytes_in,
            view.datagram_bytes_out,
            dict(view.dropped),
            tuple(_tries(service)),
        )


def _state(service: LabService) -> str:
    if service.suspended:
        return "suspended"
    return "serving" if service.ports else "stopping"


def _tries(service: LabService) -> Iterable[Try]:
    first = {word(opened.listen): opened for opened in reversed(service.ports)}
    for transport in dict.fromkeys(word(opened.listen) for opened in service.ports):
        yield from tries(target_at(service, first[transport]))


def target_at(service: LabService, opened: OpenPort) -> Target:
    """The port *opened* of *service*, as something to try."""
    fingerprint = ""
    if isinstance(opened.listen, TlsListen):
        # The first is for whoever asks for no name, as a client of a numeric address does.
        fingerprint = service.keyring.shown(opened.listen)[0].fingerprint
    asks = service.settings.client_ca is not None
    return target_of(service.kind, opened.listen, opened.port.getHost(), fingerprint, asks)


def as_json(summary: ServiceSummary) -> dict[str, Any]:
    """*summary* as the page's interface has it (docs/api.md, Service)."""
    said = {name: getattr(summary, name) for name in ServiceSummary.__slots__ if name != "tries"}
    said["ports"] = [{"transport": one.transport, "local": one.local} for one in summary.ports]
    said["try"] = [
        {"title": one.title, "language": one.language, "text": one.text} for one in summary.tries
    ]
    return said

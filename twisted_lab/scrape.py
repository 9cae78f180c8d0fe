"""What a scrape is made of: of each service what it has now, and what its events came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted_lab.events import CloseReason
from twisted_lab.histogram import Histogram

#: Seconds. A question and its answer on one machine take about 1 ms, across the world under 0.5 s;
#: 60 s, 10 min and 1 h are the default idle time-outs and the lifetime.
DURATION_BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 600.0, 3600.0)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What one service has at this moment.

    ``open`` and ``ending`` count its streams: those that live, and those whose end has begun.
    ``bytes_in`` and ``bytes_out`` are of these streams alone. Datagrams and their bytes (payload)
    are all since the start: received ones are those the protocol got, sent ones those the kernel
    took, ``dropped`` all others by reason. ``streams`` and ``datagrams``: it serves such.
    ``suspended``: its ports are closed on purpose.
    """

    name: str
    streams: bool = True
    datagrams: bool = False
    suspended: bool = False
    open: int = 0
    ending: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    datagrams_in: int = 0
    datagrams_out: int = 0
    datagram_bytes_in: int = 0
    datagram_bytes_out: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


class ServiceTotals:
    """What the events of one service came to; bytes are those of closed streams.

    ``tls`` counts handshakes by ``done`` and ``failed``, ``refused`` and ``closed`` by reason.
    """

    __slots__ = ("accepted", "bytes_in", "bytes_out", "closed", "durations", "refused", "tls")

    def __init__(self) -> None:
        self.accepted = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.closed: dict[str, int] = {reason.value: 0 for reason in CloseReason}
        self.durations = Histogram(DURATION_BOUNDS)
        self.refused: Counter[str] = Counter()
        self.tls: dict[str, int] = {"done": 0, "failed": 0}


@dataclass(frozen=True, slots=True)
class Scrape:
    """All that one answer says. *lost* counts events an observer did not get, by its name."""

    services: Sequence[tuple[ServiceView, ServiceTotals]]
    lag: Histogram
    lost: Mapping[str, int]
    build: Mapping[str, str]

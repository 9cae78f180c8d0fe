"""From whom a datagram port takes, and what it still owes whom.

Rule: nothing that could be a reply is answered, so no loop can begin (CVE-2024-2169).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import lru_cache

from twisted_lab.addresses import Host, host
from twisted_lab.datagram_socket import PARSED, READ_SIZE, DropReason, Peer, Way
from twisted_lab.source_rates import SOURCES_KEPT, SourceRates

#: From ports below this one (IANA's system ports) services answer; clients ask from above.
FIRST_CLIENT_PORT = 1024

#: Bytes of IP and UDP header a datagram costs on the wire. Counted, or a request of 500 bytes
#: would be worth 500 answers of one byte.
HEADER_IPV4 = 28
HEADER_IPV6 = 48


@dataclass(frozen=True, slots=True)
class DatagramSettings:
    """What a datagram port lets pass.

    *rate* is datagrams a second and source (None: any number), with a burst of one second's
    worth; loopback is exempt unless *rate_on_loopback*. *admit* is an access gate: it returns
    None, or the reason for which the host's datagrams are dropped. *allow_amplification* lets the
    protocol write what it likes to whom it likes. *read_size* is in bytes.
    """

    rate: float | None = 2000.0
    rate_on_loopback: bool = False
    admit: Callable[[Host], str | None] | None = None
    allow_amplification: bool = False
    read_size: int = READ_SIZE


DEFAULTS = DatagramSettings()


@lru_cache(SOURCES_KEPT)
def source_of(host_text: str) -> Host | None:
    """Who sent from this address; None if no single host can have it."""
    source = host(host_text)
    ip = source.ip
    if ip is None or ip.is_multicast or ip.is_unspecified or source.key == "255.255.255.255":
        return None
    return source


class Gates:
    """Every gate a datagram passes before the protocol sees it; *seconds* is a monotonic clock."""

    def __init__(
        self,
        settings: DatagramSettings,
        served_ports: Container[int],
        seconds: Callable[[], float],
    ) -> None:
        self._served = served_ports
        self._admit = settings.admit
        rate = settings.rate
        self._rates = None if rate is None else SourceRates(rate, burst=max(1.0, rate))
        self._rate_on_loopback = settings.rate_on_loopback
        self._seconds = seconds

    def inherit(self, old: Gates) -> None:
        """Who used up its burst under *old* has no other."""
        if self._rates is not None and old._rates is not None:
            self._rates.inherit(old._rates)

    def refuse(self, host_text: str, port: int) -> str | None:
        """Why a datagram from here is not to be seen; None lets it in."""
        if port < FIRST_CLIENT_PORT:
            return DropReason.LOOP_PORT
        if port in self._served:
            return DropReason.LOOP_SERVED
        source = source_of(host_text)
        if source is None:
            return DropReason.BAD_SOURCE
        if self._admit is not None and (reason := self._admit(source)) is not None:
            return reason
        if source.loopback and not self._rate_on_loopback:
            return None
        if self._rates is None or self._rates.allow(source.key, self._seconds()):
            return None
        return DropReason.RATE


class LeftOver:
    """What sources may still be sent after their requests: as much as those left over.

    Amounts are bytes on the wire; *most* is what one source can save up.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._saved: OrderedDict[Peer, tuple[int, Way]] = OrderedDict()

    def save(self, peer: Peer, amount: int, way: Way) -> None:
        """A request of *peer*, which came this *way*, left *amount* over."""
        before = self._saved.pop(peer, (0, way))[0]
        self._saved[peer] = (min(self._most, before + amount), way)
        if len(self._saved) > SOURCES_KEPT:
            self._saved.popitem(last=False)

    def spend(self, peer: Peer, amount: int) -> Way | None:
        """The way for *amount* bytes to *peer*; None, and nothing spent, if it has not as many."""
        left, way = self._saved.get(peer, (0, PARSED))
        if amount > left:
            return None
        self._saved[peer] = (left - amount, way)
        return way

    def way(self, peer: Peer) -> Way:
        """The way to *peer*, whatever it has left."""
        return self._saved.get(peer, (0, PARSED))[1]

"""From settings to what enforces them: the policies of streams, the gates of datagrams."""

from __future__ import annotations

from dataclasses import replace

from twisted_lab.addresses import Host
from twisted_lab.datagram_gates import DatagramSettings
from twisted_lab.interfaces import Clock
from twisted_lab.policies import accept_rate, idle, max_connections, max_per_peer
from twisted_lab.policies.accept_rate import AcceptRate
from twisted_lab.policies.access import Access
from twisted_lab.policies.descriptors import Descriptors
from twisted_lab.policies.handshake import Handshake
from twisted_lab.policies.idle import Idle
from twisted_lab.policies.lifetime import Lifetime
from twisted_lab.policies.max_bytes import MaxBytes
from twisted_lab.policies.max_connections import MaxConnections
from twisted_lab.policies.max_per_peer import MaxPerPeer
from twisted_lab.policies.min_rate import MinRate
from twisted_lab.policies.throughput import Throughput
from twisted_lab.settings import Settings


def stream_policies(settings: Settings, clock: Clock, *, secure: bool) -> list[object]:
    """The policies of a service, gates first; *secure*: it has TLS listeners."""
    policies: list[object] = []
    if settings.allow or settings.deny:
        policies.append(Access(settings.allow, settings.deny))
    policies += [
        Descriptors(),
        MaxConnections(
            settings.max_connections or max_connections.DEFAULT,
            spares_loopback=settings.max_connections is None,
        ),
        MaxPerPeer(
            settings.max_per_peer or max_per_peer.DEFAULT,
            spares_loopback=settings.max_per_peer is None,
        ),
        AcceptRate(
            clock.seconds,
            settings.accept_rate or accept_rate.DEFAULT,
            spares_loopback=settings.accept_rate is None,
        ),
        Idle(settings.idle_timeout or idle.LOOPBACK, settings.idle_timeout or idle.ELSEWHERE),
        Lifetime(settings.lifetime),
    ]
    if secure:
        policies.append(Handshake(settings.handshake_timeout))
    if settings.min_rate is not None:
        policies.append(MinRate(settings.min_rate))
    if settings.max_bytes is not None:
        policies.append(MaxBytes(settings.max_bytes))
    if settings.throughput is not None:
        policies.append(Throughput(settings.throughput, clock))
    return policies


def datagram_settings(settings: Settings) -> DatagramSettings:
    """The same for datagrams."""
    access = Access(settings.allow, settings.deny)

    def admit(host: Host) -> str | None:
        refusal = access.admit(host)
        return None if refusal is None else refusal.gate

    gates = DatagramSettings(
        rate_on_loopback=settings.datagram_rate is not None,
        admit=admit if settings.allow or settings.deny else None,
        allow_amplification=settings.allow_amplification,
    )
    return gates if settings.datagram_rate is None else replace(gates, rate=settings.datagram_rate)

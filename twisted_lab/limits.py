"""From settings to what enforces them: the policies of streams, the gates of datagrams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Limit:
    """How a policy of class *kind* comes of the settings called *fields*; None: nobody asked."""

    kind: type
    fields: tuple[str, ...]
    make: Callable[[Settings, Clock], object | None]


def _access(settings: Settings, clock: Clock) -> Access | None:
    asked = settings.allow or settings.deny
    return Access(settings.allow, settings.deny) if asked else None


def _descriptors(settings: Settings, clock: Clock) -> Descriptors:
    return Descriptors()


def _max_connections(settings: Settings, clock: Clock) -> MaxConnections:
    given = settings.max_connections
    return MaxConnections(given or max_connections.DEFAULT, spares_loopback=given is None)


def _max_per_peer(settings: Settings, clock: Clock) -> MaxPerPeer:
    given = settings.max_per_peer
    return MaxPerPeer(given or max_per_peer.DEFAULT, spares_loopback=given is None)


def _accept_rate(settings: Settings, clock: Clock) -> AcceptRate:
    given = settings.accept_rate
    return AcceptRate(clock.seconds, given or accept_rate.DEFAULT, spares_loopback=given is None)


def _idle(settings: Settings, clock: Clock) -> Idle:
    given = settings.idle_timeout
    return Idle(given or idle.LOOPBACK, given or idle.ELSEWHERE)


def _lifetime(settings: Settings, clock: Clock) -> Lifetime:
    return Lifetime(settings.lifetime)


def _handshake(settings: Settings, clock: Clock) -> Handshake:
    return Handshake(settings.handshake_timeout)


def _min_rate(settings: Settings, clock: Clock) -> MinRate | None:
    return None if settings.min_rate is None else MinRate(settings.min_rate)


def _max_bytes(settings: Settings, clock: Clock) -> MaxBytes | None:
    return None if settings.max_bytes is None else MaxBytes(settings.max_bytes)


def _throughput(settings: Settings, clock: Clock) -> Throughput | None:
    return None if settings.throughput is None else Throughput(settings.throughput, clock)


#: In the order in which they are asked: gates first, and of these first the one that counts nobody.
LIMITS = (
    Limit(Access, ("allow", "deny"), _access),
    Limit(Descriptors, (), _descriptors),
    Limit(MaxConnections, ("max_connections",), _max_connections),
    Limit(MaxPerPeer, ("max_per_peer",), _max_per_peer),
    Limit(AcceptRate, ("accept_rate",), _accept_rate),
    Limit(Idle, ("idle_timeout",), _idle),
    Limit(Lifetime, ("lifetime",), _lifetime),
    Limit(Handshake, ("handshake_timeout",), _handshake),
    Limit(MinRate, ("min_rate",), _min_rate),
    # Both shorten reads, and who lets go of a stream frees its reads: they come and go together.
    Limit(MaxBytes, ("max_bytes", "throughput"), _max_bytes),
    Limit(Throughput, ("max_bytes", "throughput"), _throughput),
)

#: The settings a datagram port's gates are made of, of those that may change while it is open.
_DATAGRAM_FIELDS = ("allow", "deny", "datagram_rate")

#: What may change while connections are open.
RENEWABLE = frozenset(
    {field for limit in LIMITS for field in limit.fields}
    | {*_DATAGRAM_FIELDS, "max_line", "proxy_from"}
)


def stream_policies(settings: Settings, clock: Clock, *, secure: bool) -> list[object]:
    """The policies of a service, gates first; *secure*: it has TLS listeners."""
    made = (limit.make(settings, clock) for limit in LIMITS if secure or limit.kind != Handshake)
    return [policy for policy in made if policy is not None]


def renewed_policies(
    policies: Sequence[object], before: Settings, after: Settings, clock: Clock, *, secure: bool
) -> list[object]:
    """*policies*, made of *before*, as *after* wants them; those whose settings are the same stay.

    A new one inherits what its predecessor has seen, where it has a use for that. Policies that
    are not of :data:`LIMITS` keep their order, after those that are.
    """
    found: list[object] = []
    others = list(policies)
    for limit in LIMITS:
        if limit.kind is Handshake and not secure:
            continue
        old = next((policy for policy in others if type(policy) is limit.kind), None)
        if old is not None:
            others.remove(old)
        policy = _renewed(limit, old, after, clock) if _differ(limit, before, after) else old
        if policy is not None:
            found.append(policy)
    return found + others


def _differ(limit: Limit, before: Settings, after: Settings) -> bool:
    return any(getattr(before, field) != getattr(after, field) for field in limit.fields)


def _renewed(limit: Limit, old: object, after: Settings, clock: Clock) -> object | None:
    fresh = limit.make(after, clock)
    if old is not None and (inherit := getattr(fresh, "inherit", None)) is not None:
        inherit(old)
    return fresh


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

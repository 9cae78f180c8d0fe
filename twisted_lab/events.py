"""The events: what happened on a socket, as frozen values.

This file owns the catalogue of events and every close reason. Everything that shows, counts, logs
or exports reads these values and nothing else. ``ns`` is nanoseconds on the monotonic clock since
the publisher was made; addresses are the text of :func:`twisted_lab.addresses.show`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

#: What was moved, up to the capture limit; None when nothing is captured.
Payload = bytes | None


class CloseReason(StrEnum):
    """Who ended a stream first; a closed list. An abort after a grace keeps the first reason."""

    PEER_FIN = "peer-fin"
    LOCAL = "local"
    RESET = "reset"
    IDLE = "idle"
    SLOW = "slow"
    STALLED = "stalled"
    LIFETIME = "lifetime"
    HANDSHAKE = "handshake"
    TRUNCATED = "truncated"
    LIMIT = "limit"
    DRAIN = "drain"
    FAULT = "fault"
    ERROR = "error"
    ABORTED = "aborted"


#: Closes of ours that are an RST: what was not sent is lost.
RESETS = frozenset({CloseReason.ABORTED, CloseReason.STALLED})

#: Closes that the peer's FIN began.
BY_PEER = frozenset({CloseReason.PEER_FIN, CloseReason.TRUNCATED})


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """The kernel's view of one TCP connection (tcp(7), struct tcp_info). Times in microseconds."""

    state: str
    rtt_us: int
    rttvar_us: int
    snd_cwnd: int
    unacked: int
    retransmits: int
    total_retrans: int
    notsent_bytes: int
    bytes_acked: int
    bytes_received: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a watched program made: ``name(arguments)``, and what came of it.

    ``result`` is None where it failed, ``error`` then says with what (``ECONNRESET``, ``timed
    out``). ``duration`` is in seconds; the event's ``ns`` is its end. ``file`` and ``line`` say
    where it was called, ``function`` what that stands in; ``socket`` is which one (``s3``).

    ``note`` is what else is known: ``cut`` of a datagram, ``collected`` of a close() of Python's
    own, who has an address in use; ``waited`` the seconds a connection was in the queue of
    accept(); ``rest`` the first bytes, in hex, of what send() did not take.
    """

    name: str
    arguments: str
    result: str | None
    error: str | None
    duration: float
    process: int
    thread: int
    socket: str | None = None
    file: str | None = None
    line: int | None = None
    function: str | None = None
    note: str | None = None
    waited: float | None = None
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What every event says: when, in which service, and in a watched program by which call."""

    event: ClassVar[str]

    ns: int
    service: str
    call: Call | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Listening(Event):
    """A port is open."""

    event: ClassVar[str] = "listening"

    local: str
    transport: str
    backlog: int | None = None


@dataclass(frozen=True, slots=True)
class NotListening(Event):
    """A port is closed."""

    event: ClassVar[str] = "not-listening"

    local: str
    transport: str


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """A stream is ours: we accepted it. Before any TLS handshake.

    ``proxy`` is the balancer whose PROXY header named ``peer``.
    """

    event: ClassVar[str] = "accepted"

    connection: str
    peer: str
    local: str
    transport: str
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A stream is ours: we made it. connect() took ``duration`` seconds."""

    event: ClassVar[str] = "connected"

    connection: str
    peer: str
    local: str
    transport: str
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A gate turned ``count`` connections away; ``reason`` names the gate.

    ``proxy`` is the balancer whose PROXY header named ``peer``.
    """

    event: ClassVar[str] = "refused"

    peer: str
    local: str
    reason: str
    detail: str = ""
    count: int = 1
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Tls(Event):
    """The TLS handshake is done, or failed with ``error``."""

    event: ClassVar[str] = "tls"

    connection: str
    version: str | None = None
    cipher: str | None = None
    sni: str | None = None
    alpn: str | None = None
    peer_certificate: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Received(Event):
    """``bytes`` came from one recv(); ``data`` is at most the capture limit of them."""

    event: ClassVar[str] = "received"

    connection: str
    bytes: int
    data: Payload = None


@dataclass(frozen=True, slots=True)
class Sent(Event):
    """The protocol wrote ``bytes`` in one write; ``data`` as in :class:`Received`."""

    event: ClassVar[str] = "sent"

    connection: str
    bytes: int
    data: Payload = None


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """Direction ``in``: we stopped reading. ``out``: the peer's window stopped us."""

    event: ClassVar[str] = "paused"

    connection: str
    direction: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """The end of what a :class:`Paused` of the same direction began."""

    event: ClassVar[str] = "resumed"

    connection: str
    direction: str


@dataclass(frozen=True, slots=True)
class PeerShutdown(Event):
    """FIN (or TLS close_notify) came in while the other direction lives."""

    event: ClassVar[str] = "peer-shutdown"

    connection: str


@dataclass(frozen=True, slots=True)
class LocalShutdown(Event):
    """We sent FIN (or TLS close_notify) while the other direction lives."""

    event: ClassVar[str] = "local-shutdown"

    connection: str


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something worth seeing: a line too long, an exception, a dropped observer.

    ``kind`` is a short fixed word; ``text`` may hold a peer's words and is not yet escaped.
    """

    event: ClassVar[str] = "note"

    kind: str
    text: str
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Called(Event):
    """A call of a watched program that is no other event: it failed, or it moved nothing."""

    event: ClassVar[str] = "called"

    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The one end of a stream, with its totals. ``duration`` is in seconds."""

    event: ClassVar[str] = "closed"

    connection: str
    peer: str
    local: str
    reason: CloseReason
    bytes_in: int
    bytes_out: int
    duration: float
    detail: str = ""
    tcp_info: TcpInfo | None = None


@dataclass(frozen=True, slots=True)
class DatagramReceived(Event):
    """One whole datagram came in."""

    event: ClassVar[str] = "datagram-received"

    peer: str
    local: str
    bytes: int
    data: Payload = None


@dataclass(frozen=True, slots=True)
class DatagramSent(Event):
    """One datagram was handed to the kernel."""

    event: ClassVar[str] = "datagram-sent"

    peer: str
    local: str
    bytes: int
    data: Payload = None


@dataclass(frozen=True, slots=True)
class DatagramDropped(Event):
    """``count`` datagrams were not taken, not answered or not sent; ``reason`` says why."""

    event: ClassVar[str] = "datagram-dropped"

    local: str
    reason: str
    peer: str | None = None
    bytes: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """What a reader of events has not got; never published, never recorded.

    From ``ns`` to ``until`` what happened was not kept: ``bytes_in`` and ``bytes_out`` moved.
    ``reason`` is ``unwatched`` (nobody looked, so no events were built), ``evicted`` (they had to
    make room for newer ones) or ``overrun`` (the reader was too slow). ``count`` says how many
    events are missing, where that is known.
    """

    event: ClassVar[str] = "gap"

    until: int
    reason: str
    connection: str | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    count: int | None = None


#: Every event, by its name on the wire.
CATALOGUE: dict[str, type[Event]] = {
    kind.event: kind
    for kind in (
        Listening,
        NotListening,
        Accepted,
        Connected,
        Refused,
        Tls,
        Received,
        Sent,
        Paused,
        Resumed,
        PeerShutdown,
        LocalShutdown,
        Note,
        Called,
        Closed,
        DatagramReceived,
        DatagramSent,
        DatagramDropped,
    )
}

#: The events that come once a message, so are built only for who asked for them.
TRAFFIC = frozenset({"received", "sent", "datagram-received", "datagram-sent"})

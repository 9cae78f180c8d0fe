"""The services, one file each, and the table of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

from twisted_lab.interfaces import Clock
from twisted_lab.protocols.discard import DatagramDiscard, Discard
from twisted_lab.protocols.echo import DatagramEcho, Echo
from twisted_lab.protocols.line import LineFactory


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _quiet_factory(protocol: type[Protocol]) -> IProtocolFactory:
    factory = Factory.forProtocol(protocol)
    factory.noisy = False  # the listening event says it
    return factory


@dataclass(frozen=True, slots=True)
class Doors:
    """What comes to a service from outside: time, and the options that are its own."""

    clock: Clock
    max_line: int
    now: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Kind:
    """A service one can ask for by *name*.

    *stream* and *datagram* make what serves a connection and a datagram port; None: it has no
    such form. *lines* says that a person reads it, so may be told in a line why it ends.
    *try_stream* and *try_datagram* are for a person to paste, with ``{host}`` and ``{port}``.
    """

    name: str
    summary: str
    stream: Callable[[Doors], IProtocolFactory] | None = None
    datagram: Callable[[Doors], DatagramProtocol] | None = None
    lines: bool = False
    try_stream: str = "nc {host} {port}"
    try_datagram: str = "nc -u {host} {port}"
    port: int = 9000


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "echo",
            "sends back every byte and every datagram (RFC 862)",
            stream=lambda doors: _quiet_factory(Echo),
            datagram=lambda doors: DatagramEcho(),
        ),
        Kind(
            "line",
            "answers line by line; lines that begin with / drive the server (/help)",
            stream=lambda doors: LineFactory(
                clock=doors.clock, now=doors.now, max_line=doors.max_line
            ),
            lines=True,
            try_stream="telnet {host} {port}",
            port=9001,
        ),
        Kind(
            "datagram",
            "sends back every datagram: echo on UDP alone",
            datagram=lambda doors: DatagramEcho(),
        ),
        Kind(
            "discard",
            "reads everything and answers nothing (RFC 863)",
            stream=lambda doors: _quiet_factory(Discard),
            datagram=lambda doors: DatagramDiscard(),
        ),
    )
}

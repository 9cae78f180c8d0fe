"""The services, one file each, and the table of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from random import Random, SystemRandom
from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Factory

from twisted_lab.interfaces import Clock
from twisted_lab.protocols.chargen import Chargen, DatagramChargen
from twisted_lab.protocols.daytime import daytime
from twisted_lab.protocols.discard import DatagramDiscard, Discard
from twisted_lab.protocols.echo import DatagramEcho, Echo
from twisted_lab.protocols.info import describe_datagram, describe_stream
from twisted_lab.protocols.line import LineFactory
from twisted_lab.protocols.qotd import MOST, QUOTES, quote
from twisted_lab.protocols.replying import DatagramReply, ReplyFactory
from twisted_lab.protocols.time import time


def _utc_now() -> datetime:
    return datetime.now(UTC)


def quiet_factory(protocol: type[Any]) -> IProtocolFactory:
    """A factory of *protocol*, a class of IProtocol, that logs no start and no stop."""
    factory = Factory.forProtocol(protocol)
    factory.noisy = False  # the listening event says it
    return factory


@dataclass(frozen=True, slots=True)
class Doors:
    """What comes to a service from outside: time, chance, and the options that are its own.

    *unlimited*: a datagram may be answered by a longer one. *instance* names this process among
    its like.
    """

    clock: Clock
    max_line: int
    now: Callable[[], datetime] = _utc_now
    random: Random = field(default_factory=SystemRandom)
    quotes: tuple[bytes, ...] = QUOTES
    unlimited: bool = False
    instance: str = field(default_factory=lambda: f"{socket.gethostname()}/{os.getpid()}")


class Dialogue(Enum):
    """How one talks to a service, so that what a person is given to try fits it."""

    ECHO = auto()  #: what comes goes back
    LINES = auto()  #: a line is answered by a line
    SILENT = auto()  #: nothing is answered
    ENDLESS = auto()  #: it speaks first, and never ends
    REPLY = auto()  #: it says one thing in text, then closes; to a datagram, in a datagram
    NUMBER = auto()  #: the same, as 4 bytes in network byte order
    OWN = auto()  #: nobody but its author knows


@dataclass(frozen=True, slots=True)
class Kind:
    """A service one can ask for by *name*.

    *stream* and *datagram* make what serves a connection and a datagram port; None: it has no
    such form. *lines* says that a person reads it, so may be told in a line why it ends.
    *dialogue* is what :mod:`twisted_lab.trying` makes its commands from.
    *well_known* is the port IANA has for it.
    """

    name: str
    summary: str
    stream: Callable[[Doors], IProtocolFactory] | None = None
    datagram: Callable[[Doors], DatagramProtocol] | None = None
    lines: bool = False
    dialogue: Dialogue = Dialogue.OWN
    port: int = 9000
    well_known: int | None = None


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "echo",
            "sends back every byte and every datagram (RFC 862)",
            dialogue=Dialogue.ECHO,
            stream=lambda doors: quiet_factory(Echo),
            datagram=lambda doors: DatagramEcho(),
            well_known=7,
        ),
        Kind(
            "line",
            "answers line by line; lines that begin with / drive the server (/help)",
            dialogue=Dialogue.LINES,
            stream=lambda doors: LineFactory(
                clock=doors.clock, now=doors.now, max_line=doors.max_line
            ),
            lines=True,
            port=9001,
        ),
        Kind(
            "datagram",
            "sends back every datagram: echo on UDP alone",
            dialogue=Dialogue.ECHO,
            datagram=lambda doors: DatagramEcho(),
        ),
        Kind(
            "discard",
            "reads everything and answers nothing (RFC 863)",
            dialogue=Dialogue.SILENT,
            stream=lambda doors: quiet_factory(Discard),
            datagram=lambda doors: DatagramDiscard(),
            well_known=9,
        ),
        Kind(
            "chargen",
            "sends lines of a pattern for ever, or a datagram of them (RFC 864)",
            dialogue=Dialogue.ENDLESS,
            stream=lambda doors: quiet_factory(Chargen),
            datagram=lambda doors: DatagramChargen(doors.random, doors.unlimited),
            well_known=19,
        ),
        Kind(
            "daytime",
            "says date and time in a line, then closes (RFC 867)",
            dialogue=Dialogue.REPLY,
            stream=lambda doors: ReplyFactory(lambda stream: daytime(doors.now())),
            datagram=lambda doors: DatagramReply(lambda *asked: daytime(doors.now())),
            well_known=13,
        ),
        Kind(
            "time",
            "says the seconds since 1900 as 4 bytes, then closes (RFC 868)",
            dialogue=Dialogue.NUMBER,
            stream=lambda doors: ReplyFactory(lambda stream: time(doors.now())),
            datagram=lambda doors: DatagramReply(lambda *asked: time(doors.now())),
            well_known=37,
        ),
        Kind(
            "qotd",
            "says a quote, then closes (RFC 865); --quotes FILE has your own",
            dialogue=Dialogue.REPLY,
            stream=lambda doors: ReplyFactory(lambda stream: quote(doors.quotes, doors.random)),
            datagram=lambda doors: DatagramReply(
                lambda transport, datagram, peer: quote(
                    doors.quotes, doors.random, MOST if doors.unlimited else len(datagram)
                )
            ),
            well_known=17,
        ),
        Kind(
            "info",
            "says in a line of JSON who you are to it, then closes",
            dialogue=Dialogue.REPLY,
            stream=lambda doors: ReplyFactory(
                lambda stream: describe_stream(stream, doors.instance, doors.now())
            ),
            datagram=lambda doors: DatagramReply(
                lambda transport, datagram, peer: describe_datagram(
                    transport, peer, doors.instance, doors.now()
                )
            ),
        ),
    )
}

"""Every option, once: its word, how it is read, what it means; and their values together.

The command line and whatever else configures us reads :data:`OPTIONS`; nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from twisted_lab import units
from twisted_lab.addresses import host
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.policies import (
    accept_rate,
    handshake,
    idle,
    lifetime,
    max_connections,
    max_per_peer,
)
from twisted_lab.policies.access import Network
from twisted_lab.protocols.framing import MAX_LINE
from twisted_lab.transports.endpoint_text import addresses_of
from twisted_lab.transports.endpoints import Listen, TcpListen, TlsListen, parse_listen

#: SYNs the kernel queues for us; it caps this to net.core.somaxconn. With Twisted's 50, 400
#: connects at once took 1,022 ms instead of 19.
BACKLOG = 4096

#: Seconds a stop waits for connections that still move.
DRAIN = 5.0

#: Bytes of each message a recording keeps.
CAPTURE = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """What a service is told; None means the default of the policy. See :data:`OPTIONS`."""

    port: int | None = None
    listen: tuple[Listen, ...] = ()
    interface: tuple[str, ...] = ()
    backlog: int = BACKLOG
    max_connections: int | None = None
    max_per_peer: int | None = None
    accept_rate: float | None = None
    datagram_rate: float | None = None
    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    idle_timeout: float | None = None
    handshake_timeout: float = handshake.DEFAULT
    lifetime: float = lifetime.DEFAULT
    min_rate: float | None = None
    max_bytes: int | None = None
    throughput: float | None = None
    max_line: int = MAX_LINE
    drain: float = DRAIN
    record: str | None = None
    pcapng: str | None = None
    capture: int = CAPTURE
    page: tuple[Listen, ...] | None = None
    no_page: bool = False
    log: str | None = None
    log_format: str = "text"
    client_ca: str | None = None
    proxy_from: tuple[Network, ...] = ()
    quiet: bool = False
    allow_reflector: bool = False
    allow_amplification: bool = False
    well_known: bool = False
    quotes: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One option: *read* makes the value of its text; a *flag* has none, a *many* may repeat.

    One of the *process* is not of a service: a file of services has it at its top alone.
    """

    name: str
    metavar: str
    help: str
    read: Callable[[str], Any] = str
    flag: bool = False
    many: bool = False
    process: bool = False

    @property
    def field(self) -> str:
        """Its name in :class:`Settings`, and in a file of services."""
        return self.name.replace("-", "_")

    @property
    def is_file(self) -> bool:
        """Its value is the name of a file."""
        return self.read is _file

    def value(self, text: str) -> Any:
        """The value of *text*; raises :class:`ConfigurationError` that names option and text."""
        try:
            return self.read(text)
        except ValueError as error:
            raise ConfigurationError(f"--{self.name} {escape(text)!r}: {error}") from None


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError("expected text or json")
    return text


def _file(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("expected the name of a file")
    return text


def _interfaces(text: str) -> tuple[str, ...]:
    """The numeric address; two for ``localhost``."""
    found = addresses_of(text)
    if not found:
        raise ValueError("expected an IP address of this machine, such as 0.0.0.0")
    return found


def page_listens(text: str) -> tuple[Listen, ...]:
    """Where the page is: on streams of bytes, and beyond loopback on secret ones.

    Raises :class:`ValueError`, saying what is wrong with *text*.
    """
    try:
        listens = parse_listen(text)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    for listen in listens:
        if not isinstance(listen, TcpListen | TlsListen) or listen.proxy:
            raise ValueError("the page is served on tcp: or tls:")
        if isinstance(listen, TcpListen) and not host(listen.interface).loopback:
            raise ValueError("beyond loopback the page is served on tls: alone")
    return listens


OPTIONS: tuple[Option, ...] = (
    Option("port", "N", "serve TCP N, and UDP N where the service has datagrams; 0: free ports",
           units.port),
    Option("listen", "ENDPOINT", "listen there, e.g. 9000, tcp:[::1]:9000, unix:/tmp/s, tls:9443, "
           "udp:9000; repeatable", parse_listen, many=True),
    Option("interface", "ADDRESS", "the address for --port [default: 127.0.0.1 and ::1]",
           _interfaces),
    Option("backlog", "N", f"connections the kernel may queue for us [default: {BACKLOG}]",
           units.count),
    Option("max-connections", "N", "connections of a service at once [default: "
           f"{max_connections.DEFAULT}, loopback not counted unless given]", units.count),
    Option("max-per-peer", "N", "connections of a peer at once, IPv6 by /64 [default: "
           f"{max_per_peer.DEFAULT}, loopback not counted unless given]", units.count),
    Option("accept-rate", "N/s", "connections a second from a peer [default: "
           f"{accept_rate.DEFAULT:g}/s, loopback not counted unless given]", units.rate),
    Option("datagram-rate", "N/s", "datagrams a second from a peer [default: 2000/s, loopback "
           "not counted unless given]", units.rate),
    Option("allow", "CIDR", "only these networks may connect or send; repeatable", units.network,
           many=True),
    Option("deny", "CIDR", "these networks may not; repeatable", units.network, many=True),
    Option("idle-timeout", "T", "close when nothing moved for T, or a line is not finished in T "
           f"[default: {idle.ELSEWHERE:g}s, on loopback {idle.LOOPBACK / 60:g}min]",
           units.seconds),
    Option("handshake-timeout", "T", "time for PROXY header and TLS handshake in all [default: "
           f"{handshake.DEFAULT:g}s]", units.seconds),
    Option("lifetime", "T", f"close after T in any case [default: {lifetime.DEFAULT / 3600:g}h]",
           units.seconds),
    Option("min-rate", "SIZE/s", "close a peer that moves data slower than this [default: none]",
           units.byte_rate),
    Option("max-bytes", "SIZE", "close after this many bytes in one direction [default: none]",
           units.size),
    Option("throughput", "SIZE/s", "slow each connection down to this [default: none]",
           units.byte_rate),
    Option("max-line", "SIZE", f"the longest line [default: {MAX_LINE}]", units.count_of_bytes),
    Option("drain", "T", "time for connections to finish at a stop [default: "
           f"{DRAIN:g}s]", units.seconds_or_none, process=True),
    Option("record", "FILE", "write every event to FILE as JSON lines", _file,
           process=True),
    Option("pcapng", "FILE", "write packets drawn from every event to FILE, for Wireshark", _file,
           process=True),
    Option("capture", "SIZE", f"bytes of each message to record, 0 for none [default: {CAPTURE}]",
           units.size, process=True),
    Option("page", "ENDPOINT", "serve the live page there, as 9002 or tls:9002:interface=0.0.0.0 "
           "[default: with the bench on N+2, else none]", page_listens, process=True),
    Option("no-page", "", "no live page", flag=True, process=True),
    Option("log", "FILE", "log to FILE (rotated at 10 MB, 5 kept) instead of where twistd logs",
           _file, process=True),
    Option("log-format", "text|json", "how a line of the log looks [default: text]", _log_format,
           process=True),
    Option("client-ca", "FILE", "on tls, ask for a client certificate signed by one in FILE (PEM)",
           _file),
    Option("proxy-from", "CIDR", "on haproxy:, whose PROXY headers are believed "
           "[default: loopback]; repeatable", units.network, many=True),
    Option("quiet", "", "do not print what is served", flag=True, process=True),
    Option("allow-reflector", "", "serve UDP beyond loopback to everybody: anyone can then make "
           "this host send to a forged address", flag=True),
    Option("allow-amplification", "", "let a UDP reply be longer than its request", flag=True),
    Option("well-known", "", "serve on the ports IANA has for the services: echo 7, discard 9, "
           "daytime 13, qotd 17, chargen 19, time 37", flag=True),
    Option("quotes", "FILE", "qotd says one of these: UTF-8, with a line of % between two", _file),
)  # fmt: skip


#: Each by its name in :class:`Settings`.
BY_FIELD = {option.field: option for option in OPTIONS}


def read_settings(texts: Mapping[str, str | bool | Sequence[str]]) -> Settings:
    """The :class:`Settings` of option *texts* by option name; what is not there is default.

    Raises what :func:`read_values` does.
    """
    return Settings(**read_values(texts))


def read_values(texts: Mapping[str, str | bool | Sequence[str]]) -> dict[str, Any]:
    """The values of option *texts*, by field of :class:`Settings`, and of no others.

    Raises :class:`ConfigurationError`, one sentence that names the option and its text.
    """
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = texts.get(option.name)
        if given is None:
            continue
        if option.flag:
            values[option.field] = bool(given)
        elif option.many:
            values[option.field] = flat([option.value(text) for text in given])  # type: ignore[union-attr]
        else:
            values[option.field] = option.value(str(given))
    return values


def flat(values: list[Any]) -> tuple[Any, ...]:
    """*values*, where an endpoint that is several sockets counts as each of them."""
    return tuple(
        one for value in values for one in (value if isinstance(value, tuple) else (value,))
    )


assert set(BY_FIELD) == {field.name for field in fields(Settings)}

"""The server that is checked: the one address we contact, and what is known of it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace

from twisted_lab.addresses import host, show_pair
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.targets import Target, addresses, parse_target

#: Seconds that one of several addresses has to take a connection, before the next is tried.
_TRY = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server is declared to do, in seconds and bytes; None where nothing is said."""

    idle_timeout: float | None = None
    handshake_timeout: float | None = None
    max_line: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """*kind* is ``tcp``, ``tls``, ``udp`` or ``unix``; *host* is numeric, *path* a UNIX socket's.

    *context* makes TLS of a stream, asking for *name*.
    """

    kind: str
    host: str = ""
    port: int = 0
    path: str = ""
    context: ssl.SSLContext | None = None
    name: str = ""
    limits: Limits = Limits()

    @property
    def address(self) -> tuple[str, int] | str:
        """What connect() takes; a path that begins with NUL is of the abstract namespace."""
        return self.path if self.kind == "unix" else (self.host, self.port)

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET, AF_INET6 or AF_UNIX."""
        if self.kind == "unix":
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def shown(self) -> str:
        """As the events have it."""
        return f"unix:{self.path}" if self.kind == "unix" else show_pair(self.host, self.port)

    @property
    def loopback(self) -> bool:
        """It is on this machine, whatever we send."""
        return self.kind == "unix" or host(self.host).loopback

    def __str__(self) -> str:
        return escape(self.shown if self.kind == "unix" else f"{self.kind}:{self.shown}")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are believed: the system's, those of *cafile*, or with *insecure* all.

    *sni* is the name to ask for and to verify, where it is not the host's.
    """

    insecure: bool = False
    cafile: str | None = None
    sni: str | None = None

    def context(self) -> ssl.SSLContext:
        """Raises :class:`ConfigurationError` for a *cafile* that is none."""
        try:
            made = ssl.create_default_context(cafile=self.cafile)
        except OSError as error:  # ssl.SSLError is one
            why = error.strerror or error
            raise ConfigurationError(f"--cafile '{escape(self.cafile or '')}': {why}") from None
        if self.insecure:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made


def resolve(
    endpoint: str,
    *,
    limits: Limits = Limits(),
    trust: Trust = Trust(),
    public: bool = False,
    secure: bool = False,
) -> Server:
    """The server at *endpoint*: ``7``, ``tcp:HOST:PORT``, ``tls:…``, ``udp:…``, ``unix:/path``.

    Of a name's addresses the first that takes a connection. *secure*: what looks like TCP is TLS.
    Raises :class:`ConfigurationError`
    for what is no endpoint, leads nowhere, or is a public address while not *public*.
    """
    target = parse_target(endpoint)
    if secure and target.kind == "tcp":
        target = replace(target, kind="tls")
    if target.kind == "unix":
        return Server("unix", path=target.path, limits=limits)
    context = trust.context() if target.kind == "tls" else None
    name = trust.sni or target.host
    servers = [
        Server(target.kind, host_text, port, context=context, name=name, limits=limits)
        for host_text, port in addresses(target)
    ]
    if not public:
        for server in servers:
            _refuse_public(server, target)
    if len(servers) > 1 and target.kind != "udp":
        return next((server for server in servers if _takes(server)), servers[0])
    return servers[0]


def _refuse_public(server: Server, target: Target) -> None:
    address = host(server.host).ip
    if address is not None and (address.is_global or address.is_multicast):
        raise ConfigurationError(
            f"'{target}' is a public address ({server.host}): only its owner may want it tested;"
            " if that is you, add --i-may-test-this"
        )


def _takes(server: Server) -> bool:
    with socket.socket(server.family, socket.SOCK_STREAM) as sock:
        sock.settimeout(_TRY)
        return sock.connect_ex(server.address) == 0

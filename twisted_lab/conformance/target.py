"""The server that is checked: the one address we contact, and what is known of it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from twisted_lab.addresses import host, show_pair
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server is declared to do, in seconds and bytes; None where nothing is said."""

    idle_timeout: float | None = None
    handshake_timeout: float | None = None
    max_line: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """*kind* is ``tcp``, ``tls``, ``udp`` or ``unix``; *host* is numeric, *path* a UNIX socket's.

    *context* makes TLS of a stream, asking for *name*; *pid* is its process, where we started it.
    """

    kind: str
    host: str = ""
    port: int = 0
    path: str = ""
    context: ssl.SSLContext | None = None
    name: str = ""
    pid: int | None = None
    limits: Limits = Limits()

    @property
    def address(self) -> tuple[str, int] | str:
        """What connect() takes."""
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
        return f"{self.kind} {escape(self.shown)}" if self.kind != "unix" else escape(self.shown)


def refuse_public(server: Server) -> None:
    """Raise :class:`ConfigurationError` for an address that may be somebody else's."""
    address = None if server.kind == "unix" else host(server.host).ip
    if address is not None and (address.is_global or address.is_multicast):
        raise ConfigurationError(
            f"'{server.shown}' is a public address: only its owner may want it tested;"
            " if you are, say --i-may-test-this"
        )

"""What a command talks to: where it listens, over what, and what it says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from twisted_lab.addresses import show_pair
from twisted_lab.protocols import Dialogue, Kind
from twisted_lab.transports.endpoints import (
    UNIX_PATH_BYTES,
    Listen,
    TlsListen,
    UdpListen,
    UnixListen,
)
from twisted_lab.transports.listeners import word

#: What a port behind a balancer hears first, from a client that has no balancer (PROXY protocol,
#: version 1: "UNKNOWN" lets the real addresses count).
PROXY_HEADER = b"PROXY UNKNOWN\r\n"

#: Where a wildcard can be reached from this machine.
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Target:
    """One open port and how to talk there.

    *transport* is its word, with ``haproxy:`` in front where *proxied*. *host* and *port* are
    reachable from this machine; *path* is a UNIX socket's, in bytes, that of an abstract one with
    its NUL. *fingerprint* is that of the certificate TLS shows, as OpenSSL prints a SHA-256;
    *asks_certificate*: TLS wants one of the client too.
    """

    transport: str
    dialogue: Dialogue
    host: str = ""
    port: int = 0
    path: bytes | None = None
    datagram: bool = False
    proxied: bool = False
    fingerprint: str | None = None
    asks_certificate: bool = False

    @property
    def secure(self) -> bool:
        """It speaks TLS."""
        return self.fingerprint is not None

    @property
    def abstract(self) -> bool:
        """It is a UNIX socket without a file."""
        return self.path is not None and self.path.startswith(b"\0")

    @property
    def pair(self) -> str:
        """Host and port in one word."""
        return show_pair(self.host, self.port)


def target_of(
    kind: Kind, listen: Listen, address: Any, fingerprint: str = "", asks_certificate: bool = False
) -> Target:
    """The open port of a *kind* that *listen* asked for, and that listens at *address*.

    *address* is what its getHost() says; *fingerprint* and *asks_certificate* matter for TLS.
    """
    host, secure = getattr(address, "host", ""), isinstance(listen, TlsListen)
    return Target(
        word(listen),
        kind.dialogue,
        _REACHABLE.get(host, host),
        getattr(address, "port", 0),
        _anywhere(os.fsencode(listen.path)) if isinstance(listen, UnixListen) else None,
        datagram=isinstance(listen, UdpListen),
        proxied=getattr(listen, "proxy", False),
        fingerprint=fingerprint if secure else None,
        asks_certificate=secure and asks_certificate,
    )


def _anywhere(path: bytes) -> bytes:
    """*path* as it works in any folder, if the longer one fits a socket's address."""
    if path.startswith((b"/", b"\0")):
        return path
    beside = b"./" + path
    try:
        whole = os.path.join(os.getcwdb(), path)
    except FileNotFoundError:  # somebody removed the folder we are in
        return beside
    return whole if len(whole) <= UNIX_PATH_BYTES else beside

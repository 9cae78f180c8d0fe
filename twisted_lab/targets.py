"""What a client is to connect to: an endpoint string read, and its addresses looked up."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred

from twisted_lab.addresses import show_pair
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.transports.endpoint_text import Request, number_of, read

_HIGHEST = 65535

#: A bare number is a port here.
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Target:
    """*kind* is ``tcp``, ``tls``, ``udp`` or ``unix``; *hosts* are names or numeric addresses.

    A UNIX socket has a *path* (one that begins with NUL is of the abstract namespace) instead.
    """

    kind: str
    hosts: tuple[str, ...] = ()
    port: int = 0
    path: str = ""

    @property
    def host(self) -> str:
        """The first name, which TLS verifies."""
        return self.hosts[0]

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{escape(self.path)}"
        return f"{self.kind} {escape(show_pair(self.host, self.port))}"


def parse_target(text: str) -> Target:
    """The target that *text* names: ``7``, ``tcp:HOST:PORT``, ``[::1]:7``, ``unix:/path`` …

    Raises :class:`ConfigurationError`, one sentence that names *text*.
    """
    if text.isdecimal():
        return Target("tcp", _LOOPBACK, _port(Request(text), text))
    said = text
    if ":" not in text:
        raise Request(said).wrong("expected a port, HOST:PORT, tls:HOST:PORT, unix:/path …")
    if text.partition(":")[0] not in ("tcp", "tcp4", "tcp6", "tls", "ssl", "udp", "unix"):
        text = f"tcp:{text}"  # HOST:PORT
    request = replace(read(text), text=said)
    request.allow_keys()
    words = request.positional
    if request.prefix == "unix":
        if len(words) != 1 or not words[0]:
            raise request.wrong("expected unix:/path")
        return Target("unix", path=words[0])
    kind = {"tcp4": "tcp", "tcp6": "tcp", "ssl": "tls"}.get(request.prefix, request.prefix)
    if len(words) == 1:
        return Target(kind, _LOOPBACK, _port(request, words[0]))
    if len(words) != 2 or not words[0]:
        raise request.wrong(f"expected {request.prefix}:HOST:PORT")
    return Target(kind, (words[0].strip("[]"),), _port(request, words[1]))


def _port(request: Request, text: str) -> int:
    number = number_of(text)
    if number is None or not 0 < number <= _HIGHEST:
        raise request.wrong(f"'{escape(text)}' is no port: expected 1 to {_HIGHEST}")
    return number


def addresses(target: Target) -> list[tuple[str, int]]:
    """The numeric addresses of *target* with its port, in the order to be tried (RFC 6724).

    Raises :class:`ConfigurationError` for a name that leads nowhere. Looking up may take seconds.
    """
    found: dict[tuple[str, int], None] = {}
    for name in target.hosts:
        kind = socket.SOCK_DGRAM if target.kind == "udp" else socket.SOCK_STREAM
        try:
            answers = socket.getaddrinfo(name, target.port, type=kind)
        except (OSError, ValueError) as error:  # no such name, or nothing that could be one
            why = error.args[-1] if error.args else error
            raise ConfigurationError(f"cannot look up '{escape(name)}': {why}") from None
        found.update(((str(answer[4][0]), target.port), None) for answer in answers)
    return list(found)


def look_up(
    reactor: Any,
    target: Target,
    addresses: Callable[[Target], list[tuple[str, int]]] = addresses,
) -> Deferred[list[tuple[str, int]]]:
    """:func:`addresses` in a thread, so that a signal still ends us while it takes its time.

    Not one of the reactor's threads, which its end waits for.
    """
    done: Deferred[list[tuple[str, int]]] = Deferred()

    def work() -> None:
        try:
            found = addresses(target)
        except ConfigurationError as error:
            reactor.callFromThread(done.errback, error)
        else:
            reactor.callFromThread(done.callback, found)

    Thread(target=work, daemon=True).start()
    return done

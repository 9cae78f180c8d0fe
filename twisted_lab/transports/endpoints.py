"""Server endpoint strings, understood: which sockets a string asks for, as frozen values.

This file owns the prefixes. The grammar is Twisted's (the howto "Getting Connected with
Endpoints"), and more: a bare number is a TCP port, a host may stand before the port, an IPv6 host
may stand in brackets, ``udp:`` exists, ``tls:PORT`` makes its own certificate, and ``haproxy:``
before a stream's string says that every connection begins with a PROXY header.

Rule 1: nothing listens beyond loopback unless the string says so, Twisted's own prefixes included.
Rule 2: whatever the string, the outcome is values or one ConfigurationError.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from twisted_lab.escaping import escape
from twisted_lab.transports.endpoint_text import (
    Request,
    addresses_of,
    loopback_interfaces,
    number_of,
    read,
)

__all__ = [
    "UNIX_PATH_BYTES",
    "ForeignListen",
    "Listen",
    "SystemdListen",
    "TcpListen",
    "TlsListen",
    "UdpListen",
    "UnixListen",
    "loopback_interfaces",
    "parse_listen",
]

#: What sun_path of struct sockaddr_un holds on Linux besides its closing NUL (unix(7)).
UNIX_PATH_BYTES = 107

#: Families of passed sockets, as Twisted's systemd: has them.
_DOMAINS = ("INET", "INET6", "UNIX")

#: The last place a passed socket can have: descriptors are ints, and the first is 3.
_INDEX_MAX = 2**31 - 4

#: The keys that name PEM files, of TLS with one certificate.
_FILE_KEYS = ("privateKey", "certKey", "extraCertChain")


@dataclass(frozen=True, slots=True)
class TcpListen:
    """TCP on *port* (0: any free one) of the numeric address *interface*.

    *proxy*, here and below: a PROXY header comes first. *descriptor*, too: of a socket that
    listens already, so it is only taken.
    """

    interface: str
    port: int
    backlog: int | None = None
    proxy: bool = False
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class TlsListen:
    """TLS over TCP. The paths are of PEM files; all are None when a certificate is to be made.

    *chain* leads from *certificate* to a root; a *folder* has a file for each host, instead.
    """

    interface: str
    port: int
    private_key: str | None = None
    certificate: str | None = None
    backlog: int | None = None
    proxy: bool = False
    chain: str | None = None
    folder: str | None = None
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class UdpListen:
    """UDP on *port* (0: any free one) of the numeric address *interface*."""

    interface: str
    port: int
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class UnixListen:
    """A UNIX stream socket at *path*; *lockfile* is the ``wantPID`` of Twisted's listenUNIX."""

    path: str
    mode: int = 0o666
    backlog: int | None = None
    lockfile: bool = True
    proxy: bool = False
    descriptor: int | None = None


@dataclass(frozen=True, slots=True)
class SystemdListen:
    """The sockets systemd passed to us under *name*, or the one at *index*, from 0.

    *domain* (``INET``, ``INET6``, ``UNIX``) is what they must be, if it matters; *secure* says
    how TLS is to go over them, its interface and port aside. See :mod:`.inherited`.
    """

    text: str
    name: str | None = None
    index: int | None = None
    domain: str | None = None
    secure: TlsListen | None = None


@dataclass(frozen=True, slots=True)
class ForeignListen:
    """Left to Twisted's ``serverFromString(reactor, text)``, which may still refuse *text*."""

    text: str


Listen = TcpListen | TlsListen | UdpListen | UnixListen | SystemdListen | ForeignListen


def parse_listen(text: str) -> tuple[Listen, ...]:
    """What the endpoint string *text* asks us to listen on, one value a socket.

    Loopback, by default or as ``localhost``, is one value for 127.0.0.1 and one for ::1. Files
    that *text* names as keys must exist.

    :raises twisted_lab.errors.ConfigurationError: one sentence that names *text* and what is wrong.
    """
    request = read(text)
    if request.prefix in _KINDS:
        return _KINDS[request.prefix](request)
    plugins = _plugin_prefixes()
    if request.prefix.lower() in plugins:
        return (ForeignListen(text),)
    if number_of(request.prefix) is not None or addresses_of(request.prefix):
        raise request.wrong(f"a prefix such as 'tcp:' is missing before '{escape(request.prefix)}'")
    known = ", ".join(sorted(plugins.union(_KINDS)))
    raise request.wrong(f"there is no prefix '{escape(request.prefix)}', only {known}")


def _plugin_prefixes() -> set[str]:
    return {plugin.prefix.lower() for plugin in getPlugins(IStreamServerEndpointStringParser)}


def _tcp(request: Request) -> tuple[TcpListen, ...]:
    request.allow_keys("interface", "backlog")
    interfaces, port = request.where()
    backlog = request.backlog()
    return tuple(TcpListen(interface, port, backlog) for interface in interfaces)


def _tcp6(request: Request) -> tuple[TcpListen, ...]:
    found = tuple(one for one in _tcp(request) if ":" in one.interface)
    if not found:
        raise request.wrong("it leads to no IPv6 address, where 'tcp6:[::]:9000' would")
    return found


def _udp(request: Request) -> tuple[UdpListen, ...]:
    request.allow_keys("interface")
    interfaces, port = request.where()
    return tuple(UdpListen(interface, port) for interface in interfaces)


def _tls(request: Request) -> tuple[TlsListen, ...]:
    if request.positional and _is_folder(request.positional[0]):
        return _tls_folder(request)
    request.allow_keys("interface", "backlog", *_FILE_KEYS)
    return _secured(request, **_files(request))


def _tls_folder(request: Request) -> tuple[TlsListen, ...]:
    """``tls:FOLDER:PORT``; without a port it is 443, as in Twisted."""
    request.allow_keys("interface", "backlog")
    folder, *where = request.positional
    return _secured(replace(request, positional=where or ["443"]), folder=folder)


def _ssl(request: Request) -> tuple[TlsListen, ...]:
    """Twisted's older form: a key file there must be, ``server.pem`` by default."""
    if "sslmethod" in request.keys:
        raise request.wrong("sslmethod= cannot be chosen: TLS 1.2 and later is what is served")
    if "dhParameters" in request.keys:
        raise request.wrong("dhParameters= has no use: keys are agreed on elliptic curves")
    request.allow_keys("interface", "backlog", *_FILE_KEYS)
    keys = {"privateKey": "server.pem", **request.keys}
    return _secured(request, **_files(replace(request, keys=keys)))


def _secured(request: Request, **files: Any) -> tuple[TlsListen, ...]:
    interfaces, port = request.where()
    backlog = request.backlog()
    return tuple(TlsListen(one, port, backlog=backlog, **files) for one in interfaces)


def _is_folder(text: str) -> bool:
    return number_of(text) is None and not addresses_of(text) and os.path.isdir(text)


def _files(request: Request) -> dict[str, Any]:
    """The files of a :class:`TlsListen` that the keys of *request* name."""
    private_key = request.keys.get("privateKey")
    for key in ("certKey", "extraCertChain"):
        if private_key is None and key in request.keys:
            raise request.wrong(f"{key}= needs a privateKey= beside it")
    certificate = request.keys.get("certKey", private_key)
    chain = request.keys.get("extraCertChain")
    for path in (private_key, certificate, chain):
        if path is not None and not os.path.exists(path):
            raise request.wrong(f"there is no file '{escape(path)}'")
    return {"private_key": private_key, "certificate": certificate, "chain": chain}


def _unix(request: Request) -> tuple[UnixListen, ...]:
    request.allow_keys("mode", "backlog", "lockfile")
    if len(request.positional) != 1:
        raise request.wrong("one path goes after 'unix:', and a colon in it after a backslash")
    lockfile = request.integer("lockfile", request.keys.get("lockfile", "1"), 1)
    return (UnixListen(_path(request), _mode(request), request.backlog(), bool(lockfile)),)


def _path(request: Request) -> str:
    path = request.positional[0]
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError:
        size = 0
    if not size or "\0" in path:
        raise request.wrong(f"'{escape(path)}' cannot be the path of a socket")
    if size > UNIX_PATH_BYTES:
        raise request.wrong(f"the path has {size} bytes, and a socket's at most {UNIX_PATH_BYTES}")
    return path


def _mode(request: Request) -> int:
    mode = request.keys.get("mode", "666")
    if not re.fullmatch("(0o?)?[0-7]{1,3}", mode):
        raise request.wrong(f"the mode '{escape(mode)}' is not octal, as 660 is")
    return int(mode, 8)


#: What may follow ``haproxy:``.
_PROXIED: dict[str, Callable[[Request], tuple[TcpListen | TlsListen | UnixListen, ...]]] = {
    "tcp": _tcp,
    "tcp6": _tcp6,
    "tls": _tls,
    "unix": _unix,
}


def _haproxy(request: Request) -> tuple[Listen, ...]:
    """The sockets of the string after ``haproxy:``, each to begin with a PROXY header."""
    kind = request.positional[0] if request.positional else ""
    if kind not in _PROXIED:
        raise request.wrong(
            f"'{escape(kind)}' cannot stand after 'haproxy:', only {', '.join(_PROXIED)}"
        )
    inner = replace(request, prefix=f"haproxy:{kind}", positional=request.positional[1:])
    return tuple(replace(listen, proxy=True) for listen in _PROXIED[kind](inner))


def _systemd(request: Request) -> tuple[SystemdListen, ...]:
    """Twisted's ``systemd:domain=INET:name=NAME`` and ``index=N``, and our shorter
    ``systemd:NAME`` and ``systemd:N``; each may end in ``:tls`` or ``:tls:FOLDER``."""
    request.allow_keys("domain", "name", "index", *_FILE_KEYS)
    kind, which, rest = _which_socket(request)
    index = request.integer("index", which, _INDEX_MAX) if kind == "index" else None
    domain = request.keys.get("domain")
    if domain not in (None, *_DOMAINS):
        raise request.wrong(f"the domain '{escape(domain)}' is none of {', '.join(_DOMAINS)}")
    name = which if kind == "name" else None
    return (SystemdListen(request.text, name, index, domain, _secure(request, rest)),)


def _which_socket(request: Request) -> tuple[str, str, list[str]]:
    """``name`` or ``index``, its value, and the arguments after it."""
    kinds = [kind for kind in ("name", "index") if kind in request.keys]
    rest = request.positional
    if not kinds and rest and rest[0]:
        kind = "name" if number_of(rest[0]) is None else "index"
        return kind, rest[0], rest[1:]
    if len(kinds) != 1 or not request.keys[kinds[0]]:
        raise request.wrong("it is to name one socket, where 'systemd:web' or 'systemd:0' would")
    return kinds[0], request.keys[kinds[0]], rest


def _secure(request: Request, words: list[str]) -> TlsListen | None:
    """How TLS is to go over a passed socket; None if it is not to."""
    files = _files(request)
    if not words and files["private_key"] is None:
        return None
    if words[:1] != ["tls"] or len(words) > 2:
        raise request.wrong("after the socket only 'tls' or 'tls:FOLDER' and its files may stand")
    if not words[1:]:
        return TlsListen("", 0, **files)
    if files["private_key"] is not None or not os.path.isdir(words[1]):
        raise request.wrong(f"'{escape(words[1])}' is not a folder, or there are files beside it")
    return TlsListen("", 0, folder=words[1])


def _foreign(request: Request) -> tuple[ForeignListen, ...]:
    return (ForeignListen(request.text),)


_KINDS: dict[str, Callable[[Request], tuple[Listen, ...]]] = {
    "tcp": _tcp,
    "tcp6": _tcp6,
    "tls": _tls,
    "udp": _udp,
    "unix": _unix,
    "ssl": _ssl,
    "haproxy": _haproxy,
    "systemd": _systemd,
    "stdio": _foreign,
}

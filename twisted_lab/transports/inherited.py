"""The sockets systemd opened and passed to this process (sd_listen_fds(3)), streams and datagrams.

Rule 1: a passed socket becomes what it would be had we opened it, so gates, TLS and limits act
alike; its file, mode and backlog stay the affair of who opened it. Rule 2: what was not passed, or
is not what was asked for, is one ConfigurationError before anything starts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from twisted_lab.escaping import escape
from twisted_lab.transports.endpoint_text import Request, number_of
from twisted_lab.transports.endpoints import (
    Listen,
    SystemdListen,
    TcpListen,
    TlsListen,
    UdpListen,
    UnixListen,
)

#: SD_LISTEN_FDS_START: the first descriptor passed.
_FIRST = 3

#: More than any limit of descriptors we met; a number beyond it is a mistake.
_MOST = 2**20

#: What a passed socket can become.
OpenListen = TcpListen | TlsListen | UdpListen | UnixListen

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)

_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")

#: What sd_listen_fds_with_names(3) calls a socket for which no name came.
_UNNAMED = "unknown"


def environment_at_start() -> Mapping[str, str]:
    """The environment this process was given.

    Twisted (26.10) takes LISTEN_FDS out of ``os.environ`` as soon as its endpoints are imported,
    so the kernel's copy is read (proc(5)).
    """
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)
    pairs = (os.fsdecode(entry).partition("=") for entry in block.split(b"\0"))
    return {name: value for name, _, value in pairs} | dict(os.environ)


@dataclass(frozen=True, slots=True)
class Passed:
    """One passed socket: its *descriptor*, its *name*, and its place in the order, from 0."""

    descriptor: int
    name: str
    index: int


class Inherited:
    """What systemd passed to this process. Nothing is read before an endpoint asks for it.

    *read* gives the environment at start; from *environ* the variables are taken away, so that no
    child believes they are for it.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, str]] = environment_at_start,
        environ: MutableMapping[str, str] = os.environ,
        pid: Callable[[], int] = os.getpid,
        first: int = _FIRST,
    ) -> None:
        self._read = read
        self._environ = environ
        self._pid = pid
        self._first = first
        self._taken: set[int] = set()

    def resolve(self, listens: Iterable[Listen]) -> tuple[Listen, ...]:
        """*listens*, each :class:`SystemdListen` replaced by the sockets it names.

        :raises twisted_lab.errors.ConfigurationError: one sentence naming the endpoint, and what
            was not passed or does not fit.
        """
        return tuple(
            one
            for listen in listens
            for one in (self._take(listen) if isinstance(listen, SystemdListen) else (listen,))
        )

    def _take(self, asked: SystemdListen) -> list[OpenListen]:
        request = Request(asked.text)
        passed = self._passed(request)
        for variable in _VARIABLES:
            self._environ.pop(variable, None)
        found = [_understood(request, asked, one) for one in _chosen(request, asked, passed)]
        fitting = [listen for family, listen in found if asked.domain in (None, family)]
        if not fitting:
            raise request.wrong(f"the socket is {found[0][0]}, not {asked.domain}")
        for listen in fitting:
            self._claim(request, listen.descriptor)
        return fitting

    def give_up(self, descriptor: int) -> None:
        """Close the passed socket, once nothing is to be accepted from it any more."""
        self._taken.discard(descriptor)
        with suppress(OSError):
            os.close(descriptor)

    def holds(self, descriptor: int) -> bool:
        """Whether the socket is taken and not given up, so that the number still means it."""
        return descriptor in self._taken

    def _claim(self, request: Request, descriptor: int | None) -> None:
        assert descriptor is not None
        if descriptor in self._taken:
            raise request.wrong("another endpoint has taken this socket")
        self._taken.add(descriptor)
        os.set_inheritable(descriptor, False)

    def _passed(self, request: Request) -> list[Passed]:
        environment = self._read()
        count = self._count(request, environment)
        given = environment.get("LISTEN_FDNAMES", "")
        names = given.split(":") if given else [_UNNAMED] * count
        if len(names) != count:
            raise request.wrong(
                f"LISTEN_FDNAMES '{escape(given)}' is {len(names)} names, and LISTEN_FDS {count}"
            )
        return [Passed(self._first + at, name, at) for at, name in enumerate(names)]

    def _count(self, request: Request, environment: Mapping[str, str]) -> int:
        for_pid, count = (environment.get(name) for name in _VARIABLES[:2])
        if for_pid is None or count is None:
            missing = "LISTEN_PID" if for_pid is None else "LISTEN_FDS"
            raise request.wrong(f"systemd passed no socket: {missing} is not set")
        if for_pid != str(self._pid()):
            raise request.wrong(
                f"the sockets were passed to process {escape(for_pid)} (LISTEN_PID), and this is "
                f"{self._pid()}: let no shell stand between, or let it exec"
            )
        number = number_of(count)
        if number is None or not 1 <= number <= _MOST:
            raise request.wrong(f"LISTEN_FDS '{escape(count)}' is no number of sockets")
        return number


def _chosen(request: Request, asked: SystemdListen, passed: list[Passed]) -> list[Passed]:
    if asked.index is not None:
        if asked.index >= len(passed):
            raise request.wrong(f"there is no socket {asked.index}, only {len(passed)} from 0 on")
        return [passed[asked.index]]
    chosen = [one for one in passed if one.name == asked.name]
    if not chosen:
        names = ", ".join(f"'{escape(one.name)}'" for one in passed)
        raise request.wrong(
            f"no socket passed is called '{escape(asked.name or '')}', only {names}"
        )
    return chosen


def _understood(request: Request, asked: SystemdListen, passed: Passed) -> tuple[str, OpenListen]:
    """The family of the socket *passed* (``INET``), and what it is."""
    with _socket_of(request, passed) as handle:
        listen = _listen_of(handle, passed.descriptor)
        if listen is None:
            raise request.wrong(f"socket {passed.index} {_trouble(handle)}")
        family = handle.family.name.removeprefix("AF_")
    if asked.secure is None:
        return family, listen
    if not isinstance(listen, TcpListen):
        raise request.wrong(f"socket {passed.index} is not TCP, and TLS goes over TCP alone")
    return family, replace(
        asked.secure,
        interface=listen.interface,
        port=listen.port,
        descriptor=listen.descriptor,
    )


def _socket_of(request: Request, passed: Passed) -> socket.socket:
    """A copy of the socket *passed*."""
    try:
        copy = os.dup(passed.descriptor)
    except OSError:
        raise request.wrong(f"descriptor {passed.descriptor} is not open") from None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise request.wrong(f"descriptor {passed.descriptor} is not a socket") from None


def _listen_of(handle: socket.socket, descriptor: int) -> TcpListen | UdpListen | UnixListen | None:
    """What *handle* would be had we opened it; None if we would not have."""
    if handle.family not in _FAMILIES:
        return None
    name = handle.getsockname()
    internet = handle.family != socket.AF_UNIX
    if internet and handle.type == socket.SOCK_DGRAM:
        return UdpListen(_interface(name), name[1], descriptor=descriptor)
    if handle.type != socket.SOCK_STREAM or not _listens(handle):
        return None
    if internet:
        return TcpListen(_interface(name), name[1], descriptor=descriptor)
    return UnixListen(os.fsdecode(name), descriptor=descriptor)


def _listens(handle: socket.socket) -> bool:
    return bool(handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _interface(name: tuple[object, ...]) -> str:
    """The numeric host of a getsockname(), with its scope if it has one."""
    scope = name[3] if len(name) > 3 else 0
    return f"{name[0]}%{scope}" if scope and "%" not in str(name[0]) else str(name[0])


def _trouble(handle: socket.socket) -> str:
    if handle.family in _FAMILIES and handle.type == socket.SOCK_STREAM:
        return "is a connection, as Accept=yes passes, and one that listens is needed (Accept=no)"
    family, kind = (getattr(one, "name", str(one)) for one in (handle.family, handle.type))
    return f"is {family} {kind}, and only TCP, UDP and UNIX streams are served"

"""The bench: all services of a process, started together or not at all, drained together.

From Python::

    shared = Shared(reactor, Publisher())
    bench = Bench(make_bench(Settings(port=9000), shared), shared, drain=5.0)
    bench.startService()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList

from twisted_lab.draining import Drain, Drained
from twisted_lab.errors import ConfigurationError, SocketlabError
from twisted_lab.protocols import KINDS
from twisted_lab.service import LabService, make_service
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.wrapping import Stream


def make_bench(settings: Settings, shared: Shared) -> list[LabService]:
    """The bench: echo on TCP N and UDP N, line on TCP N + 1; or all that have well-known ports."""
    others = replace(settings, listen=(), client_ca=None, proxy_from=())
    if settings.well_known:
        known = [kind.name for kind in KINDS.values() if kind.well_known is not None]
        return [
            make_service(name, settings if name == "echo" else others, shared) for name in known
        ]
    port = KINDS["echo"].port if settings.port is None else settings.port
    if port == 65535:
        raise ConfigurationError("--port '65535': the bench needs the port after it too, for line")
    echo = replace(settings, port=port)
    line = replace(others, port=port and port + 1)
    return [make_service("echo", echo, shared), make_service("line", line, shared)]


class Beside(Protocol):
    """What stands beside the services on a port of its own: it opens with them and closes last.

    ``service`` is that port; ``address``, while it is open, what a person opens in a browser.
    """

    service: LabService

    @property
    def address(self) -> str:
        """With whatever secret it needs."""

    def open(self) -> None:
        """Open its port; raises :class:`CannotServe`."""

    def close_at_once(self) -> None:
        """The same the other way, of a start that failed."""

    def start(self) -> None:
        """The bench runs."""

    def stop(self) -> Deferred[Any]:
        """The bench is gone; fires when this is, too."""


class Bench(Service):
    """All services of a process: started together or not at all, drained together.

    *drain* is how many seconds connections have to finish at a stop, and may change as
    ``drain_time``; ``beside`` may be set before it starts. *started* is called once all ports are
    open, *stopping* before they close; *closing* are called last.
    """

    def __init__(
        self,
        services: Sequence[LabService],
        shared: Shared,
        drain: float,
        started: Callable[[Sequence[LabService]], object] = lambda services: None,
        closing: Sequence[Callable[[], object]] = (),
        stopping: Callable[[], object] = lambda: None,
    ) -> None:
        self.services = services
        self._shared = shared
        self.drain_time = drain
        self._started = started
        self._closing = closing
        self._stopping = stopping
        self.draining = False
        self.beside: Beside | None = None

    def privilegedStartService(self) -> None:
        """Open all ports of all services, or none: raises :class:`CannotServe`."""
        try:
            for service in self.services:
                service.privilegedStartService()
            if self.beside is not None:
                self.beside.open()
        except SocketlabError:
            for service in self.services:
                service.close_at_once()
            if self.beside is not None:
                self.beside.close_at_once()
            raise

    def startService(self) -> None:
        """Serve, and say so."""
        self.privilegedStartService()
        super().startService()
        for service in self.services:
            service.startService()
        if self.beside is not None:
            self.beside.start()
        self._started(self.services)

    def drain(self) -> Deferred[Any]:
        """Stop listening at once and let connections finish; fires when all are gone."""
        self._stopping()
        self.draining = True
        for service in self.services:
            service.stop_listening()
        return Drain(self._shared.reactor, self._connections, self.drain_time).start()

    def streams(self) -> list[Stream]:
        """The open streams of all services, now."""
        return [stream for service in self.services for stream in service.streams()]

    def _connections(self) -> list[Drained]:
        return [one for service in self.services for one in service.connections()]

    def abort(self) -> None:
        """End every connection at once."""
        for service in self.services:
            service.abort()

    def stopService(self) -> Deferred[Any]:
        """Close what is left; a graceful end calls :meth:`drain` first."""
        self._stopping()
        super().stopService()
        done = DeferredList([service.stopService() for service in self.services])
        if self.beside is not None:
            beside = self.beside
            done.addCallback(lambda gone: beside.stop())
        return done.addCallback(self._close)

    def _close(self, result: object) -> object:
        for close in self._closing:
            close()
        return result

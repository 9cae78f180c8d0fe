"""One service on its ports: options in, sockets out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from twisted_lab.addresses import Host, host, show
from twisted_lab.datagram_socket import adopt_socket, open_socket
from twisted_lab.datagrams import DatagramPort
from twisted_lab.draining import Drain, Drained
from twisted_lab.errors import CannotServe, ConfigurationError, SocketlabError, summary
from twisted_lab.escaping import escape
from twisted_lab.events import CloseReason, Listening, NotListening
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import Layer
from twisted_lab.limits import datagram_settings, renewed_policies, stream_policies
from twisted_lab.policies.proxy_from import ProxyFrom
from twisted_lab.protocols import KINDS, Doors, Kind
from twisted_lab.protocols.qotd import QUOTES, read_quotes
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.talks import Talks
from twisted_lab.transports.endpoints import (
    ForeignListen,
    Listen,
    SystemdListen,
    TcpListen,
    TlsListen,
    UdpListen,
    loopback_interfaces,
)
from twisted_lab.transports.keyring import Keyring
from twisted_lab.transports.listeners import (
    accept_waiting,
    cannot_serve,
    close,
    close_at_once,
    open_stream,
    where,
    word,
)
from twisted_lab.transports.proxy_waiting import Waiting
from twisted_lab.wrapping import Stream


def listens_of(kind: Kind, settings: Settings) -> tuple[Listen, ...]:
    """Which sockets *settings* ask for; raises :class:`ConfigurationError` for what cannot be.

    Of sockets still to be taken from systemd nothing is known yet.
    """
    if settings.well_known:
        settings = _on_well_known_port(kind, settings)
    listens = list(settings.listen)
    if settings.port is not None or not listens:
        listens += _port_listens(kind, settings)
    for listen in listens:
        _check(kind, listen, settings)
    return tuple(listens)


def _on_well_known_port(kind: Kind, settings: Settings) -> Settings:
    if settings.port is not None:
        raise ConfigurationError(f"--port '{settings.port}': --well-known names the ports already")
    if kind.well_known is None:
        raise ConfigurationError(f"--well-known: {kind.name} has no port of its own at IANA")
    return replace(settings, port=kind.well_known)


def _port_listens(kind: Kind, settings: Settings) -> Iterable[Listen]:
    port = kind.port if settings.port is None else settings.port
    interfaces = settings.interface or loopback_interfaces()
    if kind.stream is not None:
        yield from (TcpListen(interface, port) for interface in interfaces)
    if kind.datagram is not None:
        yield from (UdpListen(interface, port) for interface in interfaces)


def _check(kind: Kind, listen: Listen, settings: Settings) -> None:
    if isinstance(listen, SystemdListen):
        return
    if isinstance(listen, ForeignListen):
        raise ConfigurationError(
            f"'{escape(listen.text)}' is an endpoint this version cannot serve"
        )
    datagram = isinstance(listen, UdpListen)
    if (kind.datagram if datagram else kind.stream) is None:
        raise ConfigurationError(f"{kind.name} does not serve {word(listen)}: {where(listen)}")
    if (
        isinstance(listen, UdpListen)
        and not host(listen.interface).loopback
        and not (settings.allow_reflector or settings.allow)
    ):
        raise ConfigurationError(
            f"UDP on {where(listen)} would let anyone make this host send to a forged address: "
            "say who may ask with --allow CIDR, or --allow-reflector for everybody"
        )


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port that is open: what was asked for, and what listens."""

    listen: Listen
    port: IListeningPort

    @property
    def address(self) -> str:
        """Where it listens."""
        return show(self.port.getHost())

    @property
    def descriptor(self) -> int | None:
        """Of the socket, if it was passed to us."""
        return getattr(self.listen, "descriptor", None)


class LabService(Service):
    """One service on its ports. Made by :func:`make_service`."""

    def __init__(
        self,
        kind: Kind,
        settings: Settings,
        shared: Shared,
        listens: tuple[Listen, ...],
        name: str | None = None,
    ) -> None:
        self.called = name or kind.name
        self.setName(self.called)
        self.kind = kind
        self.settings = settings
        self.ports: list[OpenPort] = []
        #: What :meth:`resume` opens again.
        self.suspended: tuple[Listen, ...] = ()
        self.keyring = Keyring(settings.client_ca)
        self._shared = shared
        self._listens = listens
        self._doors = _doors(settings, shared)
        self.talks = Talks(shared.publisher)
        self.waiting = Waiting(shared.reactor, *_waiting(settings))
        self.layer: Layer | None = None
        secure = [listen for listen in listens if isinstance(listen, TlsListen)]
        self._secure = bool(secure)
        for listen in secure:
            self.keyring.context(listen)  # a bad file must fail before anything starts
        if kind.stream is not None:
            self.layer = Layer(
                self.called,
                kind.stream(self._doors),
                shared.reactor,
                shared.publisher,
                shared.new_number,
                stream_policies(settings, shared.reactor, secure=self._secure),
                lines=kind.lines,
            )

    def privilegedStartService(self) -> None:
        """Open every port, or none: raises :class:`CannotServe` naming the one that would not."""
        if self.ports:
            return
        try:
            for listen in self._listens:
                self._open(listen)
        except SocketlabError:
            self.close_at_once()
            raise

    def startService(self) -> None:
        """Open the ports if nobody has yet, and serve."""
        self.privilegedStartService()
        super().startService()

    def _open(self, listen: Listen) -> None:
        descriptor = getattr(listen, "descriptor", None)
        if descriptor is not None and not self._shared.inherited.holds(descriptor):
            raise CannotServe(f"the socket passed for {where(listen)} is given up already")
        opened = OpenPort(listen, self._open_beside(listen) or self._open_port(listen))
        self.ports.append(opened)
        self._shared.publisher.offer(
            Listening, self.called, opened.address, word(listen), self._backlog(listen)
        )

    def _open_beside(self, listen: Listen) -> IListeningPort | None:
        """Prefer, among free ports, the number the service has already: one to remember."""
        if not isinstance(listen, TcpListen | TlsListen | UdpListen):
            return None
        if listen.port or not self.ports:
            return None
        numbers = [getattr(opened.port.getHost(), "port", 0) for opened in self.ports]
        for number in dict.fromkeys(reversed(numbers)):
            try:
                return self._open_port(replace(listen, port=number))
            except CannotServe:
                continue
        return None

    def _open_port(self, listen: Listen) -> IListeningPort:
        if isinstance(listen, UdpListen):
            return self._open_datagram(listen)
        assert self.layer is not None
        assert not isinstance(listen, ForeignListen | SystemdListen)
        return open_stream(
            self._shared.reactor,
            listen,
            self.layer,
            self.keyring,
            self.settings.backlog,
            self.waiting,
        )

    def _open_datagram(self, listen: UdpListen) -> IListeningPort:
        assert self.kind.datagram is not None
        adopt = None if listen.descriptor is None else partial(adopt_socket, listen.descriptor)
        port = DatagramPort(
            self._shared.reactor,
            listen.interface,
            listen.port,
            self.kind.datagram(self._doors),
            publisher=self._shared.publisher,
            service=self.called,
            served_ports=self._shared.served_ports,
            settings=datagram_settings(self.settings),
            open_socket=adopt or open_socket,
            talks=self.talks,
        )
        try:
            port.startListening()
        except CannotListenError as error:
            raise cannot_serve(listen, error) from None
        except Exception as error:  # the protocol's own start
            raise CannotServe(f"{self.kind.name}: startProtocol: {summary(error)}") from None
        return port

    def _backlog(self, listen: Listen) -> int | None:
        if isinstance(listen, UdpListen) or getattr(listen, "descriptor", None) is not None:
            return None  # whoever opened it knows
        own = getattr(listen, "backlog", None)
        return self.settings.backlog if own is None else own

    def renew(self, settings: Settings) -> None:
        """Hold to the limits of *settings* from now on, also what is open already.

        Of *settings* only :data:`~twisted_lab.limits.RENEWABLE` acts; a longest line holds for
        connections to come.
        """
        before, self.settings = self.settings, settings
        self._doors = replace(self._doors, max_line=settings.max_line)
        for opened in self.ports:
            if isinstance(opened.port, DatagramPort):
                opened.port.renew(datagram_settings(settings))
        self.waiting.renew(*_waiting(settings))
        if self.layer is None:
            return
        if hasattr(self.layer.protocols, "max_line"):
            self.layer.protocols.max_line = settings.max_line
        clock, policies = self._shared.reactor, self.layer.policies
        self.layer.use(renewed_policies(policies, before, settings, clock, secure=self._secure))

    def stop_listening(self) -> Deferred[Any]:
        """Accept no more; fires when every port is closed. Connections live on."""
        self._accept_waiting()
        ports = self._take_ports()
        for opened in ports:
            if (descriptor := opened.descriptor) is not None:
                self._shared.inherited.give_up(descriptor)
        return DeferredList([close(opened.port) for opened in ports])

    def _accept_waiting(self) -> None:
        for opened in self.ports:
            if not isinstance(opened.listen, UdpListen):
                accept_waiting(opened.port)

    def suspend(self) -> None:
        """Close the ports until :meth:`resume`; connections live on.

        Raises :class:`CannotServe` where the sockets are not ours to open again.
        """
        passed = [opened for opened in self.ports if opened.descriptor is not None]
        if passed:
            raise CannotServe(
                f"the socket of {passed[0].address} was passed to us: it would be gone"
            )
        if self.ports:
            self.suspended = tuple(map(_again, self.ports))
            self._accept_waiting()
            self.close_at_once()  # so that the same can be opened in this turn

    def resume(self) -> None:
        """Open the same ports again, or none: raises :class:`CannotServe`, and stays suspended."""
        listens, self.suspended = self.suspended, ()
        try:
            for listen in listens:
                self._open(listen)
        except SocketlabError:
            self.close_at_once()
            self.suspended = listens
            raise

    def close_at_once(self) -> None:
        """Close the ports with no turn of the reactor to come: a start that failed."""
        for opened in self._take_ports():
            close_at_once(opened.port)

    def _take_ports(self) -> list[OpenPort]:
        ports, self.ports = self.ports, []
        for opened in ports:
            self._shared.publisher.offer(
                NotListening, self.called, opened.address, word(opened.listen)
            )
        return ports

    def stopService(self) -> Deferred[Any]:
        """Stop without a drain: close the ports, abort what is connected; fires when it is gone."""
        super().stopService()
        gone = Drain(self._shared.reactor, self.connections, 0).start()
        return DeferredList([self.stop_listening(), gone]).addCallback(self._stop_layer)

    def _stop_layer(self, result: object) -> object:
        self.waiting.stop()
        if self.layer is not None:
            self.layer.stop()
        return result

    def streams(self) -> Sequence[Stream]:
        """The open streams, now."""
        return tuple(self.layer.streams) if self.layer is not None else ()

    def connections(self) -> Sequence[Drained]:
        """Everything a stop must end: the streams, and who is not one for want of a header."""
        return (*self.streams(), *self.waiting.stages())

    def abort(self) -> None:
        """End every connection at once."""
        for connection in self.connections():
            connection.abort(CloseReason.DRAIN)


def _again(opened: OpenPort) -> Listen:
    """What *opened* listens on, with the port number it has."""
    number = getattr(opened.port.getHost(), "port", None)
    if number is None or not isinstance(opened.listen, TcpListen | TlsListen | UdpListen):
        return opened.listen
    return replace(opened.listen, port=number)


def _waiting(settings: Settings) -> tuple[float, tuple[Callable[[Host], Refusal | None]]]:
    """For how long a PROXY header may be waited for, and the gates of the balancers."""
    return settings.handshake_timeout, (ProxyFrom(settings.proxy_from).admit,)


def _doors(settings: Settings, shared: Shared) -> Doors:
    return Doors(
        clock=shared.reactor,
        max_line=settings.max_line,
        quotes=QUOTES if settings.quotes is None else read_quotes(settings.quotes),
        unlimited=settings.allow_amplification,
    )


def make_service(
    name: str | Kind, settings: Settings, shared: Shared, called: str | None = None
) -> LabService:
    """The service of the kind *name*; raises :class:`ConfigurationError` for what cannot be.

    *name* is one of ours, or the Kind itself; *called* is what events and the log call it, if not
    by its kind.
    """
    kind = name if isinstance(name, Kind) else KINDS.get(name)
    if kind is None:
        raise ConfigurationError(f"no service {name!r}; there are {', '.join(KINDS)}")
    passed = shared.inherited.resolve(settings.listen)
    listens = listens_of(kind, replace(settings, listen=passed))
    if settings.client_ca and not any(isinstance(listen, TlsListen) for listen in listens):
        raise ConfigurationError(
            f"--client-ca '{escape(settings.client_ca)}' is for tls endpoints, and there is none"
        )
    if settings.proxy_from and not any(getattr(listen, "proxy", False) for listen in listens):
        raise ConfigurationError(
            f"--proxy-from '{settings.proxy_from[0]}' is for haproxy endpoints, and there is none"
        )
    return LabService(kind, settings, shared, listens, called)

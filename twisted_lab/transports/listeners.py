"""From a parsed endpoint to an open port."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.interfaces import IListeningPort, IProtocolNegotiationFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_lab.addresses import show, show_pair
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.layer import Layer, StreamFactory
from twisted_lab.transports.adopting import adopt
from twisted_lab.transports.endpoints import Listen, TcpListen, TlsListen, UdpListen, UnixListen
from twisted_lab.transports.keyring import Keyring
from twisted_lab.transports.proxied import ProxiedFactory
from twisted_lab.transports.proxy_waiting import Waiting
from twisted_lab.transports.tls import TLSConnection

#: Interfaces that are all of a machine's.
WILDCARDS = frozenset({"0.0.0.0", "::"})

#: What a port hears when it is closed in order.
_DONE = Failure(ConnectionDone())

StreamListen = TcpListen | TlsListen | UnixListen


def where(listen: Listen) -> str:
    """What *listen* asks for, as text for a person."""
    if isinstance(listen, UnixListen):
        return f"unix:{escape(listen.path)}"
    if isinstance(listen, TcpListen | TlsListen | UdpListen):
        return show_pair(listen.interface, listen.port)
    return listen.text


def word(listen: Listen) -> str:
    """The transport of *listen* in one word; ``haproxy:`` before it where PROXY headers come."""
    return ("haproxy:" if getattr(listen, "proxy", False) else "") + _plain_word(listen)


def _plain_word(listen: Listen) -> str:
    words = {TcpListen: "tcp", TlsListen: "tls", UnixListen: "unix", UdpListen: "udp"}
    return words.get(type(listen), "stream")


def cannot_serve(listen: Listen, error: Exception) -> CannotServe:
    """The one sentence for a port that would not open."""
    cause = getattr(error, "socketError", error)
    why = getattr(cause, "strerror", None) or str(cause)
    return CannotServe(f"cannot listen on {word(listen)} {where(listen)}: {why}")


def open_stream(
    reactor: Any,
    listen: StreamListen,
    layer: Layer,
    keyring: Keyring,
    backlog: int,
    waiting: Waiting,
) -> IListeningPort:
    """Listen for streams; raises :class:`CannotServe`, naming the address.

    *waiting* is for those that have their PROXY header still to come.
    """
    transport = _plain_word(listen)
    factory = (
        ProxiedFactory(layer, waiting, transport=transport)
        if listen.proxy
        else StreamFactory(layer, transport=transport)
    )
    if isinstance(listen, TlsListen):
        context = keyring.context(listen)
        speaks = _application_protocols(layer.protocols)
        factory.secure = lambda stream: TLSConnection(context, layer.clock, stream, speaks)
    port = _listen(reactor, listen, factory, backlog if listen.backlog is None else listen.backlog)
    if factory.failure is not None:
        close_at_once(port)
        raise CannotServe(factory.failure)
    # Twisted logs several lines for each connection it cannot accept; ours are events, bounded.
    # ``_logger`` is private to Twisted (26.10); where it is another name its lines stay.
    port._logger = Logger(observer=factory.accept_failed)  # type: ignore[arg-type]
    if getattr(listen, "interface", "") not in WILDCARDS:
        factory.local = show(port.getHost())  # else each accepted socket knows
    return IListeningPort(port)


def _application_protocols(factory: object) -> tuple[bytes, ...]:
    """What *factory* speaks over TLS, if it says so in Twisted's way (as twisted.web does)."""
    negotiating = IProtocolNegotiationFactory(factory, None)
    return () if negotiating is None else tuple(negotiating.acceptableProtocols())


def _listen(reactor: Any, listen: StreamListen, factory: StreamFactory, backlog: int) -> Any:
    try:
        if listen.descriptor is not None:
            return adopt(reactor, listen.descriptor, factory, backlog)
        if isinstance(listen, UnixListen):
            return _listen_unix(reactor, listen, factory, backlog)
        return reactor.listenTCP(listen.port, factory, backlog, listen.interface)
    except (CannotListenError, OSError) as error:
        raise cannot_serve(listen, error) from None


def _listen_unix(reactor: Any, listen: UnixListen, factory: StreamFactory, backlog: int) -> Any:
    if not hasattr(reactor, "listenUNIX"):
        raise ConfigurationError(f"this platform has no UNIX sockets: {where(listen)}")
    with warnings.catch_warnings():
        # Twisted (26.10) leaves a socket that it could not bind to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return reactor.listenUNIX(
                listen.path, factory, backlog, listen.mode, wantPID=listen.lockfile
            )
        except CannotListenError as error:
            _unlock(listen, error)
            trouble = cannot_serve(listen, error)
    raise trouble  # outside, so that it does not keep the socket through the error's frames


def _unlock(listen: UnixListen, error: CannotListenError) -> None:
    """Take away the lock file Twisted made before bind() failed; one it could not get stays."""
    if isinstance(error.socketError, OSError):
        with suppress(OSError):
            os.unlink(f"{listen.path}.lock")


def accept_waiting(port: Any) -> None:
    """Accept everyone the kernel has connected on our behalf, as many as its queue may hold.

    They were told they are connected and may have sent all they have to say; closing the listener
    would reset them.
    """
    if isinstance(port, tcp.Port):  # those of UNIX sockets are, too
        port.numberAccepts = port.backlog
        port.doRead()


def close(port: IListeningPort) -> Deferred[Any]:
    """Stop listening; fires when the port is closed, also if its socket's file is gone."""
    return maybeDeferred(port.stopListening).addErrback(lambda failure: _close_rest(failure, port))


def close_at_once(port: Any) -> None:
    """The same with no turn of the reactor to come."""
    port.stopReading()
    try:
        port.connectionLost(_DONE)
    except OSError:
        _close_rest(Failure(), port)


def _close_rest(failure: Failure, port: Any) -> None:
    # Twisted (26.10) removes a UNIX socket's file first, and stops there if it is gone.
    failure.trap(OSError)
    if getattr(port, "lockFile", None) is not None:
        port.lockFile.unlock()
    tcp.Port.connectionLost(port, _DONE)

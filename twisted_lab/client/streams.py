"""Streams that we make: the same layer as behind a listener, from the other end.

So what a client is told of its connection is as true as what a server is: half-close, RST and the
end of each are decided in one place (:mod:`twisted_lab.ending`).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IOpenSSLClientConnectionCreator, IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.addresses import UNIX_HOST, host
from twisted_lab.events import CloseReason, Connected
from twisted_lab.layer import Layer
from twisted_lab.transports.tls import TLSConnection
from twisted_lab.wrapping import SecureStream, Stream


class ClientStream(Stream):
    """A stream of ours: its first event is :class:`~twisted_lab.events.Connected`."""

    __slots__ = ()

    def _publish_opening(self) -> None:
        self._publish(Connected, self.peer, self.local, self.kind)

    def connectionLost(self, reason: Failure) -> None:
        """It is over; an RST that came after our FIN is told, too: what was to come is lost."""
        if self.reason is CloseReason.LOCAL and reason.type is ConnectionLost:
            self.note("reset", "the peer answered with RST, not with FIN: what was to come is lost")
        super().connectionLost(reason)


class SecureClientStream(ClientStream, SecureStream):
    """The same over TLS."""

    __slots__ = ()


class ClientTLSConnection(TLSConnection):
    """TLS from the client's end: it begins the handshake, and verifies who answers.

    *context* is Twisted's IOpenSSLClientConnectionCreator.
    """

    __slots__ = ("_unverified",)
    #: Where Twisted (26.10) looks for the names of application protocols: we offer none.
    factory = SimpleNamespace(wrappedFactory=None)

    def _begin(self, context: Any, speaks: tuple[bytes, ...]) -> SSL.Connection:
        self._unverified: str | None = None
        openssl: SSL.Connection = context.clientConnectionForTLS(self)
        openssl.set_connect_state()
        return openssl

    def makeConnection(self, transport: Any) -> None:
        """Connected: tell the stream, and begin the handshake."""
        super().makeConnection(transport)
        self._handshake()

    def failVerification(self, failure: Failure) -> None:
        """The certificate is not of whom we asked for; called within the handshake."""
        mismatches = getattr(failure.value, "errors", None) or [failure.value]
        self._unverified = "; ".join(map(_mismatch, mismatches))

    def _handshake_failed(self, why: str) -> None:
        super()._handshake_failed(self._unverified or why)


def _mismatch(error: object) -> str:
    wanted = getattr(error, "mismatched_id", error)
    name = getattr(wanted, "hostname", None) or getattr(wanted, "ip", None)
    return f"the certificate is not for {wanted if name is None else name_of(name)}"


def name_of(name: object) -> str:
    """A host as service_identity has it, as text."""
    return name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)


@implementer(IProtocolFactory)
class ClientFactory:
    """Makes the one stream of *layer*, of the transport word *kind*; *tls* verifies, or is None."""

    noisy = False

    def __init__(
        self,
        layer: Layer,
        protocol: Any,
        kind: str,
        tls: IOpenSSLClientConnectionCreator | None = None,
    ) -> None:
        self._layer = layer
        self._protocol = protocol
        self._kind = kind
        self._tls = tls

    def doStart(self) -> None:
        """Nothing: it is used once (IProtocolFactory)."""

    def doStop(self) -> None:
        """The same."""

    def buildProtocol(self, address: IAddress) -> Any:
        """The stream, below its TLS if there is any."""
        number = getattr(address, "host", None)
        where = UNIX_HOST if number is None else host(number)
        kind = ClientStream if self._tls is None else SecureClientStream
        stream = kind(self._layer, self._protocol, address, where, "", self._kind)
        if self._tls is None:
            return stream
        context: Any = self._tls
        return ClientTLSConnection(context, self._layer.clock, stream)

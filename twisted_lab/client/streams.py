"""Streams that we make: the same layer as behind a listener, from the other end.

So what a client is told of its connection is as true as what a server is: half-close, RST and the
end of each are decided in one place (:mod:`twisted_lab.ending`).
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.addresses import host_of
from twisted_lab.client.trust import Trust
from twisted_lab.events import CloseReason, Connected
from twisted_lab.layer import Layer
from twisted_lab.transports.tls import TLSConnection
from twisted_lab.wrapping import SecureStream, Stream

#: The ends after which what was on its way may still be lost.
_GRACEFUL = frozenset({CloseReason.LOCAL, CloseReason.PEER_FIN})

_LOST = {
    ConnectionLost: ("reset", "the peer sent RST after the FIN: what was on its way is lost"),
    ConnectionAborted: ("unsent", "the peer did not take all that was sent: the rest is lost"),
}


class ClientStream(Stream):
    """A stream of ours: its first event is :class:`~twisted_lab.events.Connected`."""

    __slots__ = ("began_at",)

    #: When connect() was called, in seconds.
    began_at: float

    def _publish_opening(self) -> None:
        took = round(self.layer.seconds() - self.began_at, 6)
        self._publish(Connected, self.peer, self.local, self.kind, took)

    def connectionLost(self, reason: Failure) -> None:
        """It is over. The reason names who ended it first; that not all arrived is told, too."""
        if self.reason in _GRACEFUL and reason.type in _LOST:
            self.note(*_LOST[reason.type])
        super().connectionLost(reason)


class SecureClientStream(ClientStream, SecureStream):
    """The same over TLS."""

    __slots__ = ()

    def truncated(self) -> None:
        """FIN without close_notify; after our own it is not the reason of the end, so is told."""
        if self.reason is CloseReason.LOCAL and not self.ending:
            what = "FIN without TLS close_notify: what was meant to come may be cut"
            self.note("truncated", what)
        super().truncated()


class ClientTLSConnection(TLSConnection):
    """TLS from the client's end: it begins the handshake, and verifies who answers.

    *context* is a :class:`~twisted_lab.client.trust.Trust`.
    """

    __slots__ = ("_unverified",)

    def _begin(self, context: Any, speaks: tuple[bytes, ...]) -> SSL.Connection:
        self._unverified: str | None = None
        openssl: SSL.Connection = context.connection(self._not_believed)
        return openssl

    def _not_believed(self, why: str) -> None:
        self._unverified = why

    def makeConnection(self, transport: Any) -> None:
        """Connected: tell the stream, and begin the handshake."""
        super().makeConnection(transport)
        self._handshake()

    def _handshake_failed(self, why: str) -> None:
        super()._handshake_failed(self._unverified or why)


@implementer(IProtocolFactory)
class Attempt:
    """Makes the one stream of *layer*, of the transport word *kind*, if this attempt succeeds.

    *trust* verifies who answers; None: no TLS.
    """

    noisy = False

    def __init__(self, layer: Layer, protocol: Any, kind: str, trust: Trust | None = None) -> None:
        self._layer = layer
        self._protocol = protocol
        self._kind = kind
        self._trust = trust
        self._began_at = layer.seconds()

    def doStart(self) -> None:
        """Nothing: it is used once (IProtocolFactory)."""

    def doStop(self) -> None:
        """The same."""

    def buildProtocol(self, address: IAddress) -> Any:
        """The stream, below its TLS if there is any."""
        kind = ClientStream if self._trust is None else SecureClientStream
        stream = kind(self._layer, self._protocol, address, host_of(address), "", self._kind)
        stream.began_at = self._began_at
        if self._trust is None:
            return stream
        context: Any = self._trust
        return ClientTLSConnection(context, self._layer.clock, stream)

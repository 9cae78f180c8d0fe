"""The other end of what is tested: :class:`Peer`."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """The other end of what is tested: it does what the test says and keeps what it sees.

    What comes is in ``received``, unless the test called ``transport.pauseProducing()``. ``end``
    says how the stream towards us ended: None while it is open, ``"fin"``, ``"reset"``, or
    ``"own"`` when this end was gone first. It closes nothing by itself.
    """

    transport: Any

    def __init__(self) -> None:
        self.received = bytearray()
        self.end: str | None = None

    def send(self, data: bytes) -> None:
        """Send *data*, after what was sent before."""
        self.transport.write(data)

    def fin(self) -> None:
        """Send FIN after all that was sent, and read on."""
        self.transport.loseWriteConnection()

    def close(self) -> None:
        """Send FIN after all that was sent, and read no more: what still comes meets RST."""
        self.transport.loseConnection()

    def reset(self) -> None:
        """Send RST; what is on its way in either direction is lost."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def readConnectionLost(self) -> None:
        """FIN came."""
        self.end = "fin"

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """RST came, or this end closed."""
        if reason.type is error.ConnectionLost:
            self.end = "reset"
        self.end = self.end or "own"

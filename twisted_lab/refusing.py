"""Turning a connection away with one line that says why, without losing the line to an RST."""

from __future__ import annotations

from typing import ClassVar, Self

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.interfaces import Clock


@implementer(IHalfCloseableProtocol)
class RefusalLine(Protocol):
    """Says *text*, sends FIN, drops what comes for *linger* seconds at most, is gone."""

    #: Refused connections that may linger at once, in the process. More are closed without the
    #: line: a flood must not hold through its refusals the descriptors it was refused.
    AT_ONCE = 64
    _lingering: ClassVar[int] = 0

    @classmethod
    def make(cls, text: str, clock: Clock, linger: float) -> Self | None:
        """A refusal, or None when as many as may be are lingering already."""
        return cls(text, clock, linger) if RefusalLine._lingering < cls.AT_ONCE else None

    def __init__(self, text: str, clock: Clock, linger: float) -> None:
        self._text = text
        self._clock = clock
        self._linger = linger

    def connectionMade(self) -> None:
        """Speak, and half-close: the peer reads the line and then the end."""
        RefusalLine._lingering += 1
        self._alarm = self._clock.callLater(self._linger, self._expired)
        self.transport.write(self._text.encode() + b"\r\n")  # type: ignore[union-attr]
        self.transport.loseWriteConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Drop it: unread input would turn our FIN into an RST."""

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""

    def readConnectionLost(self) -> None:
        """The peer is done too."""
        self.transport.loseConnection()  # type: ignore[union-attr]

    def _expired(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Give the place to another."""
        RefusalLine._lingering -= 1
        if self._alarm.active():
            self._alarm.cancel()

"""Protocols and producers that log what is asked of them, in one list of ``calls``."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


class Spy(Protocol):
    """A protocol that knows nothing of half-close. ``calls`` is the log; bytes are reads.

    *acts* are done when the callback of that name comes: ``Spy(dataReceived=lambda spy: …)``.
    """

    transport: Any

    def __init__(self, **acts: Any) -> None:
        self.calls: list[Any] = []
        self._acts = acts

    def _log(self, callback: str, call: Any) -> None:
        self.calls.append(call)
        if act := self._acts.get(callback):
            act(self)

    def connectionMade(self) -> None:
        """The connection is there."""
        self._log("connectionMade", "made")

    def dataReceived(self, data: bytes) -> None:
        """One read."""
        self._log("dataReceived", data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        self._log("connectionLost", reason.type)

    @property
    def received(self) -> bytes:
        """All that was read."""
        return b"".join(call for call in self.calls if isinstance(call, bytes))

    @property
    def ends(self) -> list[Any]:
        """The reasons of its ``connectionLost``."""
        return [call for call in self.calls if isinstance(call, type)]


@implementer(IHalfCloseableProtocol)
class HalfCloseSpy(Spy):
    """The same, and it knows of half-close."""

    def readConnectionLost(self) -> None:
        """FIN came."""
        self._log("readConnectionLost", "fin-in")

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""
        self._log("writeConnectionLost", "fin-out")


class Push:
    """A push producer that logs what it is told, and writes when the test says so."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        """Produce no more for now."""
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        """Produce again."""
        self.calls.append("resume")

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.calls.append("stop")


class Pull:
    """A pull producer that gives *pieces* to *consumer*, one each time it is asked."""

    def __init__(self, consumer: Any, pieces: list[bytes]) -> None:
        self.consumer = consumer
        self.pieces = list(pieces)
        self.asked = 0
        self.stopped = False

    def resumeProducing(self) -> None:
        """Give one piece."""
        self.asked += 1
        self.consumer.write(self.pieces.pop(0))
        if not self.pieces:
            self.consumer.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.stopped = True

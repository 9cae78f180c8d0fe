"""One talk over a stream: what is typed goes out, what comes is shown, until both are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.client.console import Console
from twisted_lab.client.words import Shown, Typed


@implementer(IHalfCloseableProtocol)
class Talk(Protocol):
    """Joins a stream and the console.

    *shown* makes what comes ready for stdout, *typed* what is typed ready for the peer; *say* tells
    the person a sentence. *stays*: the peer's FIN does not end it, only the end of input does.
    *done* is called when all is over.
    """

    transport: Any

    def __init__(
        self,
        reactor: Any,
        shown: Shown,
        typed: Typed,
        say: Callable[[str], object],
        stays: bool,
        done: Callable[[], object],
    ) -> None:
        self._reactor = reactor
        self._shown = shown
        self._typed = typed
        self._say = say
        self._stays = stays
        self._done = done
        self._console = Console(self._send_typed, self._input_ended, self._nobody_reads)
        self._open = False
        self._input_over = False

    def connectionMade(self) -> None:
        """We are connected, and TLS is up: begin to read what is typed."""
        self._open = True
        self._console.open(self._reactor)
        self._console.fed_by(self.transport)

    def _send_typed(self, data: bytes) -> None:
        self._send(self._typed.read(data))

    def _send(self, messages: list[bytes]) -> None:
        for sentence in self._typed.refused:
            self._say(sentence)
        self._typed.refused.clear()
        for message in messages:
            self.transport.write(message)

    def _input_ended(self) -> None:
        """Half-close: the peer hears that no more comes, and we read on."""
        self._input_over = True
        self._send(self._typed.end())
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def dataReceived(self, data: bytes) -> None:
        """One recv()."""
        self._console.write(self._shown(data))

    def readConnectionLost(self) -> None:
        """The peer sent FIN."""
        if self._stays and not self._input_over:
            self._say("the peer will send no more, and may still read: end the input to close")
        else:
            self.stop()

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""

    def _nobody_reads(self) -> None:
        """stdout is gone, as with ``| head``: what is still on its way is for nobody."""
        self.transport.abortConnection()

    def stop(self) -> None:
        """Close in order: what was written is still sent."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over; what is still to be shown is shown first."""
        if self._open:
            self._console.close(self._done)

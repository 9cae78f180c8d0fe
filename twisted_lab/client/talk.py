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
    """Joins a stream and the *console*; a :class:`~twisted_lab.client.console.Talker`.

    *shown* makes what comes ready for stdout, *typed* what is typed ready for the peer; *unsent* is
    told of input that is not sent. *stays*: the peer's FIN does not end it, only the end of input
    does. *done* is called when all is over, *deaf* when stdout takes no more.
    """

    transport: Any

    def __init__(
        self,
        console: Console,
        shown: Shown,
        typed: Typed,
        stays: bool,
        unsent: Callable[[str], object],
        deaf: Callable[[], object],
        done: Callable[[], object],
    ) -> None:
        self._console = console
        self._shown = shown
        self._typed = typed
        self._stays = stays
        self._unsent = unsent
        self._deaf = deaf
        self._done = done
        self._input_over = False

    def connectionMade(self) -> None:
        """We are connected, and TLS is up: begin to read what is typed."""
        self._console.open(self)
        self._console.joins(self.transport, self.transport)

    def typed(self, data: bytes) -> None:
        """Some of stdin."""
        self._send(self._typed.read(data))

    def _send(self, messages: list[bytes]) -> None:
        for sentence in self._typed.refused:
            self._unsent(sentence)
        self._typed.refused.clear()
        for message in filter(None, messages):
            self.transport.write(message)

    def input_ended(self) -> None:
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
        self._console.write(self._shown.end())
        if self._input_over or not self._stays:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""

    def nobody_reads(self) -> None:
        """stdout is gone, as with ``| head``: what is still on its way is for nobody."""
        self._deaf()
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over; what is still to be shown is shown first."""
        self._console.write(self._shown.end())
        self._console.close(self._done)

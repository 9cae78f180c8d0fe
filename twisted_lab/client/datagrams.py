"""Datagrams for a person: each line is one, each that comes is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from twisted_lab.addresses import show, show_pair
from twisted_lab.client.console import Console
from twisted_lab.client.words import Lines, Shown
from twisted_lab.events import DatagramDropped, DatagramReceived, DatagramSent
from twisted_lab.publishing import Publisher

#: The service's name in the events.
NAME = "connect"

#: Seconds for which answers are waited for once the input is at its end.
WAIT = 1.0


class DatagramTalk(DatagramProtocol):
    """Joins a connected UDP socket and the console; *peer* is a numeric address and a port.

    *refused* is called when ICMP says that nobody is there, *done* when all is over.
    """

    noisy = False
    transport: Any

    def __init__(
        self,
        reactor: Any,
        publisher: Publisher,
        peer: tuple[str, int],
        shown: Shown,
        refused: Callable[[], object],
        done: Callable[[], object],
    ) -> None:
        self._reactor = reactor
        self._publisher = publisher
        self._peer = peer
        self._shown = shown
        self._refused = refused
        self._done = done
        self._lines = Lines()
        self._console = Console(self._typed, self._input_ended, self.stop)
        self._stopped = False

    def startProtocol(self) -> None:
        """The socket is there: connect() makes the kernel give us this peer's answers alone."""
        self.transport.connect(*self._peer)
        self._console.open(self._reactor)

    def _about(self) -> tuple[int, str, str, str]:
        host = self.transport.getHost()
        return self._publisher.now(), NAME, show_pair(*self._peer), show(host)

    def _typed(self, data: bytes) -> None:
        for message in self._lines.read(data):
            self._send(message)

    def _send(self, message: bytes) -> None:
        try:
            self.transport.write(message)
        except OSError as error:
            now, name, peer, local = self._about()
            reason = error.strerror or str(error)
            size = len(message)
            self._publisher.publish(DatagramDropped(now, name, local, reason, peer, size))
            return
        kept = self._publisher.captured(message)
        self._publisher.publish(DatagramSent(*self._about(), len(message), kept))

    def _input_ended(self) -> None:
        for message in self._lines.end():
            self._send(message)
        self._reactor.callLater(WAIT, self.stop)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """One whole datagram."""
        kept = self._publisher.captured(datagram)
        self._publisher.publish(DatagramReceived(*self._about(), len(datagram), kept))
        self._console.write(self._shown(datagram))

    def connectionRefused(self) -> None:
        """ICMP port unreachable, as the kernel tells a connected socket."""
        self._refused()
        self.stop()

    def stop(self) -> None:
        """Close the socket; what is still to be shown is shown first."""
        if not self._stopped:
            self._stopped = True
            self.transport.stopListening()
            self._console.close(self._done)

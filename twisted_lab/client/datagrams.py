"""Datagrams for a person: each line is one, each that comes is shown."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import ECONNREFUSED
from typing import Any

from twisted.internet.error import MessageLengthError
from twisted.internet.protocol import DatagramProtocol

from twisted_lab.addresses import show, show_pair
from twisted_lab.client.console import Console
from twisted_lab.client.words import Shown, Typed
from twisted_lab.events import DatagramDropped, DatagramReceived, DatagramSent, Note
from twisted_lab.publishing import Publisher

#: The service's name in the events.
NAME = "connect"

#: Seconds for which answers are waited for once the input is at its end.
WAIT = 1.0

#: What ECONNREFUSED means on a connected UDP socket.
REFUSED = "nobody listens there (ICMP port unreachable)"


class DatagramTalk(DatagramProtocol):
    """Joins a connected UDP socket and the *console*; *peer* is a numeric address and a port.

    *unsent* is told of input that is not sent, *failed* why the socket is of no more use, *deaf*
    that stdout takes no more; *done* is called when all is over.
    """

    noisy = False
    transport: Any

    def __init__(
        self,
        reactor: Any,
        publisher: Publisher,
        console: Console,
        peer: tuple[str, int],
        shown: Shown,
        typed: Typed,
        unsent: Callable[[str], object],
        failed: Callable[[str], object],
        deaf: Callable[[], object],
        done: Callable[[], object],
    ) -> None:
        self._reactor = reactor
        self._publisher = publisher
        self._console = console
        self._peer = peer
        self._shown = shown
        self._typed = typed
        self._unsent = unsent
        self._failed = failed
        self._deaf = deaf
        self._done = done
        self._stopped = False

    def startProtocol(self) -> None:
        """The socket is there: connect() makes the kernel give us this peer's answers alone."""
        self.transport.connect(*self._peer)
        self._socket = self.transport.socket
        self._local = show(self.transport.getHost())
        self._note("connect", f"datagrams go to {show_pair(*self._peer)} from {self._local}")
        self._console.open(self)
        self._console.joins(self.transport)

    def _about(self) -> tuple[int, str, str, str]:
        return self._publisher.now(), NAME, show_pair(*self._peer), self._local

    def _note(self, kind: str, text: str) -> None:
        self._publisher.offer(Note, NAME, kind, text)

    def typed(self, data: bytes) -> None:
        """Some of stdin."""
        self._send(self._typed.read(data))

    def _send(self, messages: list[bytes]) -> None:
        for sentence in self._typed.refused:
            self._unsent(sentence)
        self._typed.refused.clear()
        for message in messages:
            if not self._stopped:
                self._send_one(message)

    def _send_one(self, message: bytes) -> None:
        try:
            self.transport.write(message)
        except (OSError, MessageLengthError) as error:
            reason = getattr(error, "strerror", None) or "too long for a datagram"
            self._drop(message, reason)
            return
        if self._stopped:  # send() said that an earlier one was refused, and sent nothing
            self._drop(message, REFUSED)
        else:
            kept = self._publisher.captured(message)
            self._publisher.publish(DatagramSent(*self._about(), len(message), kept))

    def _drop(self, message: bytes, reason: str) -> None:
        now, name, peer, local = self._about()
        self._publisher.publish(DatagramDropped(now, name, local, reason, peer, len(message)))
        self._unsent(f"a datagram of {len(message):,} bytes was not sent: {reason}")

    def input_ended(self) -> None:
        """Nothing more is sent; answers may still be on their way."""
        self._send(self._typed.end())
        if not self._stopped:
            self._note("input", f"end of input: waiting {WAIT:g} s for answers")
            self._reactor.callLater(WAIT, self.stop)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """One whole datagram."""
        kept = self._publisher.captured(datagram)
        self._publisher.publish(DatagramReceived(*self._about(), len(datagram), kept))
        self._console.write(self._shown(datagram))

    def connectionRefused(self) -> None:
        """ICMP port unreachable, as the kernel tells a connected socket."""
        self._fail(REFUSED)

    def stopProtocol(self) -> None:
        """The socket is closed: by us, or by the reactor, which has seen an error on it."""
        if not self._stopped:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._fail(REFUSED if number in (0, ECONNREFUSED) else os.strerror(number))

    def _fail(self, why: str) -> None:
        if not self._stopped:
            self._failed(why)
            self.stop()

    def nobody_reads(self) -> None:
        """stdout is gone, as with ``| head``."""
        self._deaf()
        self.stop()

    def stop(self) -> None:
        """Close the socket; what is still to be shown is shown first."""
        if not self._stopped:
            self._stopped = True
            if self.transport is not None:  # the reactor closed it
                self.transport.stopListening()
            self._console.close(self._done)

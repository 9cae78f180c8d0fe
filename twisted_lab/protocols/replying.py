"""Say one thing, then close: the shape of daytime, time, qotd and info."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

from twisted_lab.events import CloseReason


class Reply(Protocol):
    """Sends what *say* makes of its stream, then closes; what the peer sends is thrown away.

    It lingers, so that input nobody reads does not turn its FIN into an RST that overtakes the
    reply (RFC 1122 4.2.2.13).
    """

    transport: Any

    def __init__(self, say: Callable[[Any], bytes]) -> None:
        self._say = say

    def connectionMade(self) -> None:
        """The reply, then FIN."""
        self.transport.write(self._say(self.transport))
        self.transport.end(CloseReason.LOCAL, linger=True)


class ReplyFactory(Factory):
    """Makes a :class:`Reply` of *say* for each connection."""

    noisy = False

    def __init__(self, say: Callable[[Any], bytes]) -> None:
        self._say = say

    def buildProtocol(self, addr: IAddress | None) -> Reply:
        """One for a new connection."""
        return Reply(self._say)


class DatagramReply(DatagramProtocol):
    """Answers every datagram with ``say(transport, datagram, address)``.

    An answer longer than its request is withheld by the port, unless it may amplify.
    """

    noisy = False

    def __init__(self, say: Callable[[Any, bytes, tuple[str, int]], bytes]) -> None:
        self._say = say

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """A datagram in, the answer out."""
        transport: Any = self.transport
        transport.write(self._say(transport, datagram, addr), addr)

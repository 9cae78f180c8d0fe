"""Character generator (RFC 864): a pattern without end, or one datagram of it.

The pattern is the one RFC 864 recommends: lines of 72 of the 95 printing ASCII characters, each
line beginning one character later than the one before.
"""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer
from twisted.internet.protocol import DatagramProtocol, Protocol
from zope.interface import implementer

#: The printing characters of ASCII, the space among them.
CHARACTERS = bytes(range(0x20, 0x7F))

#: Characters of a line, before its CR LF.
LINE = 72

_LINE_BYTES = LINE + 2

#: All lines, once: the pattern is this, again and again.
ROTATION = b"".join(
    (CHARACTERS * 2)[start : start + LINE] + b"\r\n" for start in range(len(CHARACTERS))
)

# Eight rotations, to be cut from any point of the first one: a write of seven is 48 KiB, below the
# 64 KiB at which a transport is full, and a hundredth of the calls that lines would be.
_PATTERN = ROTATION * 8
_WRITE = len(ROTATION) * 7

#: RFC 864: "a random number (between 0 and 512) of characters".
DATAGRAM_MOST = 512


@implementer(IPullProducer, IHalfCloseableProtocol)
class Chargen(Protocol):
    """Sends the pattern as fast as the peer takes it, until the peer ends the connection.

    What the peer sends is thrown away. Its FIN is its end: the line begun is finished, then we
    close.
    """

    transport: Any

    def __init__(self) -> None:
        self._at = 0  # in the rotation

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """There is room: the next piece, no larger than a slowed transport wants it."""
        self._send(min(_WRITE, getattr(self.transport, "write_limit", _WRITE) or _WRITE))

    def _send(self, size: int) -> None:
        piece = _PATTERN[self._at : self._at + size]
        self._at = (self._at + size) % len(ROTATION)
        self.transport.write(piece)

    def stopProducing(self) -> None:
        """The connection is gone; Twisted says so to its producer first."""

    def readConnectionLost(self) -> None:
        """The peer's FIN."""
        if begun := self._at % _LINE_BYTES:
            self._send(_LINE_BYTES - begun)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Our FIN is out."""


class DatagramChargen(DatagramProtocol):
    """Answers a datagram with 0 to 512 characters of the pattern, from the begin of any line.

    *random* chooses; RFC 864 wants "no history or state information". Unless *unlimited* no more
    than came: a source may be forged, and who gets more than it sends has made us its amplifier.
    """

    noisy = False

    def __init__(self, random: Random, unlimited: bool = False) -> None:
        self._random = random
        self._unlimited = unlimited

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """A datagram in, characters out."""
        most = DATAGRAM_MOST if self._unlimited else min(DATAGRAM_MOST, len(datagram))
        begin = self._random.randrange(len(CHARACTERS)) * _LINE_BYTES
        size = self._random.randint(0, most)
        self.transport.write(_PATTERN[begin : begin + size], addr)  # type: ignore[union-attr]

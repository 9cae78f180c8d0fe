"""Discard (RFC 863): everything is read and nothing is answered."""

from __future__ import annotations

from twisted.internet.protocol import DatagramProtocol, Protocol


class Discard(Protocol):
    """Throws away every byte."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes in."""


class DatagramDiscard(DatagramProtocol):
    """Throws away every datagram."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """A datagram in."""

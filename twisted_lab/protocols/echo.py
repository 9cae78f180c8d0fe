"""Echo (RFC 862): every byte, or every datagram, back as it came."""

from __future__ import annotations

from twisted.internet.protocol import DatagramProtocol, Protocol


class Echo(Protocol):
    """Sends back every byte in order.

    What the textbook's echo lacks (half-close, back-pressure, an end to every close) is the
    transport's business here: see :class:`twisted_lab.wrapping.Stream`.
    """

    def dataReceived(self, data: bytes) -> None:
        """Bytes in, the same bytes out."""
        self.transport.write(data)  # type: ignore[union-attr]


class DatagramEcho(DatagramProtocol):
    """Sends back every datagram, also the empty one."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """A datagram in, the same datagram out."""
        self.transport.write(datagram, addr)  # type: ignore[union-attr]

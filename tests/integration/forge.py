"""Datagrams from whomever one says: IP and UDP headers made by hand, sent through a raw socket.

Only into a :class:`~tests.integration.namespace.Namespace`, out of which nothing leads.
"""

from __future__ import annotations

import socket
import struct

from tests.integration.namespace import Namespace

#: An IP address and a UDP port.
Where = tuple[str, int]

_UDP = socket.IPPROTO_UDP


class Forger:
    """Sends forged datagrams within *namespace*; IPv4 or, when *ipv6*, IPv6. A context manager."""

    def __init__(self, namespace: Namespace, *, ipv6: bool = False) -> None:
        family = socket.AF_INET6 if ipv6 else socket.AF_INET
        # IPPROTO_RAW: the IP header is ours, too (raw(7)).
        self._socket = namespace.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def __enter__(self) -> Forger:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def send(self, source: Where, to: Where, data: bytes = b"forged") -> None:
        """Send *data* to *to* as if it came from *source*."""
        self.send_packet(packet(source, to, data), to[0])

    def send_packet(self, ready: bytes, host: str) -> None:
        """Send what :func:`packet` made for *host*."""
        self._socket.sendto(ready, (host, 0))


def packet(source: Where, to: Where, data: bytes) -> bytes:
    """A whole IP packet with a UDP datagram in it (RFC 791, RFC 8200, RFC 768)."""
    family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
    ends = socket.inet_pton(family, source[0]) + socket.inet_pton(family, to[0])
    length = 8 + len(data)
    # The checksum is over both addresses, the protocol and the length, too.
    covered = ends + struct.pack("!HHHHHH", _UDP, length, source[1], to[1], length, 0) + data
    checksum = _checksum(covered) or 0xFFFF  # 0 would mean: there is none
    udp = struct.pack("!HHHH", source[1], to[1], length, checksum) + data
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, length, _UDP, 64) + ends + udp
    # The kernel fills in the header's checksum and the identification.
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, _UDP, 0) + ends + udp


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

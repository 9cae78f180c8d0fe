"""Headers of IPv4, IPv6, TCP and UDP, with their checksums (RFC 791, 8200, 9293, 768)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

#: Bytes of TCP payload in one packet at most: with both headers it stays below IP's 65,535.
SEGMENT = 65_000

#: A window that is never full: 65,535 bytes, shifted by 14.
_WINDOW, _SHIFT = 65_535, 14
_SYN_OPTIONS = struct.pack("!BBHBBBB", 2, 4, SEGMENT, 3, 3, _SHIFT, 1)

_TCP, _UDP = 6, 17
_HIGHEST_PORT = 65_535
_CHECKSUM_AT = {_TCP: 16, _UDP: 6}


@dataclass(frozen=True, slots=True)
class End:
    """An address of the network, 4 or 16 bytes, and a port."""

    host: bytes
    port: int


def end_of(shown: str) -> End | None:
    """The end that ``"127.0.0.1:9000"`` or ``"[::1]:9000"`` names; None for any other text."""
    host, _, port = shown.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        number = int(port)
    except ValueError:
        return None
    return End(address.packed, number) if 0 <= number <= _HIGHEST_PORT else None


def one_family(one: End, other: End) -> tuple[End, End]:
    """Both; an IPv4 address beside an IPv6 one is mapped into it (RFC 4291)."""
    if len(one.host) == len(other.host):
        return one, other
    return _mapped(one), _mapped(other)


def _mapped(end: End) -> End:
    return end if len(end.host) == 16 else End(bytes(10) + b"\xff\xff" + end.host, end.port)


def tcp_packet(
    source: End,
    target: End,
    sequence: int,
    acknowledged: int,
    flags: int,
    data: bytes = b"",
    left_out: int = 0,
) -> bytes:
    """A segment in its packet, of whose payload the last *left_out* bytes are not there."""
    options = _SYN_OPTIONS if flags & SYN else b""
    words = (20 + len(options)) // 4
    header = struct.pack(
        "!HHIIBBHHH",
        *(source.port, target.port, sequence, acknowledged if flags & ACK else 0),
        *(words << 4, flags, _WINDOW, 0, 0),
    )
    return _packet(_TCP, source, target, header + options + data, left_out)


def udp_packet(source: End, target: End, data: bytes, left_out: int = 0) -> bytes:
    """A datagram in its packet, of which the last *left_out* bytes are not there."""
    header = struct.pack("!HHHH", source.port, target.port, 8 + len(data) + left_out, 0)
    return _packet(_UDP, source, target, header + data, left_out)


def _packet(protocol: int, source: End, target: End, content: bytes, left_out: int) -> bytes:
    if not left_out:  # what is not all there cannot be summed, and readers know
        content = _summed(protocol, source, target, content)
    length = len(content) + left_out
    if len(source.host) == 16:
        header = struct.pack("!IHBB", 6 << 28, length, protocol, 64)
        return header + source.host + target.host + content
    return _ipv4_header(protocol, source, target, 20 + length) + content


def _ipv4_header(protocol: int, source: End, target: End, length: int) -> bytes:
    before = struct.pack("!BBHHHBB", 0x45, 0, length, 0, 0x4000, 64, protocol)
    after = source.host + target.host
    return before + struct.pack("!H", checksum(before + after)) + after


def _summed(protocol: int, source: End, target: End, content: bytes) -> bytes:
    pseudo = source.host + target.host + struct.pack("!II", len(content), protocol)
    made = checksum(pseudo + content)
    if protocol == _UDP and not made:
        made = 0xFFFF  # nothing would mean that there is none
    at = _CHECKSUM_AT[protocol]
    return content[:at] + struct.pack("!H", made) + content[at + 2 :]


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    whole = int.from_bytes(data + bytes(len(data) % 2), "big")
    # To add words with end-around carry is to reckon modulo 65,535; a sum is 0 only of nothing.
    total = whole % 0xFFFF or (0xFFFF if whole else 0)
    return ~total & 0xFFFF

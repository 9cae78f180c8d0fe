"""PROXY headers as a balancer writes them: made from the specification, not from our parser."""

from __future__ import annotations

import socket
import struct

SIGNATURE = bytes.fromhex("0D0A0D0A000D0A515549540A")
LOCAL, PROXY = 0x20, 0x21
INET, INET_DGRAM, INET6, INET6_DGRAM, UNIX, UNIX_DGRAM = 0x11, 0x12, 0x21, 0x22, 0x31, 0x32

ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL, NETNS = 1, 2, 3, 4, 5, 0x20, 0x30


def line(
    source: str = "192.0.2.7", destination: str = "198.51.100.1", ports: str = "56324 443"
) -> bytes:
    """A header of version 1."""
    kind = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {kind} {source} {destination} {ports}\r\n".encode()


def binary(block: bytes = b"", family: int = 0, command: int = PROXY) -> bytes:
    """A header of version 2 with *block* behind its first 16 bytes."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(block)) + block


def addresses(
    source: str = "192.0.2.7",
    destination: str = "198.51.100.1",
    ports: tuple[int, int] = (56324, 443),
) -> bytes:
    """The address block of INET or INET6."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    hosts = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    return hosts + struct.pack("!HH", *ports)


def inet(*tlvs: bytes, source: str = "192.0.2.7", **more: str) -> bytes:
    """A header of version 2 for TCP."""
    family = INET6 if ":" in source else INET
    return binary(addresses(source, **more) + b"".join(tlvs), family)


def unix(source: bytes, destination: bytes, *tlvs: bytes) -> bytes:
    """A header of version 2 for a UNIX stream socket."""
    return binary(source.ljust(108, b"\0") + destination.ljust(108, b"\0") + b"".join(tlvs), UNIX)


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def with_checksum(header: bytes) -> bytes:
    """*header* and a CRC32C over all of it, bit by bit (RFC 4960, appendix B)."""
    block = header[16:] + tlv(CRC32C, bytes(4))
    whole = header[:14] + struct.pack("!H", len(block)) + block
    crc = 0xFFFFFFFF
    for byte in whole:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return whole[:-4] + struct.pack("!I", crc ^ 0xFFFFFFFF)

"""The blocks of a pcapng file, and nothing of what is in the packets.

Source: PCAP Next Generation Capture File Format, draft-ietf-opsawg-pcapng. Times have nanoseconds;
every packet is a raw IPv4 or IPv6 packet (LINKTYPE_RAW).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_LINKTYPE_RAW = 101

# Options, by the block they stand in.
_COMMENT = 1
_SECTION_APPLICATION = 4
_INTERFACE_NAME, _INTERFACE_RESOLUTION = 2, 9
_PACKET_FLAGS = 2
_INBOUND, _OUTBOUND = 1, 2

#: Ten to the minus this many seconds is the unit of a packet's time.
_NANOSECONDS = 9

#: What an option holds at most; its length is 16 bits.
_MOST = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: *data* is its first bytes, *length* counts all of them; *ns* since 1970.

    *outbound* is None for what has no direction.
    """

    ns: int
    data: bytes
    length: int
    comment: str = ""
    outbound: bool | None = None


def section(application: str) -> bytes:
    """The block that begins a file, or a part of one that was appended."""
    body = struct.pack("=IHHq", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
    return _block(_SECTION, body + _options((_SECTION_APPLICATION, application.encode())))


def interface(name: str) -> bytes:
    """The block that describes an interface; the first in a section is number 0."""
    body = struct.pack("=HHI", _LINKTYPE_RAW, 0, 0)
    named = (_INTERFACE_NAME, name.encode("utf-8", "replace"))
    return _block(
        _INTERFACE, body + _options(named, (_INTERFACE_RESOLUTION, bytes([_NANOSECONDS])))
    )


def packet(number: int, one: Packet) -> bytes:
    """The block of *one* packet, seen on the interface *number*."""
    body = struct.pack(
        "=IIIII", number, one.ns >> 32, one.ns & 0xFFFFFFFF, len(one.data), one.length
    )
    options = []
    if one.comment:
        options.append((_COMMENT, one.comment.encode("utf-8", "replace")))
    if one.outbound is not None:
        flags = _OUTBOUND if one.outbound else _INBOUND
        options.append((_PACKET_FLAGS, struct.pack("=I", flags)))
    return _block(_PACKET, body + _padded(one.data) + _options(*options))


def whole(blocks: bytes, length: int) -> int:
    """How many of the first *length* bytes of *blocks* are whole blocks."""
    end = 0
    while end + 8 <= length:
        (size,) = struct.unpack_from("=I", blocks, end + 4)
        if end + size > length:
            break
        end += size
    return end


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def _options(*options: tuple[int, bytes]) -> bytes:
    if not options:
        return b""
    return b"".join(_option(*option) for option in options) + struct.pack("=HH", 0, 0)


def _option(code: int, value: bytes) -> bytes:
    value = value[:_MOST]
    return struct.pack("=HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

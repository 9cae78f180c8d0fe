"""The TLVs at the end of a version 2 PROXY header: additions, each with its type and length.

The numbers are those of haproxy's doc/proxy-protocol.txt, section 2.2. Rule: a type we know must
be well-formed and there only once, for two readers could each believe another; others are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from twisted_lab.proxy import ProxyHeaderError, Ssl, Tlvs
from twisted_lab.transports.crc32c import crc32c

_HEAD = struct.Struct("!BH")
_SSL_HEAD = struct.Struct("!BI")
_CRC32C = 0x03

#: What section 2.2.5 allows, in bytes.
_UNIQUE_ID_MOST = 128


def parse_tlvs(header: bytes, start: int) -> Tlvs:
    """The TLVs from byte *start* to the end of the whole *header*.

    :raises twisted_lab.proxy.ProxyHeaderError: one sentence that names the TLV.
    """
    found = _known(header, start, len(header), _KNOWN)
    values = {name: read(header[at:end], name) for name, read, at, end in found}
    for name, _read, at, end in found:
        if name == "crc32c":
            _verify(header, at, end)
    return Tlvs(**values)


_Reader = Callable[[bytes, str], Any]
_Found = tuple[str, _Reader, int, int]


def _known(
    header: bytes, start: int, end: int, known: dict[int, tuple[str, _Reader]]
) -> list[_Found]:
    """The name, reader and place of each TLV that is *known*."""
    found: dict[str, _Found] = {}
    for kind, at, after in _walk(header, start, end):
        if kind in known:
            name, read = known[kind]
            if name in found:
                raise ProxyHeaderError(f"{_called(name)} is there twice")
            found[name] = name, read, at, after
    return list(found.values())


def _walk(header: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The type of each TLV, and where its value begins and ends."""
    while at < end:
        if end - at < _HEAD.size:
            raise ProxyHeaderError(f"{end - at} bytes at the end are too few for a TLV")
        kind, length = _HEAD.unpack_from(header, at)
        at += _HEAD.size
        if length > end - at:
            raise ProxyHeaderError(
                f"the TLV of type 0x{kind:02x} says {length} bytes, and {end - at} are left"
            )
        yield kind, at, at + length
        at += length


def _called(name: str) -> str:
    return f"the {name.upper()} TLV"


def _opaque(value: bytes, name: str) -> bytes:
    return value


def _unique_id(value: bytes, name: str) -> bytes:
    if len(value) > _UNIQUE_ID_MOST:
        raise ProxyHeaderError(
            f"{_called(name)} has {len(value)} bytes, and {_UNIQUE_ID_MOST} are the most"
        )
    return value


def _text(encoding: str) -> _Reader:
    def read(value: bytes, name: str) -> str:
        try:
            return value.decode(encoding)
        except UnicodeDecodeError:
            raise ProxyHeaderError(f"{_called(name)} is not {encoding}") from None

    return read


_utf8 = _text("UTF-8")
_ascii = _text("US-ASCII")


def _checksum(value: bytes, name: str) -> bool:
    if len(value) != 4:
        raise ProxyHeaderError(f"{_called(name)} has {len(value)} bytes, not 4")
    return True


def _verify(header: bytes, at: int, end: int) -> None:
    said = int.from_bytes(header[at:end])
    is_ = crc32c(header[:at] + bytes(4) + header[end:])
    if said != is_:
        raise ProxyHeaderError(f"its CRC32C is 0x{is_:08x}, and it says 0x{said:08x}")


def _ssl(value: bytes, name: str) -> Ssl:
    if len(value) < _SSL_HEAD.size:
        raise ProxyHeaderError(f"{_called(name)} has {len(value)} bytes, not 5 or more")
    client, verify = _SSL_HEAD.unpack_from(value)
    found = _known(value, _SSL_HEAD.size, len(value), _SSL_KNOWN)
    texts = {part: read(value[at:end], f"SSL {part}") for part, read, at, end in found}
    return Ssl(client, verify, **texts)


# 0x04, NOOP, pads: skipped, as types unknown to us are.
_KNOWN: dict[int, tuple[str, _Reader]] = {
    0x01: ("alpn", _opaque),
    0x02: ("authority", _utf8),
    _CRC32C: ("crc32c", _checksum),
    0x05: ("unique_id", _unique_id),
    0x20: ("ssl", _ssl),
    0x30: ("netns", _ascii),
}
_SSL_KNOWN: dict[int, tuple[str, _Reader]] = {
    0x21: ("version", _ascii),
    0x22: ("cn", _utf8),
    0x23: ("cipher", _ascii),
    0x24: ("sig_alg", _ascii),
    0x25: ("key_alg", _ascii),
}

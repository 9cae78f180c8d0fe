"""PROXY protocol headers, version 1 and 2: bytes in, a value out. No input or output of its own.

The specification is haproxy's doc/proxy-protocol.txt; sections are its own. We are strict: what a
lenient reader would guess, another would guess otherwise, and the address is what gates act on.

Rule 1: whatever comes, the outcome is a value, :data:`NEED_MORE`, or one ProxyHeaderError.
Rule 2: never more than :data:`MOST` bytes are held, and not one after the header is.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from twisted_lab.proxy import InetName, ProxyHeader, ProxyHeaderError, SocketName, UnixName
from twisted_lab.transports.proxy_tlvs import parse_tlvs

#: What :meth:`HeaderParser.feed` returns until the header is complete.
NEED_MORE: Final = None

#: The longest line of version 1, CRLF included (2.1).
LINE_MOST = 107

#: The longest header of version 2, in bytes: what haproxy itself takes, which is as long as its
#: buffer (tune.bufsize) by default.
MOST = 2**14

_LINE_START = b"PROXY "
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_HEAD = struct.Struct("!12sBBH")

_COMMANDS = {0: "LOCAL", 1: "PROXY"}
_FAMILIES = {0: "UNSPEC", 1: "INET", 2: "INET6", 3: "UNIX"}
_PROTOCOLS = {0: "UNSPEC", 1: "STREAM", 2: "DGRAM"}

#: Bytes of the two addresses, with their ports, of each family.
_ADDRESS_BYTES = {"INET": 12, "INET6": 36, "UNIX": 216}
_INET = struct.Struct("!4s4sHH")
_INET6 = struct.Struct("!16s16sHH")


class HeaderParser:
    """Reads one header, in however many pieces it comes.

    ``rest`` is, once :meth:`feed` returned a header, what followed it.
    """

    __slots__ = ("_held", "rest")

    def __init__(self) -> None:
        self._held = bytearray()
        self.rest = b""

    @property
    def held(self) -> int:
        """How many bytes of an unfinished header are here."""
        return len(self._held)

    def feed(self, data: bytes) -> ProxyHeader | None:
        """Take *data*; the header, or :data:`NEED_MORE`. Not to be called after either end.

        :raises ProxyHeaderError: one sentence that says what is wrong, as soon as it is seen.
        """
        before = len(self._held)
        self._held += data[: MOST - before]
        size, read = _measure(self._held)
        if not 0 < size <= len(self._held):
            return NEED_MORE
        header = read(bytes(self._held[:size]))
        self.rest = data[size - before :]
        self._held.clear()
        return header


_Measured = tuple[int, Callable[[bytes], ProxyHeader]]


def _measure(held: bytearray) -> _Measured:
    """The size of the header that *held* begins, 0 while unknown, and what reads it."""
    if _agree(held, _LINE_START):
        return _line_size(held), _read_line
    if _agree(held, _SIGNATURE):
        return (_head(held).size if len(held) >= _HEAD.size else 0), _read_binary
    raise ProxyHeaderError("is not the beginning of a PROXY header", bytes(held))


def _agree(held: bytearray, start: bytes) -> bool:
    return held[: len(start)] == start[: len(held)]


# -- version 1: a line (2.1) --------------------------------------------------------------------


def _line_size(held: bytearray) -> int:
    end = held.find(b"\r\n", 0, LINE_MOST)
    if end >= 0:
        return end + 2
    if len(held) >= LINE_MOST:
        raise ProxyHeaderError(f"there is no CRLF in its first {LINE_MOST} bytes")
    # Whatever follows UNKNOWN must be ignored.
    unknown = held.startswith(b"PROXY UNKNOWN ")
    if not unknown and re.search(rb"\n|\r.", held, re.DOTALL):
        raise ProxyHeaderError("its line ends in CR or LF alone, not in CRLF")
    return 0


def _read_line(line: bytes) -> ProxyHeader:
    words = line[:-2].split(b" ")
    kind = words[1]
    if kind == b"UNKNOWN":
        return ProxyHeader(1)
    if kind not in _LINE_KINDS:
        raise ProxyHeaderError("is not TCP4, TCP6 or UNKNOWN", kind)
    if len(words) != 6:
        raise ProxyHeaderError("has not two addresses and two ports, one space between", line[:-2])
    family, read_host = _LINE_KINDS[kind]
    source, destination = read_host(words[2]), read_host(words[3])
    return ProxyHeader(
        1,
        "PROXY",
        family,
        "STREAM",
        InetName(source, _port(words[4])),
        InetName(destination, _port(words[5])),
    )


def _ipv4(word: bytes) -> str:
    try:
        return str(IPv4Address(word.decode("ascii")))  # no heading zeroes, four numbers of ASCII
    except ValueError:
        raise ProxyHeaderError("is not an IPv4 address", word) from None


def _ipv6(word: bytes) -> str:
    # The dots of ::ffff:192.0.2.1 are not the specification's, but inet_ntop(3) writes them, and
    # haproxy with it.
    try:
        if not re.fullmatch(rb"[0-9A-Fa-f:.]+", word):
            raise ValueError
        packed = IPv6Address(word.decode("ascii")).packed
    except ValueError:
        raise ProxyHeaderError("is not an IPv6 address", word) from None
    return socket.inet_ntop(socket.AF_INET6, packed)


_LINE_KINDS = {b"TCP4": ("INET", _ipv4), b"TCP6": ("INET6", _ipv6)}


def _port(word: bytes) -> int:
    if not re.fullmatch(rb"0|[1-9][0-9]{0,4}", word) or int(word) > 65535:
        raise ProxyHeaderError("is not a port from 0 to 65535", word)
    return int(word)


# -- version 2: binary (2.2) --------------------------------------------------------------------


class _Head(NamedTuple):
    """The first 16 bytes, understood. Without *addresses*, in bytes, nobody is named."""

    command: str
    family: str
    protocol: str
    addresses: int
    size: int


def _head(held: bytes | bytearray) -> _Head:
    _signature, version_and_command, family_and_protocol, length = _HEAD.unpack_from(held)
    version, command = divmod(version_and_command, 16)
    if version != 2:
        raise ProxyHeaderError(f"its version is {version}, not 2")
    if command not in _COMMANDS:
        raise ProxyHeaderError(f"its command is {command}, not 0 (LOCAL) or 1 (PROXY)")
    if _HEAD.size + length > MOST:
        raise ProxyHeaderError(f"it says {length} bytes follow, and {MOST - _HEAD.size} may")
    if _COMMANDS[command] == "LOCAL":  # the family is to be ignored, even a wrong one
        return _Head("LOCAL", "UNSPEC", "UNSPEC", 0, _HEAD.size + length)
    family, protocol = _family_and_protocol(family_and_protocol)
    addresses = 0 if protocol == "UNSPEC" else _ADDRESS_BYTES.get(family, 0)
    if length < addresses:
        raise ProxyHeaderError(
            f"it says {length} bytes follow, and addresses of {family} have {addresses}"
        )
    return _Head("PROXY", family, protocol, addresses, _HEAD.size + length)


def _family_and_protocol(byte: int) -> tuple[str, str]:
    family, protocol = divmod(byte, 16)
    if family not in _FAMILIES:
        raise ProxyHeaderError(f"its address family is {family}, and 0 to 3 are known")
    if protocol not in _PROTOCOLS:
        raise ProxyHeaderError(f"its protocol is {protocol}, and 0 to 2 are known")
    return _FAMILIES[family], _PROTOCOLS[protocol]


def _read_binary(header: bytes) -> ProxyHeader:
    head = _head(header)
    named = 2, head.command, head.family, head.protocol
    if not head.addresses:
        # Of an unknown family nobody knows how long the addresses are, so where TLVs begin.
        return ProxyHeader(*named)
    source, destination = _NAMES[head.family](header)
    tlvs = parse_tlvs(header, _HEAD.size + head.addresses)
    return ProxyHeader(*named, source, destination, tlvs)


def _inet_names(header: bytes) -> tuple[SocketName, SocketName]:
    source, destination, *ports = _INET.unpack_from(header, _HEAD.size)
    return (
        InetName(socket.inet_ntop(socket.AF_INET, source), ports[0]),
        InetName(socket.inet_ntop(socket.AF_INET, destination), ports[1]),
    )


def _inet6_names(header: bytes) -> tuple[SocketName, SocketName]:
    source, destination, *ports = _INET6.unpack_from(header, _HEAD.size)
    return (
        InetName(socket.inet_ntop(socket.AF_INET6, source), ports[0]),
        InetName(socket.inet_ntop(socket.AF_INET6, destination), ports[1]),
    )


def _unix_names(header: bytes) -> tuple[SocketName, SocketName]:
    at = _HEAD.size
    return _unix_name(header[at : at + 108]), _unix_name(header[at + 108 : at + 216])


def _unix_name(padded: bytes) -> UnixName:
    if padded.startswith(b"\0"):
        return UnixName(padded.rstrip(b"\0"))  # abstract, or none at all
    return UnixName(padded.partition(b"\0")[0])


_NAMES = {"INET": _inet_names, "INET6": _inet6_names, "UNIX": _unix_names}

"""A UDP socket as the sockets API gives it: whole datagrams, answered from the address asked.

This file owns every reason for which a datagram is dropped.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from socket import AF_INET
from typing import Any

from twisted.internet.error import InvalidAddressError

from twisted_lab.addresses import host

#: The host as text (an IPv6 one ends in ``%scope`` if it has a scope), and the port.
Peer = tuple[str, int]
Ancillary = tuple[tuple[int, int, bytes], ...]

#: The largest payload IPv4 can carry: 65,535 less 20 bytes of IP and 8 of UDP header.
LARGEST = 65_507

#: How much one recvmsg() may bring: more than any datagram, IPv6 jumbograms (RFC 2675) aside.
READ_SIZE = 65_536

_LINUX = sys.platform == "linux"

#: The address to answer from, of a datagram that came before we asked to be told: systemd held the
#: socket. Answers then leave from the address asked; the kernel refuses one that is not ours.
_NOT_KNOWN = b"\0\0\0\0"

# Numbers of linux/in.h, linux/in6.h and asm-generic/socket.h that Python 3.11 does not name.
_IP_PKTINFO = 8
_IPV6_RECVPKTINFO = 49
_IPV6_PKTINFO = 50
_SO_MEMINFO = 55

_IN_PKTINFO = struct.Struct("=i4s4s")  # interface, the address to answer from, the one asked
_IN6_PKTINFO = struct.Struct("=16si")  # the address asked, interface
_MEMINFO = struct.Struct("=9I")  # sock_diag(7), SK_MEMINFO_*; the last one counts drops

#: Room for both, as an IPv4 datagram to a dual socket brings both.
_ROOM = sum(socket.CMSG_SPACE(kind.size) for kind in (_IN_PKTINFO, _IN6_PKTINFO)) if _LINUX else 0

#: Addresses are cached, for each comes again; a peer may choose them, so only so many.
_KEPT = 4096


class DropReason(StrEnum):
    """Why a datagram was not taken, not answered or not sent, in the order of the checks.

    Two more kinds are open: ``send-`` and the name of the errno (``send-emsgsize``), and what an
    access gate says.
    """

    KERNEL = "kernel"  # the socket's receive buffer was full; known only as a count
    TRUNCATED = "truncated"  # longer than we read at once
    BROADCAST = "broadcast"  # sent to a broadcast address
    MULTICAST = "multicast"  # sent to a multicast group
    LOOP_PORT = "loop-port"  # from port 0 or a well-known one: an answer may be answered
    LOOP_SERVED = "loop-served"  # from a port this process serves, ourselves included
    BAD_SOURCE = "bad-source"  # from an address nobody can have
    RATE = "rate"  # more from one source than it may send
    AMPLIFICATION = "amplification"  # an answer longer than what its request may get


def send_error(error: OSError) -> str:
    """The reason of a drop by the kernel's refusal to send."""
    return "send-" + errno.errorcode.get(error.errno or 0, str(error.errno)).lower()


@dataclass(frozen=True, slots=True)
class Way:
    """How a datagram came: to the address *asked* (None: the bound one), from which its answer
    leaves with *answer* as ancillary data; or why nobody is to see it."""

    asked: str | None = None
    answer: Ancillary = ()
    drop: DropReason | None = None


#: Nothing to observe: the answer goes to the source as it stands.
DIRECT = Way()
#: The same, but the address is to be parsed first: it has a scope, or the protocol made it up.
PARSED = Way()
CUT = Way(drop=DropReason.TRUNCATED)


@lru_cache(_KEPT)
def way_of(ancillary: Ancillary) -> Way:
    """What the kernel says of a datagram that came to a wildcard address (ip(7), ipv6(7))."""
    way = DIRECT
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return _way4(data)  # also beside IPv6's, for an IPv4 datagram to a dual socket
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            way = _way6(data)
    return way


def _way4(data: bytes) -> Way:
    _interface, local, asked = _IN_PKTINFO.unpack(data)
    if local == _NOT_KNOWN:
        local = asked
    text = socket.inet_ntop(socket.AF_INET, asked)
    if asked[0] >> 4 == 0xE:
        return Way(text, drop=DropReason.MULTICAST)
    if local != asked:
        return Way(text, drop=DropReason.BROADCAST)
    # Interface 0: the way back is routed, and need not be the way here.
    answer = _IN_PKTINFO.pack(0, local, b"\0\0\0\0")
    return Way(text, ((socket.IPPROTO_IP, _IP_PKTINFO, answer),))


def _way6(data: bytes) -> Way:
    asked, interface = _IN6_PKTINFO.unpack(data)
    text = socket.inet_ntop(socket.AF_INET6, asked)
    if asked[0] == 0xFF:
        return Way(text, drop=DropReason.MULTICAST)
    link_local = asked[0] == 0xFE and asked[1] & 0xC0 == 0x80
    answer = _IN6_PKTINFO.pack(asked, interface if link_local else 0)
    return Way(text, ((socket.IPPROTO_IPV6, _IPV6_PKTINFO, answer),))


@lru_cache(_KEPT)
def sockaddr(family: int, address: str, port: int) -> Any:
    """What sendto() takes for *address*, a numeric one with or without ``%scope``.

    Raises InvalidAddressError for a name, which would be looked up, and for the other family.
    """
    try:
        kind, flags = socket.SOCK_DGRAM, socket.AI_NUMERICHOST
        return socket.getaddrinfo(address, port, family, kind, 0, flags)[0][4]
    except (socket.gaierror, UnicodeError):
        family_name = "IPv4" if family == socket.AF_INET else "IPv6"
        raise InvalidAddressError(address, f"not a numeric {family_name} address") from None


def _with_scope(source: Any) -> Peer:
    text, port, _flow, scope = source
    return (f"{text}%{scope}" if scope else text), port


class DatagramSocket:
    """The UDP socket *handle*, bound to one address: its answers can only leave from there.

    At most *size* bytes of a datagram are read. Also for a wildcard address where there is no
    Linux: the address asked and truncation then stay unknown.
    """

    def __init__(self, handle: socket.socket, size: int) -> None:
        self.handle = handle
        self._size = size
        #: What the kernel had dropped before the socket was ours.
        self.drops_before = 0

    def arrivals(self, most: int) -> Iterator[tuple[bytes, Peer, Way]]:
        """Up to *most* datagrams with their sources and ways, until there is none."""
        recvfrom, size, ipv6 = self.handle.recvfrom, self._size, self.handle.family != AF_INET
        for _ in range(most):
            try:
                data, source = recvfrom(size)
            except OSError:  # no more; or ECONNREFUSED, an old answer found nobody: so is UDP
                return
            if not ipv6:
                yield data, source, DIRECT
            elif source[3]:
                yield data, _with_scope(source), PARSED
            else:
                yield data, source[:2], DIRECT

    def send(self, data: bytes, peer: Peer, way: Way) -> None:
        """Send *data* to *peer* the way a datagram of its came; raises OSError."""
        address = sockaddr(self.handle.family, *peer)
        if way.answer:
            self.handle.sendmsg((data,), way.answer, 0, address)
        else:
            self.handle.sendto(data, address)

    def kernel_drops(self) -> int:
        """How many datagrams the kernel dropped here, modulo 2**32; 0 where it cannot tell."""
        if not _LINUX:
            return 0
        try:
            meminfo = self.handle.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        except OSError:  # before Linux 4.12
            return 0
        return int(_MEMINFO.unpack(meminfo)[8])


class MessageSocket(DatagramSocket):
    """A UDP socket read by recvmsg(), whose datagrams each say which address they were sent to,
    and whether they were cut. That costs a microsecond, so is for where it may differ."""

    def arrivals(self, most: int) -> Iterator[tuple[bytes, Peer, Way]]:
        """Up to *most* datagrams with their sources and ways, until there is none."""
        recvmsg, size, ipv6 = self.handle.recvmsg, self._size, self.handle.family != AF_INET
        for _ in range(most):
            try:
                data, ancillary, flags, source = recvmsg(size, _ROOM)
            except OSError:
                return
            way = CUT if flags & socket.MSG_TRUNC else way_of(tuple(ancillary))
            yield data, _with_scope(source) if ipv6 else source, way


def _ask_for_ways(handle: socket.socket) -> None:
    handle.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    if handle.family == socket.AF_INET6:
        handle.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)


def _is_many(interface: str) -> bool:
    """Whether datagrams that come to *interface* may have been sent to more than one address.

    Only of a loopback address is it known that they may not: a broadcast address looks as any.
    """
    return not host(interface).loopback or interface == "127.255.255.255"


def _wants_ways(interface: str, size: int) -> bool:
    return _LINUX and (_is_many(interface) or size < READ_SIZE)


def open_socket(interface: str, port: int, size: int = READ_SIZE) -> DatagramSocket:
    """A socket bound to *interface*, a numeric address, and *port*; raises OSError.

    SO_REUSEADDR is not set: on UDP it would let another process take our datagrams.
    """
    kind, flags = socket.SOCK_DGRAM, socket.AI_NUMERICHOST
    family, _, _, _, address = socket.getaddrinfo(interface, port, 0, kind, 0, flags)[0]
    ways = _wants_ways(str(address[0]), size)
    handle = socket.socket(family, kind)
    try:
        handle.setblocking(False)
        if ways:  # before bind(), so that none comes without
            _ask_for_ways(handle)
        handle.bind(address)
    except OSError:
        handle.close()
        raise
    return (MessageSocket if ways else DatagramSocket)(handle, size)


def adopt_socket(
    descriptor: int, interface: str, port: int, size: int = READ_SIZE
) -> DatagramSocket:
    """The UDP socket *descriptor*, which somebody bound to *interface* and *port* for us.

    A copy of it is used, so the descriptor stays the caller's; raises OSError.
    """
    handle = socket.socket(fileno=os.dup(descriptor))
    ways = _wants_ways(interface, size)
    try:
        handle.setblocking(False)
        if ways:
            _ask_for_ways(handle)
    except OSError:
        handle.close()
        raise
    adopted = (MessageSocket if ways else DatagramSocket)(handle, size)
    adopted.drops_before = adopted.kernel_drops()
    return adopted

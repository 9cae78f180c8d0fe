"""What the kernel says of a datagram, and addresses, without a socket."""

from __future__ import annotations

import errno
import os
import socket
import struct

from twisted.internet.error import InvalidAddressError
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab import datagram_socket
from twisted_lab.datagram_socket import (
    DIRECT,
    PARSED,
    DatagramSocket,
    DropReason,
    adopt_socket,
    send_error,
    sockaddr,
    way_of,
)

IP, IP_PKTINFO = socket.IPPROTO_IP, 8
IPV6, IPV6_PKTINFO = socket.IPPROTO_IPV6, 50


def info4(interface: int, local: str, asked: str) -> tuple[int, int, bytes]:
    data = struct.pack("=i4s4s", interface, socket.inet_aton(local), socket.inet_aton(asked))
    return (IP, IP_PKTINFO, data)


def info6(asked: str, interface: int) -> tuple[int, int, bytes]:
    data = struct.pack("=16si", socket.inet_pton(socket.AF_INET6, asked), interface)
    return (IPV6, IPV6_PKTINFO, data)


class AdoptTests(SynchronousTestCase):
    def test_not_to_be_asked(self) -> None:
        """A socket that cannot say where its datagrams were sent to is refused, and not kept."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as passed:
            before = len(os.listdir("/proc/self/fd"))
            self.assertRaises(OSError, adopt_socket, passed.fileno(), "0.0.0.0", 7)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class WayTests(SynchronousTestCase):
    def test_nothing_said(self) -> None:
        """A datagram of which the kernel says nothing is answered as on one address."""
        self.assertIs(way_of(()), DIRECT)
        self.assertIs(way_of(((socket.SOL_SOCKET, 29, b"time"),)), DIRECT)

    def test_ipv4(self) -> None:
        """The answer leaves from the address asked, by whatever route."""
        way = way_of((info4(3, "192.0.2.1", "192.0.2.1"),))
        self.assertEqual((way.asked, way.drop), ("192.0.2.1", None))
        self.assertEqual(way.answer, (info4(0, "192.0.2.1", "0.0.0.0"),))

    def test_ipv4_to_many(self) -> None:
        """A broadcast and a multicast say so, and where they were sent."""
        broadcast = way_of((info4(3, "192.0.2.1", "192.0.2.255"),))
        self.assertEqual((broadcast.asked, broadcast.drop), ("192.0.2.255", DropReason.BROADCAST))
        multicast = way_of((info4(3, "192.0.2.1", "224.0.0.1"),))
        self.assertEqual(multicast.drop, DropReason.MULTICAST)

    def test_ipv6(self) -> None:
        """A global address is answered by route, a link-local one on the link it was asked on."""
        way = way_of((info6("2001:db8::1", 3),))
        self.assertEqual((way.asked, way.answer), ("2001:db8::1", (info6("2001:db8::1", 0),)))
        self.assertEqual(way_of((info6("fe80::1", 3),)).answer, (info6("fe80::1", 3),))
        self.assertEqual(way_of((info6("ff02::1", 3),)).drop, DropReason.MULTICAST)

    def test_ipv4_on_a_dual_socket(self) -> None:
        """IPv4's word counts, for only it knows of broadcasts."""
        mapped = info6("::ffff:192.0.2.255", 3)
        way = way_of((mapped, info4(3, "192.0.2.1", "192.0.2.255")))
        self.assertEqual(way.drop, DropReason.BROADCAST)


class FakeHandle:
    """A socket that received from *sources*, and knows no options."""

    family = socket.AF_INET6

    def __init__(self, *sources: tuple[str, int, int, int]) -> None:
        self.sources = list(sources)

    def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int, int, int]]:
        if not self.sources:
            raise ConnectionRefusedError
        return b"x" * min(size, 3), self.sources.pop(0)

    def getsockopt(self, *_: int) -> bytes:
        raise OSError(errno.ENOPROTOOPT, "no such option")


class SocketTests(SynchronousTestCase):
    def test_scope_is_part_of_the_source(self) -> None:
        """A link-local source keeps its link, so that the answer finds it; others have none."""
        handle = FakeHandle(("fe80::7", 5000, 0, 2), ("2001:db8::7", 5000, 9, 0))
        arrivals = list(DatagramSocket(handle, 9).arrivals(5))  # type: ignore[arg-type]
        near, far = (b"xxx", ("fe80::7%2", 5000), PARSED), (b"xxx", ("2001:db8::7", 5000), DIRECT)
        self.assertEqual(arrivals, [near, far])
        self.assertIs(arrivals[0][2], PARSED)

    def test_no_more_than_asked(self) -> None:
        """As many as asked are read, and the next stays in the kernel."""
        handle = FakeHandle(*[("::1", 5000, 0, 0)] * 5)
        self.assertEqual(len(list(DatagramSocket(handle, 9).arrivals(3))), 3)  # type: ignore[arg-type]
        self.assertEqual(len(handle.sources), 2)

    def test_kernel_that_does_not_count(self) -> None:
        """Where the kernel cannot tell its drops, there are none to tell."""
        self.assertEqual(DatagramSocket(FakeHandle(), 9).kernel_drops(), 0)  # type: ignore[arg-type]
        self.patch(datagram_socket, "_LINUX", False)
        self.assertEqual(DatagramSocket(FakeHandle(), 9).kernel_drops(), 0)  # type: ignore[arg-type]


class AddressTests(SynchronousTestCase):
    def test_numeric(self) -> None:
        """An address becomes what sendto() takes, an IPv6 scope included."""
        self.assertEqual(sockaddr(socket.AF_INET, "192.0.2.1", 7), ("192.0.2.1", 7))
        self.assertEqual(sockaddr(socket.AF_INET6, "::1", 7), ("::1", 7, 0, 0))
        self.assertEqual(sockaddr(socket.AF_INET6, "fe80::1%1", 7)[3], 1)

    def test_anything_else(self) -> None:
        """A name is never looked up, and no address of the other family is taken."""
        for family, text in (
            (socket.AF_INET, "localhost"),
            (socket.AF_INET, "::1"),
            (socket.AF_INET6, "127.0.0.1"),
            (socket.AF_INET, "a" * 70),
        ):
            error = self.assertRaises(InvalidAddressError, sockaddr, family, text, 7)
            self.assertIn("not a numeric IPv", str(error))

    def test_send_errors_have_names(self) -> None:
        """A failed send is dropped under the name of its errno."""
        self.assertEqual(send_error(OSError(errno.EMSGSIZE, "too long")), "send-emsgsize")
        self.assertEqual(send_error(OSError(99999, "what?")), "send-99999")
        self.assertEqual(send_error(OSError()), "send-none")

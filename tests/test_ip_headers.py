"""Headers of IP, TCP and UDP are as their RFCs say."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.ip_headers import (
    ACK,
    PSH,
    SYN,
    End,
    checksum,
    end_of,
    one_family,
    tcp_packet,
    udp_packet,
)

ONE, OTHER = End(bytes([192, 0, 2, 1]), 1234), End(bytes([192, 0, 2, 2]), 80)
SIX = End(bytes(15) + b"\1", 1234), End(bytes(15) + b"\2", 80)


class EndTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """An address is read as it is shown; a path is none."""
        self.assertEqual(end_of("127.0.0.1:9000"), End(bytes([127, 0, 0, 1]), 9000))
        self.assertEqual(end_of("[::1]:9000"), End(bytes(15) + b"\1", 9000))
        self.assertEqual(end_of("[fe80::1%eth0]:9"), End(b"\xfe\x80" + bytes(13) + b"\1", 9))
        for path in ("unix:/run/s", "unix:/run/1:2", "", "unix:", "nobody", "127.0.0.1:65536"):
            self.assertIsNone(end_of(path), path)

    def test_families(self) -> None:
        """An IPv4 address beside an IPv6 one is mapped."""
        self.assertEqual(one_family(ONE, OTHER), (ONE, OTHER))
        mapped = End(bytes(10) + b"\xff\xff" + ONE.host, 1234)
        self.assertEqual(one_family(ONE, SIX[1]), (mapped, SIX[1]))
        self.assertEqual(one_family(SIX[1], ONE), (SIX[1], mapped))


class ChecksumTests(SynchronousTestCase):
    def test_example(self) -> None:
        """The example of RFC 1071, section 3."""
        self.assertEqual(checksum(bytes.fromhex("0001f203f4f5f6f7")), 0xFFFF - 0xDDF2)

    @given(st.binary(max_size=200) | st.sampled_from([bytes(8), b"\xff" * 8]))
    def test_added_by_hand(self, data: bytes) -> None:
        """It is the sum of 16-bit words with end-around carry."""
        data += bytes(len(data) % 2)
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        self.assertEqual(checksum(data), ~total & 0xFFFF)

    @given(st.binary(max_size=200))
    def test_sums_to_nothing(self, data: bytes) -> None:
        """Whoever sums what has its checksum gets 0."""
        data += bytes(len(data) % 2)
        self.assertEqual(checksum(data + struct.pack("!H", checksum(data))), 0)


class PacketTests(SynchronousTestCase):
    def test_tcp(self) -> None:
        """A segment has its ports, numbers, flags and bytes, and both checksums are right."""
        packet = tcp_packet(ONE, OTHER, 7, 9, PSH | ACK, b"hello")
        self.assertEqual(packet[0], 0x45)
        self.assertEqual(struct.unpack_from("!H", packet, 2), (45,))
        self.assertEqual(checksum(packet[:20]), 0)
        self.assertEqual(packet[12:20], ONE.host + OTHER.host)
        self.assertEqual(struct.unpack_from("!HHIIBB", packet, 20), (1234, 80, 7, 9, 0x50, 24))
        pseudo = packet[12:20] + struct.pack("!II", len(packet) - 20, 6)
        self.assertEqual(checksum(pseudo + packet[20:] + b"\0"), 0)
        self.assertEqual(packet[40:], b"hello")

    def test_syn(self) -> None:
        """A SYN offers a window that will never be full, and acknowledges nothing."""
        packet = tcp_packet(ONE, OTHER, 0, 5, SYN)
        self.assertEqual((len(packet), packet[32]), (48, 0x70))
        self.assertEqual(struct.unpack_from("!I", packet, 28), (0,))
        self.assertEqual(packet[40:].hex(" "), "02 04 fd e8 03 03 0e 01")

    def test_udp(self) -> None:
        """A datagram has its true length, also where not all of it is there."""
        packet = udp_packet(ONE, OTHER, b"abc", left_out=100)
        self.assertEqual(struct.unpack_from("!H", packet, 2), (131,))
        self.assertEqual(struct.unpack_from("!HHHH", packet, 20), (1234, 80, 111, 0))
        self.assertEqual(packet[28:], b"abc")
        self.assertNotEqual(udp_packet(ONE, OTHER, b"abc")[26:28], b"\0\0")

    def test_udp_checksum_is_never_nothing(self) -> None:
        """A checksum of 0 would say that there is none (RFC 768), so it is sent as all ones."""
        seen = {udp_packet(ONE, OTHER, struct.pack("!H", one))[26:28] for one in range(2**16)}
        self.assertNotIn(b"\0\0", seen)
        self.assertIn(b"\xff\xff", seen)

    def test_ipv6(self) -> None:
        """Over IPv6 the length is that of the payload."""
        packet = udp_packet(*SIX, b"abc")
        self.assertEqual(struct.unpack_from("!IHBB", packet), (6 << 28, 11, 17, 64))
        self.assertEqual(packet[8:40], SIX[0].host + SIX[1].host)
        pseudo = packet[8:40] + struct.pack("!II", 11, 17)
        self.assertEqual(checksum(pseudo + packet[40:] + b"\0"), 0)

"""The blocks of pcapng are as the format says."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.pcapng import Packet, interface, packet, section, whole


def taken_apart(block: bytes) -> tuple[int, bytes]:
    """The type and the body of *block*, whose two lengths agree and are a multiple of four."""
    kind, length = struct.unpack_from("=II", block)
    assert length == len(block)
    assert length % 4 == 0
    assert struct.unpack("=I", block[-4:]) == (length,)
    return kind, block[8:-4]


class BlockTests(SynchronousTestCase):
    def test_section(self) -> None:
        """A section says its byte order, its version, and who wrote it."""
        kind, body = taken_apart(section("socketlab 1"))
        self.assertEqual(kind, 0x0A0D0D0A)
        self.assertEqual(struct.unpack_from("=IHHq", body), (0x1A2B3C4D, 1, 0, -1))
        self.assertEqual(body[16:], b"\4\0\x0b\0socketlab 1\0" + bytes(4))

    def test_interface(self) -> None:
        """An interface has raw IP, a name, and nanoseconds."""
        kind, body = taken_apart(interface("écho"))
        self.assertEqual(kind, 1)
        self.assertEqual(struct.unpack_from("=HHI", body), (101, 0, 0))
        name = "écho".encode()
        self.assertEqual(
            body[8:], b"\2\0\5\0" + name + bytes(3) + b"\x09\0\1\0\x09\0\0\0" + bytes(4)
        )

    def test_packet(self) -> None:
        """A packet has its time in two halves, both its lengths, a comment and a direction."""
        one = Packet((5 << 32) + 7, b"abcde", 500, "why", outbound=True)
        kind, body = taken_apart(packet(3, one))
        self.assertEqual(kind, 6)
        self.assertEqual(struct.unpack_from("=IIIII", body), (3, 5, 7, 5, 500))
        self.assertEqual(body[20:28], b"abcde\0\0\0")
        self.assertEqual(body[28:36], b"\1\0\3\0why\0")
        self.assertEqual(body[36:], b"\2\0\4\0" + struct.pack("=I", 2) + bytes(4))

    def test_bare_packet(self) -> None:
        """Without comment and direction there are no options; inbound is 1."""
        _, body = taken_apart(packet(0, Packet(1, b"abcd", 4)))
        self.assertEqual(len(body), 24)
        self.assertIn(struct.pack("=HHI", 2, 4, 1), packet(0, Packet(1, b"", 0, outbound=False)))

    def test_long_comment(self) -> None:
        """A comment ends where an option must."""
        _, body = taken_apart(packet(0, Packet(1, b"", 0, "é" * 70_000)))
        self.assertEqual(struct.unpack_from("=HH", body, 20), (1, 65_535))

    def test_whole(self) -> None:
        """What can stand alone ends with a block."""
        blocks = section("s"), interface("i"), packet(0, Packet(1, b"abc", 3))
        joined, ends = b"".join(blocks), [0]
        for block in blocks:
            ends.append(ends[-1] + len(block))
        for length in range(len(joined) + 1):
            self.assertEqual(whole(joined, length), max(end for end in ends if end <= length))

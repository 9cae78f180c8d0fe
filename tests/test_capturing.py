"""Events become a file of packets: sections, interfaces, packets."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.capturing import PcapngForm
from twisted_lab.events import DatagramReceived, Listening
from twisted_lab.interfaces import Form

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """The type of each block, and the block."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        found.append((kind, data[at : at + length]))
        at += length
    return found


def kinds(data: bytes) -> list[int]:
    return [kind for kind, _ in blocks(data)]


def datagram(service: str) -> DatagramReceived:
    return DatagramReceived(1, service, "127.0.0.1:5", "127.0.0.1:9", 3, b"abc")


class FormTests(SynchronousTestCase):
    def test_services(self) -> None:
        """Each service is an interface of its own, described before its first packet."""
        form: Form = PcapngForm(0)
        self.assertEqual(kinds(form.begin()), [SECTION])
        self.assertEqual(kinds(form.of(datagram("echo"))), [INTERFACE, PACKET])
        self.assertEqual(kinds(form.of(datagram("echo"))), [PACKET])
        self.assertEqual(kinds(form.of(datagram("line"))), [INTERFACE, PACKET])
        ((_, last),) = blocks(form.of(datagram("line")))
        self.assertEqual(struct.unpack_from("=I", last, 8), (1,))
        self.assertEqual(form.of(Listening(1, "echo", "127.0.0.1:9", "tcp")), b"")

    def test_begun_again(self) -> None:
        """A new file begins with the interfaces there are, in their order."""
        form = PcapngForm(0)
        for service in ("echo", "line"):
            form.of(datagram(service))
        begun = form.begin()
        self.assertEqual(kinds(begun), [SECTION, INTERFACE, INTERFACE])
        self.assertLess(begun.index(b"echo"), begun.index(b"line"))

    def test_whole(self) -> None:
        """What is cut short is cut before a block."""
        form = PcapngForm(0)
        begun = form.begin()
        both = begun + form.of(datagram("echo"))
        self.assertEqual(form.whole(both, len(both)), len(both))
        self.assertEqual(form.whole(both, len(begun) + 9), len(begun))

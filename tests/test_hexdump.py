"""Bytes as hex and ASCII."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.hexdump import dump


class DumpTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Sixteen bytes a line, each numbered; what does not print is a dot; columns stay."""
        self.assertEqual(
            dump(b"GET / HTTP/1.1\r\n\x00\xff"),
            "0000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..\n"
            "0010  00 ff                                            ..",
        )

    def test_start(self) -> None:
        """The numbers go on from where the bytes before ended."""
        self.assertTrue(dump(b"a", 0x1F).startswith("001f  61 "))

    def test_nothing(self) -> None:
        """Of nothing there is no line."""
        self.assertEqual(dump(b""), "")

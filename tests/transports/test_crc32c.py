"""The checksum of a PROXY header is the standard's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.transports.crc32c import crc32c


class Crc32cTests(SynchronousTestCase):
    def test_known(self) -> None:
        """The values that RFC 3720 (B.4) gives, and the catalogue's for 1 to 9."""
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(crc32c(bytes(32)), 0x8A9136AA)
        self.assertEqual(crc32c(b"\xff" * 32), 0x62A8AB43)
        self.assertEqual(crc32c(bytes(range(32))), 0x46DD794E)
        self.assertEqual(crc32c(b""), 0)

"""The TLVs of a PROXY header: those we know are read strictly, others are skipped."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from tests.transports.proxy_headers import (
    ALPN,
    AUTHORITY,
    CRC32C,
    LOCAL,
    NETNS,
    NOOP,
    SSL,
    UNIQUE_ID,
    addresses,
    binary,
    inet,
    tlv,
    unix,
    with_checksum,
)
from tests.transports.test_proxy_header import HeaderCase, parsed
from twisted_lab.proxy import ProxyHeaderError, Ssl, Tlvs
from twisted_lab.transports.proxy_header import HeaderParser


def ssl(client: int, verify: int, *parts: bytes) -> bytes:
    return tlv(SSL, struct.pack("!BI", client, verify) + b"".join(parts))


class TlvTests(HeaderCase):
    def test_each(self) -> None:
        """Each kind there is, in any order, with padding and strangers between."""
        header = inet(
            tlv(NETNS, b"blue"),
            tlv(NOOP, bytes(5)),
            tlv(ALPN, b"h2"),
            tlv(0xEA, b"vendor"),
            tlv(AUTHORITY, "bücher.example".encode()),
            tlv(UNIQUE_ID, b"\0id"),
            tlv(NOOP, b""),
            source="2001:db8::1",
            destination="::1",
        )
        expected = Tlvs(b"h2", "bücher.example", False, b"\0id", None, "blue")
        self.assertEqual(parsed(header).tlvs, expected)

    def test_after_unix(self) -> None:
        """They follow the addresses of every family."""
        self.assertEqual(parsed(unix(b"/a", b"/b", tlv(ALPN, b"x"))).tlvs, Tlvs(alpn=b"x"))

    def test_none(self) -> None:
        """Without any nothing is said of them."""
        self.assertEqual(parsed(inet()).tlvs, Tlvs())

    def test_skipped(self) -> None:
        """Where nobody is named the block is skipped, TLVs and all."""
        for header in (binary(tlv(ALPN, b"h2"), 0), binary(b"\x01\xff\xff", 0, LOCAL)):
            self.assertEqual(parsed(header).tlvs, Tlvs())

    def test_cut(self) -> None:
        """One that is longer than what is left is named."""
        self.assertIn("type 0x01 says 9 bytes, and 2 are left", self.wrong(inet(b"\x01\0\x09ab")))
        for rest in (b"\x01", b"\x01\0"):
            self.assertIn("too few for a TLV", self.wrong(inet(rest)))

    def test_twice(self) -> None:
        """The same one twice: two readers could each believe another."""
        twice = inet(tlv(AUTHORITY, b"a"), tlv(AUTHORITY, b"b"))
        self.assertIn("the AUTHORITY TLV is there twice", self.wrong(twice))

    def test_texts(self) -> None:
        """What must be text is."""
        self.assertIn("AUTHORITY TLV is not UTF-8", self.wrong(inet(tlv(AUTHORITY, b"\xff"))))
        self.assertIn("NETNS TLV is not US-ASCII", self.wrong(inet(tlv(NETNS, b"\xc3\xbc"))))

    def test_unique_id(self) -> None:
        """A unique id has 128 bytes at most."""
        self.assertEqual(parsed(inet(tlv(UNIQUE_ID, bytes(128)))).tlvs.unique_id, bytes(128))
        self.assertIn("129", self.wrong(inet(tlv(UNIQUE_ID, bytes(129)))))

    @given(st.binary(max_size=120))
    def test_anything(self, block: bytes) -> None:
        """Whatever stands where TLVs should, the outcome is a header or a sentence."""
        for header in (inet(block), inet(tlv(SSL, block))):
            try:
                HeaderParser().feed(header)
            except ProxyHeaderError as error:
                self.assertLess(len(str(error)), 160)


class ChecksumTests(HeaderCase):
    def test_right(self) -> None:
        """A right checksum is said to be there, wherever it stands."""
        header = with_checksum(inet(tlv(ALPN, b"h2")))
        self.assertTrue(parsed(header).tlvs.crc32c)

    def test_wrong(self) -> None:
        """Any changed bit of the addresses or the TLVs is found."""
        header = with_checksum(inet(tlv(ALPN, b"h2")))
        for at in (*range(16, 28), 31, 32, len(header) - 1):
            changed = header[:at] + bytes([header[at] ^ 1]) + header[at + 1 :]
            self.assertIn("CRC32C", self.wrong(changed))

    def test_size(self) -> None:
        """A checksum has four bytes."""
        self.assertIn("3 bytes, not 4", self.wrong(inet(tlv(CRC32C, bytes(3)))))


class SslTests(HeaderCase):
    def test_all(self) -> None:
        """Everything about the client's TLS."""
        header = inet(
            ssl(
                7,
                0,
                tlv(0x21, b"TLSv1.3"),
                tlv(0x22, "Jürgen".encode()),
                tlv(0x23, b"TLS_AES_256_GCM_SHA384"),
                tlv(0x24, b"RSA-SHA256"),
                tlv(0x25, b"RSA2048"),
                tlv(0x2F, b"stranger"),
            )
        )
        expected = Ssl(7, 0, "TLSv1.3", "Jürgen", "TLS_AES_256_GCM_SHA384", "RSA-SHA256", "RSA2048")
        self.assertEqual(parsed(header).tlvs.ssl, expected)

    def test_least(self) -> None:
        """The two fixed fields are enough; a result that is not zero is kept."""
        self.assertEqual(parsed(inet(ssl(1, 2**32 - 1))).tlvs.ssl, Ssl(1, 2**32 - 1))

    def test_wrong(self) -> None:
        """One too short, cut, or not text."""
        self.assertIn("not 5 or more", self.wrong(inet(tlv(SSL, bytes(4)))))
        self.assertIn("type 0x21 says 9", self.wrong(inet(ssl(1, 0, b"\x21\0\x09TLS"))))
        self.assertIn(
            "SSL VERSION TLV is not US-ASCII", self.wrong(inet(ssl(1, 0, tlv(0x21, b"\xff"))))
        )
        self.assertIn("SSL CN TLV is not UTF-8", self.wrong(inet(ssl(1, 0, tlv(0x22, b"\xff")))))
        twice = ssl(1, 0, tlv(0x22, b"a"), tlv(0x22, b"b"))
        self.assertIn("twice", self.wrong(inet(twice)))

    def test_not_outside(self) -> None:
        """A part of it that stands alone means nothing."""
        self.assertEqual(parsed(binary(addresses() + tlv(0x22, b"\xff"), 0x11)).tlvs, Tlvs())

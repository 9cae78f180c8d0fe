"""PROXY headers, version 1 and 2: every right one is read, every wrong one is a sentence."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.transports.proxy_headers import (
    ALPN,
    INET,
    INET6,
    INET_DGRAM,
    LOCAL,
    NOOP,
    SIGNATURE,
    UNIX_DGRAM,
    addresses,
    binary,
    inet,
    line,
    tlv,
    unix,
    with_checksum,
)
from twisted_lab.proxy import InetName, ProxyHeader, ProxyHeaderError, UnixName
from twisted_lab.transports.proxy_header import LINE_MOST, MOST, NEED_MORE, HeaderParser


def parsed(data: bytes) -> ProxyHeader:
    """The header *data* is, all of it, in one piece."""
    parser = HeaderParser()
    header = parser.feed(data)
    assert header is not NEED_MORE, f"{data!r} is not whole"
    assert parser.rest == b"", parser.rest
    return header


class HeaderCase(SynchronousTestCase):
    def wrong(self, data: bytes) -> str:
        """The sentence for *data*."""
        sentence = str(self.assertRaises(ProxyHeaderError, HeaderParser().feed, data))
        self.assertLess(len(sentence), 160)
        return sentence


class LineTests(HeaderCase):
    def test_tcp4(self) -> None:
        """The example of the specification."""
        header = parsed(b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
        expected = InetName("192.168.0.1", 56324), InetName("192.168.0.11", 443)
        self.assertEqual((header.source, header.destination), expected)
        self.assertEqual((header.version, header.command), (1, "PROXY"))
        self.assertEqual((header.family, header.protocol), ("INET", "STREAM"))

    def test_tcp6(self) -> None:
        """IPv6 in any of its forms is one name, as the kernel writes it."""
        for text in ("2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0001"):
            header = parsed(line(text, "::1"))
            self.assertEqual(header.source, InetName("2001:db8::1", 56324))
            self.assertEqual(header.family, "INET6")

    def test_mapped(self) -> None:
        """An IPv4-mapped address with dots, as haproxy sends it, is read."""
        header = parsed(line("::ffff:192.0.2.7", "::ffff:c000:0207"))
        self.assertEqual(header.source, InetName("::ffff:192.0.2.7", 56324))
        self.assertEqual(header.destination, InetName("::ffff:192.0.2.7", 443))

    def test_longest(self) -> None:
        """The longest lines of each kind are read."""
        full = ":".join(["ffff"] * 8)
        longest = f"PROXY UNKNOWN {full} {full} 65535 65535\r\n".encode()
        self.assertEqual(len(longest), LINE_MOST)
        self.assertEqual(parsed(longest), ProxyHeader(1))
        self.assertEqual(str(parsed(line(full, full, "65535 65535")).source), f"[{full}]:65535")
        high = parsed(line("255.255.255.255", "0.0.0.0", "65535 0"))
        self.assertEqual(str(high.source), "255.255.255.255:65535")
        self.assertEqual(str(high.destination), "0.0.0.0:0")

    def test_unknown(self) -> None:
        """After UNKNOWN anything is ignored up to the CRLF, and nobody is named."""
        for rest in (b"", b" ", b" anything at all", b" \xff\0\n\r x", b"  "):
            self.assertEqual(parsed(b"PROXY UNKNOWN" + rest + b"\r\n"), ProxyHeader(1))

    def test_numbers(self) -> None:
        """A number is decimal, without heading zeroes or signs, and in its range."""
        for host in ("1.2.3.04", "1.2.3.256", "1.2.3", "1.2.3.4.5", "1.2.3.", "0x1.2.3.4", ""):
            self.assertIn(f"'{host}' is not an IPv4", self.wrong(line(host)))
        for port in ("00", "0443", "65536", "-1", "+1", "1e3", "", "4_3", "443x", "\u0663"):
            self.assertIn("is not a port", self.wrong(line(ports=f"56324 {port}")))
            self.assertIn("is not a port", self.wrong(line(ports=f"{port} 443")))

    def test_ipv6_numbers(self) -> None:
        """IPv6 has one double colon at most, no scope, and 128 bits."""
        wrong = (
            "1::2::3 fe80::1%eth0 :1 12345:: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 ::g ::1.2.3.04 [::1]"
        )
        for host in (*wrong.split(), "::1/64"):
            self.assertIn(f"'{host}' is not an IPv6", self.wrong(line(host)))

    def test_mixed(self) -> None:
        """Both addresses are of the family that is announced."""
        self.assertIn("'::1' is not an IPv4", self.wrong(line("192.0.2.7", "::1")))
        self.assertIn("'192.0.2.7' is not an IPv6", self.wrong(line("::1", "192.0.2.7")))
        self.assertIn("not an IPv6", self.wrong(b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"))
        self.assertIn("not an IPv4", self.wrong(b"PROXY TCP4 ::1 ::1 1 2\r\n"))

    def test_words(self) -> None:
        """Six words, exactly one space between, in capitals."""
        for text in (
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            b"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
            b"PROXY TCP4\r\n",
        ):
            self.assertIn("two addresses and two ports", self.wrong(text))
        self.assertIn("'TCP5' is not TCP4", self.wrong(b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"))
        self.assertIn("'tcp4' is not TCP4", self.wrong(b"PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n"))
        self.assertIn("'UNKNOWNX'", self.wrong(b"PROXY UNKNOWNX\r\n"))
        self.assertIn("'' is not TCP4", self.wrong(b"PROXY \r\n"))
        self.assertIn("not the beginning of a PROXY header", self.wrong(b"PROXY\r\n"))
        self.assertIn(
            "not the beginning of a PROXY header", self.wrong(b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n")
        )

    def test_end_of_line(self) -> None:
        """CR or LF alone ends no line; it is said at once, before more comes."""
        for end in (b"\n", b"\rx", b"\n\r\n"):
            self.wrong(line()[:-2] + end)
        self.assertIn("not in CRLF", self.wrong(line()[:-2] + b"\n"))

    def test_too_long(self) -> None:
        """A CRLF that is not there within 107 bytes does not come any more."""
        start = b"PROXY UNKNOWN "
        self.assertIs(HeaderParser().feed(start.ljust(LINE_MOST - 1, b"x")), NEED_MORE)
        self.assertIn("107", self.wrong(start.ljust(LINE_MOST, b"x")))
        self.assertIn("107", self.wrong(start.ljust(LINE_MOST - 1, b"x") + b"\r\n"))


class BinaryTests(HeaderCase):
    def test_inet(self) -> None:
        """TCP over IPv4."""
        header = parsed(inet())
        expected = InetName("192.0.2.7", 56324), InetName("198.51.100.1", 443)
        self.assertEqual((header.source, header.destination), expected)
        self.assertEqual((header.version, header.command), (2, "PROXY"))
        self.assertEqual((header.family, header.protocol), ("INET", "STREAM"))

    def test_inet6(self) -> None:
        """TCP over IPv6; a mapped address keeps its dots."""
        header = parsed(inet(source="2001:db8::1", destination="::ffff:192.0.2.1"))
        expected = InetName("2001:db8::1", 56324), InetName("::ffff:192.0.2.1", 443)
        self.assertEqual((header.source, header.destination), expected)

    def test_unix(self) -> None:
        """UNIX sockets: the path up to its NUL, an abstract name with its NUL, or none."""
        header = parsed(unix(b"/run/client\0rubbish", b"/run/server"))
        expected = UnixName(b"/run/client"), UnixName(b"/run/server")
        self.assertEqual((header.source, header.destination), expected)
        header = parsed(unix(b"", b"\0abstract"))
        self.assertEqual(
            (header.source, header.destination), (UnixName(b""), UnixName(b"\0abstract"))
        )
        full = b"/" * 108
        self.assertEqual(parsed(unix(full, full)).source, UnixName(full))

    def test_datagrams(self) -> None:
        """What was forwarded may have been datagrams; the addresses are read all the same."""
        header = parsed(binary(addresses(), INET_DGRAM))
        self.assertEqual((str(header.source), header.protocol), ("192.0.2.7:56324", "DGRAM"))
        self.assertEqual(parsed(binary(bytes(216), UNIX_DGRAM)).family, "UNIX")

    def test_local(self) -> None:
        """LOCAL names nobody, whatever family and block it has; they are skipped."""
        for family in (0, INET, INET6, 0xFF):
            for block in (b"", b"x", addresses()):
                header = parsed(binary(block, family, LOCAL))
                self.assertEqual(header, ProxyHeader(2, "LOCAL"))

    def test_unspecified(self) -> None:
        """An unspecified family or protocol names nobody; its block is skipped."""
        for family in (0x00, 0x01, 0x02, 0x10, 0x20, 0x30):
            for block in (b"", b"whatever"):
                header = parsed(binary(block, family))
                self.assertEqual((header.source, header.destination), (None, None))

    def test_unassigned(self) -> None:
        """A version, command, family or protocol that is not assigned is named."""
        self.assertIn("version is 1", self.wrong(binary(command=0x11)))
        self.assertIn("version is 3", self.wrong(binary(command=0x31)))
        self.assertIn("command is 2", self.wrong(binary(command=0x22)))
        self.assertIn("family is 4", self.wrong(binary(bytes(300), 0x41)))
        self.assertIn("protocol is 3", self.wrong(binary(bytes(300), 0x13)))

    def test_too_short(self) -> None:
        """A length too small for the addresses of its family."""
        for family, least in ((0x11, 12), (0x12, 12), (0x21, 36), (0x31, 216)):
            self.assertIn(f"have {least}", self.wrong(binary(bytes(least - 1), family)))
            parsed(binary(bytes(least), family))

    def test_too_long(self) -> None:
        """A length over the bound is refused before anything of it is read."""
        start = binary(bytes(MOST - 16))
        self.assertEqual(len(start), MOST)
        parsed(start)
        self.assertIn("65535", self.wrong(SIGNATURE + b"\x21\x00\xff\xff"))
        self.wrong(binary(bytes(MOST - 15))[:16])

    def test_signature(self) -> None:
        """A start that is neither is refused at its first wrong byte, and said as it came."""
        self.assertIn(
            "'GET / HTTP/1.1\r\n' is not the beginning of a PROXY header",
            self.wrong(b"GET / HTTP/1.1\r\n"),
        )
        self.assertIn("'\x16\x03\x01\udcff' is not", self.wrong(b"\x16\x03\x01\xff"))
        self.assertIn("x…' is not", self.wrong(b"x" * 1000))
        for at in range(len(SIGNATURE)):
            self.wrong(SIGNATURE[:at] + b"!")
        self.wrong(b"\r\n\r\n\r\n")


#: Right headers of every kind.
HEADERS = st.one_of(
    st.sampled_from(
        [
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN \rx\n y\r\n",
            binary(b"", 0, LOCAL),
            binary(b"skip me", 0xFF, LOCAL),
            binary(b"and me"),
            unix(b"/run/client", b"\0abstract"),
            inet(tlv(ALPN, b"h2"), tlv(0xEA, b"\x01vpce-0"), tlv(NOOP, bytes(300))),
            with_checksum(inet(tlv(NOOP, b""))),
        ]
    ),
    st.builds(
        lambda a, b, c, d: line(str(a), str(b), f"{c} {d}"),
        *[st.integers(0, 2**32 - 1).map(IPv4Address)] * 2,
        *[st.integers(0, 65535)] * 2,
    ),
    st.builds(
        lambda a, b, c, d: binary(addresses(str(a), str(b), (c, d)), INET6),
        *[st.integers(0, 2**128 - 1).map(IPv6Address)] * 2,
        *[st.integers(0, 65535)] * 2,
    ),
)


def fed(data: bytes, sizes: list[int]) -> tuple[ProxyHeader | None, bytes]:
    """What comes of *data* in pieces of *sizes* and a last one: the header, and all behind it."""
    parser = HeaderParser()
    at, header = 0, None
    for size in [*sizes, len(data)]:
        piece = data[at : at + size]
        at += len(piece)
        if (header := parser.feed(piece)) is not NEED_MORE:
            break
        assert parser.held == at
    return header, parser.rest + data[at:]


class PropertyTests(SynchronousTestCase):
    @given(HEADERS, st.binary(max_size=200), st.lists(st.integers(0, 60), max_size=30))
    def test_splits(self, header: bytes, rest: bytes, sizes: list[int]) -> None:
        """However a header is cut, it says the same, and exactly what follows it is left."""
        self.assertEqual(fed(header + rest, sizes), (parsed(header), rest))

    @given(HEADERS)
    def test_each_byte(self, header: bytes) -> None:
        """A byte at a time, the header is there with its last byte and not before."""
        self.assertEqual(fed(header + b"rest", [1] * len(header)), (parsed(header), b"rest"))

    @given(
        st.sampled_from(
            [b"", b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"!"]
        ),
        st.lists(st.binary(max_size=80), max_size=8),
    )
    def test_anything(self, start: bytes, pieces: list[bytes]) -> None:
        """Whatever comes, the outcome is a header, more to come, or a sentence."""
        parser = HeaderParser()
        try:
            for piece in [start, *pieces]:
                if parser.feed(piece) is not NEED_MORE:
                    return
                self.assertLessEqual(parser.held, MOST)
        except ProxyHeaderError as error:
            self.assertLess(len(str(error)), 160)

    @given(HEADERS, st.data())
    def test_flipped(self, header: bytes, data: st.DataObject) -> None:
        """A right header with a byte changed is another header, unfinished, or a sentence."""
        at = data.draw(st.integers(0, len(header) - 1))
        changed = header[:at] + bytes([data.draw(st.integers(0, 255))]) + header[at + 1 :]
        try:
            fed(changed, [])
        except ProxyHeaderError as error:
            self.assertLess(len(str(error)), 160)

    def test_bound(self) -> None:
        """No more is held than a header may have, whatever it promises and however much comes."""
        parser = HeaderParser()
        announced = binary(bytes(MOST - 16))
        for _ in range(2):
            self.assertIs(parser.feed(announced[:-1] if not parser.held else b""), NEED_MORE)
            self.assertEqual(parser.held, MOST - 1)
        much = bytes(2**20)
        self.assertIsNotNone(parser.feed(much))
        self.assertEqual((parser.held, len(parser.rest)), (0, 2**20 - 1))

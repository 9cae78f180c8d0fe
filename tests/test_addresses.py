"""Addresses are shown as people write them, and peers are counted as RFC 6177 says."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import address
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import UNIX_HOST, Host, host, host_of, show, show_pair


class HostTests(SynchronousTestCase):
    def test_ipv4(self) -> None:
        """An IPv4 peer is counted by its address."""
        self.assertEqual(
            host("192.0.2.7"), Host(IPv4Address("192.0.2.7"), loopback=False, key="192.0.2.7")
        )

    def test_ipv6(self) -> None:
        """An IPv6 peer is counted by its /64."""
        found = host("2001:db8:1:2:3:4:5:6")
        self.assertEqual(found.ip, IPv6Address("2001:db8:1:2:3:4:5:6"))
        self.assertEqual(found.key, "2001:db8:1:2::/64")
        self.assertEqual(found.key, host("2001:db8:1:2:ffff::").key)
        self.assertNotEqual(found.key, host("2001:db8:1:3::").key)

    def test_mapped(self) -> None:
        """An IPv4-mapped IPv6 address is the IPv4 address it maps."""
        self.assertEqual(host("::ffff:192.0.2.7"), host("192.0.2.7"))
        self.assertTrue(host("::ffff:127.0.0.1").loopback)

    def test_scope(self) -> None:
        """The scope of a link-local address does not make another peer."""
        self.assertEqual(host("fe80::1%eth0"), host("fe80::1"))

    def test_loopback(self) -> None:
        """All of 127.0.0.0/8 and ::1 are loopback, and nothing else is."""
        for text in ("127.0.0.1", "127.8.9.10", "::1"):
            self.assertTrue(host(text).loopback, text)
        for text in ("128.0.0.1", "0.0.0.0", "::", "::2", "fe80::1"):
            self.assertFalse(host(text).loopback, text)

    def test_name(self) -> None:
        """A name is no address, and is never looked up."""
        self.assertRaises(ValueError, host, "localhost")

    @given(st.ip_addresses(v=6))
    def test_same_network(self, ip: IPv6Address) -> None:
        """Every address of a /64 is the same peer."""
        last = IPv6Address(int(ip) | 2**64 - 1)
        if ip.ipv4_mapped is None and last.ipv4_mapped is None:
            self.assertEqual(host(str(ip)).key, host(str(last)).key)


class HostOfTests(SynchronousTestCase):
    def test_ip(self) -> None:
        """Twisted's addresses of TCP and UDP name the host."""
        for made in (
            address.IPv4Address("TCP", "192.0.2.7", 1),
            address.IPv4Address("UDP", "192.0.2.7", 2),
            address.IPv6Address("TCP", "::ffff:192.0.2.7", 3),
        ):
            self.assertEqual(host_of(made), host("192.0.2.7"))

    def test_unix(self) -> None:
        """All UNIX peers are one host, which is here and has no IP address."""
        for made in (address.UNIXAddress(None), address.UNIXAddress(b"/tmp/x")):
            self.assertIs(host_of(made), UNIX_HOST)
        self.assertTrue(UNIX_HOST.loopback)
        self.assertIsNone(UNIX_HOST.ip)


class ShowTests(SynchronousTestCase):
    def test_ip(self) -> None:
        """An IPv6 host is in brackets, so that the port can be told from it."""
        self.assertEqual(show(address.IPv4Address("TCP", "127.0.0.1", 9000)), "127.0.0.1:9000")
        self.assertEqual(show(address.IPv6Address("TCP", "::1", 9000)), "[::1]:9000")
        self.assertEqual(show_pair("fe80::1%eth0", 7), "[fe80::1%eth0]:7")

    def test_unix(self) -> None:
        """A UNIX address is its path; a client that bound none has none to show."""
        self.assertEqual(show(address.UNIXAddress(b"/run/echo")), "unix:/run/echo")
        self.assertEqual(show(address.UNIXAddress(None)), "unix:")

    def test_unix_not_utf8(self) -> None:
        """A path that is not UTF-8 is shown with escapes, not refused."""
        self.assertEqual(show(address.UNIXAddress(b"/run/\xff")), r"unix:/run/\xff")

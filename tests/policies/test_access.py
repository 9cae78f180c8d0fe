"""Who may connect, by network."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import UNIX_HOST, host
from twisted_lab.policies.access import Access
from twisted_lab.units import network


class AccessTests(SynchronousTestCase):
    def admitted(self, access: Access, *texts: str) -> list[str]:
        return [text for text in texts if access.admit(host(text)) is None]

    def test_allow(self) -> None:
        """With any network allowed, all others are not."""
        access = Access(allow=(network("10.0.0.0/8"), network("2001:db8::/32")))
        self.assertEqual(
            self.admitted(access, "10.1.2.3", "11.1.2.3", "127.0.0.1", "2001:db8::1", "::1"),
            ["10.1.2.3", "2001:db8::1"],
        )

    def test_deny(self) -> None:
        """With only networks denied, all others are allowed."""
        access = Access(deny=(network("10.0.0.0/8"), network("::1")))
        self.assertEqual(
            self.admitted(access, "10.1.2.3", "11.1.2.3", "127.0.0.1", "::1", "::2"),
            ["11.1.2.3", "127.0.0.1", "::2"],
        )

    def test_both(self) -> None:
        """A network denied is denied inside one that is allowed."""
        access = Access(allow=(network("10.0.0.0/8"),), deny=(network("10.9.0.0/16"),))
        self.assertEqual(self.admitted(access, "10.1.2.3", "10.9.2.3", "11.1.2.3"), ["10.1.2.3"])

    def test_mapped(self) -> None:
        """An IPv4 peer on an IPv6 socket is the IPv4 peer."""
        access = Access(allow=(network("10.0.0.0/8"),))
        self.assertEqual(
            self.admitted(access, "::ffff:10.1.2.3", "::ffff:11.1.2.3"), ["::ffff:10.1.2.3"]
        )

    def test_unix(self) -> None:
        """UNIX peers have no address; the permissions of the socket's file are their gate."""
        self.assertIsNone(Access(allow=(network("10.0.0.0/8"),)).admit(UNIX_HOST))

    def test_sentence(self) -> None:
        """Who is refused is told so, with the address that was seen."""
        refusal = Access(deny=(network("10.0.0.0/8"),)).admit(host("10.1.2.3"))
        assert refusal is not None
        self.assertEqual(refusal.gate, "access")
        self.assertEqual(refusal.text, "connections from 10.1.2.3 are not allowed here")

"""Only a balancer that was named may send PROXY headers."""

from __future__ import annotations

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import UNIX_HOST, host
from twisted_lab.policies.proxy_from import ProxyFrom


class ProxyFromTests(SynchronousTestCase):
    def test_default(self) -> None:
        """Told nothing, loopback and UNIX peers are believed, nobody else."""
        policy = ProxyFrom()
        for text in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
            self.assertIsNone(policy.admit(host(text)), text)
        self.assertIsNone(policy.admit(UNIX_HOST))
        refusal = policy.admit(host("192.0.2.7"))
        assert refusal is not None
        self.assertEqual(refusal.gate, "proxy-from")
        self.assertIn("192.0.2.7", refusal.text)

    def test_told(self) -> None:
        """Told networks, these and no others; UNIX peers as before."""
        policy = ProxyFrom((ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")))
        for text in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"):
            self.assertIsNone(policy.admit(host(text)), text)
        for text in ("127.0.0.1", "::1", "11.0.0.1"):
            self.assertIsNotNone(policy.admit(host(text)), text)
        self.assertIsNone(policy.admit(UNIX_HOST))

"""How many connections a service has at most."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FAR_HOST
from twisted_lab.addresses import host
from twisted_lab.policies.max_connections import DEFAULT, MaxConnections


class MaxConnectionsTests(SynchronousTestCase):
    def test_limit(self) -> None:
        """Over the limit one is refused, and the next is served as soon as one has left."""
        policy = MaxConnections(2)
        for _ in range(2):
            self.assertIsNone(policy.admit(FAR_HOST))
            policy.entered(FAR_HOST)
        refusal = policy.admit(host("198.51.100.1"))
        assert refusal is not None
        self.assertEqual(refusal.gate, "max-connections")
        self.assertEqual(refusal.text, "too many connections (limit 2)")
        policy.left(FAR_HOST)
        self.assertIsNone(policy.admit(FAR_HOST))

    def test_refused_is_not_counted(self) -> None:
        """Who was refused, also by another gate, is not among those that are open."""
        policy = MaxConnections(1)
        for _ in range(10):
            self.assertIsNone(policy.admit(FAR_HOST))
        policy.entered(FAR_HOST)
        for _ in range(10):
            self.assertIsNotNone(policy.admit(FAR_HOST))
        policy.left(FAR_HOST)
        self.assertIsNone(policy.admit(FAR_HOST))

    def test_loopback(self) -> None:
        """Loopback is spared, unless a limit was given."""
        self.assertTrue(MaxConnections().spares_loopback)
        self.assertFalse(MaxConnections(5, spares_loopback=False).spares_loopback)

    def test_default(self) -> None:
        """1,024 connections a service."""
        self.assertEqual(MaxConnections().limit, DEFAULT)
        self.assertEqual(DEFAULT, 1024)

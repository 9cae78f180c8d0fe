"""How many connections a second one peer may begin."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import host
from twisted_lab.policies.accept_rate import DEFAULT, AcceptRate
from twisted_lab.source_rates import SOURCES_KEPT


class AcceptRateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def admitted(self, policy: AcceptRate, text: str, tries: int) -> int:
        return sum(policy.admit(host(text)) is None for _ in range(tries))

    def test_default(self) -> None:
        """A peer may begin 100 at once and 50 a second after that."""
        policy = AcceptRate(self.clock.seconds)
        self.assertEqual(self.admitted(policy, "192.0.2.1", 1000), 100)
        for _ in range(3):
            self.clock.advance(1)
            self.assertEqual(self.admitted(policy, "192.0.2.1", 1000), DEFAULT)

    def test_slow(self) -> None:
        """A rate under one a second is one now and then; the first is never refused."""
        policy = AcceptRate(self.clock.seconds, rate=0.1)
        self.assertEqual(self.admitted(policy, "192.0.2.1", 5), 1)
        self.clock.advance(9)
        self.assertEqual(self.admitted(policy, "192.0.2.1", 5), 0)
        self.clock.advance(1)
        self.assertEqual(self.admitted(policy, "192.0.2.1", 5), 1)

    def test_peers_apart(self) -> None:
        """A storm from one peer costs another nothing; an IPv6 /64 is one peer."""
        policy = AcceptRate(self.clock.seconds, rate=1)
        self.admitted(policy, "2001:db8::1", 1000)
        self.assertEqual(self.admitted(policy, "2001:db8::2", 1), 0)
        self.assertEqual(self.admitted(policy, "192.0.2.2", 2), 2)

    def test_bounded(self) -> None:
        """A storm from many addresses does not fill the memory."""
        policy = AcceptRate(self.clock.seconds)
        for number in range(SOURCES_KEPT + 50):
            policy.admit(host(f"10.0.{number >> 8}.{number & 255}"))
        self.assertEqual(len(policy._sources._buckets), SOURCES_KEPT)

    def test_sentence(self) -> None:
        """Who is refused is told the limit."""
        policy = AcceptRate(self.clock.seconds, rate=0.5)
        self.admitted(policy, "192.0.2.1", 1)
        refusal = policy.admit(host("192.0.2.1"))
        assert refusal is not None
        self.assertEqual(refusal.gate, "accept-rate")
        self.assertEqual(refusal.text, "too many connections a second from 192.0.2.1 (limit 0.5/s)")

    def test_loopback(self) -> None:
        """Loopback is spared, unless a rate was given."""
        self.assertTrue(AcceptRate(self.clock.seconds).spares_loopback)
        self.assertFalse(AcceptRate(self.clock.seconds, 5, spares_loopback=False).spares_loopback)

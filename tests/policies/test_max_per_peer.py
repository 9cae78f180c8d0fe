"""How many connections one peer has at most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.addresses import UNIX_HOST, Host, host
from twisted_lab.policies.max_per_peer import DEFAULT, MaxPerPeer


class MaxPerPeerTests(SynchronousTestCase):
    def enter(self, policy: MaxPerPeer, peer: Host, times: int = 1) -> None:
        for _ in range(times):
            self.assertIsNone(policy.admit(peer))
            policy.entered(peer)

    def test_limit(self) -> None:
        """A peer at its limit is refused while another is served."""
        policy = MaxPerPeer(2)
        self.enter(policy, host("192.0.2.1"), 2)
        refusal = policy.admit(host("192.0.2.1"))
        assert refusal is not None
        self.assertEqual(refusal.gate, "max-per-peer")
        self.assertEqual(refusal.text, "too many connections from 192.0.2.1 (limit 2)")
        self.enter(policy, host("192.0.2.2"), 2)

    def test_left(self) -> None:
        """Once one of its connections has ended, a peer may open another."""
        policy = MaxPerPeer(1)
        self.enter(policy, host("192.0.2.1"))
        policy.left(host("192.0.2.1"))
        self.enter(policy, host("192.0.2.1"))

    def test_ipv6(self) -> None:
        """All addresses of an IPv6 /64 are one peer; the next /64 is another."""
        policy = MaxPerPeer(1)
        self.enter(policy, host("2001:db8::1"))
        refusal = policy.admit(host("2001:db8::ffff:1"))
        assert refusal is not None
        self.assertIn("2001:db8::/64", refusal.text)
        self.enter(policy, host("2001:db8:0:1::1"))

    def test_unix(self) -> None:
        """All UNIX peers are one."""
        policy = MaxPerPeer(1, spares_loopback=False)
        self.enter(policy, UNIX_HOST)
        self.assertIsNotNone(policy.admit(UNIX_HOST))

    def test_loopback(self) -> None:
        """Loopback is spared, unless a limit was given."""
        self.assertTrue(MaxPerPeer().spares_loopback)
        self.assertFalse(MaxPerPeer(5, spares_loopback=False).spares_loopback)
        self.assertEqual(MaxPerPeer().limit, DEFAULT)

    @given(st.lists(st.integers(0, 5), max_size=100))
    def test_nothing_stays(self, numbers: list[int]) -> None:
        """However connections come and go, peers that have none are forgotten."""
        policy = MaxPerPeer(3)
        inside = []
        for number in numbers:
            peer = host(f"192.0.2.{number}")
            if policy.admit(peer) is None:
                policy.entered(peer)
                inside.append(peer)
            elif inside:
                policy.left(inside.pop(0))
            self.assertLessEqual(max(map(inside.count, inside), default=0), 3)
        for peer in inside:
            policy.left(peer)
        self.assertEqual(policy._open, {})

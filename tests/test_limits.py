"""What the settings say is what is enforced."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.streams import Spy, StreamCase, echo
from twisted_lab.addresses import host
from twisted_lab.layer import StreamFactory
from twisted_lab.limits import datagram_settings, stream_policies
from twisted_lab.policies.accept_rate import AcceptRate
from twisted_lab.policies.access import Access
from twisted_lab.policies.handshake import Handshake
from twisted_lab.policies.idle import Idle
from twisted_lab.policies.lifetime import Lifetime
from twisted_lab.policies.max_bytes import MaxBytes
from twisted_lab.policies.max_connections import MaxConnections
from twisted_lab.policies.max_per_peer import MaxPerPeer
from twisted_lab.policies.min_rate import MinRate
from twisted_lab.policies.throughput import Throughput
from twisted_lab.protocols.line import LineFactory
from twisted_lab.settings import Settings
from twisted_lab.testing import Peer
from twisted_lab.units import network

FAR = host("192.0.2.7")
LOCAL = host("127.0.0.1")


class StreamPoliciesTests(SynchronousTestCase):
    def policies(self, *, secure: bool = False, **given: Any) -> dict[type, Any]:
        made = stream_policies(Settings(**given), Clock(), secure=secure)
        self.assertEqual(len({type(policy) for policy in made}), len(made))
        return {type(policy): policy for policy in made}

    def test_default(self) -> None:
        """Without options there are limits on connections and on time, and no others."""
        names = {kind.__name__ for kind in self.policies()}
        expected = "Descriptors MaxConnections MaxPerPeer AcceptRate Idle Lifetime"
        self.assertEqual(names, set(expected.split()))

    def test_gates_first(self) -> None:
        """Who is not allowed is refused before anything is counted for it."""
        made = stream_policies(Settings(deny=(network("::1"),)), Clock(), secure=True)
        self.assertIsInstance(made[0], Access)
        gates = [hasattr(policy, "admit") for policy in made if not isinstance(policy, Handshake)]
        self.assertEqual(gates, sorted(gates, reverse=True))

    def test_tls(self) -> None:
        """A service with a TLS listener has a limit on handshakes."""
        self.assertIn(Handshake, self.policies(secure=True))
        self.assertNotIn(Handshake, self.policies(secure=False))

    def test_asked_for(self) -> None:
        """What has no default is there when it is asked for."""
        for kind, given in (
            (Access, {"allow": (network("10.0.0.0/8"),)}),
            (Access, {"deny": (network("10.0.0.0/8"),)}),
            (MinRate, {"min_rate": 1.0}),
            (MaxBytes, {"max_bytes": 0}),
            (Throughput, {"throughput": 1.0}),
        ):
            self.assertIn(kind, self.policies(**given))

    def test_given(self) -> None:
        """A limit that was given is the one in force, and loopback is no exception to it."""
        policies = self.policies(max_connections=2, max_per_peer=1, accept_rate=0.25)
        self.assertEqual(policies[MaxConnections].limit, 2)
        self.assertEqual(policies[MaxPerPeer].limit, 1)
        self.assertIsNone(policies[AcceptRate].admit(FAR))
        self.assertIn("0.25/s", policies[AcceptRate].admit(FAR).text)
        for kind in (MaxConnections, MaxPerPeer, AcceptRate):
            self.assertFalse(policies[kind].spares_loopback, kind)

    def test_not_given(self) -> None:
        """A limit that was not given is the default one, and spares loopback."""
        policies = self.policies()
        self.assertEqual(policies[MaxConnections].limit, 1024)
        self.assertEqual(policies[MaxPerPeer].limit, 64)
        for kind in (MaxConnections, MaxPerPeer, AcceptRate):
            self.assertTrue(policies[kind].spares_loopback, kind)

    def test_times(self) -> None:
        """A time-out that was given holds on loopback too."""
        policies = self.policies(idle_timeout=2.0, lifetime=9.0, handshake_timeout=3.0, secure=True)
        self.assertEqual((policies[Idle]._loopback, policies[Idle]._elsewhere), (2, 2))
        self.assertEqual(
            (self.policies()[Idle]._loopback, self.policies()[Idle]._elsewhere), (600, 60)
        )
        self.assertEqual((policies[Lifetime]._limit, policies[Handshake]._limit), (9, 3))

    def test_own_counters(self) -> None:
        """Two services count apart."""
        first, second = (stream_policies(Settings(), Clock(), secure=True) for _ in range(2))
        for one, other in zip(first, second, strict=True):
            self.assertIsNot(one, other)


class DatagramSettingsTests(SynchronousTestCase):
    def test_default(self) -> None:
        """2,000 datagrams a second and source, loopback spared, no amplification, no gate."""
        made = datagram_settings(Settings())
        self.assertEqual(
            (made.rate, made.rate_on_loopback, made.allow_amplification, made.admit),
            (2000.0, False, False, None),
        )

    def test_given(self) -> None:
        """A rate that was given holds on loopback too."""
        made = datagram_settings(Settings(datagram_rate=5.0, allow_amplification=True))
        self.assertEqual((made.rate, made.rate_on_loopback), (5.0, True))
        self.assertTrue(made.allow_amplification)

    def test_access(self) -> None:
        """The networks of streams are those of datagrams; the drop's reason is the gate."""
        for given in ({"allow": (network("127.0.0.0/8"),)}, {"deny": (network("192.0.2.0/24"),)}):
            admit = datagram_settings(Settings(**given)).admit
            assert admit is not None
            self.assertIsNone(admit(LOCAL))
            self.assertEqual(admit(FAR), "access")


class TogetherTests(StreamCase):
    def test_bytes_and_throughput(self) -> None:
        """A limit of bytes is exact whatever the throughput, and the throughput is kept whatever
        the limit of bytes: in either order neither undoes the other's short reads."""
        for order in itertools.permutations(("bytes", "throughput")):
            made = {
                "bytes": MaxBytes(1000),
                "throughput": Throughput(1_000_000, self.clock),
            }
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy, *(made[name] for name in order))
            peer.send(b"x" * 5000)
            self.network.advance(10)
            self.assertEqual(len(peer.received), 1000, order)

    def test_throughput_with_bytes_to_spare(self) -> None:
        """A limit of bytes far away lets a slow stream have no burst."""
        policies = MaxBytes(60_000), Throughput(1000, self.clock)
        peer = self.talk(Spy(dataReceived=echo), *policies)
        peer.send(b"x" * 50_000)
        self.network.advance(2)
        self.assertLessEqual(len(peer.received), 2200)
        self.network.advance(2)
        self.assertLessEqual(len(peer.received), 4400)
        peer.reset()
        self.network.pump()

    def test_throughput_of_an_answer(self) -> None:
        """A long answer to a short question is slowed down too, not only what is read."""
        factory = LineFactory(clock=self.clock, now=lambda: datetime.now(UTC))
        listener = self.behind_layer(factory, Throughput(1000, self.clock))
        peer = self.network.connect(Peer(), listener)
        peer.send(b"/bytes 1000000\n")
        self.network.advance(10)
        self.assertLessEqual(len(peer.received), 11_000)
        peer.reset()
        self.network.pump()

    def test_handshakes_and_plain(self) -> None:
        """Too many unfinished TLS handshakes refuse nobody who comes without TLS."""
        plain = self.behind_layer(Factory.forProtocol(Spy), Handshake(unfinished=1))
        secure = StreamFactory(self.layer, transport="tls", secure=lambda stream: stream)
        silent = self.network.connect(Peer(), secure)
        refused = self.network.connect(Peer(), secure)
        self.network.pump()
        self.assertEqual([event.reason for event in self.seen.of("refused")], ["handshakes"])
        self.network.connect(Peer(), plain)
        self.network.pump()
        self.assertEqual(len(self.seen.of("refused")), 1)
        self.assertEqual(len(self.seen.of("accepted")), 2)
        for peer in (silent, refused):
            peer.reset()
        self.network.pump()

"""What the settings say is what is enforced."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, ClassVar

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.streams import StreamCase, echo
from twisted_lab.addresses import host
from twisted_lab.layer import YOUTH, StreamFactory
from twisted_lab.limits import (
    LIMITS,
    RENEWABLE,
    datagram_settings,
    renewed_policies,
    stream_policies,
)
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
from twisted_lab.testing import Peer, Spy
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


class RenewedTests(SynchronousTestCase):
    GIVEN: ClassVar[dict[str, Any]] = {
        "allow": (network("10.0.0.0/8"),),
        "deny": (network("10.0.0.1"),),
        "max_connections": 7,
        "max_per_peer": 7,
        "accept_rate": 7.0,
        "idle_timeout": 7.0,
        "handshake_timeout": 7.0,
        "lifetime": 7.0,
        "min_rate": 7.0,
        "max_bytes": 7,
        "throughput": 7.0,
    }

    def renewed(self, policies: list[object], before: Settings, after: Settings) -> list[object]:
        return renewed_policies(policies, before, after, Clock(), secure=True)

    def names(self, policies: list[object]) -> list[str]:
        return [type(policy).__name__ for policy in policies]

    def test_same(self) -> None:
        """With the same settings every policy stays, and stays itself."""
        for given in ({}, self.GIVEN):
            settings = Settings(**given)
            made = stream_policies(settings, Clock(), secure=True)
            after = self.renewed(made, settings, Settings(**given))
            self.assertTrue(all(a is b for a, b in zip(made, after, strict=True)))

    def test_each(self) -> None:
        """A setting makes anew only the policies that are made of it; the result is what a start
        with the new settings makes, in the same order."""
        for field, value in self.GIVEN.items():
            for before, after in (({}, {field: value}), ({field: value}, {})):
                old = stream_policies(Settings(**before), Clock(), secure=True)
                new = self.renewed(old, Settings(**before), Settings(**after))
                expected = stream_policies(Settings(**after), Clock(), secure=True)
                self.assertEqual(self.names(new), self.names(expected))
                others = {limit.kind for limit in LIMITS if field not in limit.fields}
                self.assertEqual(
                    [policy for policy in new if type(policy) in others],
                    [policy for policy in old if type(policy) in others],
                )
                self.assertFalse({*map(id, new)} == {*map(id, old)}, field)

    def test_all(self) -> None:
        """All that may change is known, and nothing else may."""
        self.assertEqual(RENEWABLE, {*self.GIVEN, "datagram_rate", "max_line", "proxy_from"})

    def test_not_secure(self) -> None:
        """A service without TLS has no limit on handshakes afterwards either."""
        before, after = Settings(), Settings(handshake_timeout=1.0)
        made = stream_policies(before, Clock(), secure=False)
        new = renewed_policies(made, before, after, Clock(), secure=False)
        self.assertEqual(self.names(new), self.names(made))

    def test_others(self) -> None:
        """Policies of somebody else's stay, behind ours, also a second one of a kind of ours."""
        theirs = [object(), Lifetime(1.0)]
        made = stream_policies(Settings(), Clock(), secure=True)
        new = self.renewed([*made, *theirs], Settings(), Settings(lifetime=2.0))
        self.assertEqual(new[-2:], theirs)
        self.assertEqual(len(new), len(made) + 2)

    def test_removed(self) -> None:
        """A policy that failed and was removed does not come back but with a setting of its own."""
        every = stream_policies(Settings(), Clock(), secure=True)
        made = [policy for policy in every if not isinstance(policy, Idle)]
        self.assertNotIn("Idle", self.names(self.renewed(made, Settings(), Settings(lifetime=1.0))))
        self.assertIn(
            "Idle", self.names(self.renewed(made, Settings(), Settings(idle_timeout=1.0)))
        )


class RenewedStreamTests(StreamCase):
    """Limits that change while streams are open."""

    def renew(self, before: Settings, after: Settings) -> None:
        policies = renewed_policies(self.layer.policies, before, after, self.clock, secure=False)
        self.layer.use(policies)
        self.network.advance(YOUTH)

    def listener(self, settings: Settings) -> StreamFactory:
        policies = stream_policies(settings, self.clock, secure=False)
        return self.behind_layer(Factory.forProtocol(lambda: Spy(dataReceived=echo)), *policies)

    def connect(self, listener: StreamFactory, host: str = "192.0.2.7") -> Peer:
        peer = self.network.connect(Peer(), listener, host=host)
        self.network.pump()
        return peer

    def reset(self, *peers: Peer) -> None:
        for peer in peers:
            peer.reset()
        self.network.advance(YOUTH)

    def finish(self, *peers: Peer) -> None:
        """End the last of them: nothing is left."""
        self.reset(*peers)
        self.assertEqual(self.layer.streams, set())
        self.assertEqual(self.clock.calls, [])

    def test_counts(self) -> None:
        """Whoever is in is counted under every new limit, and uncounted once when it goes."""
        for field in ("max_connections", "max_per_peer"):
            for where in ("192.0.2.7", "127.0.0.1"):
                # None spares loopback, a number does not: each step changes whom to count.
                steps = [Settings(**{field: limit}) for limit in (None, 3, 2, None, 2)]
                listener = self.listener(steps[0])
                peers = [self.connect(listener, where) for _ in range(2)]
                for before, after in itertools.pairwise(steps):
                    self.renew(before, after)
                self.assertEqual(self.connect(listener, where).end, "fin")
                self.reset(peers.pop())
                peers.append(self.connect(listener, where))
                self.assertEqual([peer.end for peer in peers], [None, None])
                self.assertEqual(self.connect(listener, where).end, "fin")
                self.finish(*peers)

    def test_fewer_than_there_are(self) -> None:
        """With a limit below what is open nobody is dropped, and nobody enters before enough
        have left."""
        listener = self.listener(Settings())
        peers = [self.connect(listener) for _ in range(4)]
        self.renew(Settings(), Settings(max_connections=2))
        for _ in range(3):
            self.assertEqual([peer.end for peer in peers], [None] * len(peers))
            self.assertEqual(self.connect(listener).end, "fin")
            self.reset(peers.pop())
        peers.append(self.connect(listener))
        self.assertEqual([peer.end for peer in peers], [None, None])
        self.finish(*peers)

    def test_times(self) -> None:
        """A shorter time-out holds for those already open, from when it came."""
        for field, reason in (("idle_timeout", "idle"), ("lifetime", "lifetime")):
            del self.seen.events[:]
            listener = self.listener(Settings())
            peer = self.connect(listener)
            self.network.advance(5)
            self.renew(Settings(), Settings(**{field: 8.0}))
            self.assertIsNone(peer.end)
            self.network.advance(2.5)
            self.assertIsNone(peer.end)
            self.network.advance(1)
            self.assertEqual(self.seen.of("closed")[0].reason, reason)
            over = self.connect(listener)
            self.network.advance(5)
            self.renew(Settings(**{field: 8.0}), Settings(**{field: 2.0}))
            self.assertEqual(self.seen.of("closed")[1].reason, reason)
            self.assertEqual(over.end, "fin")

    def test_longer(self) -> None:
        """A longer time-out holds for those already open, too."""
        before, after = Settings(idle_timeout=10.0), Settings(idle_timeout=20.0)
        peer = self.connect(self.listener(before))
        self.network.advance(5)
        self.renew(before, after)
        self.network.advance(14)
        self.assertIsNone(peer.end)
        self.network.advance(2)
        self.assertEqual(self.closed().reason, "idle")

    def test_min_rate(self) -> None:
        """A minimum rate counts from when it came: what was slow before is not held against it."""
        peer = self.connect(self.listener(Settings()))
        for _ in range(20):
            peer.send(b"x")
            self.network.advance(1)
        after = Settings(min_rate=10.0)
        self.renew(Settings(), after)
        self.network.advance(1)
        self.assertIsNone(peer.end)
        for _ in range(6):
            peer.send(b"x")
            self.network.advance(1)
        self.assertEqual(self.seen.of("closed")[0].reason, "slow")

    def test_slow_reader(self) -> None:
        """Who reads slowly is not taken for one that never reads when the time-out changes."""
        before, after = Settings(idle_timeout=20.0), Settings(idle_timeout=15.0)
        peer = self.connect(self.listener(before))
        moved = iter(range(100))
        stream = next(iter(self.layer.streams))
        self.patch(type(stream), "unsent", lambda stream: 1000)
        self.patch(type(stream), "progress", lambda stream: (next(moved),))
        self.network.advance(60)
        self.renew(before, after)
        self.assertIsNone(peer.end)
        self.network.advance(60)
        self.assertIsNone(peer.end)
        self.finish(peer)

    def test_throughput(self) -> None:
        """A throughput that comes, changes and goes holds for what is open, and loses no byte."""
        slow, slower = Settings(throughput=10_000.0), Settings(throughput=1000.0)
        peer = self.connect(self.listener(Settings()))
        sent = bytes(range(256)) * 400
        peer.send(sent[:20_000])
        self.network.advance(0.1)
        self.assertEqual(len(peer.received), 20_000)
        self.renew(Settings(), slow)
        peer.send(sent[20_000:])
        self.network.advance(2)
        self.assertTrue(30_000 < len(peer.received) < 43_000, len(peer.received))
        before = len(peer.received)
        self.renew(slow, slower)
        self.network.advance(2)
        self.assertTrue(1000 < len(peer.received) - before < 4000)
        self.renew(slower, Settings())
        self.network.advance(0.1)
        self.assert_bytes(peer.received, sent)
        self.finish(peer)

    def test_reads(self) -> None:
        """Reads and writes are as short as the limits of now want them, or long without any.

        The bytes that may still come say nothing of how they are to be answered.
        """
        both = Settings(max_bytes=1000, throughput=5000.0)
        peer = self.connect(self.listener(both))
        (stream,) = self.layer.streams
        self.assertEqual((stream.lowest.bufferSize, stream.write_limit), (100, 100))
        for before, after, read, write in (
            (both, Settings(max_bytes=1000), 1000, 2**16),
            (Settings(max_bytes=1000), both, 100, 100),
            (both, Settings(throughput=5000.0), 100, 100),
            (Settings(throughput=5000.0), Settings(max_bytes=10), 10, 2**16),
            (Settings(max_bytes=10), Settings(), 2**16, 2**16),
        ):
            self.renew(before, after)
            self.assertEqual((stream.lowest.bufferSize, stream.write_limit), (read, write))
        self.finish(peer)

    def test_max_bytes(self) -> None:
        """A limit of bytes counts what went before it came."""
        peer = self.connect(self.listener(Settings()))
        peer.send(b"x" * 500)
        self.network.pump()
        self.renew(Settings(), Settings(max_bytes=800))
        peer.send(b"x" * 1000)
        self.network.advance(2)
        self.assertEqual(len(peer.received), 800)
        self.assertEqual(self.closed().reason, "limit")

    def test_access(self) -> None:
        """A network that is denied from now on cannot enter; who is in stays."""
        listener = self.listener(Settings())
        peer = self.connect(listener)
        self.renew(Settings(), Settings(deny=(network("192.0.2.0/24"),)))
        self.assertIsNone(peer.end)
        self.assertEqual(self.connect(listener).end, "fin")
        self.finish(peer)

    def test_accept_rate(self) -> None:
        """Who used up its burst has no other because the rate changed."""
        before, after = Settings(accept_rate=1.0), Settings(accept_rate=2.0)
        listener = self.listener(before)
        peers = [self.connect(listener) for _ in range(2)]
        self.renew(before, after)
        self.assertEqual(self.connect(listener).end, "fin")
        self.network.advance(0.5)
        peers.append(self.connect(listener))
        self.assertIsNone(peers[-1].end)
        self.finish(*peers)


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

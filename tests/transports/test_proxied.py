"""A PROXY header comes first; what follows it is served as if the client had come itself."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol, ISSLTransport, ITCPTransport
from twisted.internet.protocol import Factory
from zope.interface.verify import verifyObject

from tests.streams import MUCH, Log, StreamCase, echo, fail, lose
from tests.transports.proxy_headers import (
    ALPN,
    INET_DGRAM,
    LOCAL,
    addresses,
    binary,
    inet,
    line,
    tlv,
    unix,
)
from tests.transports.test_tls import CONTEXT
from tests.transports.tls_peer import TlsPeer
from twisted_lab import kernel
from twisted_lab.addresses import UNIX_HOST, host
from twisted_lab.draining import QUIET, Drain
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Refusal
from twisted_lab.policies.handshake import Handshake
from twisted_lab.policies.max_per_peer import MaxPerPeer
from twisted_lab.proxy import Proxy
from twisted_lab.testing import HalfCloseSpy, Peer, Pull, Spy
from twisted_lab.transports.proxied import HeaderStage, ProxiedFactory
from twisted_lab.transports.proxied_stream import ProxiedStream, SecureProxiedStream
from twisted_lab.transports.proxy_header import HeaderParser
from twisted_lab.transports.proxy_waiting import Waiting
from twisted_lab.transports.tls import TLSConnection

CLIENT = "192.0.2.7:56324"
HEADER = line()
LIMIT = 5.0
UNKNOWN = b"PROXY UNKNOWN\r\n"


class ProxiedCase(StreamCase):
    """A service behind a balancer. :meth:`talk` connects; nothing is sent yet."""

    most = 100
    gates: tuple[Any, ...] = ()

    def behind_layer(self, factory: Any, *policies: Any, **options: Any) -> ProxiedFactory:
        super().behind_layer(factory, *policies, **options)
        self.waiting = Waiting(self.clock, LIMIT, self.gates, self.most)
        proxied = ProxiedFactory(self.layer, self.waiting, "127.0.0.1:9000", "tcp")
        proxied.secure = self.secure
        return proxied

    def begin(self, protocol: Any, data: bytes = HEADER, *policies: Any, **options: Any) -> Peer:
        """A connected peer that sent *data*; ``self.stream`` is there if that was enough."""
        peer = self.talk(protocol, *policies, **options)
        peer.send(data)
        self.network.pump()
        (self.stream,) = self.layer.streams or [None]  # type: ignore[list-item]
        return peer

    def closed(self) -> Any:
        self.waiting.stop()
        return super().closed()

    def refused(self) -> Any:
        """The one refused event, after which nothing is left."""
        (refused,) = self.seen.of("refused")
        self.assertEqual(self.waiting.stages(), ())
        self.assertEqual(self.layer.streams, set())
        self.waiting.stop()
        return refused


class ThroughTests(ProxiedCase):
    def test_versions(self) -> None:
        """Version 1 and 2, over IPv4 and IPv6: the peer is the client that the header names."""
        for header, client in (
            (line(), CLIENT),
            (inet(), CLIENT),
            (line("2001:db8::1", "::1"), "[2001:db8::1]:56324"),
            (inet(source="2001:db8::1", destination="::1"), "[2001:db8::1]:56324"),
            (unix(b"/run/client", b"/run/server"), "unix:/run/client"),
        ):
            self.setUp()
            spy = Spy(dataReceived=echo)
            peer = self.begin(spy, header)
            (accepted,) = self.seen.of("accepted")
            self.assertEqual((accepted.peer, accepted.local), (client, "127.0.0.1:9000"))
            ours = peer.transport.getHost()
            self.assertEqual(accepted.proxy, f"{ours.host}:{ours.port}")
            peer.send(b"hello")
            peer.fin()
            self.network.pump()
            self.assert_saw(peer, b"hello", "fin")
            self.assertEqual(self.closed().peer, client)

    def test_out_of_the_way(self) -> None:
        """Once the header is there, the transport's protocol is the stream itself."""
        spy = Spy()
        self.begin(spy)
        self.assertIs(spy.transport, self.stream)
        self.assertIs(self.stream.transport.protocol, self.stream)
        self.assertEqual(self.waiting.stages(), ())

    def test_in_one_segment(self) -> None:
        """Header, data and FIN in one go: nothing is lost, whoever knows of half-close."""
        for spy in (
            Spy(dataReceived=echo),
            HalfCloseSpy(dataReceived=echo, readConnectionLost=lose),
        ):
            for data in (b"", b"x", b"hello", MUCH):
                self.setUp()
                spy.calls.clear()
                peer = self.talk(spy)
                peer.send(HEADER + data)
                peer.fin()
                self.network.pump()
                self.assert_saw(peer, data, "fin")
                closed = self.closed()
                self.assertEqual(
                    (closed.reason, closed.bytes_in, closed.bytes_out),
                    ("peer-fin", len(data), len(data)),
                )
                self.assertEqual(spy.ends, [error.ConnectionDone])

    def test_same_turn(self) -> None:
        """What came behind the header is there in the same turn as the connection."""
        spy = Spy()
        peer = self.talk(spy)
        peer.send(HEADER + b"hello")
        while not spy.calls:
            self.network.turn()
        self.assertEqual(spy.calls, ["made", b"hello"])

    def test_every_cut(self) -> None:
        """However the header is cut, and with it what follows."""
        whole = inet(tlv(ALPN, b"x")) + b"ab"
        for at in range(1, len(whole)):
            self.setUp()
            spy = Spy()
            peer = self.begin(spy, whole[:at])
            peer.send(whole[at:])
            self.network.pump()
            self.assertEqual(spy.received, b"ab")

    def test_nothing_before(self) -> None:
        """Until the header is whole there is no protocol, no stream, and no event."""
        spy = Spy()
        self.begin(spy, HEADER[:-1])
        self.assertEqual((spy.calls, self.seen.events, self.stream), ([], [], None))

    def test_interfaces(self) -> None:
        """To its protocol it is a transport like others; below it stands a protocol."""
        self.begin(Spy())
        self.assertIsInstance(self.stream, ProxiedStream)
        for interface in (ITCPTransport, IHalfCloseableProtocol):
            verifyObject(interface, self.stream)
        stage = HeaderStage(self.behind_layer(None), IPv4Address("TCP", "127.0.0.1", 1))
        verifyObject(IHalfCloseableProtocol, stage)

    def test_server_first(self) -> None:
        """A server that speaks first speaks when the header is there, and not before."""
        spy = Spy(connectionMade=lambda spy: spy.transport.write(b"welcome"))
        peer = self.begin(spy, HEADER[:10])
        self.assertEqual(peer.received, b"")
        peer.send(HEADER[10:])
        self.network.pump()
        self.assertEqual(peer.received, b"welcome")

    def test_counts(self) -> None:
        """The header is not the protocol's data, and is not counted as such."""
        log = Log()
        self.begin(Spy(), HEADER + b"abc", log)
        self.assertEqual(self.stream.bytes_in, 3)
        self.assertIn(("received", 3), log.calls)

    def test_duration(self) -> None:
        """A connection is as old as when the balancer made it."""
        peer = self.begin(Spy(), HEADER[:3])
        self.network.advance(2)
        peer.send(HEADER[3:])
        peer.fin()
        self.network.pump()
        self.assertEqual(self.closed().duration, 2)

    def test_bug(self) -> None:
        """A protocol that raises in connectionMade or at its first bytes ends its own stream."""
        for acts in ({"connectionMade": fail}, {"dataReceived": fail}):
            self.setUp()
            self.begin(Spy(**acts), HEADER + b"x")
            self.assertEqual(self.closed().reason, "error")

    def test_ended_at_once(self) -> None:
        """A protocol that closes or aborts in connectionMade is not given what came early."""
        for act in ("loseConnection", "abortConnection"):
            self.setUp()
            spy = Spy(connectionMade=lambda spy, act=act: getattr(spy.transport, act)())
            self.begin(spy, HEADER + b"x")
            self.closed()
            self.assertEqual(spy.received, b"")

    def test_released_without_early(self) -> None:
        """A protocol that pauses when nothing came early resumes as any other."""
        spy = Spy(connectionMade=lambda spy: spy.transport.pauseProducing())
        peer = self.begin(spy)
        peer.send(b"later")
        spy.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.received, b"later")

    def test_back_pressure(self) -> None:
        """A peer that does not read stops our reading, as without a header."""
        peer = self.begin(Spy(dataReceived=echo))
        peer.transport.pauseProducing()
        for _ in range(4):
            peer.send(MUCH)
        self.network.pump()
        self.assertIn("paused", self.seen.names)
        self.assertLess(self.stream.bytes_in, 2 * len(MUCH))
        peer.transport.resumeProducing()
        peer.fin()
        self.network.pump()
        self.assert_saw(peer, MUCH * 4, "fin")

    def test_producer(self) -> None:
        """A pull producer registered in connectionMade gives all it has."""
        pieces = [b"a" * 1000, b"b" * 1000, b"c" * 1000]

        def produce(spy: Spy) -> None:
            spy.transport.registerProducer(Pull(spy.transport, pieces), False)

        peer = self.begin(Spy(connectionMade=produce), HEADER + b"x")
        peer.fin()
        self.network.pump()
        self.assert_saw(peer, b"".join(pieces), "fin")


class EarlyTests(ProxiedCase):
    """A protocol that wants no data yet is not given what came with the header."""

    def hold(self) -> tuple[Spy, Peer]:
        spy = Spy(connectionMade=lambda spy: spy.transport.pauseProducing())
        peer = self.begin(spy, HEADER + b"early")
        peer.send(b" late")
        peer.fin()
        self.network.pump()
        self.assertEqual(spy.calls, ["made"])
        return spy, peer

    def test_resumed(self) -> None:
        """When it resumes everything comes, in order, and then the FIN."""
        spy, _peer = self.hold()
        spy.transport.resumeProducing()
        self.assertEqual(spy.calls, ["made"], "not within the call that resumes")
        self.network.pump()
        self.assertEqual(spy.calls, ["made", b"early", b" late", error.ConnectionDone])

    def test_again(self) -> None:
        """When it changes its mind at once, nothing comes, and nothing is lost."""
        spy, _peer = self.hold()
        for _ in range(3):
            spy.transport.resumeProducing()
            spy.transport.pauseProducing()
        self.network.pump()
        self.assertEqual(spy.calls, ["made"])
        spy.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.received, b"early late")

    def test_gone(self) -> None:
        """When the stream is gone meanwhile, it is forgotten."""
        spy, _peer = self.hold()
        spy.transport.resumeProducing()
        spy.transport.abortConnection()
        self.network.pump()
        self.assertEqual(spy.received, b"")
        self.closed()

    def test_gone_in_the_turn_it_resumed(self) -> None:
        """What came early is not given to a protocol that was told of the end."""
        spy = Spy(connectionMade=lambda spy: spy.transport.pauseProducing())
        peer = self.begin(spy, HEADER + b"early")
        peer.reset()
        self.clock.callLater(0, spy.transport.resumeProducing)
        self.network.pump()
        self.assertEqual(spy.calls, ["made", error.ConnectionLost])
        self.closed()
        self.assertEqual(self.seen.names[-1], "closed")


class AddressTests(ProxiedCase):
    def facts(self, header: bytes) -> tuple[Any, Any, Proxy]:
        """The peer, the host, and the ``proxy`` of a stream that began with *header*."""
        spy = Spy()
        self.begin(spy, header)
        return spy.transport.getPeer(), spy.transport.getHost(), spy.transport.proxy

    def test_named(self) -> None:
        """The peer is the client; the host is the address that the client called."""
        peer, host, proxy = self.facts(inet(tlv(ALPN, b"h2")))
        self.assertEqual(peer, IPv4Address("TCP", "192.0.2.7", 56324))
        self.assertEqual(host, IPv4Address("TCP", "198.51.100.1", 443))
        self.assertEqual((proxy.header.version, proxy.header.tlvs.alpn), (2, b"h2"))
        self.assertTrue(proxy.balancer.startswith("127.0.0.1:"))

    def test_kinds(self) -> None:
        """Each family in Twisted's own words."""
        peer, host, _ = self.facts(line("2001:db8::1", "::1"))
        self.assertEqual(peer, IPv6Address("TCP", "2001:db8::1", 56324))
        self.assertEqual(host, IPv6Address("TCP", "::1", 443))
        self.setUp()
        peer, host, _ = self.facts(unix(b"/run/c", b""))
        self.assertEqual((peer, host), (UNIXAddress(b"/run/c"), UNIXAddress(None)))
        self.setUp()
        peer, _, _ = self.facts(binary(addresses(), INET_DGRAM))
        self.assertEqual(peer, IPv4Address("UDP", "192.0.2.7", 56324))

    def test_unnamed(self) -> None:
        """With LOCAL, UNKNOWN or an unspecified family the connection's own addresses count."""
        for header in (UNKNOWN, binary(addresses(), 0x11, LOCAL), binary(b"what", 0)):
            self.setUp()
            peer, host, proxy = self.facts(header)
            self.assertEqual((peer.host, host.port), ("127.0.0.1", 9000))
            self.assertIsNone(proxy.header.source)
            (accepted,) = self.seen.of("accepted")
            self.assertEqual((accepted.peer, accepted.proxy), (proxy.balancer, proxy.balancer))

    def test_wildcard(self) -> None:
        """On a listener for all addresses the event says which one of ours was called."""
        factory = self.behind_layer(Factory.forProtocol(Spy))
        factory.local = ""
        for header in (HEADER, b"x"):
            self.network.connect(Peer(), factory).send(header)
        self.network.pump()
        (accepted,), (refused,) = self.seen.of("accepted"), self.seen.of("refused")
        self.assertEqual({accepted.local, refused.local}, {"127.0.0.1:9000"})


class RefusedTests(ProxiedCase):
    def test_wrong(self) -> None:
        """What is no header ends the connection, and the event says in a sentence why."""
        spy = Spy()
        peer = self.begin(spy, b"GET / HTTP/1.1\r\n\r\n")
        self.assert_saw(peer, b"", "fin")
        refused = self.refused()
        ours = peer.transport.getHost()
        self.assertEqual(
            (refused.peer, refused.local), (f"127.0.0.1:{ours.port}", "127.0.0.1:9000")
        )
        self.assertEqual(refused.reason, "proxy")
        self.assertIn("'GET / HTTP/1.1\r\n\r\n' is not", refused.detail)
        self.assertEqual((spy.calls, self.flushLoggedErrors()), ([], []))

    def test_wrong_later(self) -> None:
        """What follows a wrong header is not read as another."""
        peer = self.talk(Spy())
        peer.send(b"PROXY TCP4 x x 1 1\r\n")
        while not self.seen.events:
            self.network.turn()
        peer.send(HEADER)
        self.network.pump()
        self.assertEqual(self.refused().reason, "proxy")

    def test_late_delivery(self) -> None:
        """A header that is delivered when the connection was refused already opens nothing."""
        peer = self.talk(Spy())
        (stage,) = self.waiting.stages()
        stage.dataReceived(HEADER[:7])
        stage.refuse("no more")
        stage.dataReceived(HEADER[7:])
        self.network.pump()
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(self.refused().detail, "no more")
        self.assertEqual(self.seen.names, ["refused"])

    def test_fin_before(self) -> None:
        """A FIN before the header is whole ends it."""
        for sent, said in ((b"", "without a PROXY header"), (HEADER[:7], "7 bytes into its PROXY")):
            self.setUp()
            peer = self.begin(Spy(), sent)
            peer.fin()
            self.network.pump()
            self.assertEqual(peer.end, "fin")
            self.assertIn(said, self.refused().detail)

    def test_reset_before(self) -> None:
        """So does an RST."""
        peer = self.begin(Spy(), HEADER[:7])
        peer.reset()
        self.network.pump()
        refused = self.refused()
        self.assertEqual(refused.reason, "proxy")
        self.assertIn("lost 7 bytes into", refused.detail)

    def test_silent(self) -> None:
        """Silence ends when its time is over; what dribbles in buys none."""
        peer = self.begin(Spy(), b"")
        for at in range(4):
            self.network.advance(1)
            peer.send(HEADER[at : at + 1])
        self.network.advance(0.9)
        self.assertIsNone(peer.end)
        self.network.advance(0.2)
        self.assertEqual(peer.end, "fin")
        self.assertIn("within 5 s", self.refused().detail)
        self.assertEqual(self.clock.calls, [])

    def test_over_long(self) -> None:
        """A header that has no end is refused at its bound."""
        peer = self.begin(Spy(), b"PROXY UNKNOWN " + b"x" * 100)
        self.assert_saw(peer, b"", "fin")
        self.assertIn("107", self.refused().detail)

    def test_not_reported_twice(self) -> None:
        """One connection is one event, however it ends after it was refused."""
        peer = self.talk(Spy())
        peer.send(b"x")
        peer.reset()
        self.network.pump()
        self.refused()

    def test_reported_as_fin(self) -> None:
        """Where Twisted tells of a FIN and the kernel of an RST, it is the RST."""
        peer = self.begin(Spy(), HEADER[:3])
        self.patch(kernel, "was_reset", lambda sock: True)
        peer.fin()
        self.network.pump()
        self.assertIn("lost 3 bytes into", self.refused().detail)

    def test_fin_after(self) -> None:
        """A FIN, or its time, that comes once it was refused says nothing more."""
        peer = self.talk(Spy())
        peer.send(b"x")
        while not self.seen.events:
            self.network.turn()
        (stage,) = self.waiting.stages()
        self.clock.advance(LIMIT)
        stage.readConnectionLost()
        stage.writeConnectionLost()
        self.network.pump()
        self.refused()


class GateTests(ProxiedCase):
    def test_named(self) -> None:
        """Gates are asked about the client, when it is named, and told when it is gone."""
        hosts: list[tuple[str, str]] = []

        class Gate:
            admit = staticmethod(lambda host: hosts.append(("admit", host.key)))
            entered = staticmethod(lambda host: hosts.append(("entered", host.key)))
            left = staticmethod(lambda host: hosts.append(("left", host.key)))

        peer = self.begin(Spy(), HEADER[:5], Gate())
        self.assertEqual(hosts, [])
        peer.send(HEADER[5:])
        peer.fin()
        self.network.pump()
        names = "admit entered left".split()
        self.assertEqual(hosts, [(name, "192.0.2.7") for name in names])

    def test_at_accept(self) -> None:
        """One that acts at accept is asked about the balancer, and only then."""
        asked = []

        class Gate:
            at_accept = True

            def admit(self, host: Any) -> None:
                asked.append(host.key)

        self.begin(Spy(), HEADER, Gate())
        self.assertEqual(asked, ["127.0.0.1"])

    def test_refused_at_accept(self) -> None:
        """When it says no the connection is closed before a header is read."""

        class Full(Log):
            at_accept = True

        peer = self.talk(Spy(), Full("full", refuses=True))
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(self.refused().reason, "full")

    def test_per_peer(self) -> None:
        """The limit of a peer counts each client by itself, not their balancer."""
        factory = self.behind_layer(Factory.forProtocol(Spy), MaxPerPeer(2, spares_loopback=False))
        peers = []
        for client in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"):
            peers.append(self.network.connect(Peer(), factory))
            peers[-1].send(line(client))
        self.network.pump()
        self.assertEqual([peer.end for peer in peers], [None, None, "fin", None, None])
        (refused,) = self.seen.of("refused")
        self.assertEqual(refused.reason, "max-per-peer")
        self.assertEqual(refused.peer, "192.0.2.1:56324")
        ours = peers[2].transport.getHost()
        self.assertEqual(refused.proxy, f"127.0.0.1:{ours.port}")
        self.assertEqual(self.waiting.stages(), ())

    def test_line(self) -> None:
        """A service of lines says why it refuses the client; what came with the header is lost."""
        peer = self.begin(Spy(), HEADER + b"hello", Log("gate", refuses=True), lines=True)
        peer.close()
        self.network.pump()
        self.assertEqual(peer.received, b"gate says no\r\n")
        self.assertEqual(self.refused().reason, "gate")
        self.assertEqual(self.clock.calls, [])

    def test_not_believed(self) -> None:
        """A balancer that is not believed is closed at once, without a line, and it is said."""
        self.gates = (lambda host: Refusal("proxy-from", f"{host.key} is not believed"),)
        peer = self.talk(Spy(), lines=True)
        self.assert_saw(peer, b"", "fin")
        refused = self.refused()
        self.assertEqual(
            (refused.reason, refused.detail), ("proxy-from", "127.0.0.1 is not believed")
        )

    def test_too_many(self) -> None:
        """Only so many headers may be unfinished at once; one that is finished makes room."""
        self.most = 2
        factory = self.behind_layer(Factory.forProtocol(Spy))
        first, _second, third = (self.network.connect(Peer(), factory) for _ in range(3))
        self.network.pump()
        self.assertEqual(third.end, "fin")
        (refused,) = self.seen.of("refused")
        self.assertEqual(
            (refused.reason, refused.detail), ("proxy", "too many unfinished PROXY headers")
        )
        first.send(HEADER)
        self.network.pump()
        fourth = self.network.connect(Peer(), factory)
        self.network.pump()
        self.assertIsNone(fourth.end)


class WaitingTests(ProxiedCase):
    def test_each_its_time(self) -> None:
        """Each connection has its own time, with one alarm for all."""
        factory = self.behind_layer(Factory.forProtocol(Spy))
        peers = []
        for _ in range(4):
            peers.append(self.network.connect(Peer(), factory))
            self.network.advance(1)
        self.assertEqual(len(self.clock.calls), 1)
        for ended in range(1, 5):
            self.network.advance(1.001)
            self.assertEqual([peer.end for peer in peers].count("fin"), ended)
        self.assertEqual(self.clock.calls, [])

    def test_finished_before(self) -> None:
        """A header in time leaves at most one alarm, which does nothing."""
        self.begin(Spy())
        self.network.advance(LIMIT)
        self.assertEqual(self.seen.of("refused"), [])

    def test_stop(self) -> None:
        """After a stop no alarm is left."""
        peer = self.begin(Spy(), b"")
        self.waiting.stop()
        self.assertEqual(len(self.clock.calls), 1)
        peer.reset()
        self.network.pump()
        self.waiting.stop()
        self.waiting.stop()
        self.assertEqual(self.clock.calls, [])


class RenewTests(ProxiedCase):
    def test_limit(self) -> None:
        """Another limit holds for who waits already: at once where its time is up, else then."""
        self.talk(Spy())
        self.network.advance(2)
        for limit, passed in ((4.0, 1.9), (60.0, 50.0)):
            self.waiting.renew(limit, ())
            self.network.advance(passed)
            self.assertEqual(len(self.waiting.stages()), 1)
        self.waiting.renew(10.0, ())
        self.network.advance(0.01)
        self.assertEqual(self.refused().detail, "no complete PROXY header within 10 s")

    def test_gates(self) -> None:
        """Other gates hold for balancers that come now; who waits already stays."""
        spy = Spy()
        peer = self.talk(spy)
        self.waiting.renew(LIMIT, (lambda host: Refusal("proxy-from", ""),))
        peer.send(HEADER + b"hello")
        self.network.pump()
        self.assertEqual(spy.received, b"hello")
        self.assertEqual(self.waiting.admit(UNIX_HOST), Refusal("proxy-from", ""))
        peer.close()
        self.network.pump()
        self.closed()

    def test_limits_above(self) -> None:
        """Whom a header named is counted, by that name, under limits that come later."""
        peer = self.begin(Spy())
        self.layer.use([MaxPerPeer(1)])
        enter = self.layer.gates.enter
        self.assertIsNotNone(enter(host("192.0.2.7"), named=True))
        self.assertIsNone(enter(host("192.0.2.8"), named=True))
        peer.close()
        self.network.pump()
        self.assertIsNone(enter(host("192.0.2.7"), named=True))
        self.closed()


class StopTests(ProxiedCase):
    def drain(self, limit: float = 5.0) -> list[Any]:
        done: list[Any] = []

        def connections() -> tuple[Any, ...]:
            return (*self.layer.streams, *self.waiting.stages())

        Drain(self.clock, connections, limit).start().addCallback(done.append)
        return done

    def test_silent(self) -> None:
        """A stop ends who is silent, and says so."""
        peer = self.begin(Spy(), HEADER[:4])
        done = self.drain()
        self.network.advance(QUIET + 0.2)
        self.assertEqual((peer.end, done), ("fin", [None]))
        self.assertEqual(self.refused().detail, "the server stops, 4 bytes into its PROXY header")

    def test_header_meanwhile(self) -> None:
        """A header that comes during the stop is served."""
        spy = Spy(dataReceived=echo)
        peer = self.begin(spy, HEADER[:4])
        done = self.drain()
        self.network.advance(QUIET / 2)
        peer.send(HEADER[4:] + b"hello")
        peer.fin()
        self.network.advance(0.2)
        self.assert_saw(peer, b"hello", "fin")
        self.assertEqual(done, [None])

    def test_at_once(self) -> None:
        """A stop without time resets who is silent, and says so once."""
        peer = self.begin(Spy(), b"")
        done = self.drain(0)
        self.network.advance(0.1)
        self.assertEqual((peer.end, done), ("reset", [None]))
        self.assertEqual(self.refused().detail, "drain, without a PROXY header")

    def test_twice(self) -> None:
        """One that is ending already is not refused again."""
        self.begin(Spy(), b"")
        (stage,) = self.waiting.stages()
        stage.end("drain")  # type: ignore[arg-type]
        stage.end("drain")  # type: ignore[arg-type]
        stage.abort("drain")  # type: ignore[arg-type]
        self.network.pump()
        self.refused()


class SecureTests(ProxiedCase):
    """The header comes in the clear, and TLS after it."""

    def setUp(self) -> None:
        super().setUp()
        self.secure = lambda stream: TLSConnection(CONTEXT, self.clock, stream)
        self.before = HEADER

    def make_peer(self) -> Peer:
        before = self.before

        class Proxied(TlsPeer):
            def flush(self) -> None:
                nonlocal before
                self.transport.write(before + self._out.read())
                before = b""

        return Proxied()

    def test_hello_with_the_header(self) -> None:
        """Header and ClientHello in one segment: the handshake is done, and data goes both ways."""
        spy = Spy(dataReceived=echo)
        peer: Any = self.talk(spy)
        self.assertTrue(peer.handshaken)
        self.assertIsInstance(spy.transport, SecureProxiedStream)
        verifyObject(ISSLTransport, spy.transport)
        self.assertEqual(spy.transport.getPeer(), IPv4Address("TCP", "192.0.2.7", 56324))
        self.assertIs(spy.transport.lowest.protocol, spy.transport.transport)
        self.assertEqual(self.seen.names, ["accepted", "tls"])
        peer.say(MUCH)
        peer.notify()
        peer.fin()
        self.network.pump()
        self.assert_bytes(peer.plain, MUCH)
        self.assertTrue(peer.notified)
        self.assertEqual(self.closed().reason, "peer-fin")

    def test_ended_at_once(self) -> None:
        """Of a stream that a policy ends as it opens, TLS failed for that reason and no other."""

        class Never:
            def opened(self, stream: Any) -> None:
                stream.end(CloseReason.LIMIT, "never")

        self.before = HEADER + b"no TLS"
        peer = self.talk(Spy(), Never())
        self.assert_saw(peer, b"", "fin")
        self.assertEqual([tls.error for tls in self.seen.of("tls")], ["never"])
        self.assertEqual(self.closed().reason, "limit")

    def test_one_time_for_both(self) -> None:
        """Header and handshake have their time together."""
        self.before = b""
        self.make_peer = Peer  # type: ignore[method-assign, assignment]
        peer = self.talk(Spy(), Handshake(LIMIT))
        self.network.advance(3)
        peer.send(HEADER)
        self.network.advance(1.9)
        self.assertIsNone(peer.end)
        self.network.advance(0.2)
        self.assertEqual(peer.end, "fin")
        closed = self.closed()
        self.assertEqual(closed.reason, "handshake")
        self.assertAlmostEqual(closed.duration, LIMIT, delta=0.1)

    def test_refused(self) -> None:
        """A client that a gate refuses is closed before TLS, without a byte."""
        peer = self.talk(Spy(), Log("gate", refuses=True), lines=True)
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(self.refused().reason, "gate")

    def test_header_missing(self) -> None:
        """A ClientHello where the header should be is no header."""
        self.before = b""
        peer = self.talk(Spy())
        self.assertIsNotNone(peer.end)
        self.assertIn("'\x16\x03", self.refused().detail)

    def test_header_within(self) -> None:
        """A header within TLS is the protocol's data, whoever sent it."""
        spy = Spy()
        peer: Any = self.talk(spy)
        peer.say(HEADER)
        self.network.pump()
        self.assertEqual(spy.received, HEADER)


class WithoutTests(StreamCase):
    """Where no header is expected."""

    def test_proxy(self) -> None:
        """A stream that came itself has no proxy."""
        spy = Spy()
        self.talk(spy)
        self.assertIsNone(spy.transport.proxy)
        self.assertIsNone(self.seen.of("accepted")[0].proxy)

    def test_gate_at_accept(self) -> None:
        """A gate that acts at accept acts with the others, in its order."""

        class First(Log):
            at_accept = True

        first, second = First("a", refuses=True), Log("b")
        self.talk(Spy(), first, second)
        self.assertEqual((first.calls, second.calls), (["admit"], []))


class ParserTests(ProxiedCase):
    def test_held(self) -> None:
        """A connection that waits holds no more than the parser does."""
        self.begin(Spy(), HEADER[:9])
        (stage,) = self.waiting.stages()
        self.assertEqual(stage.progress(), (9,))
        self.assertEqual(HeaderParser().held, 0)

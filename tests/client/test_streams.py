"""Streams that we make say what happened to them, as those we accept do."""

from __future__ import annotations

import datetime
from typing import Any

import trustme
from OpenSSL import SSL
from twisted.internet.address import UNIXAddress
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, trustRootFromCertificates

from tests.client.connected import ADDRESS, ClientCase
from tests.streams import MUCH, StreamCase, echo, half_close
from twisted_lab.client.streams import Attempt
from twisted_lab.client.trust import Trust
from twisted_lab.layer import StreamFactory
from twisted_lab.testing import HalfCloseSpy, Peer, Spy
from twisted_lab.transports.tls import TLSConnection


class ClientStreamTests(ClientCase):
    def test_connected(self) -> None:
        """The first event of a stream of ours is connected, not accepted, with both addresses."""
        attempt = self.attempt(Spy())
        self.clock.advance(0.25)
        self.network.pair(attempt.buildProtocol(ADDRESS), Peer())
        (event,) = self.seen.events
        self.assertEqual(
            (event.event, event.peer, event.transport), ("connected", "127.0.0.1:9000", "tcp")
        )
        self.assertEqual((event.connection, event.duration), ("c1", 0.25))
        self.assertRegex(event.local, r"^127\.0\.0\.1:\d+$")

    def test_unix(self) -> None:
        """The peer of a UNIX socket is its path."""
        stream = self.attempt(Spy(), "unix").buildProtocol(UNIXAddress(b"/run/s"))
        self.assertEqual((stream.peer, stream.host.key), ("unix:/run/s", "unix"))

    def test_half_close(self) -> None:
        """Our FIN first, then all that the peer has to say, then its FIN: an end in order."""
        spy = HalfCloseSpy(connectionMade=half_close)
        peer = self.connect(spy)
        self.assertEqual(peer.end, "fin")
        peer.send(MUCH)
        peer.fin()
        self.network.pump()
        self.assert_bytes(spy.received, MUCH)
        self.assertEqual(self.seen.of("closed")[0].reason, "local")
        self.assertEqual(self.notes(), [])

    def test_reset(self) -> None:
        """RST is the end's reason when it comes first."""
        self.connect(Spy()).reset()
        self.network.pump()
        self.assertEqual(self.seen.of("closed")[0].reason, "reset")
        self.assertEqual(self.notes(), [])

    def test_reset_after_our_fin(self) -> None:
        """RST after our FIN: we ended it first, and what was to come is lost; both are told."""
        self.connect(HalfCloseSpy(connectionMade=half_close)).reset()
        self.network.pump()
        self.assertEqual(self.seen.of("closed")[0].reason, "local")
        self.assertEqual(self.notes(), ["reset"])

    def test_reset_after_its_fin(self) -> None:
        """A peer that sends FIN, and RST to what we send on, has lost that: it is told."""
        spy = HalfCloseSpy()
        peer = self.connect(spy)
        peer.fin()
        self.network.pump()
        peer.reset()
        spy.transport.write(b"more")
        self.network.pump()
        self.assertEqual(self.seen.of("closed")[0].reason, "peer-fin")
        self.assertEqual(self.notes(), ["reset"])

    def test_not_taken(self) -> None:
        """A close that the peer does not let end is aborted, and that the rest is lost is told."""
        spy = Spy()
        peer = self.connect(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseConnection()
        self.network.advance(20)
        self.assertEqual(self.seen.of("closed")[0].reason, "local")
        self.assertEqual(self.notes(), ["unsent"])


NOW = datetime.datetime.now(datetime.UTC)


class SecureClientTests(StreamCase):
    """Both ends in memory: ours, and a service behind TLS with a certificate of our authority."""

    def setUp(self) -> None:
        super().setUp()
        self.authority = trustme.CA()
        self.spy = HalfCloseSpy()

    def trust(self, name: str, authority: Any = None) -> Trust:
        pem = (authority or self.authority).cert_pem.bytes()
        return Trust(name, trustRootFromCertificates([Certificate.loadPEM(pem)]))

    def handshake(self, trust: Trust, *names: str, **issued: Any) -> None:
        """Connect to a service that has a certificate for *names*."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.authority.issue_cert(*names, **issued).configure_cert(context)
        self.secure = lambda stream: TLSConnection(context, self.clock, stream)
        self.server = HalfCloseSpy(dataReceived=echo)
        factory = self.behind_layer(Factory.forProtocol(lambda: self.server))
        attempt = Attempt(self.layer, self.spy, "tls", trust)
        self.network.connect(attempt.buildProtocol(ADDRESS), factory)
        self.network.pump()
        (self.connected,) = self.seen.of("connected")
        (self.tls,) = [t for t in self.seen.of("tls") if t.connection == self.connected.connection]

    def assert_refused(self, why: str) -> None:
        self.network.advance(5)
        self.assertEqual(self.tls.error, why)
        (closed,) = [
            end for end in self.seen.of("closed") if end.connection == self.connected.connection
        ]
        self.assertEqual((closed.reason, closed.detail), ("handshake", why))
        self.assertEqual(self.spy.calls, [])
        self.assertEqual(self.server.calls, [])

    def test_good(self) -> None:
        """A certificate for the name we asked for, of an authority we trust: the talk begins."""
        self.handshake(self.trust("a.example"), "a.example")
        self.assertEqual(
            (self.tls.error, self.tls.sni, self.tls.version), (None, "a.example", "TLSv1.3")
        )
        self.assertIn("trustme", self.tls.peer_certificate)
        self.spy.transport.write(b"hello")
        self.network.pump()
        self.assertEqual(self.spy.received, b"hello")

    def test_addresses(self) -> None:
        """An IP address is verified too, and asked for by no name; an IPv6 one with its scope."""
        for name, certified in (
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("fe80::1%lo", "fe80::1"),
        ):
            self.setUp()
            self.handshake(self.trust(name), certified)
            self.assertEqual((self.tls.error, self.tls.sni), (None, None))

    def test_wildcard(self) -> None:
        """A wildcard stands for one label."""
        self.handshake(self.trust("www.a.example"), "*.a.example")
        self.assertIsNone(self.tls.error)

    def test_idn(self) -> None:
        """A name beyond ASCII is asked for as DNS has it."""
        self.handshake(self.trust("bücher.example"), "xn--bcher-kva.example")
        self.assertEqual((self.tls.error, self.tls.sni), (None, "xn--bcher-kva.example"))

    def test_wrong_name(self) -> None:
        """A certificate for another name or address is refused, naming whom we asked for."""
        for name, certified in (
            ("b.example", "a.example"),
            ("a.b.a.example", "*.a.example"),
            ("127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "localhost"),
        ):
            self.setUp()
            self.handshake(self.trust(name), certified)
            self.assert_refused(f"the certificate is not for {name}")

    def test_expired(self) -> None:
        """An expired certificate is refused as that, and so is one of tomorrow."""
        day = datetime.timedelta(days=1)
        self.handshake(self.trust("a.example"), "a.example", not_after=NOW - day)
        self.assert_refused("the certificate has expired")
        self.setUp()
        times = {"not_before": NOW + day, "not_after": NOW + 2 * day}
        self.handshake(self.trust("a.example"), "a.example", **times)
        self.assert_refused("the certificate is not valid yet")

    def test_stranger(self) -> None:
        """A certificate of an authority we do not trust is refused, however good its name."""
        self.handshake(self.trust("a.example", trustme.CA()), "a.example")
        self.assertIn("authority we do not trust", self.tls.error)
        self.assert_refused(self.tls.error)

    def test_insecure(self) -> None:
        """Asked to, we take any certificate, and still say whose it is and ask for the name."""
        day = datetime.timedelta(days=1)
        self.handshake(Trust("b.example", None), "a.example", not_after=NOW - day)
        self.assertEqual((self.tls.error, self.tls.sni), (None, "b.example"))
        self.assertIn("trustme", self.tls.peer_certificate)

    def test_half_close(self) -> None:
        """Our close_notify, then all the peer has to say, then its own: nothing is lost."""
        self.handshake(self.trust("a.example"), "a.example")
        self.spy.transport.write(MUCH)
        self.spy.transport.loseWriteConnection()
        self.network.pump()
        self.server.transport.loseConnection()
        self.network.advance(5)
        self.assert_bytes(self.spy.received, MUCH)
        self.assertEqual(self.seen.of("note"), [])

    def cut(self) -> list[str]:
        """The server's socket is closed below its TLS; the notes on our side."""
        self.server.transport.lowest.loseConnection()
        self.network.advance(5)
        return [note.kind for note in self.seen.of("note")]

    def test_truncated(self) -> None:
        """FIN without close_notify is the reason of the end when it comes first."""
        self.handshake(self.trust("a.example"), "a.example")
        self.assertEqual(self.cut(), [])
        self.assertIn("truncated", [end.reason for end in self.seen.of("closed")])

    def test_truncated_after_ours(self) -> None:
        """After our own close_notify it is told: what was meant to come may be cut."""
        self.handshake(self.trust("a.example"), "a.example")
        self.spy.transport.loseWriteConnection()
        self.network.pump()
        self.assertEqual(self.cut(), ["truncated"])

    def test_no_tls(self) -> None:
        """A peer that does not speak TLS is no one we talk to, and why is said."""
        spy = Spy(connectionMade=lambda spy: spy.transport.write(b"220 hello, this is no TLS\r\n"))
        self.secure = None
        factory: StreamFactory = self.behind_layer(Factory.forProtocol(lambda: spy))
        attempt = Attempt(self.layer, self.spy, "tls", self.trust("a.example"))
        self.network.connect(attempt.buildProtocol(ADDRESS), factory)
        self.network.advance(5)
        (tls,) = self.seen.of("tls")
        self.assertIn("wrong version number", tls.error)
        self.assertEqual(self.spy.calls, [])

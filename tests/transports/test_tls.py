"""TLS loses nothing at close_notify, ends in time, and says what came of the handshake."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import trustme
from cryptography import x509
from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    INegotiated,
    ISSLTransport,
    ISystemHandle,
    ITCPTransport,
)
from zope.interface.verify import verifyObject

from tests.streams import MUCH, StreamCase, abort, echo, fail, half_close, lose
from tests.transports.tls_peer import (
    VERSIONS,
    TlsPeer,
    certificate_words,
    client_context,
    outdated_context,
    record,
)
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import GRACE, LINGER
from twisted_lab.testing import HalfCloseSpy, Peer, Push, Spy
from twisted_lab.transports.certificates import make_certificate, server_context
from twisted_lab.transports.tls import CLOSE_NOTIFY_WAIT, TLSConnection
from twisted_lab.wrapping import SecureStream

CONTEXT = server_context(make_certificate())


class TlsCase(StreamCase):
    """A service over TLS; :meth:`talk` returns a client whose handshake is done."""

    server_context = CONTEXT
    peer: Callable[[], Peer]

    def setUp(self) -> None:
        super().setUp()
        self.peer = TlsPeer
        self.secure = lambda stream: TLSConnection(self.server_context, self.clock, stream)

    def make_peer(self) -> Peer:
        return self.peer()

    def talk(self, *arguments: Any, **options: Any) -> Any:
        return super().talk(*arguments, **options)

    def of_version(self, version: str) -> None:
        """Begin anew; the client speaks only *version*."""
        TlsCase.setUp(self)
        self.peer = lambda: TlsPeer(client_context(version))

    def assert_heard(self, peer: TlsPeer, data: bytes, *, end: str | None = "fin") -> None:
        """*peer* was told *data* and then close_notify; TCP's *end* came after it."""
        self.assertIsNone(peer.error)
        self.assert_bytes(peer.plain, data)
        self.assertEqual((peer.notified, peer.end), (True, end))


class InterfaceTests(TlsCase):
    def test_interfaces(self) -> None:
        """To its protocol a secure stream is a TLS transport; below it stands a protocol."""
        peer = self.talk(Spy())
        self.assertTrue(peer.handshaken)
        stream = self.stream
        self.assertIsInstance(stream, SecureStream)
        self.assertTrue(stream.secure)
        for interface in (ISSLTransport, ITCPTransport, IHalfCloseableProtocol):
            verifyObject(interface, stream)
        connection = stream.transport
        for interface in (IHalfCloseableProtocol, ISystemHandle, INegotiated):
            verifyObject(interface, connection, tentative=True)

    def test_the_transports_own(self) -> None:
        """What TLS has no say in is TCP's; the socket is at the bottom."""
        self.talk(Spy())
        connection = self.stream.transport
        connection.setTcpNoDelay(True)
        self.assertTrue(connection.transport.getTcpNoDelay())
        self.assertIs(self.stream.lowest, connection.transport)
        self.assertEqual(self.stream.getHost().port, 9000)
        self.assertRaises(AttributeError, getattr, connection, "_no_such_thing")
        self.assertIsInstance(connection.getHandle(), SSL.Connection)

    def test_without_a_transport(self) -> None:
        """Before it is connected it says so plainly."""
        factory = self.behind_layer(None)
        stream = SecureStream(self.layer, Spy(), None, None, "", "tls")  # type: ignore[arg-type]
        self.assertRaises(AttributeError, getattr, factory.secure(stream), "getPeer")  # type: ignore[misc]


class HandshakeTests(TlsCase):
    def test_facts(self) -> None:
        """The ``tls`` event says version, cipher and the name the client asked for."""
        for version in VERSIONS:
            self.setUp()
            self.peer = lambda version=version: TlsPeer(client_context(version), "example.org")
            peer = self.talk(Spy())
            (tls,) = self.seen.of("tls")
            self.assertEqual((tls.version, tls.sni, tls.connection), (version, "example.org", "c1"))
            self.assertEqual(tls.cipher, peer.tls.cipher()[0])
            self.assertEqual((tls.alpn, tls.peer_certificate, tls.error), (None, None, None))
            self.assertEqual(self.seen.names, ["accepted", "tls"])

    def test_application_protocol(self) -> None:
        """What a client offers by ALPN (RFC 7301) is chosen from what is spoken, or left aside."""
        for spoken, chosen in (((), None), ((b"h2",), "h2"), ((b"x", b"http/1.1"), "http/1.1")):
            self.setUp()
            self.secure = lambda stream, spoken=spoken: TLSConnection(
                self.server_context, self.clock, stream, spoken
            )
            context = client_context()
            context.set_alpn_protocols(["http/1.1", "h2"])
            self.peer = lambda context=context: TlsPeer(context)
            peer = self.talk(Spy())
            self.assertTrue(peer.handshaken)
            self.assertEqual(peer.tls.selected_alpn_protocol(), chosen)
            (tls,) = self.seen.of("tls")
            self.assertEqual((tls.alpn, tls.error), (chosen, None))

    def test_no_name(self) -> None:
        """A client need not ask for a name."""
        self.talk(Spy())
        (tls,) = self.seen.of("tls")
        self.assertIsNone(tls.sni)
        self.assertIsNone(self.stream.getPeerCertificate())
        self.assertIsNone(self.stream.negotiatedProtocol)

    def test_alpn(self) -> None:
        """The application protocol agreed on is known to the event and to the protocol."""
        context = server_context(make_certificate())
        context.set_alpn_select_callback(lambda connection, offered: offered[-1])
        self.server_context = context
        client = client_context()
        client.set_alpn_protocols(["h2", "echo/1"])
        self.peer = lambda: TlsPeer(client)
        self.talk(Spy())
        self.assertEqual(self.seen.of("tls")[0].alpn, "echo/1")
        self.assertEqual(self.stream.negotiatedProtocol, b"echo/1")

    def test_dribbled(self) -> None:
        """A handshake that comes byte by byte is as good as another."""
        dribbling = self.talk(Spy(dataReceived=echo), HalfRead(1))
        self.assertTrue(dribbling.handshaken)
        dribbling.say(b"hello")
        self.network.pump()
        self.assertEqual(dribbling.plain, b"hello")

    def test_nothing_before_it(self) -> None:
        """The protocol hears nothing, and nothing is sent for it, until the handshake is done."""
        spy = HalfCloseSpy(connectionMade=lambda spy: spy.transport.write(b"greeting"))
        hello: list[bytes] = []
        self.peer = lambda: Sealed(hello)
        peer = self.talk(spy)
        self.network.advance(60)
        self.assertEqual((spy.calls, peer.received), ([], b""))
        self.assertFalse(self.stream.established)
        self.stream.tell("closing")
        peer.send(hello[0])
        self.network.pump()
        self.assertEqual(spy.calls, [])

    def test_ended_as_it_is_done(self) -> None:
        """Who is ended for what the handshake came to, is not connected to the protocol."""

        def no_example(event: Any) -> None:
            if event.event == "tls" and event.sni == "example.org":
                (stream,) = self.layer.streams
                stream.end(CloseReason.LIMIT, "not for example.org")

        self.publisher.add(no_example)
        self.peer = lambda: TlsPeer(name="example.org")
        spy = Spy()
        peer = self.talk(spy)
        peer.fin()
        self.network.pump()
        self.assertEqual(spy.calls, [])
        self.assertEqual((peer.notified, self.closed().detail), (True, "not for example.org"))

    def test_data_with_the_handshake(self) -> None:
        """What the client sends behind its Finished is not lost."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy(dataReceived=echo)
            self.peer = lambda version=version: Eager(client_context(version), b"at once")
            peer = self.talk(spy)
            self.network.pump()
            self.assertEqual(spy.received, b"at once")
            self.assert_heard(peer, b"at once")
            self.assert_ended("peer-fin", spy)


class Sealed(TlsPeer):
    """A client that keeps its first message for the test."""

    def __init__(self, hello: list[bytes]) -> None:
        super().__init__()
        self._hello = hello

    def flush(self) -> None:
        self._hello.append(self._out.read())


class Eager(TlsPeer):
    """A client that sends *data* and close_notify with the last message of its handshake."""

    def __init__(self, context: ssl.SSLContext, data: bytes) -> None:
        super().__init__(context)
        self._data = data

    def flush(self) -> None:
        if self.handshaken and self._data:
            data, self._data = self._data, b""
            self.tls.write(data)
            self.notify()
        else:
            super().flush()


class HalfRead:
    """A policy that makes every read small."""

    def __init__(self, size: int) -> None:
        self._size = size

    def opened(self, stream: Any) -> None:
        stream.limit_reads(self._size)


class FailedHandshakeTests(TlsCase):
    def failed(self, spy: Spy) -> str:
        """Why it failed: the protocol heard nothing, and there is one end, called handshake."""
        self.network.pump()
        self.assertEqual(spy.calls, [])
        (tls,) = self.seen.of("tls")
        self.assertIsNone(tls.version)
        closed = self.closed()
        self.assertEqual((closed.reason, closed.detail), ("handshake", tls.error))
        return str(tls.error)

    def test_garbage(self) -> None:
        """What is not TLS is answered by an alert and closed (T02)."""
        for garbage in (
            b"GET / HTTP/1.0\r\n\r\n",
            b"\0" * 1000,
            bytes(range(255, 0, -1)),
            record(22, b"\1\0\0\4junk"),
        ):
            self.setUp()
            self.peer = Peer
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            peer.send(garbage)
            self.network.pump()
            self.assertEqual(peer.end, "fin", garbage)
            self.assertNotEqual(self.failed(spy), "")

    def test_an_http_request(self) -> None:
        """OpenSSL's own word for the commonest mistake reaches the record."""
        self.peer = Peer
        spy = Spy()
        self.talk(spy).send(b"GET / HTTP/1.0\r\n\r\n")
        self.network.pump()
        self.assertEqual(self.failed(spy), "http request")

    def test_fin(self) -> None:
        """A FIN in the handshake, or instead of it, ends it."""
        for before in (b"", b"\x16\x03\x01\x02"):
            self.setUp()
            self.peer = Peer
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            peer.send(before)
            peer.fin()
            self.assertEqual(self.failed(spy), "connection closed during the handshake")
            self.assertEqual(peer.end, "fin")

    def test_reset(self) -> None:
        """An RST in the handshake ends it."""
        self.peer = Peer
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.send(b"\x16\x03\x01\x02")
        self.network.pump()
        peer.reset()
        self.assertEqual(self.failed(spy), "connection lost during the handshake")

    def test_outdated(self) -> None:
        """TLS 1.0 and 1.1 are refused, and the client is told why (T01)."""
        self.peer = lambda: TlsPeer(outdated_context())
        spy = Spy()
        peer = self.talk(spy)
        self.assertIn("protocol", self.failed(spy))
        assert peer.error is not None
        self.assertIn("protocol", str(peer.error).lower())

    def test_client_does_not_trust_us(self) -> None:
        """A client that does not know our certificate says so, and so do we."""
        for version in VERSIONS:
            self.of_version(version)
            context = client_context(version)
            context.verify_mode = ssl.CERT_REQUIRED
            self.peer = lambda context=context: TlsPeer(context)
            spy = Spy()
            peer = self.talk(spy)
            peer.fin()
            self.assertIn("unknown ca", self.failed(spy))

    def test_out_of_time(self) -> None:
        """A handshake given up by a policy has failed as well, and says so."""

        class Impatient:
            def check(self, stream: Any, now: float) -> float:
                if now >= 5:
                    stream.end(CloseReason.HANDSHAKE, "no TLS handshake within 5 s")
                return 5.0

        self.peer = Peer
        spy = Spy()
        peer = self.talk(spy, Impatient())
        self.network.advance(5.1)
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.failed(spy), "no TLS handshake within 5 s")

    def test_aborted(self) -> None:
        """It may be aborted, too."""
        self.peer = Peer
        spy = Spy()
        peer = self.talk(spy)
        self.stream.abort(CloseReason.DRAIN)
        self.network.pump()
        self.assertEqual((peer.end, spy.calls), ("reset", []))
        self.assertEqual(self.closed().reason, "drain")

    def test_peer_that_does_not_read(self) -> None:
        """A client that does not read its alert is gone after the grace."""
        self.network.capacity = 4
        self.peer = Peer
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        for byte in b"GET / HTTP":
            peer.send(bytes([byte]))
            self.network.pump()
        self.network.advance(GRACE + 1.1)
        self.failed(spy)


class ClientCertificateTests(TlsCase):
    def setUp(self) -> None:
        super().setUp()
        ca = trustme.CA()
        with ca.cert_pem.tempfile() as path:
            self.server_context = server_context(make_certificate(), path)
        self.identity = ca.issue_cert("somebody@example.org")

    def test_shown(self) -> None:
        """A required client certificate is in the event, and the protocol's to look at."""
        context = client_context()
        self.identity.configure_cert(context)
        self.peer = lambda: TlsPeer(context)
        self.talk(Spy())
        pem = self.identity.cert_chain_pems[0].bytes()
        subject = certificate_words(x509.load_pem_x509_certificate(pem))
        self.assertEqual(self.seen.of("tls")[0].peer_certificate, subject)
        shown = self.stream.getPeerCertificate().to_cryptography()
        self.assertEqual(certificate_words(shown), subject)

    def test_missing(self) -> None:
        """Without one no handshake is done, in either version."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy()
            peer = self.talk(spy)
            self.assertEqual(spy.calls, [])
            self.assertIn("certificate", self.seen.of("tls")[0].error)
            self.assertIsNotNone(peer.error)
            self.assertEqual(self.closed().reason, "handshake")


class DataTests(TlsCase):
    def test_echo(self) -> None:
        """What is said comes back, and none of it is on the wire."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy)
            peer.say(b"a secret")
            peer.say(b" or two")
            self.network.pump()
            self.assertEqual(peer.plain, b"a secret or two")
            self.assertNotIn(b"secret", peer.received)
            self.assertEqual(self.stream.bytes_in, len(b"a secret or two"))

    def test_big(self) -> None:
        """Big writes in both directions arrive whole."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy)
            peer.say(MUCH)
            self.network.pump()
            self.assert_bytes(peer.plain, MUCH)
            self.stream.writeSequence([MUCH, b"", MUCH])
            self.network.pump()
            self.assert_bytes(peer.plain, MUCH * 3)

    def test_nothing(self) -> None:
        """To write nothing is allowed."""
        spy = Spy(connectionMade=lambda spy: spy.transport.write(b""))
        self.talk(spy)
        self.assertEqual(spy.ends, [])

    def test_peer_that_does_not_read(self) -> None:
        """It is not read from either, and what waits for it is bounded (T07)."""
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.say(MUCH)
        self.network.pump()
        lowest = self.stream.lowest
        self.assertLess(len(lowest.dataBuffer) + lowest._tempDataLen, 3 * 2**16)
        self.assertLess(len(spy.received), len(MUCH))
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(peer.plain, MUCH)

    def test_producer(self) -> None:
        """A producer is paused and resumed over TLS as without."""
        spy, producer = Spy(), Push()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.registerProducer(producer, True)
        spy.transport.write(MUCH)
        self.network.pump()
        self.assertEqual(producer.calls, ["pause"])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_paused(self) -> None:
        """A protocol that stops reading is not told more than what was already read."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.pauseProducing()
        peer.say(MUCH)
        self.network.pump()
        self.assertEqual(spy.received, b"")
        spy.transport.resumeProducing()
        self.network.pump()
        self.assert_bytes(spy.received, MUCH)

    def test_exceptions(self) -> None:
        """A protocol's exception closes its connection in order, in every callback."""
        for version, callback in (
            (version, callback)
            for version in VERSIONS
            for callback in ("connectionMade", "dataReceived", "readConnectionLost")
        ):
            self.of_version(version)
            spy = HalfCloseSpy(**{callback: fail})
            peer = self.talk(spy)
            if callback != "connectionMade":
                peer.say(b"x")
            peer.notify()
            self.network.pump()
            self.assert_heard(peer, b"")
            self.assertEqual(self.seen.of("note")[0].kind, "exception")
            reason = "peer-fin" if callback == "readConnectionLost" else "error"
            self.assert_ended(reason, spy)

    def test_refused(self) -> None:
        """A gate acts before TLS: no handshake, no byte, one event."""

        class Full:
            def admit(self, host: object) -> Refusal:
                return Refusal("max-connections", "too many")

        peer = self.network.connect(self.make_peer(), self.behind_layer(None, Full(), lines=True))
        self.network.pump()
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(self.seen.names, ["refused"])


class HalfCloseTests(TlsCase):
    """Each case with TLS 1.2 and 1.3."""

    def each(self) -> Any:
        for version in VERSIONS:
            self.of_version(version)
            yield version

    def test_peer_first(self) -> None:
        """What came before close_notify is answered, then we close (T05)."""
        for _ in self.each():
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy)
            peer.say(b"ten bytes!")
            peer.notify()
            self.network.pump()
            self.assert_heard(peer, b"ten bytes!")
            self.assertEqual(len(self.seen.of("peer-shutdown")), 1)
            self.assert_ended("peer-fin", spy)

    def test_peer_first_and_fin(self) -> None:
        """The same when TCP's FIN follows at once: it says nothing new."""
        for _ in self.each():
            for make in (Spy, HalfCloseSpy):
                self.setUp()
                spy = make(dataReceived=echo)
                peer = self.talk(spy)
                peer.say(MUCH)
                peer.notify()
                peer.fin()
                self.network.pump()
                if make is HalfCloseSpy:
                    self.assertEqual(spy.ends, [])
                    spy.transport.loseConnection()
                    self.network.pump()
                self.assert_heard(peer, MUCH)
                self.assert_ended("peer-fin", spy)

    def test_answers_later(self) -> None:
        """A protocol that knows of half-close answers as long after close_notify as it likes."""
        for _ in self.each():
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            peer.notify()
            self.network.advance(60)
            self.assertEqual(spy.calls, ["made", "fin-in"])
            spy.transport.write(MUCH)
            spy.transport.write(b"the end")
            self.network.pump()
            self.assertFalse(peer.notified)
            spy.transport.loseConnection()
            self.network.pump()
            self.assert_heard(peer, MUCH + b"the end")
            self.assert_ended("peer-fin", spy)

    def test_late_reader(self) -> None:
        """The answer waits for a peer that reads late."""
        for _ in self.each():
            spy = Spy(dataReceived=echo)
            peer = self.talk(spy)
            peer.transport.pauseProducing()
            peer.say(MUCH[: 2**17])
            peer.notify()
            self.network.advance(4)
            peer.transport.resumeProducing()
            self.network.pump()
            self.assert_heard(peer, MUCH[: 2**17])
            self.assert_ended("peer-fin", spy)

    def test_ourselves_first(self) -> None:
        """After our close_notify we still read."""
        for _ in self.each():
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            spy.transport.write(b"bye")
            spy.transport.loseWriteConnection()
            self.network.pump()
            self.assert_heard(peer, b"bye", end=None)
            self.assertEqual(spy.calls, ["made", "fin-out"])
            peer.say(b"more")
            self.network.pump()
            peer.notify()
            self.network.pump()
            self.assertEqual(spy.received, b"more")
            self.assertEqual(spy.calls[-2:], ["fin-in", error.ConnectionDone])
            self.assertEqual(len(self.seen.of("local-shutdown")), 1)
            self.assert_ended("local", spy)

    def test_both_later(self) -> None:
        """When both have said close_notify, we last, the connection ends."""
        for _ in self.each():
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            peer.notify()
            self.network.advance(60)
            spy.transport.write(b"answer")
            spy.transport.loseWriteConnection()
            self.network.advance(GRACE + 1)
            self.assert_heard(peer, b"answer")
            self.assert_ended("peer-fin", spy)

    def test_our_fin_waits(self) -> None:
        """writeConnectionLost comes when all was sent, not before."""
        spy = HalfCloseSpy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        spy.transport.loseWriteConnection()
        self.network.pump()
        self.assertEqual((spy.calls, self.seen.of("local-shutdown")), (["made"], []))
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.calls, ["made", "fin-out"])
        self.assert_heard(peer, MUCH, end=None)

    def test_close_notify_once(self) -> None:
        """Whatever comes after the peer's close_notify, it is told of once, and ignored."""
        for _ in self.each():
            spy = HalfCloseSpy()
            peer = self.talk(spy)
            peer.notify()
            self.network.pump()
            for _ in range(3):
                peer.send(record(23, b"more"))
                self.network.pump()
            self.assertEqual(spy.calls, ["made", "fin-in"])
            self.assertEqual(len(self.seen.of("peer-shutdown")), 1)
            spy.transport.loseConnection()
            self.network.pump()
            self.assert_ended("peer-fin", spy)


class CloseTests(TlsCase):
    def test_answered(self) -> None:
        """We send all and close_notify, the peer its own, and the connection is closed."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), lose(spy)))
            peer = self.talk(spy)
            peer.say(b"x")
            self.network.pump()
            self.assert_heard(peer, MUCH, end=None)
            self.assertEqual(spy.ends, [])
            peer.notify()
            self.network.pump()
            self.assertEqual(peer.end, "fin")
            self.assert_ended("local", spy)

    def test_never_answered(self) -> None:
        """A peer that never answers close_notify is gone after 2 s (T09)."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy(dataReceived=lose)
            peer = self.talk(spy)
            peer.say(b"x")
            self.network.advance(CLOSE_NOTIFY_WAIT - 0.1)
            self.assertEqual((spy.ends, peer.end), ([], None))
            self.network.advance(0.2)
            self.assert_heard(peer, b"")
            self.assert_ended("local", spy)

    def test_answered_by_fin(self) -> None:
        """A peer that answers close_notify by FIN alone, as many do, is not called truncated."""
        spy = Spy(dataReceived=lose)
        peer = self.talk(spy)
        peer.say(b"x")
        self.network.pump()
        peer.fin()
        self.network.pump()
        self.assert_ended("local", spy)

    def test_sends_on(self) -> None:
        """A peer that goes on sending instead gets no more time."""
        spy = Spy(dataReceived=lose)
        peer = self.talk(spy)
        peer.say(b"x")
        for _ in range(22):
            self.network.advance(CLOSE_NOTIFY_WAIT / 20)
            peer.say(b"more")
        self.network.pump()
        self.assertEqual(spy.received, b"x")
        self.assert_ended("local", spy)

    def test_paused(self) -> None:
        """A stream that had stopped reading still reads the answer to its close_notify."""
        spy = Spy()
        peer = self.talk(spy)
        spy.transport.pauseProducing()
        spy.transport.loseConnection()
        self.network.pump()
        peer.notify()
        self.network.pump()
        self.assert_heard(peer, b"")
        self.assert_ended("local", spy)

    def test_never_reads(self) -> None:
        """A peer that reads nothing is aborted after the grace."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), lose(spy)))
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        peer.say(b"x")
        self.network.advance(GRACE + 1.1)
        self.assert_ended("local", spy, error.ConnectionAborted)

    def test_linger(self) -> None:
        """A reply-and-close says close_notify first, then reads and drops."""
        for version in VERSIONS:
            self.of_version(version)
            spy = Spy()
            peer = self.talk(spy)
            spy.transport.write(b"reply")
            self.stream.end(CloseReason.LIMIT, linger=True)
            peer.say(MUCH)
            self.network.pump()
            self.assert_heard(peer, b"reply", end=None)
            peer.notify()
            self.network.pump()
            self.assertEqual((peer.end, spy.received), ("fin", b""))
            self.assert_ended("limit", spy)

    def test_linger_meets_garbage(self) -> None:
        """What is no TLS, while our FIN is on its way, ends it: there is no half-close to tell."""
        spy = Spy()
        peer = self.talk(spy)
        peer.transport.pauseProducing()
        spy.transport.write(MUCH)
        self.stream.end(CloseReason.LIMIT, linger=True)
        peer.send(record(23, b"garbage"))
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.advance(LINGER)
        self.assert_bytes(peer.plain, MUCH)
        self.assertEqual((peer.end, self.seen.of("local-shutdown")), ("fin", []))
        self.assert_ended("limit", spy)

    def test_twice(self) -> None:
        """To close again while the peer's answer is awaited is no second wait."""
        spy = Spy()
        peer = self.talk(spy)
        connection = self.stream.transport
        self.stream.end(CloseReason.LOCAL)
        connection.loseConnection()
        peer.notify()
        self.network.pump()
        self.assert_heard(peer, b"")
        self.assert_ended("local", spy)

    def test_linger_has_an_end(self) -> None:
        """It ends though the peer says nothing any more."""
        spy = Spy()
        peer = self.talk(spy)
        self.stream.end(CloseReason.LIMIT, linger=True)
        self.network.advance(LINGER + CLOSE_NOTIFY_WAIT + 0.1)
        self.assert_heard(peer, b"")
        self.assert_ended("limit", spy)

    def test_abort(self) -> None:
        """An abort is an RST: no close_notify, and what is not sent is lost."""
        spy = Spy(dataReceived=lambda spy: (spy.transport.write(MUCH), abort(spy)))
        peer = self.talk(spy)
        peer.say(b"x")
        self.network.pump()
        self.assertEqual((peer.notified, peer.end), (False, "reset"))
        self.assert_ended("aborted", spy, error.ConnectionAborted)

    def test_closed_from_both_sides(self) -> None:
        """However the closes cross, there is one end, and no alarm is left."""
        for version in VERSIONS:
            for act in (lose, half_close, abort):
                for theirs in ("notify", "fin", "reset", "close"):
                    self.of_version(version)
                    spy = HalfCloseSpy()
                    peer = self.talk(spy)
                    act(spy)
                    getattr(peer, theirs)()
                    self.network.pump()
                    spy.transport.loseConnection()
                    self.network.advance(CLOSE_NOTIFY_WAIT + 0.1)
                    self.assertEqual(len(spy.ends), 1, (version, act, theirs))
                    self.closed()


class TruncationTests(TlsCase):
    def test_fin(self) -> None:
        """FIN without close_notify is truncation; what was to be answered still is (T06)."""
        for version in VERSIONS:
            for make in (Spy, HalfCloseSpy):
                self.of_version(version)
                spy = make(dataReceived=echo)
                peer = self.talk(spy)
                peer.say(MUCH)
                peer.fin()
                self.network.pump()
                self.assert_heard(peer, MUCH)
                self.assertNotIn("fin-in", spy.calls)
                self.assert_ended("truncated", spy)

    def test_reset(self) -> None:
        """RST is a reset, as without TLS."""
        spy = HalfCloseSpy()
        self.talk(spy).reset()
        self.network.pump()
        self.assert_ended("reset", spy, error.ConnectionLost)

    def test_garbage(self) -> None:
        """What is no TLS after the handshake ends the stream, is noted, and alerts the peer."""
        for version in VERSIONS:
            for garbage in (b"GET / HTTP/1.0\r\n\r\n", record(23, b"x" * 40), b"\0" * 5000):
                self.of_version(version)
                spy = Spy()
                peer = self.talk(spy)
                before = len(peer.received)
                peer.send(garbage)
                self.network.pump()
                self.assertEqual([note.kind for note in self.seen.of("note")], ["tls"])
                self.assertGreater(len(peer.received), before)
                self.assertEqual(peer.end, "fin")
                self.assertEqual(spy.received, b"")
                self.assert_ended("truncated", spy)

    def test_garbage_while_closing(self) -> None:
        """The same while we wait for the answer to our close_notify: the first reason stays."""
        spy = Spy(dataReceived=lose)
        peer = self.talk(spy)
        peer.say(b"x")
        self.network.pump()
        peer.send(b"GET / HTTP/1.0\r\n\r\n")
        self.network.pump()
        self.assert_ended("local", spy)

    def test_write_after_garbage(self) -> None:
        """A protocol that writes after that is not hurt."""
        spy = HalfCloseSpy(connectionLost=lambda spy: spy.transport.write(b"late"))
        peer = self.talk(spy)
        peer.send(b"\0" * 100)
        self.network.turn()
        self.network.turn()
        spy.transport.write(b"x")
        self.network.pump()
        self.assert_ended("truncated", spy)

    def test_write_refused(self) -> None:
        """A write that OpenSSL refuses ends the stream; it does not reach the protocol."""
        spy = Spy()
        self.talk(spy)
        self.stream.getHandle().shutdown()  # behind everyone's back
        spy.transport.write(b"x")
        self.network.pump()
        self.assertEqual(self.seen.of("note")[0].text, "protocol is shutdown")
        self.assert_ended("truncated", spy)

    def test_renegotiation(self) -> None:
        """TLS 1.2's renegotiation, work for us at the peer's wish, is refused."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        self.peer = lambda: NativePeer(context)
        spy = Spy(dataReceived=echo)
        peer = self.talk(spy)
        peer.renegotiate()
        self.network.pump()
        peer.say(b"still here")
        self.network.pump()
        self.assertEqual(len(self.seen.of("tls")), 1)


class NativePeer(Peer):
    """A client of pyOpenSSL, which can renegotiate."""

    def __init__(self, context: SSL.Context) -> None:
        super().__init__()
        self._openssl = SSL.Connection(context, None)
        self._openssl.set_connect_state()
        self.plain = bytearray()

    def connectionMade(self) -> None:
        self._go_on()

    def dataReceived(self, data: bytes) -> None:
        self._openssl.bio_write(data)
        self._go_on()

    def _go_on(self) -> None:
        try:
            self._openssl.do_handshake()
            while True:
                self.plain += self._openssl.recv(2**16)
        except SSL.Error:
            self._flush()

    def _flush(self) -> None:
        try:
            self.transport.write(self._openssl.bio_read(2**16))
        except SSL.WantReadError:
            return

    def renegotiate(self) -> None:
        self._openssl.renegotiate()
        self._go_on()

    def say(self, data: bytes) -> None:
        try:
            self._openssl.send(data)
        except SSL.Error:
            return
        self._flush()

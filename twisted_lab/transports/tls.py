"""TLS on a stream: OpenSSL over memory buffers, between a transport and a Stream.

Why not :mod:`twisted.protocols.tls` (26.10): it ends both directions when the peer's close_notify
comes, so what is still to be answered is lost, and its close waits for an answer without end.

Rules this file owns: close_notify is half-close, in both directions (RFC 8446 6.1; a TLS 1.2 peer
may discard what comes after its own, RFC 5246 7.2.1); a FIN without close_notify is truncation;
the handshake is not the protocol's business, which is connected only after it.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab import kernel
from twisted_lab.interfaces import Clock
from twisted_lab.wrapping import Stream

#: A peer that never answers our close_notify keeps its slot this many seconds longer. Many never
#: do; RFC 8446 6.1 does not ask them to.
CLOSE_NOTIFY_WAIT = 2.0

#: One read or write of the memory buffers, in bytes: four of TLS's largest records.
_CHUNK = 4 * 2**14


@implementer(IHalfCloseableProtocol)
class TLSConnection:
    """A protocol to the transport below, the transport of the :class:`Stream` above.

    *context* is the server's; *clock* times the wait for the peer's close_notify; *speaks* are the
    names of application protocols to choose from when the client offers some (ALPN, RFC 7301).
    """

    __slots__ = (
        "_alarm",
        "_clock",
        "_handshaken",
        "_openssl",
        "_peer_done",
        "_said_close",
        "stream",
        "transport",
    )

    def __init__(
        self, context: SSL.Context, clock: Clock, stream: Stream, speaks: tuple[bytes, ...] = ()
    ) -> None:
        self.stream = stream
        self._clock = clock
        self._alarm: Any = None
        self._handshaken = False
        self._peer_done = False
        self._said_close = False
        self._openssl = self._begin(context, speaks)

    def _begin(self, context: SSL.Context, speaks: tuple[bytes, ...]) -> SSL.Connection:
        """OpenSSL's side of it, ready for the handshake."""
        openssl = SSL.Connection(context, None)
        openssl.set_app_data(speaks)
        openssl.set_accept_state()
        return openssl

    def __getattr__(self, name: str) -> Any:
        # getPeer, getHost, setTcpNoDelay, pauseProducing, registerProducer …: the transport's own.
        if name.startswith("_") or name == "transport":
            raise AttributeError(name)
        return getattr(self.transport, name)

    @property
    def lowest(self) -> Any:
        """The transport that owns the socket."""
        return self.transport

    # -- towards the transport below ---------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """Accepted: tell the stream, then wait for the client to begin the handshake."""
        self.transport = transport
        self.stream.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        """Records from the peer; after its close_notify nothing counts (RFC 8446 6.1)."""
        if self._peer_done:
            return
        self._openssl.bio_write(data)
        if self._handshaken or self._handshake():
            self._read()

    def _handshake(self) -> bool:
        try:
            self._openssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
        except SSL.Error as error:
            self._handshake_failed(_words(error))
        else:
            self._handshaken = True
            self._flush()
            self.stream.handshake_done(**self.facts())
        return self._handshaken

    def _handshake_failed(self, why: str) -> None:
        if not self.stream.ending:
            self._flush()  # the alert that tells the peer why
            self.stream.handshake_failed(why)
        self.transport.loseConnection()

    def _read(self) -> None:
        try:
            while True:
                self.stream.dataReceived(self._openssl.recv(_CHUNK))
        except SSL.WantReadError:
            self._flush()
        except SSL.ZeroReturnError:
            self._peer_done = True
            self.stream.readConnectionLost()
        except SSL.Error as error:
            self._broken(error)

    def _broken(self, error: SSL.Error) -> None:
        self.stream.note("tls", _words(error))
        self._flush()  # the alert that tells the peer why; a close_notify after it is an error
        self._peer_done = self._said_close = True
        self.stream.truncated()
        self.transport.loseConnection()

    def readConnectionLost(self) -> None:
        """FIN. Without a close_notify before it, it may be anybody's."""
        if kernel.was_reset(kernel.socket_of(self.transport)):
            self.transport.connectionLost(Failure(ConnectionLost()))
        elif not self._handshaken:
            self._handshake_failed("connection closed during the handshake")
        elif not self._peer_done:
            self._peer_done = True
            self.stream.truncated()
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """Never: we half-close TLS, not the connection below it."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        if not self._handshaken and not self.stream.ending:
            self.stream.handshake_failed("connection lost during the handshake")
        self.stream.connectionLost(reason)

    # -- towards the stream above ------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Encrypt and send *data*."""
        if not data:
            return
        try:
            self._openssl.sendall(data)
        except SSL.Error as error:
            self._broken(error)
        else:
            self._flush()

    def loseWriteConnection(self) -> None:
        """Send close_notify after what was written; reading goes on."""
        self._say_close()
        self.transport.unregisterProducer()
        self.transport.registerProducer(_Flushed(self), False)

    def flushed(self) -> None:
        """Our close_notify is out."""
        self.transport.unregisterProducer()
        self.stream.writeConnectionLost()

    def loseConnection(self) -> None:
        """Send close_notify; close when the peer has sent its own, or after a while."""
        if not self._handshaken:
            self.transport.loseConnection()
            return
        self._say_close()
        self.transport.unregisterProducer()
        if self._peer_done:
            self.transport.loseConnection()
        elif self._alarm is None:
            self.transport.resumeProducing()  # a stream that held its reading must hear the answer
            self._alarm = self._clock.callLater(CLOSE_NOTIFY_WAIT, self.transport.loseConnection)

    def _say_close(self) -> None:
        if not self._said_close:
            self._said_close = True
            try:
                self._openssl.shutdown()
            except SSL.Error as error:
                self.stream.note("tls", _words(error))
            self._flush()

    def _flush(self) -> None:
        try:
            while True:
                self.transport.write(self._openssl.bio_read(_CHUNK))
        except SSL.WantReadError:
            return

    # -- facts -------------------------------------------------------------------------------

    def facts(self) -> dict[str, str | None]:
        """What the handshake came to: the fields of the ``tls`` event."""
        openssl = self._openssl
        certificate = openssl.get_peer_certificate(as_cryptography=True)
        sni = openssl.get_servername()
        return {
            "version": openssl.get_protocol_version_name(),
            "cipher": openssl.get_cipher_name(),
            "sni": sni.decode("ascii", "backslashreplace") if sni else None,
            "alpn": openssl.get_alpn_proto_negotiated().decode("ascii", "backslashreplace") or None,
            "peer_certificate": certificate.subject.rfc4514_string() if certificate else None,
        }

    def getHandle(self) -> SSL.Connection:
        """The OpenSSL connection (ISystemHandle)."""
        return self._openssl

    def getPeerCertificate(self) -> Any:
        """The client's certificate, or None (ISSLTransport)."""
        return self._openssl.get_peer_certificate()

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The ALPN protocol, or None (INegotiated)."""
        return self._openssl.get_alpn_proto_negotiated() or None


@implementer(IPullProducer)
class _Flushed:
    """Hears when the transport's buffer is empty: a pull producer is asked then, for more.

    It is asked once when it is registered, too, with our close_notify still in the buffer.
    """

    __slots__ = ("_asked", "_connection")

    def __init__(self, connection: TLSConnection) -> None:
        self._connection = connection
        self._asked = False

    def resumeProducing(self) -> None:
        """The buffer is empty, but for the first time."""
        if self._asked:
            self._connection.flushed()
        self._asked = True

    def stopProducing(self) -> None:
        """The connection is gone; it hears that by connectionLost."""


def _words(error: SSL.Error) -> str:
    """OpenSSL's reasons, as a person reads them."""
    queue = error.args[0] if error.args else None
    if isinstance(queue, list):
        return "; ".join(str(entry[-1]) for entry in queue) or "unexpected end of the connection"
    return " ".join(str(part) for part in error.args) or type(error).__name__

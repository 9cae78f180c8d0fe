"""A TLS client in memory: Python's own ssl, so another OpenSSL than the server's."""

from __future__ import annotations

import ssl
import warnings
from typing import Any

from twisted_lab.testing import Peer

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def client_context(version: str | None = None) -> ssl.SSLContext:
    """What trusts anybody; of one TLS *version* if one is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def outdated_context() -> ssl.SSLContext:
    """What speaks TLS 1.1 at best."""
    context = client_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class TlsPeer(Peer):
    """A peer that speaks TLS. ``received`` is what came over the wire, ``plain`` what it says.

    ``handshaken`` and ``notified`` (the server's close_notify came) say how far it is, ``error``
    what OpenSSL found wrong. It answers no close_notify by itself.
    """

    def __init__(self, context: ssl.SSLContext | None = None, name: str | None = None) -> None:
        super().__init__()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or client_context()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self.plain = bytearray()
        self.handshaken = self.notified = False
        self.error: ssl.SSLError | None = None

    def connectionMade(self) -> None:
        self._go_on()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self._in.write(data)
        self._go_on()

    def readConnectionLost(self) -> None:
        super().readConnectionLost()
        self._in.write_eof()
        self._go_on()

    def _go_on(self) -> None:
        try:
            if not self.handshaken:
                self.tls.do_handshake()
                self.handshaken = True
            while not self.notified:
                data = self.tls.read(2**16)
                self.plain += data
                self.notified = not data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # what read() says when close_notify was sent, too
            self.notified = True
        except ssl.SSLError as error:
            self.error = self.error or error
        self.flush()

    def flush(self) -> None:
        """Send what OpenSSL has for the server."""
        self.transport.write(self._out.read())

    def say(self, data: bytes) -> None:
        """Send *data* in TLS."""
        self.tls.write(data)
        self.flush()

    def notify(self) -> None:
        """Send close_notify: in TLS what FIN is in TCP."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error
        self.flush()


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """One TLS record (RFC 8446 5.1)."""
    return bytes([kind]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def certificate_words(certificate: Any) -> str:
    """How the ``tls`` event names a certificate."""
    return str(certificate.subject.rfc4514_string())

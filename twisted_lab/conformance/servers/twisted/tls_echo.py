"""An echo server over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS]``.

Twisted closes both directions of TLS together, so what is asked with close_notify right behind it
may get no reply.
"""

import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions, PrivateCertificate, TLSVersion
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = 300.0


@implementer(IHandshakeListener)
class Echo(Protocol, TimeoutMixin):
    def connectionMade(self):
        self.transport.registerProducer(self.transport, streaming=True)
        # [endless-handshake]
        # For the handshake as a whole, however many bytes of it come: nothing resets it.
        self.setTimeout(HANDSHAKE)

    def handshakeCompleted(self):
        self.setTimeout(IDLE)

    def timeoutConnection(self):
        self.transport.abortConnection()
        # [/endless-handshake]

    def dataReceived(self, data):
        self.resetTimeout()
        self.transport.write(data)

    def connectionLost(self, reason):
        self.setTimeout(None)


pem = Path(sys.argv[2]).read_bytes() + Path(sys.argv[3]).read_bytes()
own = PrivateCertificate.loadPEM(pem)
# [old-tls]
context = CertificateOptions(
    privateKey=own.privateKey.original,
    certificate=own.original,
    raiseMinimumTo=TLSVersion.TLSv1_2,  # TLS 1.0 and 1.1 are broken (RFC 8996)
)
# [/old-tls]
factory = Factory.forProtocol(Echo)
# [no-close-notify]
# Twisted answers the client's close_notify with its own, and loseConnection() says it, too;
# abortConnection() does not.
reactor.listenSSL(int(sys.argv[1]), factory, context, backlog=1024, interface="127.0.0.1")
# [/no-close-notify]
reactor.run()

"""Echo over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS [IDLE_SECONDS]]``.

CERTIFICATE and KEY are PEM files. It answers what comes with close_notify right behind it, too,
which a server with listenSSL() may not.
"""

import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions, PrivateCertificate, TLSVersion
from twisted.protocols.policies import TimeoutMixin
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = float(sys.argv[5]) if len(sys.argv) > 5 else 300.0


# [endless-handshake]
@implementer(IHandshakeListener)
class Echo(Protocol, TimeoutMixin):
    def connectionMade(self):
        # For the handshake as a whole, however many bytes of it come: nothing resets it.
        self.setTimeout(HANDSHAKE)
        self.transport.registerProducer(self.transport, streaming=True)

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
# TLS 1.0 and 1.1 are broken (RFC 8996).
context = CertificateOptions(
    privateKey=own.privateKey.original,
    certificate=own.original,
    raiseMinimumTo=TLSVersion.TLSv1_2,
)
# [/old-tls]
# [replies-lost]
# listenSSL() gathers small writes until a moment later; when the client's close_notify comes
# before that moment, they are lost. This writes at once.
# [no-close-notify]
# Twisted answers the client's close_notify with its own, when all is sent; and loseConnection()
# says it, too. Only abortConnection() does not.
factory = TLSMemoryBIOFactory(context, False, Factory.forProtocol(Echo))
factory.protocol = TLSMemoryBIOProtocol
reactor.listenTCP(int(sys.argv[1]), factory, backlog=1024, interface="127.0.0.1")
# [/no-close-notify]
# [/replies-lost]
reactor.run()

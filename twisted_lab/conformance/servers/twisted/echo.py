"""An echo server with Twisted: ``python echo.py PORT [IDLE_SECONDS]``."""

import sys

from twisted.internet import reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0


# [replies-lost]
# Without this interface Twisted takes the client's FIN for the end of all, and drops what it has
# still to send.
@implementer(IHalfCloseableProtocol)
class Echo(Protocol, TimeoutMixin):
    # [/replies-lost]
    # [no-time-out]
    def connectionMade(self):
        # [no-back-pressure]
        # The transport itself is the producer of what we write: while much of that waits to be
        # sent, it is told to pause, so it stops reading.
        self.transport.registerProducer(self.transport, streaming=True)
        # [/no-back-pressure]
        # A client that says nothing is let go; one that reads nothing, too, for from him
        # nothing is read then. Not loseConnection(): that waits until all is sent.
        self.setTimeout(IDLE)

    def timeoutConnection(self):
        self.transport.abortConnection()

    # [/no-time-out]

    # [closes-early]
    # [flood]
    # [sends-once]
    def dataReceived(self, data):
        # Only when something came. write() sends all of it, now or when there is room, and the
        # connection stays open for more.
        self.resetTimeout()
        self.transport.write(data)

    # [/sends-once]
    # [/flood]
    # [/closes-early]
    # [replies-lost]
    # [never-closes]

    def readConnectionLost(self):
        # The client has sent FIN. What waits is sent first, then comes our own.
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # [/never-closes]

    def writeConnectionLost(self):
        pass

    # [/replies-lost]
    # [leaks]
    def connectionLost(self, reason):
        # The descriptor is closed by now. What would keep this object alive must go, too.
        self.setTimeout(None)

    # [/leaks]


# [small-backlog]
# [cannot-restart]
# [one-at-a-time]
# [others-cut-off]
# [dies]
# The factory makes a protocol for each client; what one of them raises is logged, and the others
# go on. One thread serves all, so no method may block. 1024 may wait to be accepted; the kernel
# cuts that to net.core.somaxconn. Twisted always sets SO_REUSEADDR.
reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Echo), backlog=1024, interface="127.0.0.1")
# [/dies]
# [/others-cut-off]
# [/one-at-a-time]
# [/cannot-restart]
# [/small-backlog]
# [ignores-sigterm]
# Until SIGTERM or SIGINT: the reactor handles them, unless it is run with
# installSignalHandlers=False, and nothing may block it.
reactor.run()
# [/ignores-sigterm]

"""Sends back each line, with Twisted: ``python lines.py PORT [IDLE_SECONDS]``."""

import sys

from twisted.internet import reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0


@implementer(IHalfCloseableProtocol)
# [reads-once]
# [one-reply-a-read]
# LineReceiver puts together what comes in pieces, and cuts what comes at once: one call of
# lineReceived() is one line.
class Lines(LineReceiver, TimeoutMixin):
    # [line-ends]
    delimiter = b"\n"  # with CRLF the CR is the last byte of the line, and goes back with it
    # [/line-ends]
    MAX_LENGTH = 16384
    closing = False

    def lineReceived(self, line):
        self.resetTimeout()  # for a whole line: single bytes do not count
        self.transport.write(line + self.delimiter)

    # [/one-reply-a-read]
    # [/reads-once]
    # [endless-line]
    def lineLengthExceeded(self, line):
        # FIN first, and read on a while: RST would take away what was said.
        self.closing = True
        self.transport.unregisterProducer()
        self.transport.write(b"line too long\n")
        self.transport.loseWriteConnection()
        self.setTimeout(2)

    # [/endless-line]
    def dataReceived(self, data):
        if not self.closing:
            super().dataReceived(data)

    def connectionMade(self):
        self.transport.registerProducer(self, streaming=True)
        self.setTimeout(IDLE)

    def timeoutConnection(self):
        self.transport.abortConnection()

    def readConnectionLost(self):
        if not self.closing:
            self.transport.write(self.clearLineBuffer())  # a last line without its end
            self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):
        self.setTimeout(None)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Lines), backlog=1024, interface="127.0.0.1")
reactor.run()

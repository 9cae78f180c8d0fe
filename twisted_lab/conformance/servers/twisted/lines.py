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
    # Twisted's own default is CRLF, so that a line with LF alone would wait for ever. Now a CR
    # before LF is the last byte of the line: strip it where it matters. Here it goes back.
    delimiter = b"\n"
    # [/line-ends]
    MAX_LENGTH = 16384
    closing = False
    dropped = 0

    def lineReceived(self, line):
        self.resetTimeout()  # for a whole line: single bytes do not count
        self.transport.write(line + self.delimiter)

    # [/one-reply-a-read]
    # [/reads-once]
    # [endless-line]
    def lineLengthExceeded(self, line):
        # LineReceiver calls this when more than MAX_LENGTH came without an end. A person sees
        # nothing but our words. FIN first, and read on a while: closing with something unread
        # would send RST, which may take them away.
        self.closing = True
        self.transport.unregisterProducer()
        self.transport.write(b"line too long\n")
        self.transport.loseWriteConnection()
        self.setTimeout(2)

    def dataReceived(self, data):
        if not self.closing:
            super().dataReceived(data)
            return
        self.dropped += len(data)
        if self.dropped > 2**20:
            self.transport.abortConnection()

    # [/endless-line]
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

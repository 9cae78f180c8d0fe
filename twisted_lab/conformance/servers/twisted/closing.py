"""Says the time (RFC 868) and closes: ``python closing.py PORT``."""

import struct
import sys
import time

from twisted.internet import reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

SECONDS_1900_TO_1970 = 2_208_988_800


# [reset-unread]
@implementer(IHalfCloseableProtocol)
class Time(Protocol, TimeoutMixin):
    dropped = 0

    def connectionMade(self):
        # [wrong-reply]
        # To the letter of RFC 868: four bytes, the most significant first ("!"), from 1900 on.
        now = int(time.time()) + SECONDS_1900_TO_1970
        self.transport.write(struct.pack("!I", now % 2**32))
        # [/wrong-reply]
        # loseConnection() while something is unread makes the kernel send RST, which may overtake
        # the reply. So FIN goes first, and what comes is dropped, until the client's FIN; but
        # for five seconds and a mebibyte at most.
        self.transport.loseWriteConnection()
        self.setTimeout(5)

    def dataReceived(self, data):
        self.dropped += len(data)
        if self.dropped > 2**20:
            self.transport.abortConnection()

    def timeoutConnection(self):
        self.transport.abortConnection()

    def readConnectionLost(self):
        self.transport.loseConnection()

    # [/reset-unread]
    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):
        self.setTimeout(None)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Time), backlog=1024, interface="127.0.0.1")
reactor.run()

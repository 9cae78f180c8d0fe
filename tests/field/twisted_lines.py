"""Lines as Twisted's howto "Writing Servers" answers them, with LineReceiver: ``PORT``."""

import sys

from twisted.internet import protocol, reactor
from twisted.protocols import basic


class Lines(basic.LineReceiver):
    def lineReceived(self, line):
        self.sendLine(line)


reactor.listenTCP(int(sys.argv[1]), protocol.Factory.forProtocol(Lines), interface="127.0.0.1")
reactor.run()

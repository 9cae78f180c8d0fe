"""Lines: Twisted's LineReceiver as it comes, closed by the client's FIN."""

import sys

from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver


class Lines(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(line)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Lines), backlog=1024, interface="127.0.0.1")
reactor.run()

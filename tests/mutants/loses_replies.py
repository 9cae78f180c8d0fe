"""Echo: the Protocol of every Twisted tutorial, which is closed by the client's FIN."""

import sys

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol


class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Echo), backlog=1024, interface="127.0.0.1")
reactor.run()

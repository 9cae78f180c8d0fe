"""Echo with Twisted, which knows of half-closes; and its client."""

from twisted.internet import endpoints, protocol, reactor


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


class Asker(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello\n")

    def dataReceived(self, data):
        print(data)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        reactor.callLater(0.05, reactor.stop)


port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
asked = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
endpoints.connectProtocol(asked, Asker())
reactor.run()

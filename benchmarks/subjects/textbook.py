"""The echo of Twisted's documentation: simpleserv.py and echoserv_udp.py of its core examples.

``textbook.py tcp|udp [epoll|lean]``. The classes and the listen calls are verbatim but for the
port and the interface.
"""

import sys

if sys.argv[2:] == ["lean"]:
    from twisted_lab import reactor as chosen
else:
    from twisted.internet import epollreactor as chosen

chosen.install()

from twisted.internet import protocol, reactor  # noqa: E402 - after the reactor is chosen
from twisted.internet.protocol import DatagramProtocol  # noqa: E402


class Echo(protocol.Protocol):
    """This is just about the simplest possible protocol."""

    def dataReceived(self, data):
        """As soon as any data is received, write it back."""
        self.transport.write(data)


class EchoUDP(DatagramProtocol):
    def datagramReceived(self, datagram, address):
        self.transport.write(datagram, address)


def main(form):
    if form == "udp":
        port = reactor.listenUDP(0, EchoUDP(), "127.0.0.1")
    else:
        factory = protocol.ServerFactory()
        factory.protocol = Echo
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    print(f"{form} 127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()


main(sys.argv[1])

"""A TCP proxy that changes nothing: each FIN, each stop and each reset reaches the other side.

``UPSTREAM=tcp:127.0.0.1:80 twistd -n socketlab run examples.proxy:Proxy --port 9000``
"""

import os

from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IHalfCloseableProtocol)
class Side(Protocol):
    """One of the two connections; ``other`` is the other, once there is one."""

    other: "Side | None" = None
    fin_in = fin_out = False

    def join(self, other: "Side") -> None:
        """Whoever cannot send pauses whoever it gets its data from."""
        self.other = other
        self.transport.registerProducer(other.transport, True)

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def readConnectionLost(self) -> None:
        self.fin_in = True
        if self.other is not None:
            self.other.transport.unregisterProducer()  # a FIN waits for a producer to be done
            self.other.transport.loseWriteConnection()
        self.end_if_done()

    def writeConnectionLost(self) -> None:
        self.fin_out = True
        self.end_if_done()

    def end_if_done(self) -> None:
        if self.fin_in and self.fin_out:
            self.transport.loseConnection()  # with both directions done nobody else closes it

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        other, self.other = self.other, None
        if other is None:
            return
        other.other = None
        if not (other.fin_in and other.fin_out):
            other.cut(in_order=bool(reason.check(ConnectionDone)) and self.fin_in)

    def cut(self, in_order: bool) -> None:
        self.transport.unregisterProducer()
        if in_order:
            self.transport.loseConnection()  # what is on its way still arrives
        else:
            self.transport.abortConnection()


class Client(Side):
    """Who connected to us; nothing is read from it until there is somebody to give it to."""

    connecting = None

    def connectionMade(self) -> None:
        self.transport.pauseProducing()
        self.connecting = connectProtocol(self.factory.upstream, Side())
        self.connecting.addCallbacks(self.begin, self.give_up)

    def begin(self, upstream: Side) -> None:
        self.connecting = None
        upstream.join(self)
        self.join(upstream)
        self.transport.resumeProducing()

    def give_up(self, failure: Failure) -> None:
        if self.connecting is not None:
            self.connecting = None
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        connecting, self.connecting = self.connecting, None
        if connecting is not None:
            connecting.cancel()
        super().connectionLost(reason)


class Proxy(Factory):
    """Forwards to the endpoint that the environment calls UPSTREAM."""

    protocol = Client

    def __init__(self) -> None:
        endpoint = os.environ.get("UPSTREAM")
        if not endpoint:
            raise ValueError("set UPSTREAM to an endpoint such as tcp:127.0.0.1:80")
        self.upstream = clientFromString(reactor, endpoint)

"""For people who test their own protocols.

TCP connections in memory, with half-close and back-pressure as on a socket::

    network = Network()
    peer = network.connect(Peer(), factory)
    peer.send(b"hello")
    peer.fin()
    network.advance(1.0)  # seconds; pump() when none need to pass
    assert (peer.received, peer.end) == (b"hello", "fin")  # a right echo; not the textbook's

What socketlab makes of it on a real port, in your own process::

    async with RealServer(factory, reactor, max_connections=2) as server:
        client = await connectProtocol(TCP4ClientEndpoint(reactor, *server.address), Peer())
        ...
    assert server.seen.of("closed")[0].reason == "peer-fin"

A test of a client that is not Twisted's wants a server in a process of its own:
:func:`twisted_lab.served.serve_child`, or under pytest the fixture ``socketlab``.
"""

from twisted_lab.testing.collector import Collector
from twisted_lab.testing.network import CAPACITY, Network
from twisted_lab.testing.peer import Peer
from twisted_lab.testing.server import RealServer
from twisted_lab.testing.spies import HalfCloseSpy, Pull, Push, Spy

__all__ = [
    "CAPACITY",
    "Collector",
    "HalfCloseSpy",
    "Network",
    "Peer",
    "Pull",
    "Push",
    "RealServer",
    "Spy",
]

"""A PROXY header in front of a stream: read first, then out of the way.

Rules this file owns:

1. Nothing above the header exists before it is complete: no protocol, no TLS, no stream.
2. With the header the stage gives its place to what stands above, in the same turn and with every
   byte that came behind it; from then on it costs nothing.
3. A connection that never had a right header has one end all the same: one ``refused`` event.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab import kernel
from twisted_lab.addresses import Host, host_of, show
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import Layer, StreamFactory
from twisted_lab.proxy import Proxy, ProxyHeader, ProxyHeaderError
from twisted_lab.transports.proxied_stream import ProxiedStream, SecureProxiedStream, address_of
from twisted_lab.transports.proxy_header import NEED_MORE, HeaderParser
from twisted_lab.transports.proxy_waiting import Waiting
from twisted_lab.wrapping import Stream


class ProxiedFactory(StreamFactory):
    """The factory of a listener that expects PROXY headers.

    When a balancer connects, *waiting* and the gates that act at accept are asked; when its header
    is there all the others, about the address the header names.
    """

    def __init__(
        self, layer: Layer, waiting: Waiting, local: str = "", transport: str = ""
    ) -> None:
        super().__init__(layer, local, transport)
        self.waiting = waiting

    def buildProtocol(self, address: IAddress) -> HeaderStage | None:
        """What waits for the header; None just closes the connection."""
        host = host_of(address)
        refusal = self.waiting.admit(host) or self.layer.gates.at_accept(host)
        if refusal is None:
            return HeaderStage(self, address)
        self.refused(show(address), refusal, self.local)
        return None

    def _stream(self, protocol: Any, address: IAddress, host: Host, proxy: Proxy | None) -> Stream:
        assert proxy is not None
        kind = ProxiedStream if self.secure is None else SecureProxiedStream
        return kind(self.layer, protocol, address, host, self.local, self.transport, proxy)


@implementer(IHalfCloseableProtocol)
class HeaderStage:
    """The protocol of a connection until its PROXY header is complete."""

    #: See :class:`twisted_lab.wrapping.Stream`.
    __conform__ = None

    #: Nobody answers yet.
    answering = False

    __slots__ = ("_address", "_factory", "_local", "_parser", "begun_at", "ending", "transport")

    def __init__(self, factory: ProxiedFactory, address: IAddress) -> None:
        self._factory = factory
        self._address = address
        self._parser = HeaderParser()
        self.ending = False

    def makeConnection(self, transport: Any) -> None:
        """Accepted: wait for the header."""
        self.transport = transport
        self._local = self._factory.local or show(transport.getHost())  # while there is a socket
        self.begun_at = self._factory.layer.seconds()
        self._factory.waiting.add(self)

    def dataReceived(self, data: bytes) -> None:
        """A piece of the header, or all of it and more."""
        if self.ending:
            return
        try:
            header = self._parser.feed(data)
        except ProxyHeaderError as error:
            self.refuse(str(error))
        else:
            if header is not NEED_MORE:
                self._pass_on(header)

    def _pass_on(self, header: ProxyHeader) -> None:
        """Put what stands above in our place, and give it what came behind the header."""
        factory, transport = self._factory, self.transport
        proxy = Proxy(header, show(self._address), self.begun_at)
        above = factory.build(address_of(header, header.source) or self._address, proxy)
        if above is None:
            self.ending = True  # a gate said no, and that was said
            transport.loseConnection()
            return
        factory.waiting.remove(self)
        transport.protocol = above
        above.makeConnection(transport)
        if rest := self._parser.rest:
            take = above.take_early if isinstance(above, ProxiedStream) else above.dataReceived
            take(rest)

    def readConnectionLost(self) -> None:
        """FIN, and the header is not complete."""
        if kernel.was_reset(kernel.socket_of(self.transport)):
            self.transport.connectionLost(Failure(ConnectionLost()))
        elif not self.ending:
            self.refuse(f"the connection ended {self._how_far()}")

    def writeConnectionLost(self) -> None:
        """Never: we do not half-close."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        if not self.ending:
            self._publish(f"the connection was lost {self._how_far()}")
        self._factory.waiting.remove(self)

    def _how_far(self) -> str:
        held = self._parser.held
        return f"{held} bytes into its PROXY header" if held else "without a PROXY header"

    def refuse(self, why: str) -> None:
        """Say *why* this is no connection for us, and close it."""
        self._publish(why)
        self.transport.loseConnection()

    def _publish(self, why: str) -> None:
        self.ending = True
        self._factory.refused(show(self._address), Refusal("proxy", why), self._local)

    # -- what a stop asks, as of a stream ------------------------------------------------------

    def progress(self) -> tuple[int, ...]:
        """Numbers that change whenever a byte moves."""
        return (self._parser.held,)

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        """Close, unless that is under way."""
        if not self.ending:
            self.refuse(f"{detail or reason}, {self._how_far()}")

    def abort(self, reason: CloseReason, detail: str = "") -> None:
        """Close now."""
        if not self.ending:
            self._publish(f"{detail or reason}, {self._how_far()}")
        self.transport.abortConnection()

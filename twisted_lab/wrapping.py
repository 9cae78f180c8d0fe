"""The one layer between a transport and a protocol: :class:`Stream`.

Rules this file owns:

1. Half-close, abort, back-pressure and TLS facts pass in both directions.
2. A protocol's exception ends its own connection, properly, and nothing else.
3. What nobody asked for is not done: no hook, no observer, no cost.

How a stream starts and stops its data is in :mod:`twisted_lab.flow`, how it ends in
:mod:`twisted_lab.ending`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from zope.interface import implementer

from twisted_lab import kernel
from twisted_lab.addresses import Host, show
from twisted_lab.ending import Ending
from twisted_lab.events import (
    Accepted,
    CloseReason,
    Note,
    Tls,
)
from twisted_lab.flow import CANNOT_FILL, NO_HOLDS, UNPROVED
from twisted_lab.proxy import Proxy

if TYPE_CHECKING:
    from twisted_lab.layer import Layer


@implementer(ITCPTransport, IConsumer, IHalfCloseableProtocol, IPushProducer)
class Stream(Ending):
    """A protocol to the transport below, a transport to the protocol above.

    Made by :class:`twisted_lab.layer.StreamFactory`. *address* and *host* say who connected,
    *local* and *kind* on which listener. See :class:`twisted_lab.interfaces.StreamView` for what a
    policy or a protocol may ask of it; what is the transport's own affair is the transport's own.
    """

    #: TLS stands between this stream and its socket.
    secure = False

    #: How a balancer passed it on; None: it came itself.
    proxy: Proxy | None = None

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_number",
        "address",
        "bytes_in",
        "bytes_out",
        "established",
        "host",
        "kind",
        "last_activity",
        "layer",
        "local",
        "opened_at",
        "protocol",
        "sampled",
        "transport",
        "watched",
    )

    def __init__(
        self, layer: Layer, protocol: Any, address: IAddress, host: Host, local: str, kind: str
    ) -> None:
        self.layer = layer
        self.protocol = protocol
        self.host = host
        self.address = address
        self.local = local
        self.kind = kind
        self._number = layer.new_number()
        #: How many of its next events are published to who takes samples.
        self.sampled = layer.publisher.sample
        #: Somebody wants to hear of each message.
        self.watched = layer.watched or self.sampled > 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.established = False
        self.ending = False
        self.reason = None
        self.detail = ""
        self._alarm: Any = None
        self._fin_out = False
        self._lingers_until = None
        self._lost = False
        self._moved = None
        self._moved_at = 0.0
        self._raw_tcp_info = None
        self._read_closed = False
        self._unwatched = UNPROVED
        self.write_limit = self._read_limit = CANNOT_FILL
        self._write_closed = False
        # The other parts'; a call of its own for them would be felt at every accept.
        self._after_producer = None
        self._holds = NO_HOLDS
        self._output_full = False
        self._producer = None

    def __repr__(self) -> str:
        return f"<Stream {self.id} {self.layer.name} {self.peer} on {self.local}>"

    @property
    def id(self) -> str:
        """The stream's short name, unique in the run."""
        return f"c{self._number}"

    @property
    def peer(self) -> str:
        """The peer's address as text."""
        return show(self.address)

    @property
    def service(self) -> str:
        """The name of the service it came to."""
        return self.layer.name

    @property
    def age(self) -> float:
        """For how many seconds it is open."""
        return self.layer.seconds() - self.opened_at

    @property
    def tls(self) -> dict[str, str | None] | None:
        """The facts of TLS, as the :class:`~twisted_lab.events.Tls` event has them; else None."""
        return self.transport.facts() if self.secure else None

    @property
    def disconnecting(self) -> bool:
        """Twisted's old word for ``ending``, which stock protocols read."""
        return self.ending

    @property
    def lowest(self) -> Any:
        """The transport that owns the socket, below any TLS."""
        return getattr(self.transport, "lowest", self.transport)

    # -- the transport's own ---------------------------------------------------------------

    def getPeer(self) -> Any:
        """The peer's address (ITransport)."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Our own address (ITransport)."""
        return self.transport.getHost()

    def getTcpNoDelay(self) -> bool:
        """Whether small writes are sent at once (ITCPTransport)."""
        return bool(self.transport.getTcpNoDelay())

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send small writes at once, or as Nagle's algorithm has it (ITCPTransport)."""
        self.transport.setTcpNoDelay(enabled)

    def getTcpKeepAlive(self) -> bool:
        """Whether the kernel asks a silent peer if it is there (ITCPTransport)."""
        return bool(self.transport.getTcpKeepAlive())

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Have the kernel ask a silent peer if it is there (ITCPTransport)."""
        self.transport.setTcpKeepAlive(enabled)

    # -- the beginning ---------------------------------------------------------------------

    def makeConnection(self, transport: Any, since: float | None = None) -> None:
        """The transport below is there. With TLS the protocol is told after the handshake.

        *since* is when the connection was accepted, in seconds; None: now.
        """
        layer = self.layer
        self.transport = transport
        self.lowest.bufferSize = UNPROVED
        self.last_activity = layer.seconds()
        self.opened_at = self.last_activity if since is None else since
        layer.streams.add(self)
        if not self.local and layer.publisher.active:
            self.local = show(transport.getHost())
        self._publish_opening()
        if layer.opened:
            layer.run("opened", self)
        layer.look_soon(self)
        if not self.secure and not self.ending:
            self._establish()

    def _publish_opening(self) -> None:
        publisher = self.layer.publisher
        if self.sampled or "accepted" in publisher.wanted:
            balancer = None if self.proxy is None else self.proxy.balancer
            self._publish(Accepted, self.peer, self.local, self.kind, balancer)
        else:
            publisher.tally["accepted"] += 1

    def _establish(self) -> None:
        """Connect the protocol: now both sides can talk."""
        self.established = True
        if self.secure:
            self._register()
        try:
            self.protocol.makeConnection(self)
        except Exception as why:
            self.failed("connectionMade", why)

    def handshake_done(self, **facts: str | None) -> None:
        """TLS is up; *facts* are those of the :class:`~twisted_lab.events.Tls` event."""
        self._publish(Tls, **facts)
        if not self.ending:
            self.last_activity = self.layer.seconds()
            self.layer.look_soon(self)  # the timers of the handshake are not those of the talk
            self._establish()

    def handshake_failed(self, why: str) -> None:
        """TLS did not come up; *why* in OpenSSL's words."""
        self._publish(Tls, error=why)
        self._name(CloseReason.HANDSHAKE, why)
        self.ending = True

    # -- data ------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """One recv() from the transport, on to the protocol."""
        layer = self.layer
        self.bytes_in += len(data)
        self.last_activity = layer.seconds()
        if self.watched:
            layer.watch_received(self, data)
        if self.ending:
            return  # lingering: read and dropped
        try:
            self.protocol.dataReceived(data)
        except Exception as why:
            self.failed("dataReceived", why)

    def write(self, data: bytes) -> None:
        """Send *data*, in order, after all that was written before; dropped once we are ending."""
        if self._write_closed or self.ending:
            return
        layer = self.layer
        self.bytes_out += len(data)
        self.last_activity = layer.seconds()
        if self.bytes_out > self._unwatched:
            self._watch_output(len(data))
        if self.watched:
            layer.write_watched(self, data)
        else:
            self.transport.write(data)

    def writeSequence(self, iovec: Any) -> None:
        """Send the pieces of *iovec* as one write."""
        self.write(b"".join(iovec))

    def _publish(self, kind: Any, *fields: Any, **more: Any) -> None:
        """Publish an event of *kind* about this stream, if anybody wants it."""
        layer = self.layer
        publisher = layer.publisher
        if self.sampled or kind.event in publisher.wanted:
            layer.publish(self, kind(publisher.now(), layer.name, self.id, *fields, **more))
        else:
            publisher.tally[kind.event] += 1

    def tell(self, text: str) -> None:
        """Say one line to the person at the other end, on services that speak in lines."""
        if self.layer.lines and self.established:
            self.write(text.encode() + b"\r\n")

    def note(self, kind: str, text: str) -> None:
        """Publish a :class:`~twisted_lab.events.Note` about this stream."""
        layer = self.layer
        publisher = layer.publisher
        if self.sampled or "note" in publisher.wanted:
            layer.publish(self, Note(publisher.now(), layer.name, kind, text, self.id))
        else:
            publisher.tally["note"] += 1

    # -- time ------------------------------------------------------------------------------

    @property
    def message_begun_at(self) -> float | None:
        """When the message now half received began, where the protocol knows; else None."""
        begun: float | None = _said(self.protocol, "message_begun_at", None)
        return begun

    @property
    def answering(self) -> bool:
        """An answer is on its way that takes time: it is not the peer who is silent."""
        return bool(_said(self.protocol, "answering", False))

    def touch(self) -> None:
        """Have the time-outs of silence count from now."""
        self.last_activity = self.layer.seconds()

    def unsent(self) -> int:
        """How many bytes the peer has not taken yet, as far as the kernel can tell."""
        return kernel.unsent(kernel.socket_of(self.lowest))

    def progress(self) -> tuple[int, ...]:
        """Numbers that change whenever a byte moves, in our buffers or in the kernel's."""
        lowest = self.lowest
        waiting = len(getattr(lowest, "dataBuffer", b"")), getattr(lowest, "offset", 0)
        return (self.bytes_in, self.bytes_out, self.unsent(), *waiting)

    def _arm(self, delay: float) -> None:
        """Look again in *delay* seconds, or sooner if that was to be."""
        if self._alarm is None or not self._alarm.active():
            self._alarm = self.layer.clock.callLater(delay, self.look)
        elif self._alarm.getTime() > self.layer.seconds() + delay:
            self._alarm.reset(delay)

    def look(self) -> None:
        """The alarm rang: ask whoever has a say in time, and set it again."""
        now = self.layer.seconds()
        if self._lost:
            return
        if self.ending or self._after_producer == "loseConnection":
            self._look_at_closing(now)
        if self.ending:
            return
        again = self.layer.next_check(self, now)
        if not self.ending and again != float("inf"):
            self._arm(max(0.0, again - now))


def _said(protocol: object, name: str, otherwise: Any) -> Any:
    """What *protocol* itself says.

    One of Twisted's wrappers would ask its transport, which is us.
    """
    own = name in getattr(protocol, "__dict__", ()) or hasattr(type(protocol), name)
    return getattr(protocol, name) if own else otherwise


def _own(name: str) -> property:
    return property(lambda stream: getattr(stream.transport, name), doc=f"The transport's {name}.")


# What else stock protocols ask of Twisted's TCP and UNIX transports. Each by its name, for with a
# __getattr__ Python (3.11) looks up every attribute of a class the long way, and each message
# would feel it.
for _name in (
    "client connected disconnected fileno getHandle hostname negotiatedProtocol reactor "
    "sendFileDescriptor server socket"
).split():
    setattr(Stream, _name, _own(_name))


@implementer(ISSLTransport)
class SecureStream(Stream):
    """A stream over TLS: the same, and ISSLTransport."""

    __slots__ = ()
    secure = True

    def getPeerCertificate(self) -> Any:
        """The client's certificate, or None (ISSLTransport)."""
        return self.transport.getPeerCertificate()

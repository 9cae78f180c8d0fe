"""The one layer between a transport and a protocol: :class:`Stream`.

Rules this file owns:

1. Every stream has exactly one end: one ``connectionLost``, one :class:`Closed` event, and the
   reason names who ended first.
2. Every close has an end: flush while something moves, then abort after a grace.
3. Half-close, abort, back-pressure and TLS facts pass in both directions. A protocol that knows
   nothing of half-close still answers everything that came before the FIN.
4. A protocol's exception ends its own connection, properly, and nothing else.
5. What nobody asked for is not done: no hook, no observer, no cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import error
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab import kernel
from twisted_lab.addresses import Host, show
from twisted_lab.errors import summary
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    LocalShutdown,
    Paused,
    PeerShutdown,
    Received,
    Resumed,
    Sent,
    Tls,
)
from twisted_lab.producing import Backpressure, PullAdapter

if TYPE_CHECKING:
    from twisted_lab.layer import Layer

_NO_HOLDS: frozenset[str] = frozenset()


@implementer(ITCPTransport, IHalfCloseableProtocol, IPushProducer)
class Stream:
    """A protocol to the transport below, a transport to the protocol above.

    Made by :class:`twisted_lab.layer.StreamFactory`. *host* and *peer* say who connected, *local*
    and *kind* on which listener. See :class:`twisted_lab.interfaces.StreamView` for what a
    policy or a protocol may ask of it. What is not defined here is the transport's own.
    """

    #: TLS stands between this stream and its socket.
    secure = False

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_closing_after_producer",
        "_holds",
        "_kind",
        "_linger",
        "_lost",
        "_moved",
        "_moved_at",
        "_output_full",
        "_producer",
        "_raw_tcp_info",
        "_read_closed",
        "_write_closed",
        "bytes_in",
        "bytes_out",
        "detail",
        "ending",
        "established",
        "host",
        "id",
        "last_activity",
        "layer",
        "local",
        "opened_at",
        "peer",
        "protocol",
        "reason",
        "transport",
    )

    def __init__(
        self, layer: Layer, protocol: IProtocol, host: Host, peer: str, local: str, kind: str
    ) -> None:
        self.layer = layer
        self.protocol = protocol
        self.host = host
        self.peer = peer
        self.local = local
        self._kind = kind
        self.id = layer.new_id()
        self.bytes_in = 0
        self.bytes_out = 0
        self.established = False
        self.ending = False
        self.reason: CloseReason | None = None
        self.detail = ""
        self._alarm: Any = None
        self._closing_after_producer = False
        self._holds = _NO_HOLDS
        self._linger = False
        self._lost = False
        self._output_full = False
        self._producer: Any = None
        self._raw_tcp_info: bytes | None = None  # read only when the end is published
        self._read_closed = False
        self._write_closed = False

    def __repr__(self) -> str:
        return f"<Stream {self.id} {self.layer.name} {self.peer} on {self.local}>"

    def __getattr__(self, name: str) -> Any:
        # getPeer, getHost, setTcpNoDelay, getPeerCertificate …: the transport's own.
        if name.startswith("_") or name == "transport":
            raise AttributeError(name)
        return getattr(self.transport, name)

    @property
    def disconnecting(self) -> bool:
        """Twisted's old word for ``ending``, which stock protocols read."""
        return self.ending

    @property
    def lowest(self) -> Any:
        """The transport that owns the socket, below any TLS."""
        return getattr(self.transport, "lowest", self.transport)

    # -- the beginning ---------------------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """The transport below is there. With TLS the protocol is told after the handshake."""
        layer = self.layer
        self.transport = transport
        self.opened_at = self.last_activity = layer.seconds()
        layer.streams.add(self)
        publisher = layer.publisher
        if publisher.active:
            self._find_local()
            now = publisher.now()
            publisher.publish(Accepted(now, layer.name, self.id, self.peer, self.local, self._kind))
        if layer.opened:
            layer.run("opened", self)
        if not self.secure:
            self.establish()
        self._look()

    def _find_local(self) -> None:
        # A wildcard listener's address says nothing; the accepted socket knows.
        if not self.local or self.local.startswith(("0.0.0.0:", "[::]:")):
            self.local = show(self.transport.getHost())

    def establish(self) -> None:
        """Connect the protocol: now both sides can talk."""
        if self.ending:
            return
        self.established = True
        self.last_activity = self.layer.seconds()
        self.transport.registerProducer(Backpressure(self), True)
        try:
            self.protocol.makeConnection(self)
        except Exception as why:
            self._failed("connectionMade", why)

    def handshake_done(self, **facts: str | None) -> None:
        """TLS is up; *facts* are those of the :class:`~twisted_lab.events.Tls` event."""
        self._publish_tls(**facts)
        self.establish()

    def handshake_failed(self, why: str) -> None:
        """TLS did not come up; *why* in OpenSSL's words."""
        self._publish_tls(error=why)
        self._name(CloseReason.HANDSHAKE, why)
        self.ending = True

    def _publish_tls(self, **facts: str | None) -> None:
        publisher = self.layer.publisher
        if publisher.active:
            publisher.publish(Tls(publisher.now(), self.layer.name, self.id, **facts))

    # -- data ------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """One recv() from the transport, on to the protocol."""
        layer = self.layer
        self.bytes_in += len(data)
        self.last_activity = layer.seconds()
        if layer.received:
            layer.run("received", self, len(data))
        publisher = layer.publisher
        if publisher.traffic:
            self._publish_traffic(Received, data)
        if self.ending:
            return  # lingering: read and dropped
        try:
            self.protocol.dataReceived(data)
        except Exception as why:
            self._failed("dataReceived", why)

    def write(self, data: bytes) -> None:
        """Send *data*, in order, after all that was written before; dropped once we are ending."""
        if self._write_closed or self.ending:
            return
        layer = self.layer
        self.bytes_out += len(data)
        self.last_activity = layer.seconds()
        if layer.publisher.traffic:
            self._publish_traffic(Sent, data)
        self.transport.write(data)
        if layer.sent:
            layer.run("sent", self, len(data))

    def writeSequence(self, iovec: Any) -> None:
        """Send the pieces of *iovec* as one write."""
        self.write(b"".join(iovec))

    def _publish_traffic(self, kind: type[Received] | type[Sent], data: bytes) -> None:
        publisher = self.layer.publisher
        publisher.publish(
            kind(publisher.now(), self.layer.name, self.id, len(data), publisher.captured(data))
        )

    def tell(self, text: str) -> None:
        """Say one line to the person at the other end, on services that speak in lines."""
        if self.layer.lines and self.established:
            self.write(text.encode() + b"\r\n")

    def note(self, kind: str, text: str) -> None:
        """Publish a :class:`~twisted_lab.events.Note` about this stream."""
        self.layer.note(kind, text, self.id)

    # -- back-pressure ---------------------------------------------------------------------

    def hold(self, by: str) -> None:
        """Stop reading, for the reason *by*, until :meth:`release` of every reason."""
        if by in self._holds:
            return
        first = not self._holds
        self._holds |= {by}
        if first and not self._read_closed:
            self.transport.pauseProducing()
            self._publish_flow(Paused, "in", by)

    def release(self, by: str) -> None:
        """End the hold *by*; reading goes on when it was the last."""
        if by not in self._holds:
            return
        self._holds -= {by}
        if not self._holds and not self._read_closed and not self._lost:
            self.transport.resumeProducing()
            self._publish_flow(Resumed, "in")

    def output_full(self) -> None:
        """The transport's buffer is over its high-water mark: neither read nor produce."""
        if self._output_full:
            return
        self._output_full = True
        self._publish_flow(Paused, "out", "output")
        self.hold("output")
        if self._producer is not None:
            self._producer.pauseProducing()

    def output_drained(self) -> None:
        """The transport's buffer is empty again."""
        if not self._output_full:
            return
        self._output_full = False
        self._publish_flow(Resumed, "out")
        self.release("output")
        if self._producer is not None:
            self._producer.resumeProducing()

    def _publish_flow(self, kind: type[Paused] | type[Resumed], *fields: str) -> None:
        publisher = self.layer.publisher
        if publisher.active:
            publisher.publish(kind(publisher.now(), self.layer.name, self.id, *fields))

    def pauseProducing(self) -> None:
        """The protocol wants no data for now (IPushProducer)."""
        self.hold("protocol")

    def resumeProducing(self) -> None:
        """The protocol wants data again (IPushProducer)."""
        self.release("protocol")

    def stopProducing(self) -> None:
        """IPushProducer's word for :meth:`loseConnection`."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* fill this stream as the peer takes it (IConsumer)."""
        if self._producer is not None:
            raise RuntimeError(f"{self._producer!r} is already producing for {self!r}")
        if self.ending or self._lost:
            producer.stopProducing()
            return
        self._producer = producer if streaming else PullAdapter(producer, self.layer.clock)
        if not streaming:
            self._producer.resumeProducing()
        elif self._output_full:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """The producer is done; a close that waited for it goes on (IConsumer)."""
        producer, self._producer = self._producer, None
        if isinstance(producer, PullAdapter):
            producer.pauseProducing()
        if self._closing_after_producer:
            self.end(CloseReason.LOCAL)

    # -- the end ---------------------------------------------------------------------------

    def loseConnection(self) -> None:
        """Close after everything written is sent, and after a registered producer is done."""
        if self._producer is not None:
            self._closing_after_producer = True
        else:
            self.end(CloseReason.LOCAL)

    def abortConnection(self) -> None:
        """Close now with RST; what is not sent is lost."""
        self.abort(CloseReason.ABORTED)

    def loseWriteConnection(self) -> None:
        """Send FIN after everything written; reading goes on."""
        if not self._write_closed and not self.ending:
            self._name(CloseReason.LOCAL)
            self._end_output()

    def _end_output(self) -> None:
        self._write_closed = True
        self._free_output()
        self.transport.loseWriteConnection()

    def _free_output(self) -> None:
        # A registered and paused producer would keep Twisted from ever closing or half-closing.
        if self.established:
            self.transport.unregisterProducer()
        self._output_full = False
        self.release("output")

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        """Close: flush, FIN, gone; abort when nothing moves for the layer's grace.

        *linger* is for a reply that the peer has not asked to be its last: FIN first, then read
        and drop for the layer's linger, so that no RST overtakes the reply.
        """
        self._name(reason, detail)
        if self.ending or self._lost:
            return
        self.ending = True
        self._linger = linger and self.established and not self._read_closed
        self._moved, self._moved_at = self.progress(), self.layer.seconds()
        self._arm(min(self.layer.grace, 1.0))
        self._begin_close()

    def _begin_close(self) -> None:
        if self._linger and not self._write_closed:
            self._end_output()
            self._holds = _NO_HOLDS
            self.transport.resumeProducing()
        else:
            self._free_output()
            self.transport.loseConnection()

    def abort(self, reason: CloseReason, detail: str = "") -> None:
        """Close now with RST. An earlier reason stays."""
        self._name(reason, detail)
        self.ending = True
        if not self._lost:
            self.transport.abortConnection()

    def _name(self, reason: CloseReason, detail: str = "") -> None:
        if self.reason is None:
            self.reason = reason
            self.detail = detail
        if self.layer.publisher.active and not self._lost:
            self._raw_tcp_info = kernel.raw_tcp_info(kernel.socket_of(self.lowest))

    def _failed(self, where: str, why: Exception) -> None:
        text = f"{where}: {summary(why)}"
        self.note("exception", text)
        self.end(CloseReason.ERROR, text)

    def truncated(self) -> None:
        """The peer ended TLS without close_notify: what it meant to send may be cut."""
        self._read_closed = True
        self.end(CloseReason.TRUNCATED)

    def readConnectionLost(self) -> None:
        """FIN (or close_notify) came in: the peer will send no more (IHalfCloseableProtocol)."""
        self._read_closed = True
        if not self._write_closed and not self.ending:
            self._publish_shutdown(PeerShutdown)
        self._name(CloseReason.PEER_FIN)
        if self.ending or not self.established:
            self.ending = True
            self.transport.loseConnection()
        elif IHalfCloseableProtocol.providedBy(self.protocol):
            self._call_protocol("readConnectionLost")
        else:
            self.end(CloseReason.PEER_FIN)
        if self._write_closed and not self.ending:
            self.end(CloseReason.PEER_FIN)

    def writeConnectionLost(self) -> None:
        """Our FIN is out (IHalfCloseableProtocol)."""
        if self._lost:
            return
        if not self._read_closed:
            self._publish_shutdown(LocalShutdown)
        if self.ending:
            self._arm(self.layer.linger)
        elif IHalfCloseableProtocol.providedBy(self.protocol):
            self._call_protocol("writeConnectionLost")

    def _publish_shutdown(self, kind: type[PeerShutdown] | type[LocalShutdown]) -> None:
        publisher = self.layer.publisher
        if publisher.active:
            publisher.publish(kind(publisher.now(), self.layer.name, self.id))

    def _call_protocol(self, name: str) -> None:
        try:
            getattr(self.protocol, name)()
        except Exception as why:
            self._failed(name, why)

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone: the one end of this stream."""
        if self._lost:
            return
        if self.reason is None:
            clean = reason.check(error.ConnectionDone)
            self.reason = CloseReason.PEER_FIN if clean else CloseReason.RESET
        self._lost = self.ending = True
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._publish_closed()
        self._leave()
        self._end_protocol(reason)

    def _leave(self) -> None:
        layer = self.layer
        layer.streams.discard(self)
        layer.run("closed", self)
        layer.run("left", self.host)

    def _end_protocol(self, reason: Failure) -> None:
        producer, self._producer = self._producer, None
        if not self.established:
            return
        try:
            if producer is not None:
                producer.stopProducing()
            self.protocol.connectionLost(reason)
        except Exception as why:
            self._failed("connectionLost", why)

    def _publish_closed(self) -> None:
        layer = self.layer
        publisher = layer.publisher
        if publisher.active and self.reason is not None:
            publisher.publish(
                Closed(
                    publisher.now(),
                    layer.name,
                    self.id,
                    self.peer,
                    self.local,
                    self.reason,
                    self.bytes_in,
                    self.bytes_out,
                    round(layer.seconds() - self.opened_at, 6),
                    self.detail,
                    kernel.read_tcp_info(self._raw_tcp_info),
                )
            )

    # -- time ------------------------------------------------------------------------------

    @property
    def message_begun_at(self) -> float | None:
        """When the message now half received began, where the protocol knows; else None."""
        return getattr(self.protocol, "message_begun_at", None)

    def unsent(self) -> int:
        """How many bytes the peer has not taken yet, as far as the kernel can tell."""
        return kernel.unsent(kernel.socket_of(self.lowest))

    def progress(self) -> tuple[int, ...]:
        """Numbers that change whenever a byte moves, in our buffers or in the kernel's."""
        lowest = self.lowest
        waiting = len(getattr(lowest, "dataBuffer", b"")), getattr(lowest, "offset", 0)
        return (self.bytes_in, self.bytes_out, self.unsent(), *waiting)

    def limit_reads(self, size: int) -> None:
        """Ask the kernel for at most *size* bytes at a time."""
        self.lowest.bufferSize = size

    def _arm(self, delay: float) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.reset(delay)
        else:
            self._alarm = self.layer.clock.callLater(delay, self._look)

    def _look(self) -> None:
        """The alarm rang: ask whoever has a say in time, and set it again."""
        now = self.layer.seconds()
        if self.ending:
            self._look_at_closing(now)
            return
        again = self.layer.next_check(self, now)
        if not self.ending and again != float("inf"):
            self._arm(max(0.0, again - now))

    def _look_at_closing(self, now: float) -> None:
        if self._lost:
            return
        if self._linger and self._write_closed and not self.unsent():
            self._linger = False  # the FIN has been out for the whole linger
            self.transport.loseConnection()
        moved = self.progress()
        if moved != self._moved:
            self._moved, self._moved_at = moved, now
        left = self._moved_at + self.layer.grace - now
        if left <= 0:
            self.abort(CloseReason.ABORTED)
        elif not self._lost:
            self._arm(min(left, 1.0))


@implementer(ISSLTransport)
class SecureStream(Stream):
    """A stream over TLS: the same, and ISSLTransport (getPeerCertificate is the transport's)."""

    __slots__ = ()
    secure = True

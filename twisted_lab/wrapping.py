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
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
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
    PeerShutdown,
    Tls,
)
from twisted_lab.flow import NO_HOLDS, Flow
from twisted_lab.producing import Backpressure, PullAdapter

if TYPE_CHECKING:
    from twisted_lab.layer import Layer

#: What a transport says when it is gone in order.
_DONE = Failure(error.ConnectionDone())
_LOST = Failure(error.ConnectionLost())


@implementer(ITCPTransport, IConsumer, IHalfCloseableProtocol, IPushProducer)
class Stream(Flow):
    """A protocol to the transport below, a transport to the protocol above.

    Made by :class:`twisted_lab.layer.StreamFactory`. *address* and *host* say who connected,
    *local* and *kind* on which listener. See :class:`twisted_lab.interfaces.StreamView` for what a
    policy or a protocol may ask of it. What is not defined here is the transport's own.
    """

    #: TLS stands between this stream and its socket.
    secure = False

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_fin_out",
        "_kind",
        "_lingers_until",
        "_lost",
        "_moved",
        "_moved_at",
        "_number",
        "_raw_tcp_info",
        "_read_closed",
        "_write_closed",
        "address",
        "bytes_in",
        "bytes_out",
        "detail",
        "ending",
        "established",
        "host",
        "last_activity",
        "layer",
        "local",
        "opened_at",
        "protocol",
        "reason",
        "transport",
    )

    def __init__(
        self, layer: Layer, protocol: Any, address: IAddress, host: Host, local: str, kind: str
    ) -> None:
        super().__init__()
        self.layer = layer
        self.protocol = protocol
        self.host = host
        self.address = address
        self.local = local
        self._kind = kind
        self._number = layer.new_number()
        self.bytes_in = 0
        self.bytes_out = 0
        self.established = False
        self.ending = False
        self.reason: CloseReason | None = None
        self.detail = ""
        self._alarm: Any = None
        self._fin_out = False
        self._lingers_until: float | None = None
        self._lost = False
        self._moved: tuple[int, ...] | None = None
        self._moved_at = 0.0
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
    def id(self) -> str:
        """The stream's short name, unique in the run."""
        return f"c{self._number}"

    @property
    def peer(self) -> str:
        """The peer's address as text."""
        return show(self.address)

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
        if not self.local and layer.publisher.active:
            self.local = show(transport.getHost())
        if "accepted" in layer.publisher.wanted:
            self._publish(Accepted, self.peer, self.local, self._kind)
        else:
            layer.publisher.tally["accepted"] += 1
        if layer.opened:
            layer.run("opened", self)
        layer.look_soon(self)
        if not self.secure and not self.ending:
            self._establish()

    def _establish(self) -> None:
        """Connect the protocol: now both sides can talk."""
        self.established = True
        self.transport.registerProducer(Backpressure(self), True)
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
        if layer.watched:
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
        if layer.watched:
            layer.watch_sent(self, data)
        self.transport.write(data)
        if layer.sent:
            layer.run("sent", self, len(data))

    def writeSequence(self, iovec: Any) -> None:
        """Send the pieces of *iovec* as one write."""
        self.write(b"".join(iovec))

    def _publish(self, kind: Any, *fields: Any, **more: Any) -> None:
        """Publish an event of *kind* about this stream, if anybody wants it."""
        publisher = self.layer.publisher
        if kind.event in publisher.wanted:
            publisher.offer(kind, self.layer.name, self.id, *fields, **more)
        else:
            publisher.tally[kind.event] += 1

    def tell(self, text: str) -> None:
        """Say one line to the person at the other end, on services that speak in lines."""
        if self.layer.lines and self.established:
            self.write(text.encode() + b"\r\n")

    def note(self, kind: str, text: str) -> None:
        """Publish a :class:`~twisted_lab.events.Note` about this stream."""
        self.layer.note(kind, text, self.id)

    # -- the end ---------------------------------------------------------------------------

    def loseConnection(self) -> None:
        """Close after everything written is sent, and after a registered producer is done."""
        if self._producer is None:
            self.end(CloseReason.LOCAL)
        elif not self.ending:
            self._name(CloseReason.LOCAL)
            self._after_producer = "loseConnection"
            self._watch_closing()

    def abortConnection(self) -> None:
        """Close now with RST; what is not sent is lost."""
        self.abort(CloseReason.ABORTED)

    def loseWriteConnection(self) -> None:
        """Send FIN after everything written, and after a registered producer; reading goes on."""
        if self._write_closed or self.ending:
            return
        self._name(CloseReason.LOCAL)
        if self._producer is not None:
            self._after_producer = self._after_producer or "loseWriteConnection"
        elif self._read_closed:
            self.end(CloseReason.LOCAL)  # both directions are done
        else:
            self._end_output()

    def _end_output(self) -> None:
        self._write_closed = True
        self._free_output()
        self.transport.loseWriteConnection()

    def _free_output(self) -> None:
        # A registered and paused producer would keep Twisted from ever closing or half-closing.
        if self.established:
            self.transport.unregisterProducer()
        self.output_drained()

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        """Close: flush, FIN, gone; abort when nothing moves for the layer's grace.

        *linger* is for a reply that the peer has not asked to be its last: FIN first, then read
        and drop for the layer's linger, so that no RST overtakes the reply.
        """
        self._name(reason, detail)
        if self.ending or self._lost:
            return
        self.ending = True
        if self.secure and not self.established:
            self._publish(Tls, error=detail or reason.value)
        self._watch_closing()
        if linger and self.established and not self._read_closed:
            self._linger()
        else:
            self._free_output()
            self.transport.loseConnection()
        self._tell_producer("pauseProducing")

    def _linger(self) -> None:
        self.lowest.bufferSize = 2**16  # with a policy's small reads this would be a busy loop
        if self._fin_out:
            self._linger_from_now()
        elif not self._write_closed:
            self._end_output()
        self._holds = NO_HOLDS
        self.transport.resumeProducing()

    def _linger_from_now(self) -> None:
        self._lingers_until = self.layer.seconds() + self.layer.linger
        self._arm(self.layer.linger)

    def _watch_closing(self) -> None:
        self._moved_at = self.layer.seconds()
        self.layer.look_soon(self)

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
        if self.layer.publisher.detailed and not self._lost:
            self._raw_tcp_info = kernel.raw_tcp_info(kernel.socket_of(self.lowest))

    def failed(self, where: str, why: Exception) -> None:
        """The protocol raised *why* in its method *where*: a bug that ends its own stream."""
        text = f"{where}: {summary(why)}"
        self.note("exception", text)
        self.end(CloseReason.ERROR, text)

    def truncated(self) -> None:
        """The peer ended TLS without close_notify: what it meant to send may be cut."""
        self._read_closed = True
        self.end(CloseReason.TRUNCATED)

    def readConnectionLost(self) -> None:
        """FIN (or close_notify) came in: the peer will send no more (IHalfCloseableProtocol)."""
        if not self.secure and kernel.was_reset(kernel.socket_of(self.transport)):
            self.transport.connectionLost(_LOST)
            return
        self._read_closed = True
        if not self._write_closed and not self.ending:
            self._publish(PeerShutdown)
        self._name(CloseReason.PEER_FIN)
        if self.ending or not self.established:
            self.ending = True
            self.transport.loseConnection()
        elif self.layer.knows_half_close(self.protocol):
            self._call_protocol("readConnectionLost")
        elif isinstance(self._producer, PullAdapter):
            # What it gives is part of the answer, and has an end; a push producer's may have none.
            self.loseConnection()
        elif self._is_flushed():
            self.transport.connectionLost(_DONE)
        else:
            self.end(CloseReason.PEER_FIN)
        if self._write_closed and not self.ending:
            self.end(CloseReason.PEER_FIN)

    def _is_flushed(self) -> bool:
        """Whether the transport has given everything to the kernel, as far as it can be seen.

        Then a FIN ends the connection as Twisted itself would end it, one turn of the reactor and
        four system calls sooner. ``_tempDataLen`` is private to Twisted (seen in 26.10); where it
        is missing we take the long way.
        """
        transport = self.transport
        return not (getattr(transport, "_tempDataLen", True) or transport.dataBuffer)

    def writeConnectionLost(self) -> None:
        """Our FIN is out (IHalfCloseableProtocol)."""
        if self._lost:
            return
        self._fin_out = True
        if not self._read_closed:
            self._publish(LocalShutdown)
        if self.ending:
            self._linger_from_now()
        elif self.layer.knows_half_close(self.protocol):
            self._call_protocol("writeConnectionLost")

    def _call_protocol(self, name: str) -> None:
        try:
            getattr(self.protocol, name)()
        except Exception as why:
            self.failed(name, why)

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone: the one end of this stream."""
        if self._lost:
            return
        if self.reason is None:
            self.reason = _reason_of(reason)
        self._lost = self.ending = True
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._publish_closed()
        self.layer.forget(self)
        protocol, self.protocol = self.protocol, None  # two that hold each other wait for the GC
        if not self.established:
            return
        if self._producer is not None:
            self._tell_producer("stopProducing")
            self._producer = None
        try:
            protocol.connectionLost(reason)
        except Exception as why:
            self.failed("connectionLost", why)

    def _publish_closed(self) -> None:
        publisher = self.layer.publisher
        if "closed" not in publisher.wanted:
            publisher.tally["closed"] += 1
        else:
            self._publish(
                Closed,
                self.peer,
                self.local,
                self.reason,
                self.bytes_in,
                self.bytes_out,
                round(self.layer.seconds() - self.opened_at, 6),
                self.detail,
                kernel.read_tcp_info(self._raw_tcp_info),
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
        """From now on ask the kernel for at most *size* bytes at a time, or fewer if that holds."""
        self.lowest.bufferSize = min(size, self.lowest.bufferSize)

    @property
    def write_limit(self) -> int:
        """How many bytes a protocol that has much to say had better write at a time."""
        size: int = self.lowest.bufferSize
        return size

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

    def _look_at_closing(self, now: float) -> None:
        if self._lingers_until is not None and now >= self._lingers_until:
            self._lingers_until = None
            self.transport.loseConnection()
        moved = self.progress()
        waits_for_producer = not (self.ending or self._output_full)
        if waits_for_producer or (self._moved is not None and moved != self._moved):
            self._moved_at = now
        self._moved = moved
        left = self._moved_at + self.layer.grace - now
        if left <= 0:
            self.abort(CloseReason.ABORTED)
        elif not self._lost:
            self._arm(min(left, 1.0))


def _reason_of(failure: Failure) -> CloseReason:
    if failure.check(error.ConnectionDone):
        return CloseReason.PEER_FIN
    return CloseReason.RESET if failure.check(error.ConnectionLost) else CloseReason.ERROR


@implementer(ISSLTransport)
class SecureStream(Stream):
    """A stream over TLS: the same, and ISSLTransport (getPeerCertificate is the transport's)."""

    __slots__ = ()
    secure = True

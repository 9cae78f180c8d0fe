"""The end of a stream: who names it, and how it comes.

Rules this file owns:

1. Every stream has exactly one end: one ``connectionLost``, one :class:`Closed` event, and the
   reason names who ended first.
2. Every close has an end: flush while something moves, then abort after a grace.
3. A protocol that knows nothing of half-close still answers everything that came before the FIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import error
from twisted.python.failure import Failure

from twisted_lab import kernel
from twisted_lab.errors import summary
from twisted_lab.events import Closed, CloseReason, LocalShutdown, PeerShutdown, Tls
from twisted_lab.flow import NO_HOLDS, Flow
from twisted_lab.producing import PullAdapter

#: Python 3.11 takes as long to find a member of an enumeration as to publish an event.
_PEER_FIN = CloseReason.PEER_FIN

#: What a transport says when it is gone in order, and when not.
_DONE = Failure(error.ConnectionDone())
_LOST = Failure(error.ConnectionLost())


class Ending(Flow):
    """The part of :class:`twisted_lab.wrapping.Stream` that closes, half-closes and aborts."""

    __slots__ = (
        "_fin_out",
        "_lingers_until",
        "_lost",
        "_moved",
        "_moved_at",
        "_raw_tcp_info",
        "_read_closed",
        "_write_closed",
        "detail",
        "ending",
        "reason",
    )

    reason: CloseReason | None
    detail: str
    _lingers_until: float | None
    _moved: tuple[int, ...] | None
    _moved_at: float
    _raw_tcp_info: bytes | None  # read only when the end is published

    secure: bool
    established: bool
    protocol: Any
    local: str
    bytes_in: int
    bytes_out: int
    opened_at: float
    sampled: int
    _alarm: Any

    if TYPE_CHECKING:  # what the other parts bring

        @property
        def peer(self) -> str: ...  # noqa: D102

        def note(self, kind: str, text: str) -> None: ...  # noqa: D102

        def progress(self) -> tuple[int, ...]: ...  # noqa: D102

        def _arm(self, delay: float) -> None: ...

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
        self.layer.look_soon(self)  # type: ignore[arg-type]  # every Ending is a Stream

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
        if not (self._write_closed or self.ending):
            self._publish(PeerShutdown)
        self._name(_PEER_FIN)
        if self.ending or not self.established:
            self.ending = True
            self.transport.loseConnection()
        elif self.layer.knows_half_close(self.protocol):
            self._call_protocol("readConnectionLost")
        elif isinstance(self._producer, PullAdapter):
            # What it gives is part of the answer, and has an end; a push producer's may have none.
            self.loseConnection()
        elif self._is_flushed():
            # As Twisted itself would end it, one turn of the reactor and four system calls sooner.
            self.transport.connectionLost(_DONE)
        else:
            self.end(CloseReason.PEER_FIN)
        if self._write_closed and not self.ending:
            self.end(CloseReason.PEER_FIN)

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
        self.layer.forget(self)  # type: ignore[arg-type]  # every Ending is a Stream
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
        if "closed" not in publisher.wanted and not self.sampled:
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
            lingers = 1.0 if self._lingers_until is None else self._lingers_until - now
            self._arm(min(left, lingers, 1.0))


def _reason_of(failure: Failure) -> CloseReason:
    if failure.check(error.ConnectionDone):
        return CloseReason.PEER_FIN
    return CloseReason.RESET if failure.check(error.ConnectionLost) else CloseReason.ERROR

"""The flow of a stream: when it reads, when its protocol produces.

Reading stops for as long as anyone holds it: the output that is full, a protocol that asked, a
policy. It goes on when the last of them lets go.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted_lab.events import Paused, Resumed
from twisted_lab.producing import Backpressure, PullAdapter

if TYPE_CHECKING:
    from twisted_lab.layer import Layer

#: As long as a stream has written no more bytes than this since its transport's buffer (Twisted's
#: ``FileDescriptor.bufferSize``) was empty, it cannot be full, and nobody need ask to hear of it.
CANNOT_FILL = 2**16

#: Bytes of the first reads of a stream, and of what may wait in its transport's buffer then. Who
#: does not read what he asks for has cost us half; who does is read in pieces of CANNOT_FILL.
UNPROVED = 2**15

#: So many bytes are gone only to a peer that reads: the kernel's buffers of both sides hold less
#: (tcp(7): tcp_wmem and tcp_rmem grow to 4 and 6 MiB, overhead counted; 6 MB were measured).
PROOF = 2**23
_WATCHED = sys.maxsize

NO_HOLDS: frozenset[str] = frozenset()

#: The hold of a protocol that asked for silence. It stops reading, not what the protocol produces.
PROTOCOL = "protocol"
_BY_PROTOCOL = frozenset({PROTOCOL})


class Flow:
    """The part of :class:`twisted_lab.wrapping.Stream` that starts and stops data."""

    __slots__ = (
        "_after_producer",
        "_holds",
        "_output_full",
        "_producer",
        "_read_limit",
        "_unwatched",
        "write_limit",
    )

    layer: Layer
    transport: Any
    ending: bool
    # The name of the method that a close or half-close, waiting for the producer, will call.
    _after_producer: str | None
    _holds: frozenset[str]
    _lost: bool
    _output_full: bool
    _producer: Any
    # The stream may write so many bytes in all before its output must be looked at.
    _unwatched: int
    bytes_out: int
    # How many bytes may be asked of the kernel at a time, once the peer has shown that it reads.
    _read_limit: int
    #: How many bytes a protocol that has much to say had better write at a time.
    write_limit: int
    _read_closed: bool
    _write_closed: bool

    if TYPE_CHECKING:  # what the other parts bring

        @property
        def lowest(self) -> Any: ...  # noqa: D102

        def loseConnection(self) -> None: ...  # noqa: D102

        def _publish(self, kind: Any, *fields: Any, **more: Any) -> None: ...

        def failed(self, where: str, why: Exception) -> None: ...  # noqa: D102

    def hold(self, by: str) -> None:
        """Stop, for the reason *by*, until :meth:`release` of every reason.

        Reading stops; and, unless it is the protocol itself that asked, its producer does too.
        """
        if by in self._holds or self._lost:
            return
        holds, self._holds = self._holds, self._holds | {by}
        if not holds and not self._read_closed:
            self.transport.pauseProducing()
            self._publish(Paused, "in", by)
        if not holds - _BY_PROTOCOL and by not in _BY_PROTOCOL:
            self._tell_producer("pauseProducing")

    def release(self, by: str) -> None:
        """End the hold *by*; what it stopped goes on when it was the last."""
        if by not in self._holds or self._lost:
            return
        self._holds -= {by}
        if not self._holds and not self._read_closed:
            self.transport.resumeProducing()
            self._publish(Resumed, "in")
        if not self._holds - _BY_PROTOCOL and by not in _BY_PROTOCOL:
            self._tell_producer("resumeProducing")

    def _watch_output(self, size: int) -> None:
        """A write of *size* bytes comes, after so many that the transport's buffer could be full.

        While a peer reads it is empty instead, and need not be watched: to be a producer costs a
        little with each write.
        """
        if self.bytes_out > PROOF and self._is_flushed():
            self.lowest.bufferSize = self._read_limit
        room = self.lowest.bufferSize
        if size <= room and self._is_flushed():
            self._unwatched = self.bytes_out - size + room
        else:
            self._register()

    def _register(self) -> None:
        """Hear from the transport when its buffer is full, and when it is empty again."""
        self._unwatched = _WATCHED  # so once at most: no stream writes as much
        self.transport.registerProducer(Backpressure(self), True)

    def _is_flushed(self) -> bool:
        """Whether the transport has given everything to the kernel, as far as it can be seen.

        ``_tempDataLen`` is private to Twisted (seen in 26.10); where it is missing we do not know.
        """
        transport = self.transport
        return not (getattr(transport, "_tempDataLen", True) or transport.dataBuffer)

    def _free_output(self) -> None:
        # A registered and paused producer would keep Twisted from ever closing or half-closing.
        if self._unwatched == _WATCHED:
            self.transport.unregisterProducer()
        self.output_drained()

    def output_full(self) -> None:
        """The transport's buffer is over its high-water mark: neither read nor produce."""
        if not self._output_full:
            self._output_full = True
            self._publish(Paused, "out", "output")
            self.hold("output")

    def output_drained(self) -> None:
        """The transport's buffer is empty again."""
        if self._output_full:
            self._output_full = False
            self._publish(Resumed, "out")
            self.release("output")

    def pauseProducing(self) -> None:
        """The protocol wants no data for now (IPushProducer)."""
        self.hold(PROTOCOL)

    def resumeProducing(self) -> None:
        """The protocol wants data again (IPushProducer)."""
        self.release(PROTOCOL)

    def stopProducing(self) -> None:
        """IPushProducer's word for :meth:`loseConnection`."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* fill this stream as the peer takes it (IConsumer)."""
        if self._producer is not None:
            raise RuntimeError(f"{self._producer!r} is already producing for {self!r}")
        if self.ending or self._lost or self._write_closed:
            producer.stopProducing()
            return
        # It may write as much at a time, and must not fill the output with each: then nothing would
        # be read between two, and the peer's FIN be seen never.
        self.lowest.bufferSize = self._read_limit
        if not streaming:
            producer = PullAdapter(producer, self.layer.clock, self.failed)
        self._producer = producer
        if self._holds - _BY_PROTOCOL:
            self._tell_producer("pauseProducing")
        elif not streaming:
            self._tell_producer("resumeProducing")

    def unregisterProducer(self) -> None:
        """The producer is done; a close or half-close that waited for it goes on (IConsumer)."""
        producer, self._producer = self._producer, None
        if isinstance(producer, PullAdapter):
            producer.pauseProducing()
        if self._after_producer is not None and not self.ending:
            after, self._after_producer = self._after_producer, None
            getattr(self, after)()

    def limit_reads(self, size: int) -> None:
        """From now on ask the kernel for at most *size* bytes at a time, or fewer if that holds."""
        self._read_limit = min(size, self._read_limit)
        self.lowest.bufferSize = min(size, self.lowest.bufferSize)
        if self._unwatched != _WATCHED:
            self._unwatched = min(size, self._unwatched)

    def limit_writes(self, size: int) -> None:
        """From now on ask protocols for at most *size* bytes at a time."""
        self.write_limit = min(size, self.write_limit)

    def free_limits(self) -> None:
        """Undo every :meth:`limit_reads` and :meth:`limit_writes`."""
        self.lowest.bufferSize = self.write_limit = self._read_limit = CANNOT_FILL

    def _tell_producer(self, what: str) -> None:
        """Call the protocol's producer, which may raise as the protocol itself may."""
        try:
            if self._producer is not None:
                getattr(self._producer, what)()
        except Exception as why:
            self._producer = None  # it is not asked again
            self.failed(what, why)

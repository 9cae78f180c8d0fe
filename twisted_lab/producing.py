"""The two small producers a stream needs: one towards the transport, one for pull producers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_lab.interfaces import Clock

if TYPE_CHECKING:
    from twisted_lab.flow import Flow


@implementer(IPushProducer)
class Backpressure:
    """What the transport pauses when its buffer is full: the whole stream above it.

    A class of its own because a :class:`Stream` is also the producer its protocol pauses.
    """

    __slots__ = ("_stream",)

    def __init__(self, stream: Flow) -> None:
        self._stream = stream

    def pauseProducing(self) -> None:
        """The transport's buffer is over its high-water mark."""
        self._stream.output_full()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        self._stream.output_drained()

    def stopProducing(self) -> None:
        """The connection is gone; the stream hears it by connectionLost."""


@implementer(IPushProducer)
class PullAdapter:
    """Asks a pull producer for more, once a turn of the reactor, while there is room.

    *failed* is told of an exception of the producer's; without it the reactor hears of it.
    """

    def __init__(
        self,
        producer: Any,
        clock: Clock,
        failed: Callable[[str, Exception], object] | None = None,
    ) -> None:
        self._producer = producer
        self._clock = clock
        self._failed = failed
        self._next: Any = None

    def resumeProducing(self) -> None:
        """There is room: begin asking."""
        if self._next is None:
            self._next = self._clock.callLater(0, self._ask)

    def _ask(self) -> None:
        self._next = None
        self.resumeProducing()
        try:
            self._producer.resumeProducing()
        except Exception as why:
            if self._failed is None:
                raise
            self._failed("resumeProducing", why)

    def pauseProducing(self) -> None:
        """No room: ask no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.pauseProducing()
        self._producer.stopProducing()

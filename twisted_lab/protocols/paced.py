"""Writing at a pace: gathered into few writes, with waits between, no faster than the peer reads.

Rule: while the writer is busy, for it waits or the peer does not read, nothing is read either. So
what is held for a connection stays bounded by one read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_lab.interfaces import Clock

#: Bytes gathered into one write. It is Twisted's own high-water mark too, so that a peer that does
#: not read shows after one such write.
GATHERED = 64 * 1024


@implementer(IPushProducer)
class PacedWriter:
    """The sending side of *transport*; ``on_free()`` is called when it is no longer busy.

    *clock* has ``seconds()`` and ``callLater()``.
    """

    def __init__(self, transport: Any, clock: Clock, on_free: Callable[[], None]) -> None:
        self._transport = transport
        self._clock = clock
        self._on_free = on_free
        self._gathered = bytearray()
        self._timer: Any = None
        self._peer_full = False
        self._holding = False
        #: False once the peer's FIN is in: to resume reading would only find it again.
        self.may_read = True
        transport.registerProducer(self, True)

    @property
    def busy(self) -> bool:
        """Waiting, or the peer does not read: nothing should be written now."""
        return self._peer_full or self._timer is not None

    @property
    def waiting(self) -> bool:
        """Waiting for a time to pass, not for the peer."""
        return self._timer is not None

    @property
    def full(self) -> bool:
        """Enough is gathered for a write."""
        return len(self._gathered) >= self._largest()

    def _largest(self) -> int:
        """Bytes that make a write: a transport that is slowed down says how few it wants."""
        limit: int = getattr(self._transport, "write_limit", GATHERED)
        return min(GATHERED, limit)

    def gather(self, data: bytes) -> None:
        """Keep *data* for the next :meth:`flush`."""
        self._gathered += data

    def flush(self) -> None:
        """Send what is gathered, in one write if it can be, as long as the peer takes it."""
        while self._gathered and not self._peer_full:
            size = self._largest()
            if size == GATHERED:
                size = len(self._gathered)  # nobody asks for small writes
            data = bytes(self._gathered[:size])
            del self._gathered[:size]
            self._transport.write(data)

    def wait(self, seconds: float) -> None:
        """Send what is gathered, then be busy for *seconds* (none when negative)."""
        self.flush()
        self._timer = self._clock.callLater(max(0.0, seconds), self._waited)

    def _waited(self) -> None:
        self._timer = None
        if (touch := getattr(self._transport, "touch", None)) is not None:
            touch()  # on a Stream; Twisted's own transports keep no time
        self._on_free()

    def pauseProducing(self) -> None:
        """The transport's buffer is full (IPushProducer)."""
        self._peer_full = True
        self.regulate()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty (IPushProducer)."""
        self._peer_full = False
        self._on_free()

    def stopProducing(self) -> None:
        """The connection is gone; the protocol's connectionLost follows (IPushProducer)."""

    def regulate(self) -> None:
        """Hold the transport's reading while busy, and let it go on afterwards.

        Called last in a turn of work, since a transport may deliver as soon as it is let go.
        """
        if self.busy == self._holding or not self.may_read:
            return
        self._holding = self.busy
        if self._holding:
            self._transport.pauseProducing()
        else:
            self._transport.resumeProducing()

    def finish(self) -> None:
        """Send what is gathered, the last of it; reading goes on."""
        if self._gathered:
            data, self._gathered = bytes(self._gathered), bytearray()
            self._transport.write(data)
        # Twisted closes nothing while a paused producer is registered.
        self._transport.unregisterProducer()
        self._peer_full = False
        self.regulate()

    def cancel(self) -> None:
        """The connection is lost: wait for nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

"""How many bytes one connection may move."""

from __future__ import annotations

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import StreamView

#: What Twisted reads at most at a time, in bytes.
_FULL_READ = 2**16


class MaxBytes:
    """Ends a stream that receives more than *limit* bytes, or has sent more: the write that passes
    the limit is the last.

    Reads are kept short of the limit, so that exactly *limit* bytes are answered (over TLS: what
    came in records that ended below it).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def opened(self, stream: StreamView) -> None:
        """Read no further than the limit."""
        self._read_up_to_limit(stream)

    def received(self, stream: StreamView, count: int) -> None:
        """Bytes came."""
        if stream.bytes_in > self._limit:
            self._end(stream, "received")
        else:
            self._read_up_to_limit(stream)

    def sent(self, stream: StreamView, count: int) -> None:
        """Bytes went."""
        if stream.bytes_out > self._limit and not stream.ending:
            self._end(stream, "sent")

    def let_go(self, stream: StreamView) -> None:
        """From now on it may move as much as it likes."""
        stream.free_limits()

    def _read_up_to_limit(self, stream: StreamView) -> None:
        left = self._limit - stream.bytes_in
        if left < _FULL_READ and not stream.secure:
            stream.limit_reads(max(1, left))

    def _end(self, stream: StreamView, direction: str) -> None:
        text = f"more than {self._limit} bytes {direction}, closing"
        if direction == "received":  # else it would be more of what is too much already
            stream.tell(text)
        stream.end(CloseReason.LIMIT, text, linger=True)

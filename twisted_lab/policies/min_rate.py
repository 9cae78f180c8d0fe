"""A peer that sends must send at a decent rate: a slot is not to be held by a byte a second."""

from __future__ import annotations

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import StreamView

#: Seconds over which the rate is taken: long enough that one pause is not a slow peer.
WINDOW = 5.0


class MinRate:
    """Ends a stream that moved something, but less than *rate* bytes per second, over a window.

    A window in which nothing moved is not judged: that is what the idle time-out is for.
    """

    def __init__(self, rate: float, window: float = WINDOW) -> None:
        self._rate = rate
        self._window = window
        self._marks: dict[StreamView, tuple[float, int]] = {}

    def check(self, stream: StreamView, now: float) -> float:
        """End *stream*, or say when its window is over."""
        total = stream.bytes_in + stream.bytes_out
        since, before = self._marks.setdefault(stream, (now, total))
        if now < since + self._window:
            return since + self._window
        self._marks[stream] = now, total
        if 0 < total - before < self._rate * (now - since):
            text = f"slower than {self._rate:g} bytes/s for {self._window:g} s, closing"
            stream.tell(text)
            stream.end(CloseReason.SLOW, text)
        return now + self._window

    def closed(self, stream: StreamView) -> None:
        """Forget it."""
        self._marks.pop(stream, None)

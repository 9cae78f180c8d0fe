"""No stream lives for ever."""

from __future__ import annotations

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import StreamView

#: Seconds: an hour, the longest a load balancer's default keeps a busy connection.
DEFAULT = 3600.0


class Lifetime:
    """Ends a stream *limit* seconds after it was accepted, however busy it is."""

    def __init__(self, limit: float = DEFAULT) -> None:
        self._limit = limit

    def check(self, stream: StreamView, now: float) -> float:
        """End *stream*, or say when its time is up."""
        due = stream.opened_at + self._limit
        if now >= due:
            text = f"open for {self._limit:g} s, closing"
            stream.tell(text)
            stream.end(CloseReason.LIFETIME, text)
        return due

"""TLS handshakes end in time, and only so many are under way."""

from __future__ import annotations

from twisted_lab.addresses import Host
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Refusal, StreamView

#: Seconds for the whole handshake, however the peer dribbles it.
DEFAULT = 5.0

#: Unfinished handshakes at once; each costs OpenSSL about 47 KiB.
UNFINISHED = 256


class Handshake:
    """Ends a TLS stream whose handshake takes more than *limit* seconds in total."""

    only_secure = True

    def __init__(self, limit: float = DEFAULT, unfinished: int = UNFINISHED) -> None:
        self._limit = limit
        self._most = unfinished
        self._unfinished: set[StreamView] = set()

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not; finished handshakes are found out only here."""
        if len(self._unfinished) >= self._most:
            self._unfinished = {stream for stream in self._unfinished if not stream.established}
            if len(self._unfinished) >= self._most:
                return Refusal("handshakes", "too many unfinished TLS handshakes")
        return None

    def opened(self, stream: StreamView) -> None:
        """A handshake begins, where there is TLS."""
        if stream.secure:
            self._unfinished.add(stream)

    def check(self, stream: StreamView, now: float) -> float:
        """End *stream*, or say when its handshake must be done."""
        if not stream.secure or stream.established:
            return float("inf")
        due = stream.opened_at + self._limit
        if now >= due:
            stream.end(CloseReason.HANDSHAKE, f"no TLS handshake within {self._limit:g} s")
        return due

    def closed(self, stream: StreamView) -> None:
        """Forget it."""
        self._unfinished.discard(stream)

"""The end of a bench: let every connection finish what moves, then part in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Clock

#: Seconds in which nothing moved, until a connection is taken to have finished.
QUIET = 0.5

#: Seconds between two looks.
_STEP = 0.1
#: The same once all are aborted, which takes a turn of the reactor.
_LAST_STEP = 0.01


class Drained(Protocol):
    """What a stop ends: a stream, or a connection that is none yet."""

    @property
    def ending(self) -> bool:
        """Its end is under way."""

    @property
    def answering(self) -> bool:
        """It has still something to say in time, though nothing moves."""

    def progress(self) -> tuple[int, ...]:
        """Numbers that change whenever a byte moves."""

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        """Close in order."""

    def abort(self, reason: CloseReason, detail: str = "") -> None:
        """Close now."""


class Drain:
    """Ends the streams that *streams* returns: serve until quiet, FIN, linger; abort at the limit.

    *limit* is in seconds, for all of it. What a peer still reads keeps its connection moving.
    """

    def __init__(
        self, clock: Clock, streams: Callable[[], Iterable[Drained]], limit: float
    ) -> None:
        self._clock = clock
        self._streams = streams
        self._limit = limit
        self._seen: dict[Drained, tuple[tuple[float, ...], float]] = {}
        self._done: Deferred[None] = Deferred()

    def start(self) -> Deferred[None]:
        """Begin; fires when no stream is left."""
        self._until = self._clock.seconds() + self._limit
        self._look()
        return self._done

    def _look(self) -> None:
        now = self._clock.seconds()
        left = list(self._streams())
        if not left:
            self._done.callback(None)
            return
        for stream in left:
            if now >= self._until:
                stream.abort(CloseReason.DRAIN)
            elif not stream.ending and self._is_quiet(stream, now):
                stream.end(CloseReason.DRAIN, "the server stops", linger=True)
        self._clock.callLater(_STEP if now < self._until else _LAST_STEP, self._look)

    def _is_quiet(self, stream: Drained, now: float) -> bool:
        progress = (*stream.progress(), now if stream.answering else 0.0)
        seen, since = self._seen.get(stream, (None, now))
        if progress != seen:
            since = now
            self._seen[stream] = progress, now
        return now - since >= QUIET

"""No stream stays when nothing moves: idle peers, peers that never read, lines never finished."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import StreamView

#: Seconds. A peer elsewhere costs a slot for nothing; on loopback a person is thinking.
ELSEWHERE = 60.0
LOOPBACK = 600.0

#: Seconds without one byte taken, of bytes that wait, until a peer is called one that never reads.
STALL = 30.0

#: How often within its time-out a stream with unsent bytes is looked at. The kernel says how much
#: is unsent now, not when it last moved.
_LOOKS = 4


class Idle:
    """Ends a stream on which nothing moved for its time-out; *loopback* and *elsewhere* in seconds.

    What the kernel still delivers of what we wrote counts as moving, so a slow reader is not idle.
    When bytes wait and none is taken, the end is ``stalled`` and comes after *stall* seconds if
    that is sooner. A message begun (a line, see ``message_begun_at``) must be finished in time.
    """

    def __init__(
        self, loopback: float = LOOPBACK, elsewhere: float = ELSEWHERE, stall: float = STALL
    ) -> None:
        self._loopback = loopback
        self._elsewhere = elsewhere
        self._stall = stall
        # Weak, so that the many streams that never come to wait need no hook at their end.
        self._progress: WeakKeyDictionary[StreamView, tuple[tuple[int, ...], float]]
        self._progress = WeakKeyDictionary()

    def inherit(self, old: Idle) -> None:
        """Who takes what we sent, if slowly, was seen by *old*, and is not stalled to us."""
        self._progress = old._progress

    def check(self, stream: StreamView, now: float) -> float:
        """End *stream*, or say when to look again."""
        limit = self._loopback if stream.host.loopback else self._elsewhere
        if stream.secure and not stream.established:
            return float("inf")  # the handshake has a limit of its own
        due = stream.last_activity + limit
        if stream.answering:
            return now + limit  # the server lets the peer wait, not the other way round
        begun = stream.message_begun_at
        if begun is not None and now >= min(due, begun + limit):
            return self._end(stream, f"line not finished for {limit:g} s, closing", now)
        if stream.unsent():
            return self._check_unsent(stream, min(limit, self._stall), now)
        self._progress.pop(stream, None)
        if now >= due:
            return self._end(stream, f"idle for {limit:g} s, closing", now)
        # A peer may stop taking what it is sent at any time; nothing but a look tells us.
        again = min(due, now + self._stall)
        return again if begun is None else min(again, begun + limit)

    def _end(self, stream: StreamView, text: str, now: float) -> float:
        stream.tell(text)
        stream.end(CloseReason.IDLE, text)
        return now

    def _check_unsent(self, stream: StreamView, limit: float, now: float) -> float:
        progress = stream.progress()
        seen, since = self._progress.get(stream, (None, now))
        if seen != progress:
            since = now if seen is not None else max(stream.last_activity, stream.opened_at)
            self._progress[stream] = progress, since
        if now >= since + limit:
            stream.abort(CloseReason.STALLED, f"{stream.unsent()} bytes not read for {limit:g} s")
            return now
        return min(since + limit, now + limit / _LOOKS)

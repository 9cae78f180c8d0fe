"""Who watches live: each viewer's stream of events, bounded, dropping for the viewer alone.

Rules this file owns:

1. What nobody asked for is not built; what a viewer asked for ends with it, and a few seconds.
2. A viewer costs bounded memory: one that is too slow, or events that are too many, cost it
   events, which are counted and shown as a gap. No other observer loses any.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted_lab.events import Event, Gap
from twisted_lab.interfaces import Clock
from twisted_lab.page.interest import Interest
from twisted_lab.page.viewer import Viewer, frame
from twisted_lab.publishing import Publisher
from twisted_lab.token_bucket import TokenBucket

#: Events a second for all viewers together, and at once: one costs some 30 us to show.
RATE = 4000.0

#: Events, and bytes of their payload, kept for a viewer who comes back.
RING = 4096
RING_BYTES = 2**20

#: Seconds for which a viewer who left may come back to a stream without a gap.
LINGER = 5.0

#: Seconds in which frames gather before they are written, and of silence until a sign of life.
_GATHER = 0.02
_ALIVE = 10.0


class Viewers:
    """All event streams; *follow* has the events of a conversation built, or no more, *transport*
    says what the connection of an event goes over.

    A conversation is a connection's id, or the service and peer of datagrams. ``dropped`` counts
    the events that viewers missed.
    """

    def __init__(
        self,
        publisher: Publisher,
        clock: Clock,
        follow: Callable[[Any, bool], object],
        transport: Callable[[Event], str],
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._follow = follow
        self._transport = transport
        self._viewers: list[Viewer] = []
        self._interests: Counter[Interest] = Counter()
        self._followed: Counter[Any] = Counter()
        self._ring: deque[Event] = deque(maxlen=RING)
        self._ring_bytes = 0
        self._left_ring = -1  # ns of the last event that had to make room there
        self._bucket = TokenBucket(RATE, RATE, clock.seconds())
        self._alarm: Any = None
        self._life: Any = None
        self._lingering: set[Any] = set()
        self.dropped = 0

    def add(self, request: Any, interest: Interest, after: int | None = None) -> None:
        """Answer *request* with what *interest* wants; from *after* (ns) on, where it is kept."""
        viewer = Viewer(request, interest)
        request.registerProducer(viewer, True)
        request.notifyFinish().addBoth(lambda gone: self._remove(viewer))
        viewer.say("ok")
        if after is not None:
            # What nobody asked for meanwhile was not built.
            known = self._left_ring if interest in self._interests else self._publisher.now()
            self._replay(viewer, after, known)
        self._viewers.append(viewer)
        self._count(interest)
        if self._life is None:
            self._life = self._clock.callLater(_ALIVE, self._show_life)

    def _replay(self, viewer: Viewer, after: int, known: int) -> None:
        if known > after:
            viewer.take(frame(Gap(after, "socketlab", known, "overrun")))
        for event in self._ring:
            if event.ns > after and viewer.interest.wants(event):
                viewer.take(frame(event, self._transport(event)))
        viewer.flush()

    def _remove(self, viewer: Viewer) -> None:
        self._viewers.remove(viewer)
        linger = self._clock.callLater(LINGER, self._forget, viewer.interest)
        self._lingering.add((linger, viewer.interest))

    def _forget(self, interest: Interest) -> None:
        self._lingering = {one for one in self._lingering if one[0].active()}
        self._uncount(interest)

    def _count(self, interest: Interest) -> None:
        self._interests[interest] += 1
        for one in interest.followed:
            self._followed[one] += 1
            if self._followed[one] == 1:
                self._follow(one, True)
        self._ask()

    def _uncount(self, interest: Interest) -> None:
        self._interests[interest] -= 1
        for one in interest.followed:
            self._followed[one] -= 1
            if not self._followed[one]:
                self._follow(one, False)
        self._interests, self._followed = +self._interests, +self._followed
        self._ask()

    def _ask(self) -> None:
        """Ask the publisher for what is wanted now."""
        if not self._interests:
            self._publisher.remove(self)
            self._ring.clear()
            self._ring_bytes = 0
            return
        kinds = frozenset().union(*(interest.published for interest in self._interests))
        self._publisher.add(self, kinds, sample=0)

    def __call__(self, event: Event) -> None:
        """Give *event* to the viewers who want it."""
        if not any(interest.wants(event) for interest in self._interests):
            return  # the first events of every connection come, whoever asked for what
        try:
            self._give(event)
        except Exception:
            # The publisher will say so and remove us: no stream shall look alive that is not.
            for viewer in tuple(self._viewers):
                viewer.end("an event could not be shown: the bench's log says why")
            raise

    def _give(self, event: Event) -> None:
        wanting = [viewer for viewer in self._viewers if viewer.interest.wants(event)]
        if not self._bucket.allow(1, self._clock.seconds()):
            self._miss(wanting, event)
            self._left_ring = event.ns
            return
        self._keep(event)
        if wanting:
            self._send(wanting, event)

    def _send(self, wanting: Iterable[Viewer], event: Event) -> None:
        ready = [viewer for viewer in wanting if viewer.has_room()]
        self._miss((viewer for viewer in wanting if not viewer.has_room()), event)
        if ready:
            made = frame(event, self._transport(event))
            for viewer in ready:
                viewer.take(made)
        self._flush_soon()

    def _miss(self, viewers: Iterable[Viewer], event: Event) -> None:
        for viewer in viewers:
            self.dropped += 1
            viewer.miss(event)
            self._flush_soon()

    def _keep(self, event: Event) -> None:
        if len(self._ring) == RING or self._ring_bytes > RING_BYTES:
            self._let_go()
        self._ring.append(event)
        self._ring_bytes += len(getattr(event, "data", None) or b"")

    def _let_go(self) -> None:
        gone = self._ring.popleft()
        self._left_ring = max(self._left_ring, gone.ns)
        self._ring_bytes -= len(getattr(gone, "data", None) or b"")

    def _flush_soon(self) -> None:
        if self._alarm is None:
            self._alarm = self._clock.callLater(_GATHER, self._flush)

    def _flush(self) -> None:
        self._alarm = None
        for viewer in self._viewers:
            viewer.flush()

    def _show_life(self) -> None:
        self._life = None
        for viewer in self._viewers:
            viewer.say("alive")
        if self._viewers:
            self._life = self._clock.callLater(_ALIVE, self._show_life)

    def end(self, why: str) -> None:
        """End every stream, and ask for nothing more."""
        for viewer in tuple(self._viewers):
            viewer.end(why)
        for alarm in (self._alarm, self._life, *(one for one, _ in self._lingering)):
            if alarm is not None and alarm.active():
                alarm.cancel()
        self._alarm = self._life = None
        for _, interest in self._lingering:
            self._uncount(interest)
        self._lingering.clear()

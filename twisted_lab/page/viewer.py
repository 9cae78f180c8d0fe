"""One open event stream, bounded: what its reader does not take in time is counted, not kept."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_lab import jsonlines
from twisted_lab.events import Event, Gap
from twisted_lab.page.entries import entry
from twisted_lab.page.interest import Interest

#: Bytes that wait for a viewer who does not read.
QUEUE = 2**20


@implementer(IPushProducer)
class Viewer:
    """One open event stream: *request* is answered with frames until one of both ends."""

    def __init__(self, request: Any, interest: Interest) -> None:
        self.interest = interest
        self.dropped = 0
        self._request = request
        self._frames: list[bytes] = []
        self._waiting = 0
        self._missed = 0
        self._missed_at = (0, 0)
        self._paused = False

    def take(self, frame: bytes) -> None:
        """Send *frame*, or let it wait."""
        self._frames.append(frame)
        self._waiting += len(frame)

    def has_room(self) -> bool:
        """Whether another frame may wait, and none is missing before it."""
        return self._waiting < QUEUE and not self._missed

    def miss(self, event: Event) -> None:
        """*event* is not for this viewer after all: there are too many."""
        self.dropped += 1
        self._missed_at = self._missed_at[0] if self._missed else event.ns, event.ns
        self._missed += 1

    def flush(self) -> None:
        """Write what waits, if the peer reads."""
        if self._paused:
            return
        frames, self._frames, self._waiting = self._frames, [], 0
        if self._missed:
            frames.append(self._overrun())
        if frames:
            self._request.write(b"".join(frames))

    def _overrun(self) -> bytes:
        since, until = self._missed_at
        gap = Gap(since, "socketlab", until, "overrun", count=self._missed)
        self._missed = 0
        return frame(gap)

    def say(self, text: str) -> None:
        """A comment, which readers pass over."""
        if not self._paused:
            self._request.write(f": {text}\n\n".encode())

    def end(self, why: str) -> None:
        """The last frame."""
        self.flush()
        self._request.write(named("end", {"why": why}))
        self._request.unregisterProducer()
        self._request.finish()

    def pauseProducing(self) -> None:
        """The viewer does not read for now (IPushProducer)."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The viewer reads again (IPushProducer)."""
        self._paused = False
        self.flush()

    def stopProducing(self) -> None:
        """The viewer is gone (IPushProducer)."""
        self._paused = True


def frame(event: Event, transport: str = "") -> bytes:
    """*event* as one server-sent event; its id is its ns, from which a reader can go on."""
    return b"id: %d\n" % event.ns + named(event.event, entry(event, transport))


def named(name: str, said: dict[str, Any]) -> bytes:
    """*said* as the data of a server-sent event called *name*."""
    return f"event: {name}\ndata: ".encode() + jsonlines.line(said) + b"\n"

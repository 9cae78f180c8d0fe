"""A client waited to be accepted, while the program was busy with another."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Accepted, Event
from twisted_lab.explaining import span

MISTAKE = Mistake(
    "starved",
    "one client starves the others",
    "The program talks with one client to the end before it accepts the next: whoever connects and"
    " says nothing keeps all others out.",
    "A thread for each client (socketserver.ThreadingTCPServer), select() over all sockets, or an"
    " event loop (asyncio, Twisted).",
)

#: Seconds that a client may wait in the queue.
_LONG = 0.5


def find(evidence: Evidence) -> Iterator[Finding]:
    """A client waited for half a second to be accepted, while the thread that accepts was in a call
    of another connection."""
    calls = [
        event
        for talk in evidence.talks.values()
        for event in talk.events
        if event.call is not None and event.call.duration > _LONG
    ]
    for talk in evidence.talks.values():
        opened = talk.opened
        waited = opened.call.waited if isinstance(opened, Accepted) and opened.call else None
        if waited is None or waited < _LONG or opened.call is None:
            continue
        since = opened.ns - round((waited + opened.call.duration) * 1e9)
        busy = [one for one in calls if _busy(one, opened, since)]
        if busy:
            longest = max(busy, key=lambda one: one.call.duration if one.call else 0.0)
            assert longest.call is not None
            says = (
                f"a client waited {span(round(waited * 1e9))} to be accepted, while the program was"
                f" in {longest.call.name}() of another connection"
            )
            yield Finding(MISTAKE, says, (opened, longest))
            return


def _busy(event: Event, opened: Event, since: int) -> bool:
    """Whether *event*'s call took most of the time, in the thread that accepted."""
    assert event.call is not None
    assert opened.call is not None
    same = (event.call.process, event.call.thread) == (opened.call.process, opened.call.thread)
    return same and since < event.ns <= opened.ns

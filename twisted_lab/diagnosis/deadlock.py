"""Both ends waited for each other; or one waited for a peer that said nothing."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Called, Event, Received
from twisted_lab.explaining import span

MISTAKE = Mistake(
    "waited-in-vain",
    "a call waited in vain, while the other end waited too",
    "Both ends are in recv(), and nothing is on its way: neither will ever return. Often one waits"
    " for a newline, or for an end, that the other does not send.",
    "Say who speaks when, and how a message ends; settimeout() on every socket, so that a mistake"
    " ends in an error and not in silence.",
)

#: Seconds of waiting that are no accident.
_LONG = 1.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Each end's read lasted a second at least, at the same time, and no byte was between them."""
    for talk in evidence.talks.values():
        if talk.accepted or talk.other is None:
            continue
        for mine in _waits(talk):
            for theirs in _waits(talk.other):
                both = min(mine.ns, theirs.ns) - max(_began(mine), _began(theirs))
                if both > _LONG * 1e9 and not _moved(talk, mine, theirs):
                    yield _finding(mine, theirs, both)
                    break
            else:
                continue
            break


def _waits(talk: Talk) -> list[Event]:
    return [
        event
        for event in talk.events
        if event.call is not None
        and event.call.name.startswith("recv")
        and event.call.duration > _LONG
        and (isinstance(event, Called) or not isinstance(event, Received))
    ]


def _began(event: Event) -> int:
    assert event.call is not None
    return event.ns - round(event.call.duration * 1e9)


def _moved(talk: Talk, mine: Event, theirs: Event) -> bool:
    since, until = max(_began(mine), _began(theirs)), min(mine.ns, theirs.ns)
    other = talk.other.events if talk.other is not None else []
    moved = [one for one in (*talk.sent, *other) if isinstance(one, Received) or one in talk.sent]
    return any(since < one.ns < until for one in moved)


def _finding(mine: Event, theirs: Event, ns: int) -> Finding:
    first, last = sorted((mine, theirs), key=_began)
    return Finding(MISTAKE, f"both ends were in recv() for {span(ns)}", (last, first))

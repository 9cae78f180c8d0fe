"""Sockets were forgotten: never closed, though their peers had gone."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake

MISTAKE = Mistake(
    "leaked",
    "descriptors leaked: sockets whose peer has gone were not closed",
    "Each open socket takes a descriptor, and a process may have some thousand: then accept()"
    " fails with EMFILE for good. The peer waits for a FIN that does not come.",
    "with socket: or contextlib.closing(), or close() in finally: on every way out, errors"
    " included.",
)

#: So many are no accident of the end.
_MANY = 3


def find(evidence: Evidence) -> Iterator[Finding]:
    """Accepted connections that heard the peer's FIN, and were open until the program ended."""
    left = []
    for talk in evidence.talks.values():
        closed, fin = talk.closed, evidence.fin(talk)
        forgotten = closed is not None and (closed.call is None or closed.call.note == "collected")
        if talk.accepted and fin is not None and forgotten and talk.events[-2:-1] == [fin]:
            left.append((talk.opened, fin))
    if len(left) >= _MANY:
        says = f"{len(left)} accepted sockets were not closed after their peers had"
        yield Finding(MISTAKE, says, (left[0][1], left[0][0]))

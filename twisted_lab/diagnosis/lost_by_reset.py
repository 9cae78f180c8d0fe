"""The program sent to a peer that had gone, and met RST or EPIPE without being ready for it."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Called

MISTAKE = Mistake(
    "peer-had-gone",
    "sent to a peer that had closed",
    "After the peer closed, the first send() still succeeds, and is answered by RST; the next fails"
    " with EPIPE or ECONNRESET. What was sent is lost, and an exception that nobody catches ends"
    " the program.",
    "Look for the end (recv() returns nothing) before sending more, and catch ConnectionError where"
    " a client may leave at any time.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """The program had heard of the end, and sent all the same."""
    for talk in evidence.talks.values():
        fin = evidence.fin(talk)
        if fin is None:
            continue
        for event in talk.events:
            if not isinstance(event, Called) or event.call is None or event.ns < fin.ns:
                continue
            if event.call.error in ("EPIPE", "ECONNRESET") and event.call.name.startswith("send"):
                says = f"recv() had returned nothing, and {event.call.name}() failed after it"
                yield Finding(MISTAKE, says, (fin, event))
                break

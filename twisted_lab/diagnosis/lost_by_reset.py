"""The program sent to a peer that had gone, and met RST or EPIPE without being ready for it."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake

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
    """recv() had returned nothing, a later send() failed, and nobody caught its exception."""
    for note in evidence.uncaught:
        talk = evidence.talks.get(note.connection or "")
        fin = None if talk is None else evidence.fin(talk)
        if fin is None or note.call is None or not note.call.name.startswith("send"):
            continue
        if note.call.error in ("EPIPE", "ECONNRESET"):
            says = (
                f"recv() had returned nothing, {note.call.name}() failed after it, and {note.text}"
            )
            yield Finding(MISTAKE, says, (fin, note))

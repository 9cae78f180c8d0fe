"""The peer had ended its stream, and the program went on asking for more."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Called, Event, PeerShutdown

MISTAKE = Mistake(
    "deaf-to-fin",
    'recv() returned b"" (the peer\'s FIN), and was called again and again',
    'recv() returns b"" once the peer has ended its stream, and from then on at once, each time:'
    " such a loop takes all of a CPU, and the connection is never closed.",
    'if not data: break, and close the socket. b"" is the end, not "nothing yet".',
)

#: Reads after the end that are no slip: a buffered reader may look twice.
_TOO_OFTEN = 3


def find(evidence: Evidence) -> Iterator[Finding]:
    """recv() was called four times and more after it had first returned nothing."""
    for talk in evidence.talks.values():
        ended: Event | None = None
        again: list[Event] = []
        for event in talk.events:
            if isinstance(event, PeerShutdown):
                ended = event
            elif ended is not None and _reads_nothing(event):
                again.append(event)
        if ended is not None and len(again) > _TOO_OFTEN:
            says = f"recv() returned nothing, and then {len(again)} times more"
            yield Finding(MISTAKE, says, (ended, again[0]))


def _reads_nothing(event: Event) -> bool:
    call = event.call if isinstance(event, Called) else None
    return call is not None and call.name.startswith("recv") and call.result == "0"

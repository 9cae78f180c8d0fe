"""A server listens on one address, and its clients come to another."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.escaping import escape

MISTAKE = Mistake(
    "bound-elsewhere",
    "bound to one address, and called at another",
    "A socket that is bound to 127.0.0.1 cannot be reached from other machines, nor by this"
    " machine's own name or address; one that is bound to that address cannot be reached at"
    " 127.0.0.1.",
    'bind(("", port)) takes connections for every address of the machine; bind(("127.0.0.1",'
    " port)) only from this machine. Let the clients use the address that is bound.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """A connect() was refused at a port where the same recording has a listener."""
    bound = {event.local.rpartition(":")[2]: event for event in evidence.listening}
    for event in evidence.calls:
        call = event.call
        if call is None or call.error != "ECONNREFUSED" or not call.name.startswith("connect"):
            continue
        host, _, port = call.arguments.rpartition(":")
        listening = bound.get(port)
        if listening is None or listening.ns > event.ns:
            continue
        other = listening.local.rpartition(":")[0].strip("[]")
        if other not in (host, "0.0.0.0", "::"):
            says = (
                f"connect({escape(call.arguments)}) was refused: {listening.local} is what listens"
            )
            yield Finding(MISTAKE, says, (event, listening))

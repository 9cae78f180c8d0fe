"""connect() failed: refused, timed out, unreachable."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis import bound_elsewhere
from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.escaping import escape
from twisted_lab.explaining import span

MISTAKE = Mistake(
    "not-connected",
    "connect() failed",
    "Refused: the machine is there, and nobody listens at that port. Timed out: nothing answered,"
    " so the machine is not there, or a firewall drops what is sent. Unreachable: a router, or"
    " this machine itself, knows no way.",
    "Start the server first, and compare host and port with what it prints (ss -ltn shows what"
    " listens). A client that may come first tries again, and waits longer each time.",
)

_WORDS = {
    "ECONNREFUSED": "refused: nobody listens there",
    "ETIMEDOUT": "no answer came",
    "timed out": "no answer came in the time that settimeout() allows",
    "EHOSTUNREACH": "no way to that host",
    "ENETUNREACH": "no route to that network",
    "ECONNRESET": "reset while it was made",
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """A connect() was refused, timed out or found no way, and none to that address came through."""
    elsewhere = {finding.evidence[0] for finding in bound_elsewhere.find(evidence)}
    reached = {talk.peer for talk in evidence.talks.values() if not talk.accepted}
    known = set()
    for event in evidence.calls:
        call = event.call
        if call is None or not call.name.startswith("connect") or call.error not in _WORDS:
            continue
        if event in elsewhere or call.arguments in reached or call.arguments in known:
            continue
        known.add(call.arguments)
        took = span(round(call.duration * 1e9))
        says = f"connect({escape(call.arguments)}) after {took}: {_WORDS[call.error]}"
        yield Finding(MISTAKE, says, (event,))

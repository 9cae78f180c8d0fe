"""A reply never ended with its newline, so a client that reads lines waited for it."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Event, Sent

MISTAKE = Mistake(
    "no-newline",
    "a reply did not end with its newline, and the client waited for it",
    "Who reads lines waits for the newline, however long; what has come without it is not given to"
    " the program.",
    'Send text + "\\n" (many protocols: "\\r\\n"), and flush() what is written to a file made by'
    " makefile().",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """The client sends lines, has a reply without a newline, and asks for more of it in vain."""
    for talk in evidence.talks.values():
        pair = talk.accepted and talk.other is not None and talk.is_text
        if pair and (found := _unended(evidence, talk)):
            yield found


def _unended(evidence: Evidence, talk: Talk) -> Finding | None:
    client = talk.other
    assert client is not None
    sent = talk.sent
    if not sent or not evidence.times_out(client) or not _lines(client):
        return None
    last = sent[-1]
    data = last.data or b""
    if len(data) != last.bytes or data.endswith(b"\n"):
        return None
    got = client.received
    waited = [one for one in client.events if _waited(one) and (not got or one.ns > got[-1].ns)]
    if not got or not waited:
        return None
    evidence_of: tuple[Event, ...] = (got[-1], waited[0], last)
    return Finding(
        MISTAKE, f"the reply ends with {data[-10:]!r}, and the client waited", evidence_of
    )


def _lines(client: Talk) -> bool:
    return bool(client.sent) and all(_is_line(one) for one in client.sent)


def _is_line(event: Sent) -> bool:
    data = event.data or b""
    return len(data) < event.bytes or data.endswith(b"\n")


def _waited(event: Event) -> bool:
    return event.call is not None and event.call.error == "timed out"

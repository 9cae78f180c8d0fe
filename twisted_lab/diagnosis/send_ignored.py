"""send() took less than it was given, and the program did not send the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Sent

MISTAKE = Mistake(
    "send-ignored",
    "send() took part of it, and the program did not send the rest",
    "send() returns how many bytes the kernel took, which is fewer than given where its buffer is"
    " full. What it did not take is not sent: the peer gets a stream with a hole.",
    "Use sendall(); or, where the socket does not block, keep data[sent:] and go on when it is"
    " writable.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """send() took a part, and the next thing sent was not the rest, or there was none."""
    for talk in evidence.talks.values():
        if found := _hole(talk):
            yield found


def _hole(talk: Talk) -> Finding | None:
    sent = talk.sent
    for number, event in enumerate(sent):
        given = _given(event)
        if given is None or given <= event.bytes or event.call is None or event.call.rest is None:
            continue
        after = sent[number + 1] if number + 1 < len(sent) else None
        if after is None and (talk.closed is None or talk.gave_up):
            continue  # it may yet come; or the peer took no more, and the program waited no longer
        rest, data = event.call.rest, (after.data or b"").hex() if after else ""
        if not data or not data.startswith(rest[: len(data)]):
            says = (
                f"send() was given {given:,} bytes and took {event.bytes:,};"
                f" the other {given - event.bytes:,} were never sent"
            )
            return Finding(MISTAKE, says, (*([after] if after else []), event))
    return None


def _given(event: Sent) -> int | None:
    if event.call is None or event.call.name not in ("send", "sendmsg", "write"):
        return None
    found = re.match(r"\d+", event.call.arguments)
    return int(found[0]) if found else None

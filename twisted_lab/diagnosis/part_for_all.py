"""recv() returned part of a message, and the program took it for all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Received, Sent

MISTAKE = Mistake(
    "part-for-all",
    "recv() returned part of a message, and the program took it for all",
    "A stream has no message boundaries: recv() returns what has come so far, which may be any"
    " part of what the peer sent. It works on one machine, and fails on a slow line.",
    "Gather what recv() returns until the message is whole: to its newline, or to the length that"
    " stands before it. socket.makefile('rb').readline() does so.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """A line was answered before its newline had come, and again when it had."""
    for talk in evidence.talks.values():
        if talk.is_text and (found := _answered_twice(talk)):
            yield found


def _answered_twice(talk: Talk) -> Finding | None:
    rounds = list(talk.rounds())
    lines = any((one.data or b"").endswith(b"\n") for one in talk.received)
    for (came, went), (later, again) in pairwise(rounds):
        part, rest = _text(came), _text(later)
        if not (lines and came and went and again and part and rest):
            continue
        cut = not part.endswith(b"\n") and rest.endswith(b"\n") and b"\n" not in rest[:-1]
        # Who sends back what came, piece by piece, takes nothing for a whole.
        if cut and not part.startswith(_text(went)) and not _text(went).startswith(part):
            says = (
                f"recv() returned {len(part)} bytes without a newline, and they were answered;"
                f" the other {len(rest)} bytes of the line came after"
            )
            return Finding(MISTAKE, says, (*went[:1], later[0], came[-1]))
    return None


def _text(moved: list[Received] | list[Sent]) -> bytes:
    """What was moved; nothing where not all of it was kept."""
    if any(len(one.data or b"") != one.bytes for one in moved):
        return b""
    return b"".join(one.data or b"" for one in moved)

"""Two messages came with one recv(), and were taken for one."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake

MISTAKE = Mistake(
    "two-for-one",
    "two messages arrived with one recv(), and were taken for one",
    "A stream has no message boundaries: what the peer sent with two calls may come with one.",
    "Keep what recv() returned in a buffer, and take whole messages out of it, as many as there"
    " are: for line in file works on socket.makefile('rb').",
)


_BLOCKS = (b"\n\n", b"\n\r\n", b"\n.\r\n", b"\n.\n")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Single lines had an answer each, and then several lines had one."""
    for talk in evidence.talks.values():
        if talk.is_text and (found := _one_answer(talk)):
            yield found


def _one_answer(talk: Talk) -> Finding | None:
    single = False
    for came, went in talk.rounds():
        if len(came) != 1 or len(went) != 1:
            continue
        data, answer = came[0].data or b"", went[0].data or b""
        if len(data) != came[0].bytes or len(answer) != went[0].bytes or not data.endswith(b"\n"):
            continue
        lines = data.count(b"\n")
        if lines == 1:
            single = True
        # A block that ends with an empty line, or with a dot, is one message of many lines.
        elif single and not data.endswith(_BLOCKS) and answer.count(b"\n") <= 1 and answer != data:
            says = f"{lines} lines came with one recv(), and had one answer"
            return Finding(MISTAKE, says, (went[0], came[0]))
    return None

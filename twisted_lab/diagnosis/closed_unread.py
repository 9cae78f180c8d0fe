"""A socket was closed with data that nobody had read, so the peer saw RST."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import CloseReason

MISTAKE = Mistake(
    "closed-unread",
    "closed with unread data, so the peer saw RST",
    "close() with bytes in the receive buffer sends RST, not FIN. RST overtakes what was sent"
    " before, and takes it away: the peer may lose the end of the reply. (RFC 9293 3.6; RFC 1122"
    " 4.2.2.13)",
    "shutdown(SHUT_WR), then read until recv() returns nothing, then close(): with a limit, for a"
    " peer that goes on sending.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Bytes were not read, a reply had been sent, and the close was no time-out."""
    for talk in evidence.talks.values():
        closed = talk.closed
        if closed is None or closed.reason is not CloseReason.ABORTED:
            continue
        if "not read" in closed.detail and closed.bytes_out and not talk.gave_up:
            yield Finding(MISTAKE, f"close(): {closed.detail}", (closed,))

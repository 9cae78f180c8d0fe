"""A datagram was longer than the buffer it was read into."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import DatagramReceived

MISTAKE = Mistake(
    "datagram-cut",
    "a datagram was cut by a small buffer",
    "recvfrom(n) returns one datagram; what is longer than n is thrown away, without an error.",
    "recvfrom(65535): no datagram over IPv4 is longer.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """The kernel says that a datagram was longer than what was read (MSG_TRUNC, recvmsg(2))."""
    known = set()
    for event in evidence.datagrams:
        call = event.call
        if not isinstance(event, DatagramReceived) or call is None or call.note != "cut":
            continue
        if (call.file, call.line) not in known:
            known.add((call.file, call.line))
            says = f"of a longer datagram the first {event.bytes:,} bytes were read"
            yield Finding(MISTAKE, says, (event,))

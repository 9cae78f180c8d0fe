"""Segments: a stream has no message boundaries, so a request may come in any pieces."""

from __future__ import annotations

from twisted_lab.conformance.case import Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import Finding, Severity, ok


@case(
    "S01",
    "A request, a reply",
    does="Sends one request, and reads the reply.",
    requires="The reply that the profile says.",
    source="the profile's own",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=(Trait.STREAM, Trait.REPLIES),
)
def plain(probe: Probe) -> Finding:
    """What everything else stands on."""
    with probe.connect() as wire:
        reply = probe.exchange(wire)
    return ok(f"{len(reply):,} bytes came back, as they should")

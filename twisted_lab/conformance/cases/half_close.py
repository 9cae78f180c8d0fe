"""Half-close: the client is done with asking, and waits for what it is owed."""

from __future__ import annotations

from twisted_lab.conformance.case import Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import Failed, Finding, Severity, ok

_TRIES = 20


@case(
    "H01",
    "A request and FIN in one segment",
    does=f"Sends a whole request and FIN in one segment, {_TRIES} times, and reads to the end.",
    requires="The whole reply each time, then FIN.",
    source="RFC 9293 3.6; shutdown(2)",
    severity=Severity.GRAVE,
    bug="replies-lost",
    of=(Trait.STREAM, Trait.REPLIES),
)
def request_with_fin(probe: Probe) -> Finding:
    """The fault shows only when nothing comes between the data and FIN."""
    asked = probe.request(10)
    for number in range(1, _TRIES + 1):
        with probe.connect() as wire:
            wire.send_with_fin(asked)
            try:
                probe.check(wire.read_to_end(), asked)
            except Failed as error:
                raise Failed(f"try {number} of {_TRIES}: {error.reason}", error.bug) from None
    return ok(f"all {_TRIES} replies came whole, and then FIN")

"""bind() failed, for the address is in use."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.escaping import escape

MISTAKE = Mistake(
    "address-in-use",
    "bind: address in use",
    "After a server closes a connection first, its port stays in TIME_WAIT for a minute, and"
    " bind() fails while it does; or another program, often an earlier run of the same, listens"
    " there.",
    "setsockopt(SOL_SOCKET, SO_REUSEADDR, 1) before bind() for the first: it is right for every TCP"
    " server. For the second end the other program (ss -ltnp names it), or take another port.",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """bind() failed with EADDRINUSE; the kernel's table of that moment says who has the port."""
    reusing = set()
    for event in evidence.calls:
        call = event.call
        if call is None:
            continue
        if call.name == "setsockopt" and "SO_REUSEADDR, 1" in call.arguments:
            reusing.add(call.socket)
        if call.name in ("bind", "listen") and call.error == "EADDRINUSE":
            holder = call.note or "somebody has it"
            option = "was set" if call.socket in reusing else "was not set"
            says = f"bind({escape(call.arguments)}): {holder}; SO_REUSEADDR {option}"
            yield Finding(MISTAKE, says, (event,))

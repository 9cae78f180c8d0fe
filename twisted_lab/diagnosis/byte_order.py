"""A length prefix was read in the wrong byte order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted_lab.diagnosis.evidence import Evidence, Talk
from twisted_lab.diagnosis.finding import Finding, Mistake
from twisted_lab.events import Called, Event, Received

MISTAKE = Mistake(
    "byte-order",
    "the byte order of a length prefix is mixed up",
    "Networks write the most significant byte first (RFC 1700: network byte order), most machines"
    " the least: 5 read the other way round is 83,886,080.",
    'struct.pack("!I", n) and struct.unpack("!I", data) at both ends; in C htonl() and ntohl().',
)

#: A prefix is of so many bytes.
_SIZES = (2, 4, 8)


def find(evidence: Evidence) -> Iterator[Finding]:
    """So many bytes were asked for as the length says when it is read backwards, and read forwards
    it says what came."""
    for talk in evidence.talks.values():
        if found := _backwards(talk):
            yield found


def _backwards(talk: Talk) -> Finding | None:
    for number, event in enumerate(talk.events):
        if not isinstance(event, Received) or event.bytes not in _SIZES or event.data is None:
            continue
        if _asked(event) != event.bytes or len(event.data) != event.bytes:
            continue
        big, little = (int.from_bytes(event.data, order) for order in ("big", "little"))
        after = next((one for one in talk.events[number + 1 :] if _asked(one) is not None), None)
        if after is None or big == little:
            continue
        came = sum(one.bytes for one in talk.events[number + 1 :] if isinstance(one, Received))
        for wrong, right, word in ((little, big, "big"), (big, little, "little")):
            if _asked(after) == wrong and wrong > came and 0 < right <= max(came, 1):
                says = (
                    f"the prefix {event.data.hex(' ')} was read as {wrong:,}, and {came:,} bytes"
                    f" came; {word}-endian it is {right:,}"
                )
                return Finding(MISTAKE, says, (event, after))
    return None


def _asked(event: Event) -> int | None:
    """The size that a read of *event* asked for."""
    call = event.call
    if call is None or not isinstance(event, Received | Called) or not call.name.startswith("recv"):
        return None
    found = re.match(r"\d+", call.arguments)
    return int(found[0]) if found else None

"""Half-close: the client is done with asking, and waits for what it is owed."""

from __future__ import annotations

import time

from twisted_lab.conformance.case import Needs, Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Reset,
    Severity,
    Silence,
    non_strict,
    ok,
)
from twisted_lab.conformance.wire import Wire

_TRIES = 20
_REPLIES = (Trait.STREAM, Trait.REPLIES)


@case(
    "H01",
    "A request and FIN in one segment",
    does=f"Sends a whole request and FIN in one segment, {_TRIES} times, and reads to the end.",
    requires="The whole reply each time, then FIN.",
    source="RFC 9293 3.6; shutdown(2)",
    severity=Severity.GRAVE,
    bug="replies-lost",
    of=_REPLIES,
)
def request_with_fin(probe: Probe) -> Finding:
    """The fault shows only when nothing comes between the data and FIN."""
    asked = probe.request(10)
    for number in range(1, _TRIES + 1):
        with probe.connect() as wire:
            try:
                wire.send_with_fin(asked)
                probe.check(wire.read_to_end(), asked)
            except Failed as error:
                said = f"try {number} of {_TRIES}: {error.reason}"
                raise _lost(error, said) from None
    return ok(f"all {_TRIES} replies came whole, and then FIN")


@case(
    "H02",
    "Much, FIN, and a late reader",
    does="Sends 2 MiB and FIN, and begins to read half a second later.",
    requires="Every byte comes back, then FIN.",
    source="RFC 9293 3.6; shutdown(2)",
    severity=Severity.GRAVE,
    bug="replies-lost",
    of=(Trait.STREAM, Trait.ECHOES),
)
def late_reader(probe: Probe) -> Finding:
    """When FIN is seen, replies still wait in the server's own buffer."""
    asked = probe.random.randbytes(2**18) * 8

    with probe.connect(rcvbuf=2**16) as wire:
        got = bytearray()

        def read() -> None:
            time.sleep(0.5 * probe.slow)
            got.extend(wire.read_to_end())

        def send() -> None:
            wire.send(asked)
            wire.fin()

        try:
            probe.together(send, read)
            probe.check(bytes(got), asked)
        except Failed as error:
            raise _lost(error) from None
    return ok(f"{len(asked):,} bytes came back, and then FIN")


@case(
    "H03",
    "FIN, and nothing else",
    does="Connects, sends FIN without a byte, and waits.",
    requires="The server closes; it does not wait for a request that cannot come.",
    source="RFC 9293 3.6; recv(2): 0 is the end of the stream",
    severity=Severity.SERIOUS,
    bug="never-closes",
    unless=(Trait.ENDLESS,),
)
def fin_alone(probe: Probe) -> Finding:
    """A descriptor that is never closed is one less for others."""
    with probe.connect() as wire:
        wire.fin()
        return _closes(wire, "FIN came back")


@case(
    "H04",
    "FIN after the reply",
    does="Sends a request, reads the reply, sends FIN, and waits.",
    requires="The server closes, too.",
    source="RFC 9293 3.6",
    severity=Severity.SERIOUS,
    bug="never-closes",
    of=(*_REPLIES, Trait.TAKES_MORE),
    needs=(Needs.GOES_ON,),
)
def fin_after_reply(probe: Probe) -> Finding:
    """CLOSE_WAIT for ever is a leak."""
    with probe.connect() as wire:
        probe.exchange(wire)
        wire.fin()
        return _closes(wire, "FIN came back after ours")


@case(
    "H05",
    "FIN in the middle of a reply",
    does="Sends several requests, reads the beginning of the replies, sends FIN, reads the rest.",
    requires="The rest of the replies, then FIN.",
    source="RFC 9293 3.6; shutdown(2)",
    severity=Severity.GRAVE,
    bug="replies-lost",
    of=(*_REPLIES, Trait.TAKES_MORE, Trait.PIPELINES),
    needs=(Needs.GOES_ON,),
)
def fin_during_reply(probe: Probe) -> Finding:
    """What was asked before FIN is owed after it."""
    asked = probe.request(1000) * 50
    with probe.connect() as wire:
        wire.send(asked)
        first = wire.recv(100)
        try:
            wire.fin()
            probe.check(first + wire.read_to_end(), asked, 50)
        except Failed as error:
            raise _lost(error) from None
    return ok("50 replies came whole, and then FIN")


@case(
    "H06",
    "Half a request, and FIN",
    does="Sends the first half of a request and FIN, and waits.",
    requires="The server closes, with or without an answer, and serves the next.",
    source="RFC 9293 3.6",
    severity=Severity.SERIOUS,
    bug="never-closes",
    of=_REPLIES,
)
def half_a_request(probe: Probe) -> Finding:
    """A client that crashed while it wrote."""
    asked = probe.request(40)
    with probe.connect() as wire:
        wire.send_with_fin(asked[: max(1, len(asked) // 2)])
        finding = _closes(wire, "it was closed")
    probe.alive()
    return finding


@case(
    "H07",
    "The end is FIN, not RST",
    does="Sends a request and FIN, reads the reply, and looks how the stream ends.",
    requires="FIN: an RST may overtake the reply and take it away.",
    source="RFC 9293 3.10.4; RFC 1122 4.2.2.13",
    severity=Severity.SERIOUS,
    bug="reset-unread",
    of=(Trait.TCP, Trait.REPLIES),
)
def ends_with_fin(probe: Probe) -> Finding:
    """After a whole reply an RST hurts few, but tells of a close with data unread."""
    asked = probe.request(100)
    with probe.connect() as wire:
        wire.send_with_fin(asked)
        try:
            probe.reply(wire, asked)
        except Failed as error:
            raise Failed(error.reason, "replies-lost", timed=error.timed) from None
        try:
            rest = wire.read_to_end()
        except Reset as error:
            return non_strict(f"the reply was whole, but {error.reason}")
    return ok("FIN" if not rest else f"FIN, after {len(rest):,} more bytes")


def _lost(error: Failed, said: str = "") -> Failed:
    """An RST here is the server's answer to FIN, so what it takes away are the replies."""
    bug = "replies-lost" if isinstance(error, Reset) else error.bug
    return Failed(said or error.reason, bug, timed=error.timed)


def _closes(wire: Wire, well: str) -> Finding:
    """Wait for the server's end."""
    try:
        rest = wire.read_to_end()
    except Reset:
        return non_strict("it closed with RST, not with FIN")
    except Silence as error:
        raise Silence(f"our FIN was not answered by the server's: {error.reason}") from None
    return ok(well if not rest else f"{well}, after {len(rest):,} bytes")

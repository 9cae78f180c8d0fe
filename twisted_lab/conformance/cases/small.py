"""The small services to the letter of their RFCs, over streams."""

from __future__ import annotations

import time

from twisted_lab.conformance.case import Needs, Place, Trait, case
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

#: No reply of these services is so long.
_LONG = 2**16


@case(
    "R01",
    "What it has to say",
    does="Connects, sends nothing, and reads to the end.",
    requires="The whole reply that the RFC says, then FIN.",
    source="RFC 865 (qotd), RFC 867 (daytime), RFC 868 (time)",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=(Trait.STREAM, Trait.CLOSES, Trait.SPEAKS_FIRST),
    place=Place.FIRST,
)
def says_and_closes(probe: Probe) -> Finding:
    """Twice, for the second is of another moment."""
    for _ in range(2):
        with probe.connect() as wire:
            got = bytearray()
            try:
                while len(got) < _LONG and (data := wire.recv()):
                    got += data
            except Silence as error:
                bug = "never-closes" if got else ""
                raise Silence(f"it did not close: {error.reason}", bug) from None
        probe.check(bytes(got), b"")
    return ok("it said its reply twice, then FIN each time")


@case(
    "R02",
    "Everything is thrown away",
    does="Sends 4 MiB, and listens for a moment.",
    requires="All is taken, and not a byte comes back.",
    source="RFC 863",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=(Trait.STREAM, Trait.SINK),
)
def discard(probe: Probe) -> Finding:
    """More than the kernel's buffers would hide."""
    with probe.connect() as wire:
        for _ in range(64):
            wire.send(probe.request(2**16))
        said = wire.listen(probe.quiet)
        if said or wire.ended:
            raise Failed(f"it said {said[:40]!r}" if said else "it closed", "wrong-reply")
    return ok("4 MiB were taken, and nothing came back")


@case(
    "R03",
    "The end of a talk with a sink",
    does="Sends 64 KiB and FIN, and reads to the end.",
    requires="FIN, and not a byte before it.",
    source="RFC 863: until the calling user terminates the connection",
    severity=Severity.SERIOUS,
    bug="never-closes",
    of=(Trait.STREAM, Trait.SINK),
)
def discard_ends(probe: Probe) -> Finding:
    """RST would say that something was not read."""
    with probe.connect() as wire:
        wire.send(probe.request(2**16))
        wire.fin()
        try:
            said = wire.read_to_end()
        except Reset:
            return non_strict("it closed with RST: something was not read")
    probe.check(said, b"")
    return ok("FIN came back, and nothing before it")


@case(
    "R04",
    "Characters without end",
    does="Connects and reads 100 kB.",
    requires="Lines of 72 printing characters and CRLF, each begun one character later.",
    source="RFC 864",
    severity=Severity.SERIOUS,
    bug="wrong-reply",
    of=(Trait.STREAM, Trait.ENDLESS),
    place=Place.FIRST,
)
def chargen(probe: Probe) -> Finding:
    """The pattern is recommended, not required: what differs is said."""
    with probe.connect() as wire:
        got = wire.read(100_000)
    if len(got) < 100_000:
        raise Failed(
            f"FIN came after {len(got):,} bytes: it must go on until we close", "closes-early"
        )
    said = probe.profile.judge(b"", 0, got)
    return ok("72 characters and CRLF, rotating") if not said.wrong else non_strict(said.wrong)


@case(
    "R05",
    "Our FIN ends what has no end",
    does="Reads a little, sends FIN, and reads on.",
    requires="The service stops: the user has terminated the connection.",
    source="RFC 864: until the user terminates the connection",
    severity=Severity.SERIOUS,
    bug="never-closes",
    of=(Trait.STREAM, Trait.ENDLESS),
)
def chargen_ends(probe: Probe) -> Finding:
    """GNU inetd and xinetd go on: they see only a close, by RST."""
    with probe.connect() as wire:
        wire.recv()
        wire.fin()
        until = time.monotonic() + probe.patience / 2
        while time.monotonic() < until:
            if not wire.recv():
                return ok("FIN came back")
            if wire.got > 8 * 2**20:
                break
    return non_strict("it goes on sending after our FIN, until we close")


@case(
    "R06",
    "Who does not read stops the characters",
    does="Connects, reads nothing for a second, and asks on a second connection.",
    requires="The second is served beside it.",
    source="RFC 9293 3.8.6: flow control",
    severity=Severity.GRAVE,
    bug="others-cut-off",
    of=(Trait.STREAM, Trait.ENDLESS),
    needs=(Needs.TWO_AT_ONCE,),
)
def chargen_blocked(probe: Probe) -> Finding:
    """send() blocks a server that serves one after the other."""
    with probe.connect(rcvbuf=2**14):
        time.sleep(probe.slow)
        with probe.connect() as second:
            got = second.read(1000)
    return ok(f"{len(got):,} bytes came beside one that did not read")


@case(
    "R07",
    "What is sent to it is no matter",
    does="Sends 1,000 bytes to a service that only speaks, and reads.",
    requires="The reply, as if nothing had been sent.",
    source="RFC 864, 865, 867, 868: any data received is thrown away",
    severity=Severity.SERIOUS,
    bug="reset-unread",
    of=(Trait.STREAM, Trait.CLOSES, Trait.SPEAKS_FIRST),
)
def ignores(probe: Probe) -> Finding:
    """Unread data at close() makes RST of FIN."""
    with probe.connect() as wire:
        try:
            wire.send(b"x" * 1000)
            got = wire.read_to_end()
        except Reset as error:
            if wire.got:
                return non_strict(f"the reply came, but {error.reason}")
            raise
    probe.check(got, b"")
    return ok("the reply came whole, then FIN")

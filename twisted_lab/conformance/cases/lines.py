"""Lines: where they end, how long they may be, what may stand in them."""

from __future__ import annotations

import time

from twisted_lab.conformance.case import Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Reset,
    Severity,
    Silence,
    info,
    no_limit,
    non_strict,
    ok,
)

_LINES = (Trait.STREAM, Trait.LINES)

#: Bytes of a line that never ends, where no limit was declared.
_ENDLESS = 2**20


@case(
    "L01",
    "LF alone",
    does="Sends two lines that end in LF without CR.",
    requires="Two replies; a server that wants CRLF may refuse, but must not be silent.",
    source="RFC 1123 2.3; RFC 9112 2.2: a recipient may take LF alone",
    severity=Severity.SERIOUS,
    bug="line-ends",
    of=_LINES,
)
def line_feed(probe: Probe) -> Finding:
    """nc and most languages send LF."""
    with probe.connect() as wire:
        wire.send(b"one\ntwo\n")
        got = wire.read_until(lambda seen: seen.count(b"\n") >= 2)
    if got.replace(b"\r", b"") == b"one\ntwo\n":
        return ok("both lines were answered")
    return info(f"it answered {got[:60]!r}")


@case(
    "L02",
    "CRLF",
    does="Sends two lines that end in CRLF.",
    requires="Two replies, without a CR that belongs to the line's end inside the line.",
    source="RFC 854: the end of a line is CR LF",
    severity=Severity.SERIOUS,
    bug="line-ends",
    of=_LINES,
)
def crlf(probe: Probe) -> Finding:
    """telnet sends CRLF."""
    with probe.connect() as wire:
        wire.send(b"one\r\ntwo\r\n")
        got = wire.read_until(lambda seen: seen.count(b"\n") >= 2)
    if got.replace(b"\r\n", b"\n") == b"one\ntwo\n":
        return ok("both lines were answered")
    if b"\r\r" in got:
        raise Failed(f"the CR was taken for a part of the line: {got[:60]!r}", "line-ends")
    return info(f"it answered {got[:60]!r}")


@case(
    "L03",
    "CR alone",
    does="Sends a line with a CR in its middle, ended by CRLF.",
    requires="Nothing is: what becomes of it is told.",
    source="RFC 854; RFC 5198 2",
    severity=Severity.SLIGHT,
    bug="line-ends",
    of=_LINES,
)
def bare_cr(probe: Probe) -> Finding:
    """An end for some, data for others."""
    with probe.connect() as wire:
        wire.send(b"one\rtwo\r\n")
        try:
            got = wire.read_until(lambda seen: seen.endswith((b"two\n", b"two\r\n")))
        except Failed as error:
            return info(f"it does not answer such a line: {error.reason}")
    return info("a CR alone is data" if b"one\rtwo" in got else f"it answered {got[:60]!r}")


@case(
    "L04",
    "Any byte in a line",
    does="Sends one line with NUL, 8-bit bytes and controls: all but CR and LF.",
    requires="The line comes back unchanged.",
    source="RFC 5198; CWE-158 (NUL)",
    severity=Severity.SERIOUS,
    bug="wrong-reply",
    of=_LINES,
    profiles=("line",),
)
def any_byte(probe: Probe) -> Finding:
    """Strings in C end at NUL; decoders choke on what is no UTF-8."""
    line = b"x" + bytes(byte for byte in range(256) if byte not in b"\r\n") + b"\r\n"
    with probe.connect() as wire:
        wire.send(line)
        probe.reply(wire, line)
    return ok(f"a line of {len(line) - 2} bytes came back unchanged")


@case(
    "L05",
    "A line without end",
    does="Sends a line, then up to 1 MiB without an end (--max-line declares the limit).",
    requires="The first is answered; the endless one is ended by the server.",
    source="CWE-770; RFC 5321 4.5.3.1: limits are needed, and are to be told",
    severity=Severity.SERIOUS,
    bug="endless-line",
    of=_LINES,
)
def endless(probe: Probe) -> Finding:
    """What is kept of it is memory."""
    limit = probe.server.limits.max_line
    size = _ENDLESS if limit is None else limit + 1024
    with probe.connect() as wire:
        wire.send(b"first\r\n")
        probe.reply(wire, b"first\r\n")
        try:
            wire.send(b"x" * size)
            said = wire.listen(1.0 * probe.slow)
        except Reset:
            return non_strict("it was ended with RST, and no reason is sure to arrive")
        ended = wire.ended
    probe.alive()
    if ended:
        return ok(f"it was told {said[:60]!r}, then closed" if said else "it was closed")
    if limit is None:
        return no_limit(f"after {size:,} bytes it waits for more, and no --max-line was declared")
    raise Silence(f"--max-line is {limit:,}, and after {size:,} bytes it waits for more")


@case(
    "L06",
    "The end of a line too long is told",
    does="Sends more than --max-line bytes without an end, and reads.",
    requires="A word why, before FIN: a person sees nothing else.",
    source="RFC 5321 4.5.3.1.9: too long is to be told",
    severity=Severity.SLIGHT,
    bug="endless-line",
    of=_LINES,
)
def told(probe: Probe) -> Finding:
    """Only where a limit was declared."""
    limit = probe.server.limits.max_line
    if limit is None:
        return no_limit("no --max-line was declared")
    with probe.connect() as wire:
        wire.send(b"x" * (limit + 1))
        try:
            said = wire.read_to_end()
        except Reset:
            return non_strict("it was ended with RST, and no reason is sure to arrive")
    return ok(f"it was told {said[:60]!r}") if said else non_strict("it was closed without a word")


@case(
    "L07",
    "A last line that only FIN ends",
    does="Sends a line and half a line, then FIN, 20 times.",
    requires="The line is answered and the stream closed; an answer to the half is better still.",
    source="POSIX 3.206: a line ends in a newline; read(2)",
    severity=Severity.SERIOUS,
    bug="replies-lost",
    of=_LINES,
)
def last_line(probe: Probe) -> Finding:
    """``printf 'one\\ntwo'`` has no newline at its end."""
    answered = 0
    for number in range(1, 21):
        with probe.connect() as wire:
            wire.send_with_fin(b"one\r\ntwo")
            got = wire.read_to_end()
        if not got.startswith(b"one"):
            raise Failed(f"try {number} of 20: the whole line was not answered: {got[:40]!r}")
        answered += b"two" in got
    return ok("the last was answered, too" if answered == 20 else "the last was dropped")


@case(
    "L08",
    "Twenty thousand lines in one write",
    does="Sends 20,000 lines as fast as it can, reads all the while.",
    requires="20,000 replies, in order.",
    source="the profile's own",
    severity=Severity.SERIOUS,
    bug="one-reply-a-read",
    of=_LINES,
    profiles=("line",),
)
def many(probe: Probe) -> Finding:
    """Quadratic splitting shows here, too."""
    asked = b"".join(b"line %d\r\n" % number for number in range(20_000))
    got: list[bytes] = []
    began = time.monotonic()
    with probe.connect() as wire:
        probe.together(lambda: wire.send(asked), lambda: got.append(wire.read(len(asked))))
        probe.check(got[0], asked)
    return ok(f"20,000 lines came back in {time.monotonic() - began:.2f} s")

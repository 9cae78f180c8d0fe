"""Garbage: what no client would send by design, for servers of which nothing is known."""

from __future__ import annotations

from contextlib import suppress

from twisted_lab.conformance.case import Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import Finding, Reset, Severity, Silence, ok

_TIMES = 20

#: What has brought down parsers: formats, paths, ends of strings, lengths that lie, nesting.
_ODD = (
    b"\0" * 1024,
    b"%s%n%x" * 200,
    b"../" * 500 + b"etc/passwd\r\n",
    b"\xff\xff\xff\xff" + b"A" * 100,
    b"\x7f\xff\xff\xff" + b"A" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\n" * 2000,
    b"\xff\xfd\x18\xff\xfb\x1f\xff\xf4\xff\xfd\x06",
    "\N{SNOWMAN}\N{RIGHT-TO-LEFT OVERRIDE}".encode() * 100 + b"\xc0\x80\xed\xa0\x80",
    b"9" * 5000 + b"\n",
    b'{"a":' * 2000,
)


@case(
    "B01",
    "Random bytes",
    does=f"Sends 10 kB of random bytes and FIN, {_TIMES} times; then asks as usual.",
    requires="The server serves on. What it answers is its own.",
    source="CWE-20; fuzz testing (Miller, 1990)",
    severity=Severity.GRAVE,
    bug="dies",
)
def random_bytes(probe: Probe) -> Finding:
    """The seed makes the same bytes again."""
    for _ in range(_TIMES):
        _throw(probe, probe.random.randbytes(10_000))
    probe.alive()
    return ok(f"{_TIMES} times 10 kB, and it serves on")


@case(
    "B02",
    "Odd bytes",
    does="Sends formats, paths, NULs, lengths that lie, other protocols, deep nesting, one after"
    " the other; then asks as usual.",
    requires="The server serves on. What it answers is its own.",
    source="CWE-20, CWE-134 (formats), CWE-158 (NUL), CWE-130 (lengths), CWE-674 (nesting)",
    severity=Severity.GRAVE,
    bug="dies",
)
def odd_bytes(probe: Probe) -> Finding:
    """Each on a connection of its own, so that each meets a parser at its start."""
    for data in _ODD:
        _throw(probe, data)
    probe.alive()
    return ok(f"{len(_ODD)} odd messages, and it serves on")


@case(
    "B03",
    "Much that nobody reads",
    does="Sends 8 MiB as fast as they are taken, then RST; then asks as usual.",
    requires="The server serves on.",
    source="CWE-400",
    severity=Severity.SERIOUS,
    bug="dies",
    of=(Trait.TCP,),
)
def much(probe: Probe) -> Finding:
    """It may stop reading, or close: both are right."""
    block = probe.random.randbytes(2**16)
    with probe.connect() as wire:
        with suppress(Silence, Reset):
            while wire.sent < 8 * 2**20:
                wire.send_some(block, probe.slow)
        wire.reset()
    probe.alive()
    return ok(f"it took {wire.sent / 2**20:.1f} MiB, and serves on")


def _throw(probe: Probe, data: bytes) -> None:
    """Send *data* and FIN, hear a little of what comes, and go."""
    with probe.connect() as wire, suppress(Silence, Reset):
        wire.send(data)
        wire.fin()
        wire.recv(patience=0.1 * probe.slow)

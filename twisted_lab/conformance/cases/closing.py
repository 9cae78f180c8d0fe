"""Ends in disorder: RST at each stage, clients that come and go, both ends closing at once."""

from __future__ import annotations

import time

from twisted_lab.conformance.case import Needs, Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import Failed, Finding, Reset, Severity, non_strict, ok

_REPLIES = (Trait.STREAM, Trait.REPLIES)
_TIMES = 50


@case(
    "C01",
    "RST before a byte",
    does=f"Connects and sends RST at once, {_TIMES} times; then asks as usual.",
    requires="The server serves on. (accept() may fail, or give a socket already reset.)",
    source="accept(2), ECONNABORTED; RFC 9293 3.5.3",
    severity=Severity.GRAVE,
    bug="dies",
    of=(Trait.TCP,),
)
def reset_at_once(probe: Probe) -> Finding:
    """A balancer's health check does so all day."""
    for done in probe.times(_TIMES):
        probe.connect(handshake=False).reset()
    probe.alive()
    return ok(f"{done} resets, and it serves on")


@case(
    "C02",
    "RST in the middle of a request",
    does=f"Sends half a request, then RST, {_TIMES} times; then asks as usual.",
    requires="The server serves on.",
    source="recv(2), ECONNRESET",
    severity=Severity.GRAVE,
    bug="dies",
    of=(Trait.TCP, Trait.REPLIES),
)
def reset_in_request(probe: Probe) -> Finding:
    """recv() raises ECONNRESET in the server."""
    half = probe.request(40)
    half = half[: max(1, len(half) // 2)]
    for done in probe.times(_TIMES):
        wire = probe.connect()
        wire.send(half)
        wire.reset()
    probe.alive()
    return ok(f"{done} resets, and it serves on")


@case(
    "C03",
    "RST in the middle of the reply",
    does=f"Sends many requests and RST without reading, {_TIMES} times; then asks as usual.",
    requires="The server serves on.",
    source="send(2), EPIPE and ECONNRESET; signal(7), SIGPIPE",
    severity=Severity.GRAVE,
    bug="dies",
    of=(Trait.TCP, Trait.REPLIES),
)
def reset_in_reply(probe: Probe) -> Finding:
    """send() raises EPIPE in the server, or SIGPIPE ends it."""
    many = 100 if Trait.TAKES_MORE in probe.profile.traits else 1
    asked = probe.request(500) * many
    for done in probe.times(_TIMES):
        wire = probe.connect()
        wire.send(asked)
        wire.reset()
    probe.alive()
    return ok(f"{done} resets, and it serves on")


@case(
    "C04",
    "Connect and close, 200 times",
    does="Connects and closes at once, 200 times; then asks as usual.",
    requires="The server serves on.",
    source="accept(2)",
    severity=Severity.GRAVE,
    bug="others-cut-off",
)
def come_and_go(probe: Probe) -> Finding:
    """A port scan, or a monitor."""
    for done in probe.times(200):
        probe.connect(handshake=False).close()
    probe.alive()
    return ok(f"{done} came and went, and it serves on")


@case(
    "C05",
    "Both ends close at once",
    does="Sends a request after which the server closes, and closes at the same moment, 20 times.",
    requires="The server serves on.",
    source="RFC 9293 3.6, case 3: simultaneous close",
    severity=Severity.SERIOUS,
    bug="others-cut-off",
)
def at_once(probe: Probe) -> Finding:
    """Whatever order FIN and close come in."""
    asked = probe.request(10)
    for done in probe.times(20):
        with probe.connect() as wire:
            try:
                if asked:
                    wire.send_with_fin(asked)
                else:
                    wire.fin()
            except Reset:
                pass  # it had closed already, with RST
    probe.alive()
    return ok(f"{done} closes from both ends, and it serves on")


@case(
    "C06",
    "Closing with unread data",
    does="Sends 20 kB that nobody asked for, as the server replies and closes; 10 times.",
    requires="The whole reply, then FIN: what is not read is read and dropped first.",
    source="RFC 1122 4.2.2.13; RFC 9293 3.10.4",
    severity=Severity.GRAVE,
    bug="reset-unread",
    of=(Trait.TCP, Trait.CLOSES),
)
def unread(probe: Probe) -> Finding:
    """close() with data in the receive buffer makes the kernel send RST."""
    resets = 0
    for _ in range(10):
        with probe.connect() as wire:
            asked = probe.request()
            try:
                wire.send(asked + b"x" * 20_000)
            except Reset:
                resets += 1
                continue
            got = bytearray()
            try:
                while data := wire.recv():
                    got += data
            except Reset:
                resets += 1
            said = probe.profile.judge(asked, 1, bytes(got))
            if said.wrong or not said.whole:
                raise Failed(f"the reply was cut by RST: {len(got):,} bytes came", "reset-unread")
    if resets:
        return non_strict(f"the reply was whole, but {resets} of 10 streams ended with RST")
    return ok("10 replies came whole, and then FIN")


@case(
    "C07",
    "An abuse costs the others nothing",
    does="While one connection is asked in turns, others are reset, cut and closed beside it.",
    requires="Every reply on the quiet connection comes.",
    source="the profile's own",
    severity=Severity.GRAVE,
    bug="others-cut-off",
    of=(Trait.TCP, Trait.REPLIES, Trait.TAKES_MORE),
    needs=(Needs.TWO_AT_ONCE, Needs.GOES_ON),
)
def neighbours(probe: Probe) -> Finding:
    """Not only new connections: those that are there."""
    half = probe.request(40)[:20]
    with probe.connect() as quiet:
        for number in range(30):
            wire = probe.connect()
            wire.send(half)
            wire.reset() if number % 2 else wire.close()
            try:
                probe.exchange(quiet)
            except Failed as error:
                said = f"after {number + 1} others the quiet one got no reply: {error.reason}"
                raise Failed(said, "others-cut-off", timed=error.timed) from None
            time.sleep(0.001)
    return ok("30 others were reset or cut; the quiet one had all its replies")

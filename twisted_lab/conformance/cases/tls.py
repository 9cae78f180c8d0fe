"""TLS on a stream: what is refused, what has an end, and what close_notify does."""

from __future__ import annotations

import socket
import struct
import time

from twisted_lab.conformance.case import Needs, Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Reset,
    Severity,
    Silence,
    no_limit,
    ok,
)
from twisted_lab.conformance.wire import Wire

_TLS = (Trait.TLS,)

#: The longest that is waited for a limit that nobody declared, in seconds.
_LIMIT = 10.0

#: The content type of handshake messages (RFC 8446, 5.1).
_HANDSHAKE = b"\x16"

#: The record header and the beginning of a hello of 512 bytes (RFC 8446, 5.1 and 4).
_BEGINNING = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)


@case(
    "T01",
    "Old versions are refused",
    does="Offers TLS 1.0, then TLS 1.1, alone.",
    requires="No handshake.",
    source="RFC 8996",
    severity=Severity.SERIOUS,
    bug="old-tls",
    of=_TLS,
)
def old(probe: Probe) -> Finding:
    """Written by hand, for today's OpenSSL does not even offer them."""
    for name, version in (("TLS 1.0", 0x0301), ("TLS 1.1", 0x0302)):
        with probe.connect(handshake=False) as wire:
            wire.remark(f"a hello that offers {name} alone")
            try:
                wire.send(_hello(version))
                # Of the record: type, version, length; of a ServerHello: type, length, version.
                answer = wire.read(11)
            except Reset:
                continue
        if answer[:1] == _HANDSHAKE and answer[9:11] == version.to_bytes(2, "big"):
            raise Failed(f"it speaks {name}", "old-tls")
    return ok("TLS 1.0 and 1.1 are refused")


def _hello(version: int) -> bytes:
    """A ClientHello of *version* in a record (RFC 2246, 7.4.1.2; RFC 8422 for the extensions)."""
    suites = struct.pack("!8H", 0xC00A, 0xC009, 0xC014, 0xC013, 0x0035, 0x002F, 0x000A, 0x00FF)
    groups = struct.pack("!HHHHHH", 10, 8, 6, 23, 24, 29)
    extensions = groups + struct.pack("!HHBB", 11, 2, 1, 0)
    body = struct.pack("!H32sB", version, bytes(range(32)), 0)
    body += struct.pack("!H", len(suites)) + suites + b"\x01\0"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return _HANDSHAKE + struct.pack("!HH", 0x0301, len(message)) + message


@case(
    "T02",
    "Garbage instead of a hello",
    does="Sends what is no TLS, in four ways, and waits.",
    requires="The server closes, and serves the next.",
    source="RFC 8446 6.2: fatal alerts",
    severity=Severity.SERIOUS,
    bug="endless-handshake",
    of=_TLS,
)
def garbage(probe: Probe) -> Finding:
    """A browser that speaks HTTP to it is one of them."""
    for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" * 64, _BEGINNING + b"\xff" * 600):
        with probe.connect(handshake=False) as wire:
            try:
                wire.send(data)
                wire.read_to_end()
            except Reset:
                pass
    probe.alive()
    return ok("it closed each time")


@case(
    "T03",
    "A silent handshake",
    does="Connects and sends nothing (--handshake-timeout declares the limit).",
    requires=f"The server closes; where nothing is declared {_LIMIT:.0f} s are waited.",
    source="CWE-400",
    severity=Severity.SERIOUS,
    bug="endless-handshake",
    of=_TLS,
)
def silent(probe: Probe) -> Finding:
    """Time-outs of the application begin later."""
    return _ends(probe, b"")


@case(
    "T04",
    "A dribbled handshake",
    does="Sends a hello one byte in half a second (--handshake-timeout declares the limit).",
    requires=f"The server closes in all; where nothing is declared {_LIMIT:.0f} s are waited.",
    source="CWE-400, as Slowloris does",
    severity=Severity.SERIOUS,
    bug="endless-handshake",
    of=_TLS,
)
def dribbled(probe: Probe) -> Finding:
    """Each byte must not start the time anew."""
    return _ends(probe, _BEGINNING)


def _ends(probe: Probe, hello: bytes) -> Finding:
    declared = probe.server.limits.handshake_timeout
    wait = _LIMIT * probe.slow if declared is None else (declared * 1.5 + 1.0) * probe.slow
    began = time.monotonic()
    with probe.connect(handshake=False) as wire:
        for place in range(int(wait / 0.5)):
            if _over(wire, hello[place : place + 1]):
                return ok(f"it was closed after {time.monotonic() - began:.1f} s")
    if declared is None:
        return no_limit(f"open after {wait:.0f} s, and no --handshake-timeout was declared")
    raise Silence(f"declared to be {declared:g} s, it was still open after {wait:.0f} s")


def _over(wire: Wire, piece: bytes) -> bool:
    try:
        if piece:
            wire.send(piece)
        wire.listen(0.5)
    except Reset:
        return True
    return wire.ended


@case(
    "T05",
    "FIN without close_notify",
    does="Sends a request, then FIN without close_notify, and waits.",
    requires="The server closes; whether it answers is its choice, for the stream may be cut.",
    source="RFC 8446 6.1; RFC 5246 7.2.1",
    severity=Severity.SERIOUS,
    bug="never-closes",
    of=_TLS,
)
def truncated(probe: Probe) -> Finding:
    """An attacker can send FIN, but no close_notify."""
    with probe.connect() as wire:
        if asked := probe.request():
            wire.send(asked)
        wire.pipe.sock.shutdown(socket.SHUT_WR)
        wire.remark("sent FIN without close_notify")
        try:
            got = wire.read_to_end()
        except Reset:
            return ok("it closed, with RST")
    return ok(f"it closed, after {len(got):,} bytes")


@case(
    "T06",
    "Its close_notify",
    does="Sends a request and close_notify, reads to the end.",
    requires="close_notify before FIN, or the reply may have been cut.",
    source="RFC 8446 6.1: each party must send close_notify",
    severity=Severity.SLIGHT,
    bug="no-close-notify",
    of=_TLS,
)
def says_so(probe: Probe) -> Finding:
    """Only so the end of the reply is sure."""
    with probe.connect() as wire:
        wire.send_with_fin(probe.request())
        wire.read_to_end()
        if getattr(wire.pipe, "truncated", False):
            raise Failed("FIN came without close_notify: the client cannot know it was all")
    return ok("close_notify came")


@case(
    "T07",
    "A hundred silent in front",
    does="Opens 100 connections that never begin a handshake, then makes one.",
    requires="The one is served.",
    source="CWE-400",
    severity=Severity.SERIOUS,
    bug="one-at-a-time",
    of=_TLS,
    alone=True,
    needs=(Needs.TWO_AT_ONCE,),
)
def behind(probe: Probe) -> Finding:
    """A handshake in the loop that accepts blocks all."""
    with probe.many(100, handshake=False):
        began = time.monotonic()
        with probe.connect() as wire:
            if probe.profile.request is not None and Trait.REPLIES in probe.profile.traits:
                probe.exchange(wire)
        took = time.monotonic() - began
    return ok(f"behind 100 silent ones it took {took * 1000:.0f} ms")

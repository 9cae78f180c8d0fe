"""Segments: a stream has no message boundaries, so a request may come in any pieces."""

from __future__ import annotations

import socket
import time
from functools import partial

from twisted_lab.conformance.case import Needs, Place, Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Reset,
    Severity,
    Silence,
    could_not_tell,
    ok,
)
from twisted_lab.conformance.wire import Wire

_REPLIES = (Trait.STREAM, Trait.REPLIES)
_ECHOES = (Trait.STREAM, Trait.ECHOES)

#: More than the kernel's buffers of both sides hold by default (tcp(7), tcp_rmem and tcp_wmem).
_MUCH = 16 * 2**20

#: Seconds between two pieces: a server that reads at once has read the first by then.
_BETWEEN = 0.1


@case(
    "S01",
    "A request, a reply",
    does="Sends one request, and reads the reply.",
    requires="The reply that the profile says.",
    source="the profile's own",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=_REPLIES,
    place=Place.FIRST,
)
def plain(probe: Probe) -> Finding:
    """What everything else stands on."""
    with probe.connect() as wire:
        reply = probe.exchange(wire)
    return ok(f"{len(reply):,} bytes came back, as they should")


@case(
    "S02",
    "A mebibyte of every byte there is",
    does="Sends 1 MiB with all 256 values, and reads while it sends.",
    requires="The same bytes come back.",
    source="RFC 862",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=_ECHOES,
)
def mebibyte(probe: Probe) -> Finding:
    """Nothing may be changed, by text modes or NUL either."""
    asked = probe.random.randbytes(2**20)
    with probe.connect() as wire:
        _through(probe, wire, asked)
    return ok("1,048,576 bytes came back unchanged")


@case(
    "S03",
    "A request cut in two at every byte",
    does="Sends the first part of a request, waits, sends the rest: for each place to cut, all"
    " connections side by side.",
    requires="The same reply as to the request in one piece.",
    source="RFC 9293 2.2: TCP is a stream of bytes",
    severity=Severity.GRAVE,
    bug="reads-once",
    of=_REPLIES,
)
def cut_anywhere(probe: Probe) -> Finding:
    """The first parts are all there before the first of the second parts."""
    asked = probe.request(24)[:200]
    places = range(1, len(asked))
    if probe.one_at_a_time:
        for place in places:
            _cut(probe, asked, place)
        return ok(f"{len(places)} cuts, {len(places)} whole replies")
    with probe.many(len(places)) as wires:
        for wire, place in zip(wires, places, strict=True):
            wire.send(asked[:place])
        time.sleep(_BETWEEN)
        for wire, place in zip(wires, places, strict=True):
            _rest(probe, wire, asked, place)
    return ok(f"{len(places)} cuts, {len(places)} whole replies")


def _cut(probe: Probe, asked: bytes, place: int) -> None:
    with probe.connect() as wire:
        wire.send(asked[:place])
        time.sleep(_BETWEEN)
        _rest(probe, wire, asked, place)


def _rest(probe: Probe, wire: Wire, asked: bytes, place: int) -> None:
    try:
        wire.send(asked[place:])
        probe.reply(wire, asked)
    except Failed as error:
        said = f"cut after byte {place} of {len(asked)}: {error.reason}"
        raise Failed(said, "reads-once", timed=error.timed) from None


@case(
    "S04",
    "One byte at a time",
    does="Sends a request of 200 bytes at most, byte by byte, each in a segment of its own.",
    requires="The same reply as to the request in one piece.",
    source="RFC 9293 2.2: TCP is a stream of bytes",
    severity=Severity.GRAVE,
    bug="reads-once",
    of=_REPLIES,
)
def byte_by_byte(probe: Probe) -> Finding:
    """Every hundredth of a second one, so that many of them are a read of their own."""
    asked = probe.request(40)[:200]
    with probe.connect() as wire:
        try:
            for place in range(len(asked)):
                wire.send(asked[place : place + 1])
                time.sleep(0.01)
            probe.reply(wire, asked)
        except Failed as error:
            raise Failed(error.reason, "reads-once", timed=error.timed) from None
    return ok(f"{len(asked)} segments of one byte had the whole reply")


@case(
    "S05",
    "Many requests in one segment",
    does="Sends 20 requests with one send(), and reads the replies.",
    requires="20 replies, in order.",
    source="RFC 9293 2.2: TCP is a stream of bytes",
    severity=Severity.GRAVE,
    bug="one-reply-a-read",
    of=(*_REPLIES, Trait.TAKES_MORE, Trait.PIPELINES),
    needs=(Needs.GOES_ON,),
)
def pipelined(probe: Probe) -> Finding:
    """As a client does that does not wait."""
    asked = probe.request(30) * 20
    with probe.connect() as wire:
        wire.send(asked)
        probe.reply(wire, asked, 20)
    return ok("20 requests, 20 replies, in order")


@case(
    "S06",
    "A thousand requests, one after the other",
    does="Sends a request when the reply before is there, 1,000 times on one connection.",
    requires="1,000 replies.",
    source="the profile's own",
    severity=Severity.SERIOUS,
    bug="closes-early",
    of=(*_REPLIES, Trait.TAKES_MORE),
)
def in_turns(probe: Probe) -> Finding:
    """Half a second is enough for most; slower is no failure."""
    until, count = time.monotonic() + 2 * probe.slow, 0
    with probe.connect() as wire:
        while count < 1000 and time.monotonic() < until:
            try:
                probe.exchange(wire)
            except Reset as error:  # what it did not read is the request it would not have
                said = f"after {count:,} replies {error.reason}"
                raise Failed(said, "closes-early" if count else "") from None
            count += 1
    return ok(f"{count:,} requests in turn, {count:,} replies")


@case(
    "S07",
    "More than the buffers hold",
    does=f"Sends {_MUCH >> 20} MiB, and reads all the while.",
    requires="Every byte comes back, in order.",
    source="send(2): the number of bytes sent is returned",
    severity=Severity.GRAVE,
    bug="sends-once",
    of=_ECHOES,
)
def much(probe: Probe) -> Finding:
    """A server that does not look at what send() returns loses bytes here."""
    asked = probe.random.randbytes(2**20) * (_MUCH >> 20)
    with probe.connect() as wire:
        _through(probe, wire, asked)
    return ok(f"{len(asked):,} bytes came back")


def _through(probe: Probe, wire: Wire, asked: bytes) -> None:
    """Send *asked* and read it back at once; a stream that is cut says how far it came."""
    got: list[bytes] = []
    probe.together(partial(wire.send, asked), lambda: got.append(wire.read(len(asked))))
    if got[0] != asked:
        probe.check(got[0], asked)


@case(
    "S08",
    "Everything it took comes back",
    does="Sends without reading until the server takes no more for half a second, then reads.",
    requires="Every byte that was taken comes back.",
    source="RFC 9293 3.8.6: flow control",
    severity=Severity.GRAVE,
    bug="sends-once",
    of=_ECHOES,
)
def blocked_then_read(probe: Probe) -> Finding:
    """Both windows are closed when the reading begins."""
    block = probe.request(2**16)
    with probe.connect(rcvbuf=2**16) as wire:
        if not probe.fill(wire, 64 * 2**20):
            return could_not_tell("the server's time-out came before we read")
        sent = wire.sent
        got = wire.read(sent)
        whole = (block * (sent // len(block) + 1))[:sent]
        probe.check(got, whole)
    return ok(f"{sent:,} bytes were taken, and came back")


@case(
    "S09",
    "Urgent data",
    does="Sends one byte with MSG_OOB between two requests.",
    requires="The second request is answered; what becomes of the byte is the server's choice.",
    source="RFC 6093; RFC 9293 3.8.5",
    severity=Severity.SLIGHT,
    bug="closes-early",
    of=(Trait.TCP, Trait.ECHOES),
)
def urgent(probe: Probe) -> Finding:
    """Without SO_OOBINLINE the byte is not in the stream; with it, it is."""
    with probe.connect() as wire:
        probe.exchange(wire)
        wire.pipe.sock.send(b"!", socket.MSG_OOB)
        wire.remark("sent one urgent byte, '!' (MSG_OOB)")
        asked = probe.request()
        try:
            wire.send(asked)
            got = wire.read(len(asked))
        except Reset as error:
            raise Failed(f"after an urgent byte {error.reason}", "closes-early") from None
        except Silence as error:
            raise Silence(f"after an urgent byte {error.reason}", "wrong-reply") from None
        if not got:
            raise Failed("after an urgent byte FIN came", "closes-early")
        if got == asked:
            return ok("the stream goes on; the urgent byte is not in it")
        got += wire.read(1)
        if got == b"!" + asked:
            return ok("the stream goes on; the urgent byte stands in it (SO_OOBINLINE)")
    raise Failed(f"after an urgent byte {got[:40]!r} came back for {asked[:40]!r}", "wrong-reply")

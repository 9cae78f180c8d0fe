"""Crowds, and clients that do not read or do not speak: what one costs the others."""

from __future__ import annotations

import select
import socket
import time

from twisted_lab.conformance.case import Needs, Place, Trait, case
from twisted_lab.conformance.probe import SYN_AGAIN, Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Reset,
    Severity,
    Silence,
    Unreachable,
    could_not_tell,
    info,
    no_limit,
    ok,
)
from twisted_lab.conformance.wire import Wire

_REPLIES = (Trait.STREAM, Trait.REPLIES)
_MIB = 2**20

#: What a server may take from a client that does not read: what the kernel's buffers of both sides
#: hold at most, and some. Linux 6.18 lets a receive buffer grow to 32 MiB (tcp(7), tcp_rmem), and
#: a send buffer to 4 MiB, ours and the server's; well-behaved ones took 8 to 27 MiB.
_TAKEN = 48 * _MIB

#: Seconds that 400 connects are waited for: longer than a SYN takes that is sent again.
_STORM = 2.5

#: The longest that is waited for a limit that nobody declared, in seconds.
_LIMIT = 10.0


@case(
    "N01",
    "Two at once",
    does="Connects, says nothing, and asks on a second connection.",
    requires="The second is answered while the first is open.",
    source="accept(2); the profile's own",
    severity=Severity.GRAVE,
    bug="one-at-a-time",
    of=_REPLIES,
    alone=True,
)
def two_at_once(probe: Probe) -> Finding:
    """The first client may be a person who thinks."""
    with probe.connect(), probe.connect() as second:
        try:
            probe.exchange(second)
        except Silence as error:
            said = f"with one silent connection open, {error.reason}"
            raise Silence(said, "one-at-a-time") from None
    return ok("the second was answered beside a silent first")


@case(
    "N02",
    "Two hundred idle beside",
    does="Opens 200 connections that say nothing, then asks on one more.",
    requires="The new one is answered.",
    source="listen(2), accept(2); select(2): FD_SETSIZE is 1024",
    severity=Severity.SERIOUS,
    bug="others-cut-off",
    of=_REPLIES,
    alone=True,
    needs=(Needs.TWO_AT_ONCE,),
)
def idle_beside(probe: Probe) -> Finding:
    """A declared limit on connections may come first: then this is that limit's doing."""
    with probe.many(200, enough=True) as idle:
        beside = f"beside {len(idle)} idle ones"
        began = time.monotonic()
        with probe.connect() as wire:
            try:
                probe.exchange(wire)
            except Failed as error:
                said = f"{beside} {error.reason}"
                raise Failed(said, "others-cut-off", timed=error.timed) from None
        took = time.monotonic() - began
    return ok(f"{beside} the new one was answered in {took * 1000:.0f} ms")


@case(
    "N03",
    "Four hundred connects at once",
    does="Begins 400 connects in one go, and waits for all.",
    requires="None waits for a SYN to be sent again, which takes a second.",
    source="listen(2): backlog; tcp(7): tcp_syn_retries",
    severity=Severity.SERIOUS,
    bug="small-backlog",
    of=(Trait.TCP,),
    needs=(Needs.LOOPBACK,),
    alone=True,
)
def storm(probe: Probe) -> Finding:
    """The kernel drops the SYN when the queue is full; loopback itself drops none."""
    began = time.monotonic()
    socks = [_begin_connect(probe) for _ in range(400)]
    try:
        took = _took(socks, began, began + _STORM * max(1.0, probe.slow))
    finally:
        for sock in socks:
            sock.close()
    late = probe.lateness.worst(began)
    slow = sum(seconds > SYN_AGAIN for seconds in took)
    if slow and late > SYN_AGAIN / 4:
        return could_not_tell(f"this machine was {late:.1f} s late itself")
    if slow:
        raise Failed(
            f"{slow} of 400 connects took a second or more: their SYN was dropped",
            "small-backlog",
            timed=True,
        )
    return ok(f"400 connects in {max(took) * 1000:.0f} ms")


def _begin_connect(probe: Probe) -> socket.socket:
    sock = socket.socket(probe.server.family, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.connect_ex(probe.server.address)
    return sock


def _took(socks: list[socket.socket], began: float, until: float) -> list[float]:
    """The seconds from *began* until each was connected, or refused; *until* at the latest."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLOUT)
    took: list[float] = []
    while len(took) < len(socks) and (left := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            poll.unregister(fd)
            took.append(time.monotonic() - began)
    return took + [until - began] * (len(socks) - len(took))


@case(
    "N04",
    "A greedy neighbour",
    does="One connection sends and reads as fast as it can; a quiet one asks 20 times beside it.",
    requires="The quiet one is answered each time.",
    source="the profile's own",
    severity=Severity.SERIOUS,
    bug="others-cut-off",
    of=(Trait.STREAM, Trait.REPLIES, Trait.TAKES_MORE),
    alone=True,
    needs=(Needs.TWO_AT_ONCE, Needs.GOES_ON),
)
def greedy(probe: Probe) -> Finding:
    """How fast is told, not judged: the machine is shared."""
    worst: list[float] = []
    done: list[bool] = []

    def ask() -> None:
        try:
            with probe.connect() as quiet:
                for _ in range(20):
                    began = time.monotonic()
                    probe.exchange(quiet)
                    worst.append(time.monotonic() - began)
                    time.sleep(0.02)
        finally:
            done.append(True)

    def hog() -> None:
        asked = probe.request(2**14)
        with probe.connect() as wire:
            while not done:
                wire.send(asked)
                probe.reply(wire, asked)

    probe.together(ask, hog)
    return ok(f"the quiet one was answered each time, at worst in {max(worst) * 1000:.0f} ms")


@case(
    "N05",
    "A client that never reads",
    does=f"Sends up to {2 * _TAKEN // _MIB} MiB and reads nothing.",
    requires=f"The server stops taking before {_TAKEN // _MIB} MiB: what it cannot send it must"
    " not gather.",
    source="RFC 9293 3.8.6: flow control; send(2), EAGAIN",
    severity=Severity.GRAVE,
    bug="no-back-pressure",
    of=(Trait.STREAM, Trait.ECHOES),
    alone=True,
)
def never_reads(probe: Probe) -> Finding:
    """A few such clients take all memory there is."""
    with probe.connect(rcvbuf=2**16) as wire:
        probe.fill(wire, 2 * _TAKEN)
        if wire.sent > _TAKEN:
            raise Failed(
                f"it took {wire.sent / _MIB:.0f} MiB from a client that read nothing",
                "no-back-pressure",
            )
    probe.alive()
    return ok(f"it took {wire.sent / _MIB:.1f} MiB, then waited")


@case(
    "N11",
    "A neighbour that does not read",
    does="Sends on one connection until the server takes no more, reads nothing there, and asks on"
    " a second one.",
    requires="The second is answered: a send() that would block must not hold up the others.",
    source="send(2), EAGAIN; the profile's own",
    severity=Severity.GRAVE,
    bug="others-cut-off",
    of=(Trait.STREAM, Trait.ECHOES),
    needs=(Needs.TWO_AT_ONCE,),
    alone=True,
)
def deaf_neighbour(probe: Probe) -> Finding:
    """A browser on a train is such a neighbour."""
    with probe.connect(rcvbuf=2**16) as deaf:
        if not probe.fill(deaf, _TAKEN):
            return could_not_tell("the server's time-out ended the one that reads nothing first")
        with probe.connect() as quiet:
            try:
                probe.exchange(quiet)
            except Failed as error:
                said = f"beside a client that reads nothing, {error.reason}"
                raise Failed(said, "others-cut-off", timed=error.timed) from None
    return ok("the second was answered beside one that reads nothing")


@case(
    "N06",
    "A silent client",
    does="Connects, says nothing, and waits.",
    requires="The server closes after its declared time-out (--idle-timeout); without one"
    f" {_LIMIT:.0f} s are waited.",
    source="CWE-400; RFC 1122 4.2.3.6 leaves it to the application",
    severity=Severity.SERIOUS,
    bug="no-time-out",
    unless=(Trait.ENDLESS, Trait.CLOSES),
)
def silent(probe: Probe) -> Finding:
    """Who says nothing may be gone: a cable pulled sends no FIN."""
    return _limit(probe, b"")


@case(
    "N07",
    "A client that stops reading",
    does="Sends until the server takes no more, then neither reads nor sends.",
    requires="The server gives up after its declared time-out (--idle-timeout) and a grace;"
    f" without one {_LIMIT:.0f} s are waited.",
    source="CWE-400; RFC 9293 3.8.6.1: a zero window may last for ever",
    severity=Severity.SERIOUS,
    bug="no-time-out",
    of=(Trait.STREAM, Trait.ECHOES),
)
def stalled(probe: Probe) -> Finding:
    """A close that waits for its buffer to be sent does not end here."""
    with probe.connect(rcvbuf=2**16) as wire:
        if not probe.fill(wire, _TAKEN):
            return ok("it was closed while we sent")
        return _gone(probe, wire, 10.0, reads=False)


@case(
    "N08",
    "A request that never ends",
    does="Sends one byte a second of a request that it never ends.",
    requires="The server closes after its declared time-out (--idle-timeout) in all; without one"
    f" {_LIMIT:.0f} s are waited.",
    source="CWE-400, as Slowloris does",
    severity=Severity.SERIOUS,
    bug="no-time-out",
    of=(Trait.STREAM, Trait.LINES),
)
def dribble(probe: Probe) -> Finding:
    """Each byte starts the time-out anew, where it is not of the whole request."""
    return _limit(probe, b"x")


def _limit(probe: Probe, often: bytes) -> Finding:
    with probe.connect() as wire:
        return _gone(probe, wire, 2.0, often)


def _gone(
    probe: Probe, wire: Wire, grace: float, often: bytes = b"", reads: bool = True
) -> Finding:
    """Wait for the end of *wire*, sending *often* each second."""
    declared = probe.server.limits.idle_timeout
    wait = _LIMIT * probe.slow if declared is None else (declared * 1.5 + grace) * probe.slow
    began = time.monotonic()
    while (lasted := time.monotonic() - began) < wait:
        if _over(wire, min(1.0, wait - lasted), often, reads):
            return ok(f"it was closed after {time.monotonic() - began:.1f} s")
    if declared is None:
        return no_limit(f"still open after {wait:.0f} s, and no --idle-timeout was declared")
    raise Silence(f"declared to be {declared:g} s, it was still open after {wait:.0f} s")


def _over(wire: Wire, seconds: float, often: bytes, reads: bool) -> bool:
    try:
        if often:
            wire.send(often)
        if reads:
            wire.listen(seconds)
        else:
            time.sleep(seconds)
            return _is_reset(wire)
    except Reset:
        return True
    return wire.ended


def _is_reset(wire: Wire) -> bool:
    """Whether RST came, seen without reading."""
    return wire.pipe.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


@case(
    "N09",
    "It speaks when it is asked",
    does="Connects, says nothing for a moment, and reads.",
    requires="A server that answers requests says nothing before one; a greeting is told.",
    source="the profile's own",
    severity=Severity.SLIGHT,
    bug="flood",
    of=_REPLIES,
)
def unasked(probe: Probe) -> Finding:
    """Bytes that nobody asked for are taken for the first reply."""
    with probe.connect() as wire:
        said = wire.listen(probe.quiet)
        if wire.ended:
            raise Failed("it closed at once, without a request", "others-cut-off")
    if said and Trait.SPEAKS_FIRST not in probe.profile.traits:
        raise Failed(f"unasked it said {said[:60]!r}", "flood")
    return ok("not a byte before a request") if not said else info(f"it greets: {said[:60]!r}")


@case(
    "N10",
    "It serves on at the end",
    does="After all other cases, asks as usual.",
    requires="The reply.",
    source="the profile's own",
    severity=Severity.GRAVE,
    bug="dies",
    alone=True,
    place=Place.LAST,
)
def at_the_end(probe: Probe) -> Finding:
    """What none of the cases showed by itself."""
    try:
        probe.alive()
    except Unreachable as error:
        raise Failed(f"it is gone: {error.reason}", "dies", timed=True) from None
    return ok("it serves on")

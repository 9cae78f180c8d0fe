"""Datagrams: each whole, each by itself, and nothing for those who did not ask."""

from __future__ import annotations

import socket
import struct
import time

from twisted_lab.conformance.case import Needs, Place, Trait, case
from twisted_lab.conformance.probe import Probe
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Severity,
    Silence,
    could_not_tell,
    info,
    non_strict,
    ok,
)

_DATAGRAMS = (Trait.DATAGRAMS,)
_ECHOES = (Trait.DATAGRAMS, Trait.ECHOES)

#: The most that fits into a datagram over IPv4 (RFC 768, RFC 791): 65,535 less both headers.
_LARGEST = 65_507

#: More datagrams than this from a server to itself, after one that was forged, are a loop.
_LOOP = 20


@case(
    "U01",
    "A datagram, an answer",
    does="Sends one datagram, and waits for the answer.",
    requires="The answer that the profile says.",
    source="the profile's own",
    severity=Severity.GRAVE,
    bug="wrong-reply",
    of=(Trait.ANSWERS,),
    place=Place.FIRST,
)
def plain(probe: Probe) -> Finding:
    """A service that only speaks is asked with much, for some answer no less with no more."""
    asked = probe.datagram(512)
    with probe.talk() as talk:
        got = talk.ask(asked)
    probe.check_datagram(got, asked)
    return ok(f"{len(got):,} bytes came back")


@case(
    "U02",
    "Datagrams of every size",
    does="Sends datagrams of 1 to 65,507 bytes, one after the other.",
    requires="Each comes back whole, or not at all; none is cut.",
    source="RFC 768; RFC 862; recvfrom(2): what does not fit is thrown away",
    severity=Severity.GRAVE,
    bug="cuts-datagrams",
    of=_ECHOES,
)
def sizes(probe: Probe) -> Finding:
    """Around the sizes of buffers that people choose."""
    edges = [1, 2, 511, 512, 513, 1023, 1024, 1025, 1472, 2048, 2049, 4096, 4097, 8192, 8193]
    lost = []
    with probe.talk() as talk:
        for size in [*edges, 16_384, 32_768, 65_000, _LARGEST]:
            asked = probe.random.randbytes(size)
            try:
                got = talk.ask(asked)
            except Silence:
                lost.append(size)
                continue
            if got != asked:
                raise Failed(f"of {size:,} bytes {len(got):,} came back", "cuts-datagrams")
    if len(lost) > 4:
        raise Silence(f"no answer to datagrams of {', '.join(map(str, lost))} bytes")
    return info(f"no answer to {lost} bytes") if lost else ok("1 to 65,507 bytes came back whole")


@case(
    "U03",
    "An empty datagram",
    does="Sends an empty datagram.",
    requires="An empty answer: it is a datagram as any other.",
    source="RFC 768: the length is 8 at least; RFC 862",
    severity=Severity.SLIGHT,
    bug="wrong-reply",
    of=_ECHOES,
)
def empty(probe: Probe) -> Finding:
    """recvfrom() returns nothing, and that is not the end of a stream."""
    with probe.talk() as talk:
        answered = True
        try:
            if got := talk.ask(b"", 1.0 * probe.slow):
                raise Failed(f"an empty datagram was answered by {len(got)} bytes")
        except Silence:
            answered = False
        try:
            if talk.ask_again(b"x") != b"x":
                raise Failed("after an empty datagram the next is answered wrongly")
        except Silence as error:
            raise Silence(f"after an empty datagram {error.reason}", "datagrams-lost") from None
    return ok("an empty answer") if answered else non_strict("an empty datagram has no answer")


@case(
    "U04",
    "Five hundred in flight",
    does="Sends 500 numbered datagrams, 16 of them in flight, and reads the answers.",
    requires="Each is answered once. (UDP may lose, reorder and double; on loopback it does not.)",
    source="RFC 768; RFC 862",
    severity=Severity.SERIOUS,
    bug="datagrams-lost",
    of=_ECHOES,
    needs=(Needs.LOOPBACK,),
    alone=True,
)
def in_flight(probe: Probe) -> Finding:
    """The kernel's queue holds some hundred small ones."""
    came: dict[bytes, int] = {}
    with probe.talk() as talk:
        try:
            for number in range(500 + 16):
                if number < 500:
                    talk.send(b"%06d" % number)
                if number >= 16:
                    data, _ = talk.recv()
                    came[data] = came.get(data, 0) + 1
        except Silence as error:
            said = f"{500 - len(came)} of 500 were not answered: {error.reason}"
            raise Silence(said, "datagrams-lost") from None
    if len(came) != 500 or set(came) != {b"%06d" % number for number in range(500)}:
        raise Failed("answers came twice, or for datagrams that were not sent", "datagrams-lost")
    return ok("500 asked, 500 answered, none twice")


@case(
    "U05",
    "A burst",
    does="Sends 200 datagrams without a pause, then reads.",
    requires="Nothing is: how many were answered is told. The next one must be.",
    source="RFC 768; udp(7): what does not fit into the receive buffer is dropped",
    severity=Severity.SERIOUS,
    bug="datagrams-lost",
    of=_ECHOES,
    alone=True,
)
def burst(probe: Probe) -> Finding:
    """A server slower than its askers loses some; it must not stop."""
    with probe.talk() as talk:
        for number in range(200):
            talk.send(b"%06d" % number)
        got = talk.listen(probe.quiet * 2)
    with probe.talk() as talk:
        talk.ask_again(b"after the burst")
    return info(f"of a burst of 200, {len(set(got))} were answered")


@case(
    "U06",
    "To the asker alone",
    does="Two sockets ask in turns, 50 times each, before either reads.",
    requires="Each gets the answers to what it asked, and no others.",
    source="RFC 768: the source port is where a reply goes",
    severity=Severity.GRAVE,
    bug="datagrams-lost",
    of=_ECHOES,
    alone=True,
)
def two_askers(probe: Probe) -> Finding:
    """A server that remembers one peer answers the wrong one."""
    with probe.talk() as first, probe.talk() as second:
        for number in range(50):
            first.send(b"first %d" % number)
            second.send(b"second %d" % number)
        heard = []
        for talk, name in ((first, b"first"), (second, b"second")):
            answers = [talk.recv()[0], *talk.listen(probe.quiet)]
            for data in answers:
                if not data.startswith(name + b" "):
                    raise Failed(f"{data[:40]!r} went to the other asker", "datagrams-lost")
            heard.append(len(answers))
    return ok(f"of 50 questions each two askers had {heard[0]} and {heard[1]} answers, their own")


@case(
    "U07",
    "From the address that was asked",
    does="Asks, and looks where the answer comes from.",
    requires="The address and the port that were asked.",
    source="RFC 1122 4.1.3.5; RFC 768",
    severity=Severity.SERIOUS,
    bug="answers-from-elsewhere",
    of=(Trait.ANSWERS,),
)
def source(probe: Probe) -> Finding:
    """A connected socket, and many firewalls, drop what comes from elsewhere."""
    with probe.talk() as talk:
        talk.ask(probe.datagram(512))
    return ok(f"from {probe.server.shown}")


@case(
    "U08",
    "Askers that are gone",
    does="200 sockets ask and close before the answer, so that ICMP errors come back; then asks.",
    requires="The one is answered.",
    source="udp(7): an ICMP error is given to the next call on a connected socket",
    severity=Severity.GRAVE,
    bug="dies",
    of=(Trait.ANSWERS,),
    alone=True,
)
def gone(probe: Probe) -> Finding:
    """sendto() or recvfrom() raises ECONNREFUSED for somebody else's datagram."""
    for _ in range(200):
        with probe.talk() as talk:
            talk.send(probe.datagram(512))
    with probe.talk() as talk:
        try:
            talk.ask_again(probe.datagram(512))
        except Silence as error:
            raise Silence(f"after 200 askers that left, {error.reason}", "dies") from None
    return ok("200 left without their answers; the next one had his")


@case(
    "U09",
    "A reply is no longer than its request",
    does="Sends datagrams of 0 and of 1 byte, and measures what comes back.",
    requires="No more bytes than were sent: the source may be forged.",
    source="RFC 8085 6; CVE-1999-0103, CVE-2024-2169; US-CERT TA14-017A",
    severity=Severity.SERIOUS,
    bug="amplifies",
    of=_DATAGRAMS,
)
def amplification(probe: Probe) -> Finding:
    """chargen answers one byte with hundreds."""
    worst = 0
    for size in (0, 1):
        with probe.talk() as talk:
            talk.send(b"x" * size)
            got = talk.listen(probe.quiet)
            worst = max(worst, sum(map(len, got)) - size)
    if worst <= 0:
        return ok("never more bytes than were sent")
    if probe.server.loopback:
        return non_strict(f"up to {worst:,} bytes more than were sent")
    raise Failed(f"up to {worst:,} bytes more than were sent: anyone can be flooded with them")


@case(
    "U10",
    "What can only be a reply is not answered",
    does="Sends a datagram from a well-known port (below 1024).",
    requires="No answer: two servers that answer each other never end.",
    source="CVE-2024-2169; CVE-1999-0103; RFC 862 (echo), RFC 864 (chargen)",
    severity=Severity.SERIOUS,
    bug="answers-replies",
    of=(Trait.ANSWERS,),
    needs=(Needs.FORGE,),
)
def from_a_service(probe: Probe) -> Finding:
    """The ports of echo, daytime, chargen and time, as far as they are free here."""
    answered, asked = [], 0
    for port in (7, 13, 19, 37):
        try:
            with probe.talk(port) as talk:
                asked += 1
                talk.send(probe.datagram(512))
                if talk.listen(probe.quiet):
                    answered.append(port)
        except OSError:
            continue
    if answered:
        ports = ", ".join(map(str, answered))
        raise Failed(f"it answers datagrams from the ports {ports}", "answers-replies")
    if not asked:
        return could_not_tell("the ports of echo, daytime, chargen and time are all taken here")
    return ok("datagrams from the ports of echo, daytime, chargen and time are not answered")


@case(
    "U11",
    "Nothing to say",
    does="Sends datagrams of 0, 1 and 65,507 bytes to a sink.",
    requires="No answer.",
    source="RFC 863",
    severity=Severity.SERIOUS,
    bug="wrong-reply",
    of=(Trait.DATAGRAMS, Trait.SINK),
)
def sink(probe: Probe) -> Finding:
    """An ICMP error would tell that nobody is there."""
    with probe.talk() as talk:
        talk.sock.connect((probe.server.host, probe.server.port))
        try:
            for size in (0, 1, _LARGEST):
                talk.sock.send(b"x" * size)
            said = talk.listen(probe.quiet)
        except ConnectionRefusedError:
            return could_not_tell("nobody listens there (ICMP port unreachable)")
    if said:
        raise Failed(f"it answered {len(said)} datagrams")
    return ok("nothing came back")


@case(
    "U12",
    "One forged datagram makes no endless loop",
    does="Sends one datagram whose forged source is the server's own address and port, and counts"
    " those that go from the server to itself in half a second.",
    requires="At most 20 datagrams: not a loop without end.",
    source="CVE-2024-2169; CVE-1999-0103",
    severity=Severity.GRAVE,
    bug="answers-replies",
    of=(Trait.ANSWERS,),
    needs=(Needs.FORGE,),
    alone=True,
)
def forged(probe: Probe) -> Finding:
    """What others of this machine do with UDP meanwhile is not counted."""
    if probe.server.family != socket.AF_INET:
        return could_not_tell("a source is forged on IPv4 only")
    host, port = probe.server.host, probe.server.port
    data = probe.datagram(32)
    ports = struct.pack("!HH", port, port)
    udp = ports + struct.pack("!HH", 8 + len(data), 0) + data
    own = socket.inet_aton(host)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, own, own)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as copies,
    ):
        copies.bind((host, 0))
        raw.sendto(head + udp, (host, 0))
        seen = _count(copies, own + own + ports, time.monotonic() + 0.5 * probe.slow)
    if seen == 0:
        return could_not_tell("the forged datagram did not come through")
    if seen > _LOOP:
        raise Failed(f"{seen:,} datagrams in half a second: it answers itself", "answers-replies")
    return ok(f"{seen - 1} datagrams followed the forged one in half a second")


def _count(copies: socket.socket, addresses: bytes, until: float) -> int:
    """The datagrams with *addresses*, until then; *copies* gets one of each that comes (raw(7)).

    *addresses* are those of IPv4 and the ports of UDP, as they stand in both headers.
    """
    seen = 0
    while (left := until - time.monotonic()) > 0:
        copies.settimeout(left)
        try:
            packet = copies.recv(64)
        except TimeoutError:
            break
        size = (packet[0] & 0x0F) * 4
        seen += packet[12:20] + packet[size : size + 4] == addresses
    return seen

"""Packets drawn from events: what is true of a stream is true of its packets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    Connected,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    Listening,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Refused,
    Sent,
    Tls,
)
from twisted_lab.ip_headers import ACK, FIN, PSH, RST, SYN
from twisted_lab.packets import Packets, said
from twisted_lab.pcapng import Packet

PEER, LOCAL = "127.0.0.1:50000", "127.0.0.1:9000"
ACCEPTED = Accepted(5, "echo", "c1", PEER, LOCAL, "tcp")


def closed(reason: CloseReason = CloseReason.PEER_FIN) -> Closed:
    return Closed(9, "echo", "c1", PEER, LOCAL, reason, 0, 0, 1.0)


@dataclass(frozen=True)
class Segment:
    """What of a TCP packet over IPv4 matters here."""

    source: int
    sequence: int
    acknowledged: int
    flags: int
    size: int
    data: bytes

    @classmethod
    def of(cls, one: Packet) -> Segment:
        source, _, sequence, acknowledged, words, flags = struct.unpack_from(
            "!HHIIBB", one.data, 20
        )
        (length,) = struct.unpack_from("!H", one.data, 2)
        assert length == one.length
        header = 20 + (words >> 4) * 4
        return cls(source, sequence, acknowledged, flags, length - header, one.data[header:])


class PacketsCase(SynchronousTestCase):
    def packets(self, *events: Event) -> list[Packet]:
        packets = Packets(1_000)
        return [one for event in events for one in packets.of(event)]

    def segments(self, *events: Event) -> list[Segment]:
        return list(map(Segment.of, self.packets(*events)))

    def flags(self, *events: Event) -> list[tuple[bool, int]]:
        """For each packet after the handshake: whether we sent it, and its flags."""
        return [(one.source == 9000, one.flags) for one in self.segments(ACCEPTED, *events)[3:]]


class StreamTests(PacketsCase):
    def test_handshake(self) -> None:
        """A connection begins with three packets, the first from who connected."""
        for kind, first in ((Accepted, 50_000), (Connected, 9000)):
            made = self.segments(kind(5, "echo", "c1", PEER, LOCAL, "tcp"))
            self.assertEqual([one.flags for one in made], [SYN, SYN | ACK, ACK])
            self.assertEqual([one.source == first for one in made], [True, False, True])

    def test_time_and_comment(self) -> None:
        """Each event's packets have its time, and the first its words."""
        packets = self.packets(ACCEPTED, Received(7, "echo", "c1", 3, b"abc"))
        self.assertEqual([one.ns for one in packets], [1005, 1005, 1005, 1007])
        self.assertEqual(
            packets[0].comment, f"accepted connection=c1 peer={PEER} local={LOCAL} transport=tcp"
        )
        self.assertEqual(packets[3].comment, "received connection=c1 bytes=3")
        self.assertEqual([one.outbound for one in packets], [False, True, False, False])

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 200_000)), max_size=8))
    def test_bytes(self, moves: list[tuple[bool, int]]) -> None:
        """Both directions, put together by their sequence numbers, are the bytes that moved."""
        streams: dict[bool, bytes] = {False: b"", True: b""}
        events: list[Event] = [ACCEPTED]
        for number, (outbound, size) in enumerate(moves):
            data = bytes([number]) * size
            streams[outbound] += data
            events.append((Sent if outbound else Received)(6, "echo", "c1", size, data))
        found: dict[bool, bytes] = {False: b"", True: b""}
        for one in self.segments(*events)[3:]:
            outbound = one.source == 9000
            self.assertEqual(one.sequence, 1 + len(found[outbound]))
            self.assertEqual(one.acknowledged, 1 + len(found[not outbound]))
            self.assertEqual(one.flags, PSH | ACK)
            found[outbound] += one.data
        self.assertEqual(found, streams)

    def test_left_out(self) -> None:
        """Of what was not captured the sizes are true."""
        for data in (None, b"", b"ab"):
            made = self.segments(
                ACCEPTED, Received(6, "echo", "c1", 70_000, data), Sent(7, "echo", "c1", 1, b"x")
            )[3:]
            self.assertEqual([one.size for one in made], [65_000, 5_000, 1])
            self.assertEqual(made[0].data + made[1].data, data or b"")
            self.assertEqual(made[2].acknowledged, 70_001)

    def test_numbers_wrap(self) -> None:
        """A stream may be longer than 4 GiB."""
        most = 2**31
        moved = Received(6, "echo", "c1", most, None)
        made = self.segments(ACCEPTED, moved, moved, Received(7, "echo", "c1", 3, b"abc"))
        self.assertEqual((made[-1].sequence, made[-1].data), (1, b"abc"))

    def test_fins(self) -> None:
        """Who ended first is first; a FIN is sent once by each."""
        peer, local = PeerShutdown(7, "echo", "c1"), LocalShutdown(8, "echo", "c1")
        theirs, ours = (False, FIN | ACK), (True, FIN | ACK)
        last = {True: (True, ACK), False: (False, ACK)}
        fin, end = closed(), closed(CloseReason.IDLE)
        self.assertEqual(self.flags(fin), [theirs, ours, last[False]])
        self.assertEqual(self.flags(end), [ours, theirs, last[True]])
        self.assertEqual(self.flags(peer, fin), [theirs, ours, last[False]])
        self.assertEqual(self.flags(peer, local, fin), [theirs, ours, last[False]])
        self.assertEqual(self.flags(local, end), [ours, theirs, last[True]])

    def test_resets(self) -> None:
        """A reset is one packet of who did it."""
        self.assertEqual(self.flags(closed(CloseReason.RESET)), [(False, RST | ACK)])
        for reason in (CloseReason.ABORTED, CloseReason.STALLED):
            self.assertEqual(self.flags(closed(reason)), [(True, RST | ACK)])

    def test_truncated(self) -> None:
        """FIN without close_notify was the peer's, so it stands first."""
        (first, *_) = self.flags(closed(CloseReason.TRUNCATED))
        self.assertEqual(first, (False, FIN | ACK))

    def test_unknown(self) -> None:
        """A connection from before the recording has no packets; one that is over is forgotten."""
        events = Received(6, "echo", "c1", 1, b"x"), PeerShutdown(7, "echo", "c1"), closed()
        self.assertEqual(self.packets(*events), [])
        packets = Packets(0)
        for event in (ACCEPTED, closed()):
            list(packets.of(event))
        self.assertEqual(packets._streams, {})

    def test_refused(self) -> None:
        """Who was turned away has sent one SYN."""
        (one,) = self.segments(Refused(6, "echo", PEER, LOCAL, "total"))
        self.assertEqual((one.source, one.flags), (50_000, SYN))

    def test_unix(self) -> None:
        """Ends of UNIX sockets are made up, and differ; their true names are in the comment."""
        made = self.packets(
            Accepted(5, "echo", "c1", "unix:", "unix:/run/s", "unix"),
            Accepted(6, "echo", "c2", "unix:", "unix:/run/s", "unix"),
        )
        self.assertIn("local=unix:/run/s", made[0].comment)
        sources = {Segment.of(one).source for one in (made[0], made[3])}
        self.assertEqual(len(sources), 2)
        packets = Packets(0)
        for number in range(70_000):
            list(packets.of(Refused(number, "echo", "unix:", "unix:/s", "total")))


class RemarkTests(PacketsCase):
    def test_told_with_the_next(self) -> None:
        """What is no packet is told with the next one of its connection."""
        made = self.packets(
            ACCEPTED,
            Tls(6, "echo", "c1", "TLSv1.3", sni="a\nb"),
            Paused(6, "echo", "c1", "in", "throughput"),
            Received(7, "echo", "c1", 1, b"x"),
        )
        self.assertEqual(
            made[-1].comment.splitlines(),
            [
                "tls connection=c1 version=TLSv1.3 sni=a\\nb",
                "paused connection=c1 direction=in reason=throughput",
                "received connection=c1 bytes=1",
            ],
        )

    def test_of_no_connection(self) -> None:
        """Events lost, and such, are told with the next packet of any."""
        lost = Note(6, "echo", "recording", "3 events lost")
        made = self.packets(ACCEPTED, lost, DatagramSent(7, "echo", PEER, LOCAL, 1, b"x"))
        self.assertTrue(made[-1].comment.startswith("note kind=recording text=3 events lost\n"))

    def test_bounded(self) -> None:
        """However many there are, a hundred are kept."""
        notes: list[Any] = [Note(6, "echo", "line", "x", "c1")] * 500
        made = self.packets(ACCEPTED, *notes, closed())
        self.assertEqual(len(made[-1].comment.splitlines()), 101)

    def test_none(self) -> None:
        """Ports that open, and datagrams that were dropped, are no packets."""
        events = (
            Listening(1, "echo", LOCAL, "tcp"),
            DatagramDropped(2, "echo", LOCAL, "loop", PEER, 5),
        )
        self.assertEqual(self.packets(*events), [])


class DatagramTests(PacketsCase):
    def test_both_ways(self) -> None:
        """A datagram is one packet, from who sent it, with its true size."""
        for kind, source in ((DatagramReceived, 50_000), (DatagramSent, 9000)):
            (one,) = self.packets(kind(5, "echo", PEER, LOCAL, 1000, b"abc"))
            self.assertEqual(struct.unpack_from("!H", one.data, 20), (source,))
            self.assertEqual((one.length, one.data[28:]), (1028, b"abc"))
            self.assertEqual(one.outbound, kind is DatagramSent)


class SaidTests(SynchronousTestCase):
    def test_escaped(self) -> None:
        """What a peer said cannot write to a terminal, and bytes are not repeated."""
        note = Note(1, "echo", "line", "\x1b[31m\n", "c1")
        self.assertEqual(said(note), "note kind=line text=\\x1b[31m\\n connection=c1")
        self.assertEqual(
            said(Received(1, "echo", "c1", 3, b"abc")), "received connection=c1 bytes=3"
        )

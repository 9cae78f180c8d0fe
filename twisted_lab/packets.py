"""Packets made of events: what a capture would show, drawn from what the bench knows.

They are simulated: no packet was seen. Bytes, sizes, order, times, addresses and who ended first
are true. Handshakes, sequence numbers and where segments begin are made up, as if nothing was ever
lost; a connection that we gave up after a grace ends in FIN here. What went over TLS is shown as
the protocol saw it, decrypted. A UNIX socket is shown between made-up ports of 127.0.0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from twisted_lab.escaping import escape
from twisted_lab.events import (
    BY_PEER,
    RESETS,
    Accepted,
    Closed,
    CloseReason,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Refused,
    Resumed,
    Sent,
    Tls,
)
from twisted_lab.ip_headers import (
    ACK,
    FIN,
    PSH,
    RST,
    SEGMENT,
    SYN,
    End,
    end_of,
    one_family,
    tcp_packet,
    udp_packet,
)
from twisted_lab.pcapng import Packet

#: Events that are no packet are told with the next one; so many wait for it at most.
_REMARKS = 100

#: What a comment leaves out: it is told elsewhere in the file.
_UNSAID = {"ns", "service", "data", "tcp_info"}

#: Ends of UNIX sockets: the service at port 1, peers above.
_UNIX_HOST, _UNIX_PORT, _UNIX_PEERS = bytes([127, 0, 0, 1]), 1, range(1024, 65_536)


@dataclass(slots=True)
class _Stream:
    """One connection: its two ends, what each will send next, and what waits to be told."""

    peer: End
    local: End
    peer_next: int = 0
    local_next: int = 0
    peer_ended: bool = False
    local_ended: bool = False
    remarks: list[str] = field(default_factory=list)

    def segment(self, outbound: bool, flags: int, data: bytes = b"", size: int = 0) -> bytes:
        """The packet of *size* bytes that begin with *data*; the next follows on."""
        moved = size + bool(flags & (SYN | FIN))
        left_out = size - len(data)
        if outbound:
            ends, at = (self.local, self.peer), (self.local_next, self.peer_next)
            self.local_next = (self.local_next + moved) % 2**32
        else:
            ends, at = (self.peer, self.local), (self.peer_next, self.local_next)
            self.peer_next = (self.peer_next + moved) % 2**32
        return tcp_packet(*ends, *at, flags, data, left_out)


class Packets:
    """Makes packets of events in the order they came; *started* is when ns was 0, in ns since 1970.

    It keeps a little for each connection that is open.
    """

    def __init__(self, started: int) -> None:
        self._started = started
        self._streams: dict[str, _Stream] = {}
        self._unix_peers = 0
        self._remarks: list[str] = []  # on no connection

    def of(self, event: Event) -> Iterator[Packet]:
        """The packets of *event*: none, one, or several."""
        make = _MAKERS.get(type(event))
        return iter(()) if make is None else make(self, event)

    def _begin(self, event: Accepted | Connected) -> Iterator[Packet]:
        stream = self._streams[event.connection] = _Stream(*self._ends(event.peer, event.local))
        by_us = isinstance(event, Connected)
        yield self._packet(event, stream, by_us, SYN, said(event))
        yield self._packet(event, stream, not by_us, SYN | ACK)
        yield self._packet(event, stream, by_us, ACK)

    def _move(self, event: Received | Sent) -> Iterator[Packet]:
        stream = self._streams.get(event.connection)
        if stream is None:
            return  # it was open before the recording began
        outbound, comment = isinstance(event, Sent), said(event)
        for at in range(0, event.bytes, SEGMENT):
            data, size = (event.data or b"")[at : at + SEGMENT], min(SEGMENT, event.bytes - at)
            yield self._packet(event, stream, outbound, PSH | ACK, comment, data, size)
            comment = f"{event.event}, continued"

    def _shut(self, event: PeerShutdown | LocalShutdown) -> Iterator[Packet]:
        stream = self._streams.get(event.connection)
        if stream is not None:
            yield from self._fin(event, stream, isinstance(event, LocalShutdown), said(event))

    def _end(self, event: Closed) -> Iterator[Packet]:
        stream = self._streams.pop(event.connection, None)
        if stream is None:
            return
        by_us = event.reason in RESETS
        if by_us or event.reason is CloseReason.RESET:
            yield self._packet(event, stream, by_us, RST | ACK, said(event))
            return
        first = event.reason not in BY_PEER
        yield from self._fin(event, stream, first)
        yield from self._fin(event, stream, not first)
        yield self._packet(event, stream, first, ACK, said(event))

    def _fin(
        self, event: Event, stream: _Stream, outbound: bool, comment: str = ""
    ) -> Iterator[Packet]:
        if outbound and not stream.local_ended:
            stream.local_ended = True
        elif not outbound and not stream.peer_ended:
            stream.peer_ended = True
        else:
            return
        yield self._packet(event, stream, outbound, FIN | ACK, comment)

    def _remark(self, event: Tls | Note | Paused | Resumed) -> Iterator[Packet]:
        stream = self._streams.get(event.connection or "")
        remarks = self._remarks if stream is None else stream.remarks
        if len(remarks) < _REMARKS:
            remarks.append(said(event))
        return iter(())

    def _comment(self, comment: str, remarks: list[str]) -> str:
        """*comment* behind what waits to be told."""
        if not comment:
            return ""
        told = "\n".join([*self._remarks, *remarks, comment])
        self._remarks.clear()
        remarks.clear()
        return told

    def _turned_away(self, event: Refused) -> Iterator[Packet]:
        stream = _Stream(*self._ends(event.peer, event.local))
        yield self._packet(event, stream, False, SYN, said(event))

    def _datagram(self, event: DatagramReceived | DatagramSent) -> Iterator[Packet]:
        peer, local = self._ends(event.peer, event.local)
        outbound, data = isinstance(event, DatagramSent), event.data or b""
        ends = (local, peer) if outbound else (peer, local)
        left_out = event.bytes - len(data)
        made = udp_packet(*ends, data, left_out)
        ns = self._started + event.ns
        comment = self._comment(said(event), [])
        yield Packet(ns, made, len(made) + left_out, comment, outbound)

    def _packet(
        self,
        event: Event,
        stream: _Stream,
        outbound: bool,
        flags: int,
        comment: str = "",
        data: bytes = b"",
        size: int = 0,
    ) -> Packet:
        comment = self._comment(comment, stream.remarks)
        made = stream.segment(outbound, flags, data, size)
        length = len(made) + size - len(data)
        return Packet(self._started + event.ns, made, length, comment, outbound)

    def _ends(self, peer: str, local: str) -> tuple[End, End]:
        ends = end_of(peer), end_of(local)
        if ends[0] is not None and ends[1] is not None:
            return one_family(ends[0], ends[1])
        self._unix_peers = (self._unix_peers + 1) % len(_UNIX_PEERS)
        made_up = End(_UNIX_HOST, _UNIX_PEERS[self._unix_peers])
        return made_up, End(_UNIX_HOST, _UNIX_PORT)


def said(event: Event) -> str:
    """*event* on one line: its name, and what it says besides bytes and time."""
    fields = ((name, getattr(event, name)) for name in type(event).__slots__)
    words = [
        f"{name}={escape(str(value))}"
        for name, value in fields
        if name not in _UNSAID and value not in (None, "")
    ]
    return " ".join([event.event, *words])


_MAKERS: dict[type[Event], Callable[[Packets, Any], Iterator[Packet]]] = {
    Accepted: Packets._begin,
    Connected: Packets._begin,
    Received: Packets._move,
    Sent: Packets._move,
    PeerShutdown: Packets._shut,
    LocalShutdown: Packets._shut,
    Closed: Packets._end,
    Tls: Packets._remark,
    Note: Packets._remark,
    Paused: Packets._remark,
    Resumed: Packets._remark,
    Refused: Packets._turned_away,
    DatagramReceived: Packets._datagram,
    DatagramSent: Packets._datagram,
}

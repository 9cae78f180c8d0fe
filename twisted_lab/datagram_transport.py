"""The side of a datagram port its protocol sees: ``self.transport``, and how much it may send.

Rule 1: a source nobody has proved never gets more than it sent, headers counted: an answer inside
``datagramReceived`` never more than its request, a later one never more than was left over. Rule
2: what the network does raises nothing here; it is counted.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import InvalidAddressError

from twisted_lab.datagram_gates import HEADER_IPV4, HEADER_IPV6, LeftOver
from twisted_lab.datagram_ledger import DatagramLedger
from twisted_lab.datagram_socket import DIRECT, LARGEST, DatagramSocket, Peer, Way, send_error
from twisted_lab.publishing import Publisher
from twisted_lab.talks import Talks


class DatagramTransport:
    """Sends for a protocol, from ``(host, port)`` *at*; *seconds* is a monotonic clock.

    *unlimited* lifts rule 1. ``sent`` and ``bytes_sent`` count what the kernel took, ``dropped``
    datagrams not taken, not answered or not sent, by reason; ``talks`` has each peer's share. An
    address is ``(host, port)``, an IPv6 host with its ``%scope`` if it has one.
    """

    def __init__(
        self,
        at: Peer,
        publisher: Publisher,
        service: str,
        seconds: Callable[[], float],
        unlimited: bool,
        talks: Talks,
    ) -> None:
        self._at = at
        self._publisher = publisher
        self._ledger = DatagramLedger(publisher, service, at, seconds)
        self._unlimited = unlimited
        # The request in hand: its source, its way, and how much may still be answered.
        self._peer: Peer | None = None
        self._way = DIRECT
        self._left = 0
        self.talks = talks
        self.sent = 0
        self.bytes_sent = 0

    @property
    def dropped(self) -> Counter[str]:
        """How many datagrams went no further, by reason."""
        return self._ledger.dropped

    def _use(self, opened: DatagramSocket) -> None:
        self._handle = opened.handle
        self._sendto = opened.handle.sendto
        self._send = opened.send
        self._at = self._ledger.local = opened.handle.getsockname()[:2]
        self._header = HEADER_IPV4 if opened.handle.family == socket.AF_INET else HEADER_IPV6
        self._left_over = LeftOver(LARGEST + self._header)

    def write(self, packet: bytes, addr: Peer | None = None) -> None:
        """Send *packet* to *addr*, or count why not.

        Raises InvalidAddressError, where amplification is allowed, for an *addr* that is no
        numeric address of this port's family: names are never looked up.
        """
        if addr is None:
            raise InvalidAddressError(addr, "a datagram port has many peers: write() must name one")
        way = self._way_to(addr, len(packet) + self._header)
        if way is None:
            self._ledger.withheld(addr, len(packet), self.talks.by_peer.get(addr))
            return
        try:
            if way is DIRECT:
                self._sendto(packet, addr)
            else:
                self._send(packet, addr, way)
        except OSError as error:
            talk = self.talks.by_peer.get(addr)
            self._ledger.drop(send_error(error), way, addr, len(packet), talk=talk)
            return
        self.sent += 1
        self.bytes_sent += len(packet)
        talk = self.talks.by_peer.get(addr)
        if talk is not None:
            talk.datagrams_out += 1
            talk.bytes_out += len(packet)
        if self._publisher.traffic or (talk is not None and talk.sampled):
            self._ledger.sent(packet, addr, way, talk)

    def _way_to(self, peer: Peer, cost: int) -> Way | None:
        if peer != self._peer:
            saved = self._left_over
            return saved.way(peer) if self._unlimited else saved.spend(peer, cost)
        if cost <= self._left:
            self._left -= cost
            return self._way
        return self._way if self._unlimited else None

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where this port listens; before startListening(), where it is to."""
        host, port = self._at
        return IPv6Address("UDP", host, port) if ":" in host else IPv4Address("UDP", host, port)

    def getHandle(self) -> socket.socket:
        """The socket itself; there is one from startListening() on."""
        return self._handle

    def connect(self, host: str, port: int) -> None:
        """Refused with RuntimeError: a server's port has many peers."""
        raise RuntimeError("the datagram port of a server cannot be connected to one peer")

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Say whether the kernel shall let us send to a broadcast address."""
        self._handle.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, enabled)

    def getBroadcastAllowed(self) -> bool:
        """Whether the kernel lets us send to a broadcast address."""
        return bool(self._handle.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))

"""A UDP port of our own: a bounded turn, gates before the protocol, every drop with its reason.

Rule 1: whatever a peer, the network or the protocol does, the port lives on, and nothing is logged
from here. Rule 2: no datagram is lost in silence; the kernel's own drops are counted too.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, InvalidAddressError
from twisted.internet.interfaces import IListeningPort, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from zope.interface import implementer

from twisted_lab.datagram_gates import (
    DEFAULTS,
    HEADER_IPV4,
    HEADER_IPV6,
    DatagramSettings,
    Gates,
    LeftOver,
)
from twisted_lab.datagram_ledger import DatagramLedger, KernelDrops
from twisted_lab.datagram_socket import (
    DIRECT,
    LARGEST,
    DatagramSocket,
    Peer,
    open_socket,
    send_error,
)
from twisted_lab.interfaces import Clock
from twisted_lab.publishing import Publisher

#: Datagrams taken in one turn of the reactor. By count, for an empty one costs as much as a full
#: one: by bytes, as twisted.internet.udp counts, a flood of them stops every timer for seconds.
DATAGRAMS_A_TURN = 64


class Reactor(Clock, Protocol):
    """What a datagram port needs of a reactor."""

    def addReader(self, reader: Any, /) -> object:
        """Call ``reader.doRead()`` whenever there is something to read."""

    def removeReader(self, reader: Any, /) -> object:
        """Do so no more."""


@implementer(IListeningPort, IReadDescriptor, IUDPTransport)
class DatagramPort:
    """Serves *protocol* on *interface*, a numeric address, and *port* (0: any free one).

    *served_ports* are the UDP ports of this process, shared by all its datagram ports.
    ``received`` and ``sent`` count the datagrams the protocol got and sent; ``dropped`` counts the
    others by reason. Addresses are ``(host, port)``, an IPv6 host with its ``%scope`` if it has
    one.
    """

    def __init__(
        self,
        reactor: Reactor,
        interface: str,
        port: int,
        protocol: DatagramProtocol,
        *,
        publisher: Publisher,
        service: str,
        served_ports: set[int],
        settings: DatagramSettings = DEFAULTS,
        open_socket: Callable[[str, int, int], DatagramSocket] = open_socket,
    ) -> None:
        self._reactor = reactor
        self._at = (interface, port)
        self.protocol = protocol
        self._publisher = publisher
        self._served_ports = served_ports
        self._settings = settings
        self._open_socket = open_socket
        self._ledger = DatagramLedger(publisher, service, self._at, reactor.seconds)
        self._refuse = Gates(settings, served_ports, reactor.seconds).refuse
        self._unlimited = settings.allow_amplification
        # The request being handled: its source, its way, and how much may still be answered.
        self._peer: Peer | None = None
        self._way = DIRECT
        self._left = 0
        self._stopping: list[Deferred[None]] = []
        self.listening = False
        self.reading = False
        self.received = 0
        self.sent = 0

    @property
    def dropped(self) -> Counter[str]:
        """How many datagrams were not taken, not answered or not sent, by reason."""
        return self._ledger.dropped

    # A service calls these.

    def startListening(self) -> None:
        """Open the port; raises CannotListenError, or what the protocol's start raises."""
        try:
            opened = self._open_socket(*self._at, self._settings.read_size)
        except OSError as error:
            raise CannotListenError(*self._at, error) from error
        self._use(opened)
        try:
            self.protocol.makeConnection(self)
        except BaseException:
            self._close()
            raise
        self.startReading()

    def _use(self, opened: DatagramSocket) -> None:
        self.listening = True
        self._handle = opened.handle
        self.fileno = opened.handle.fileno
        self._arrivals = opened.arrivals
        self._sendto = opened.handle.sendto
        self._send = opened.send
        self._at = self._ledger.local = opened.handle.getsockname()[:2]
        self._served_ports.add(self._at[1])
        self._kernel_drops = KernelDrops(self._reactor, opened, self._ledger)
        self._header = HEADER_IPV4 if opened.handle.family == socket.AF_INET else HEADER_IPV6
        self._left_over = LeftOver(LARGEST + self._header)

    def stopListening(self) -> Deferred[None]:
        """Read no more at once, and close in the next turn; fires when it is closed."""
        stopped: Deferred[None] = Deferred()
        if not self.listening:
            stopped.callback(None)
            return stopped
        self._stopping.append(stopped)
        if len(self._stopping) == 1:
            self.stopReading()
            self._reactor.callLater(0, self.connectionLost)
        return stopped

    def startReading(self) -> None:
        """Take datagrams (again); nothing happens on a port that is closed or closing."""
        if self.listening and not self._stopping:
            self.reading = True
            self._reactor.addReader(self)

    def stopReading(self) -> None:
        """Take none; the kernel keeps what fits its buffer, and drops and counts the rest."""
        self.reading = False
        self._reactor.removeReader(self)

    def getHost(self) -> IPv4Address | IPv6Address:
        """Where this port listens; before startListening(), where it is to."""
        host, port = self._at
        return IPv6Address("UDP", host, port) if ":" in host else IPv4Address("UDP", host, port)

    def getHandle(self) -> socket.socket:
        """The socket itself; there is one from startListening() on."""
        return self._handle

    # The reactor calls these.

    def logPrefix(self) -> str:
        """The protocol's name, for Twisted's log."""
        return f"{type(self.protocol).__name__} (UDP)"

    def doRead(self) -> None:
        """Take up to DATAGRAMS_A_TURN datagrams."""
        refuse, publisher, header = self._refuse, self._publisher, self._header
        for data, peer, way in self._arrivals(DATAGRAMS_A_TURN):
            try:
                reason = way.drop or refuse(peer[0], peer[1])
                if reason is not None:
                    self._ledger.drop(reason, way, peer, len(data))
                    continue
                self.received += 1
                if publisher.traffic:
                    self._ledger.received(data, peer, way)
                self._peer, self._way, self._left = peer, way, len(data) + header
                self.protocol.datagramReceived(data, peer)
            except BaseException as error:  # SystemExit too: the reactor would close us for it
                self._ledger.failed(error)
            if self._left:
                self._save_rest()
            self._peer = None
            if not self.reading:
                break
        self._kernel_drops.look_later()

    def _save_rest(self) -> None:
        if self._peer is not None:
            self._left_over.save(self._peer, self._left, self._way)
        self._left = 0

    def connectionLost(self, reason: object = None) -> None:
        """Close, once; the protocol may still send from its ``stopProtocol``."""
        if not self.listening:
            return
        try:
            self.protocol.doStop()
        except BaseException as error:
            self._ledger.failed(error)
        self._close()
        stopping, self._stopping = self._stopping, []
        for stopped in stopping:
            stopped.callback(None)

    def _close(self) -> None:
        self.listening = False
        self._kernel_drops.finish()
        self._served_ports.discard(self._at[1])
        self.stopReading()
        self._handle.close()

    # The protocol calls these.

    def write(self, packet: bytes, addr: Peer | None = None) -> None:
        """Send *packet* to *addr*, or count why not: what the network does raises nothing.

        Raises InvalidAddressError for an *addr* that is no numeric address of this port's family.
        """
        if addr is None:
            raise InvalidAddressError(None, "a datagram port is not connected; write() needs one")
        cost = len(packet) + self._header
        if addr != self._peer:
            way = self._late_way(addr, cost)
        elif cost <= self._left:
            way = self._way
            self._left -= cost
        else:
            way = self._way if self._unlimited else None
        if way is None:
            self._ledger.withheld(addr, len(packet))
            return
        try:
            if way is DIRECT:
                self._sendto(packet, addr)
            else:
                self._send(packet, addr, way)
        except OSError as error:
            self._ledger.drop(send_error(error), way, addr, len(packet))
            return
        self.sent += 1
        if self._publisher.traffic:
            self._ledger.sent(packet, addr, way)

    def _late_way(self, peer: Peer, cost: int) -> Way | None:
        if self._unlimited:
            return self._left_over.way(peer)
        return self._left_over.spend(peer, cost)

    def connect(self, host: str, port: int) -> None:
        """Refused: a server's port has many peers."""
        raise RuntimeError("a datagram port of a server cannot be connected to one peer")

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Say whether the kernel shall let us send to a broadcast address."""
        self._handle.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, enabled)

    def getBroadcastAllowed(self) -> bool:
        """Whether the kernel lets us send to a broadcast address."""
        return bool(self._handle.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))

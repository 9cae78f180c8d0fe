"""A UDP port of our own: a bounded turn, gates before the protocol, every drop with its reason.

Rule 1: whatever a peer, the network or the protocol does, the port lives on, and nothing is logged
from here. Rule 2: no datagram is lost in silence; the kernel's own drops are counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from zope.interface import implementer

from twisted_lab.datagram_gates import DEFAULTS, DatagramSettings, Gates
from twisted_lab.datagram_ledger import KernelDrops
from twisted_lab.datagram_socket import DatagramSocket, open_socket
from twisted_lab.datagram_transport import DatagramTransport
from twisted_lab.interfaces import Clock
from twisted_lab.publishing import Publisher
from twisted_lab.talks import Talks

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
class DatagramPort(DatagramTransport):
    """Serves *protocol* on *interface*, a numeric address, and *port* (0: any free one).

    *served_ports* says how many sockets of this process serve each UDP port number; all its
    datagram ports share it. *talks* are those of the whole service; None: of this port alone.
    ``received`` and ``bytes_received`` count what the protocol got.
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
        served_ports: Counter[int],
        settings: DatagramSettings = DEFAULTS,
        open_socket: Callable[[str, int, int], DatagramSocket] = open_socket,
        talks: Talks | None = None,
    ) -> None:
        unlimited, talks = settings.allow_amplification, talks or Talks(publisher)
        at = (interface, port)
        super().__init__(at, publisher, service, reactor.seconds, unlimited, talks)
        self._reactor = reactor
        self.protocol = protocol
        self._served_ports = served_ports
        self._gates = Gates(settings, served_ports, reactor.seconds)
        self._read_size = settings.read_size
        self._open_socket = open_socket
        self._stopping: list[Deferred[None]] = []
        self.listening = False
        self.reading = False
        self.received = 0
        self.bytes_received = 0

    def startListening(self) -> None:
        """Open the port; raises CannotListenError, or what the protocol's start raises."""
        try:
            opened = self._open_socket(*self._at, self._read_size)
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
        super()._use(opened)
        self.fileno = opened.handle.fileno
        self._arrivals = opened.arrivals
        self._kernel_drops = KernelDrops(self._reactor, opened, self._ledger)
        self._served_ports[self._at[1]] += 1
        self.listening = True

    def renew(self, settings: DatagramSettings) -> None:
        """Take from now on from whom *settings* say, and as much; the rest of them stays."""
        gates = Gates(settings, self._served_ports, self._reactor.seconds)
        gates.inherit(self._gates)
        self._gates = gates

    def startReading(self) -> None:
        """Take datagrams (again); nothing happens on a port that is closed or closing."""
        if self.listening and not self._stopping:
            self.reading = True
            self._reactor.addReader(self)

    def stopReading(self) -> None:
        """Take none; the kernel keeps what fits its buffer, and drops and counts the rest."""
        self.reading = False
        self._reactor.removeReader(self)

    def doRead(self) -> None:
        """Take up to DATAGRAMS_A_TURN datagrams. One function, for each call costs every one."""
        refuse, publisher, header = self._gates.refuse, self._publisher, self._header
        talks = self.talks.by_peer
        now = publisher.now() if publisher.sample or talks else 0
        for data, peer, way in self._arrivals(DATAGRAMS_A_TURN):
            try:
                reason = way.drop or refuse(peer[0], peer[1])
                if reason is not None:
                    self._ledger.drop(reason, way, peer, len(data), talk=talks.get(peer))
                    continue
                self.received += 1
                self.bytes_received += len(data)
                talk = talks.get(peer)
                if talk is not None or publisher.sample:
                    talk = talk or self.talks.begin(peer, now)
                    talk.last = now
                    talk.datagrams_in += 1
                    talk.bytes_in += len(data)
                if publisher.traffic or (talk is not None and talk.sampled):
                    self._ledger.received(data, peer, way, talk)
                self._peer, self._way, self._left = peer, way, len(data) + header
                self.protocol.datagramReceived(data, peer)
            except BaseException as error:  # SystemExit too: the reactor would close us for it
                self._ledger.failed(error)
            if self._left:
                self._left_over.save(peer, self._left, way)
                self._left = 0
            self._peer = None
            if not self.reading:
                break
        self._kernel_drops.look_later()

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
        self._served_ports[self._at[1]] -= 1
        if not self._served_ports[self._at[1]]:
            del self._served_ports[self._at[1]]
        self.stopReading()
        self._handle.close()

    def logPrefix(self) -> str:
        """The protocol's name, for Twisted's log."""
        return f"{type(self.protocol).__name__} (UDP)"

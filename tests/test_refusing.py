"""Who is turned away on a service that speaks in lines is told why, and holds nothing."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface.verify import verifyObject

from tests.streams import MUCH, StreamCase
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import LINGER
from twisted_lab.refusing import RefusalLine
from twisted_lab.testing import Network, Peer
from twisted_lab.wrapping import Stream

LINE = b"too many connections (limit 2)\r\n"


class Full:
    """A gate that lets nobody in."""

    def admit(self, host: object) -> Refusal:
        return Refusal("max-connections", "too many connections (limit 2)")


class RefusalTests(StreamCase):
    def tearDown(self) -> None:
        """Whatever the peer did, nobody stays: how many linger is counted for the process."""
        self.network.advance(LINGER)
        self.assertEqual(RefusalLine._lingering, 0)

    def refused(self, lines: bool = True, secure: Any = None) -> Peer:
        """Somebody who was turned away; nothing has moved yet."""
        self.secure = secure
        return self.network.connect(Peer(), self.behind_layer(None, Full(), lines=lines))

    def test_interface(self) -> None:
        """It knows of half-close."""
        refusal = RefusalLine.make("no", self.clock, LINGER)
        verifyObject(IHalfCloseableProtocol, refusal)

    def test_told_why(self) -> None:
        """One line and the end; it is gone as soon as the peer is."""
        peer = self.refused()
        self.network.pump()
        self.assert_saw(peer, LINE, "fin")
        peer.fin()
        self.network.pump()
        self.assertEqual(self.clock.calls, [])
        self.assertEqual(self.seen.names, ["refused"])

    def test_not_lines(self) -> None:
        """On a service that does not speak in lines it is closed without a byte."""
        peer = self.refused(lines=False)
        self.network.pump()
        self.assert_saw(peer, b"", "fin")

    def test_not_over_tls(self) -> None:
        """Over TLS neither: there is no TLS yet to say it in."""
        peer = self.refused(secure=Stream)
        self.network.pump()
        self.assert_saw(peer, b"", "fin")

    def test_peer_that_talks(self) -> None:
        """What the peer sends meanwhile is dropped, and cannot overtake the line as an RST."""
        peer = self.refused()
        peer.transport.pauseProducing()
        peer.send(MUCH)
        self.network.advance(LINGER / 2)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assert_saw(peer, LINE, "fin")

    def test_peer_that_has_closed(self) -> None:
        """A peer whose FIN came first still gets its line."""
        peer = self.refused()
        peer.fin()
        self.network.pump()
        self.assert_saw(peer, LINE, "fin")
        self.assertEqual(self.clock.calls, [])

    def test_peer_that_stays(self) -> None:
        """A peer that does not leave is reset when the linger is over."""
        peer = self.refused()
        self.network.advance(LINGER - 0.1)
        self.assert_saw(peer, LINE, "fin")
        self.network.advance(0.1)
        self.assertEqual(self.clock.calls, [])
        peer.send(b"still here")  # after a FIN Twisted reads no more, so finds an RST by writing
        self.network.pump()
        self.assertEqual(peer.end, "reset")

    def test_peer_that_does_not_read(self) -> None:
        """Nor does one stay that reads nothing."""
        self.network = Network(self.clock, capacity=4)
        peer = self.refused()
        peer.transport.pauseProducing()
        self.network.advance(LINGER)
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(peer.end, "reset")

    def test_peer_that_resets(self) -> None:
        """An RST is the end of it."""
        peer = self.refused()
        peer.reset()
        self.network.pump()
        self.assertEqual(self.clock.calls, [])

    def test_bound(self) -> None:
        """As many linger as may; more are closed without the line, until one has left."""
        peers = [self.refused() for _ in range(RefusalLine.AT_ONCE + 1)]
        self.network.pump()
        for peer in peers[:-1]:
            self.assert_saw(peer, LINE, "fin")
        self.assert_saw(peers[-1], b"", "fin")
        peers[0].fin()
        self.network.pump()
        another = self.refused()
        self.network.pump()
        self.assert_saw(another, LINE, "fin")
        self.assertEqual(len(self.seen.of("refused")), RefusalLine.AT_ONCE + 2)

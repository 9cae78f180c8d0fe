"""Say one thing and close: the reply arrives whatever the client sends, in both forms."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.streams import StreamCase
from twisted_lab.protocols.replying import DatagramReply, Reply, ReplyFactory


class ReplyTests(StreamCase):
    def test_said(self) -> None:
        """A client that only connects is told, then gets our FIN; the end is ours."""
        peer = self.talk(Reply(lambda stream: b"said to " + stream.id.encode()))
        self.assertEqual((peer.received, peer.end), (b"said to c1", "fin"))
        peer.close()
        self.network.pump()
        self.assertEqual(self.closed().reason, "local")

    def test_input_is_thrown_away(self) -> None:
        """What the client sends, before or after, does not turn our FIN into an RST."""
        peer = self.talk(Reply(lambda stream: b"said"))
        peer.send(bytes(20_000))
        self.network.pump()
        self.assertEqual((peer.received, peer.end), (b"said", "fin"))
        peer.send(b"more")
        peer.close()
        self.network.pump()
        closed = self.closed()
        self.assertEqual((closed.reason, closed.bytes_out), ("local", 4))

    def test_after_their_fin(self) -> None:
        """A client that sends FIN at once is told all the same."""
        factory = self.behind_layer(ReplyFactory(lambda stream: b"said"))
        peer = self.network.connect(self.make_peer(), factory)
        peer.fin()
        self.network.pump()
        self.assertEqual((peer.received, peer.end), (b"said", "fin"))
        self.assertEqual(self.closed().reason, "local")

    def test_who_never_closes(self) -> None:
        """A client that keeps its end open is let go after the linger."""
        peer = self.talk(Reply(lambda stream: b"said"), linger=1.0)
        self.network.advance(1.0)
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.closed().reason, "local")


class DatagramReplyTests(SynchronousTestCase):
    def test_each(self) -> None:
        """Each datagram is answered, to who sent it."""
        sent: list[Any] = []

        class Port:
            write = staticmethod(lambda data, to: sent.append((data, to)))

        reply = DatagramReply(lambda transport, datagram, peer: datagram * 2 + peer[0].encode())
        reply.transport = Port()  # type: ignore[assignment]
        reply.datagramReceived(b"a", ("192.0.2.1", 7000))
        reply.datagramReceived(b"", ("192.0.2.2", 7000))
        self.assertEqual(
            sent,
            [(b"aa192.0.2.1", ("192.0.2.1", 7000)), (b"192.0.2.2", ("192.0.2.2", 7000))],
        )

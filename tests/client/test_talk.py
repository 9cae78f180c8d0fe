"""What is typed goes out, what comes is shown, until both are done."""

from __future__ import annotations

from typing import Any

from tests.client.connected import ClientCase, FakeConsole
from tests.streams import MUCH
from twisted_lab.client.talk import Talk
from twisted_lab.client.words import Lines, Readable, Text, from_hex
from twisted_lab.testing import Peer


class TalkTests(ClientCase):
    def begin(self, typed: Any = None, stays: bool = False) -> Peer:
        """A peer that a talk over ``self.console`` is connected to; it tells ``self.said``."""
        self.console: Any = FakeConsole()
        self.said: list[str] = []
        talk = Talk(
            self.console,
            Readable(),
            typed or Text(),
            stays,
            self.said.append,
            lambda: self.said.append("deaf"),
            lambda: self.said.append("done"),
        )
        return self.connect(talk)

    def type(self, data: bytes) -> None:
        self.console.talker.typed(data)
        self.network.pump()

    def end_input(self) -> None:
        self.console.talker.input_ended()
        self.network.pump()

    def test_lines(self) -> None:
        """A line is sent when it is typed, and what comes is shown at once."""
        peer = self.begin()
        self.type(b"hello\n")
        self.assertEqual(peer.received, b"hello\n")
        peer.send(b"you said \x1bhello\n")
        self.network.pump()
        self.assertEqual(self.console.shown, rb"you said \x1bhello" + b"\n")

    def test_half_close(self) -> None:
        """The end of input is our FIN; what comes after it is shown, and the peer's FIN ends it."""
        peer = self.begin()
        self.type(b"question")
        self.end_input()
        self.assertEqual((peer.received, peer.end), (b"question", "fin"))
        peer.send(b"answer")
        self.network.advance(60)
        self.assertEqual((self.console.shown, self.said), (b"answer", []))
        peer.fin()
        self.network.pump()
        self.assertEqual(self.said, ["done"])
        self.assertEqual(self.seen.of("closed")[0].reason, "local")

    def test_peer_ends(self) -> None:
        """The peer's FIN ends it, at a terminal; what was typed before is sent."""
        peer = self.begin()
        peer.send(b"half \xc3")
        peer.fin()
        self.network.pump()
        self.assertEqual(self.console.shown, rb"half \xc3")
        self.assertEqual((self.said, self.seen.of("closed")[0].reason), (["done"], "peer-fin"))

    def test_stays(self) -> None:
        """From a pipe or a file all is sent, although the peer sent its FIN first."""
        peer = self.begin(stays=True)
        peer.fin()
        self.network.advance(60)
        self.assertEqual(self.said, [])
        self.type(MUCH)
        self.end_input()
        self.assert_bytes(peer.received, MUCH)
        self.assertEqual((peer.end, self.said), ("fin", ["done"]))

    def test_slow_peer(self) -> None:
        """Input waits for a peer that does not read, and the FIN waits for the input."""
        peer = self.begin()
        peer.transport.pauseProducing()
        for _ in range(4):
            self.type(MUCH[: 2**16])
        self.assertEqual(self.console.calls, ["open", "pause"])
        self.end_input()
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual((len(peer.received), peer.end), (2**18, "fin"))

    def test_refused_input(self) -> None:
        """A line that is no hex is told and not sent; the next one is."""
        peer = self.begin(Lines(from_hex))
        self.type(b"zz\n\n68")
        self.end_input()
        self.assertEqual(self.said, ["'zz' is not hex, and was not sent"])
        self.assertEqual(peer.received, b"h")
        self.assertEqual([sent.bytes for sent in self.seen.of("sent")], [1])

    def test_nobody_reads(self) -> None:
        """Without a reader of stdout the peer gets RST: nothing it sends is for anybody."""
        peer = self.begin()
        self.console.talker.nobody_reads()
        self.network.pump()
        self.assertEqual((peer.end, self.said), ("reset", ["deaf", "done"]))
        self.assertEqual(self.seen.of("closed")[0].reason, "aborted")

    def test_reset(self) -> None:
        """RST ends it."""
        self.begin().reset()
        self.network.pump()
        self.assertEqual((self.said, self.console.calls[-1]), (["done"], "close"))

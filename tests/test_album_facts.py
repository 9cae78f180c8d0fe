"""What is said of a conversation as a whole."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.test_album import ENDS, RUN, talked
from twisted_lab.album import Album
from twisted_lab.album_facts import facts
from twisted_lab.events import Accepted, Closed, CloseReason, DatagramReceived, Event, TcpInfo, Tls

HOSTILE = "<b>\x1b[31m\u202e\x00"


def said(*events: Event) -> dict[str, str]:
    (chapter,) = Album([RUN, *events]).chapters
    return dict(facts(chapter, chapter.events))


class FactsTests(SynchronousTestCase):
    def test_closed(self) -> None:
        """Who, since when, how much, how it ended, and how the kernel saw it."""
        info = TcpInfo("ESTABLISHED", 250, 1, 10, 2, 0, 3, 4, 5, 6)
        end = Closed(9, "echo", "c1", *ENDS, CloseReason.IDLE, 5, 4, 3.0, "for 3 s", info)
        found = said(*talked("c1")[:-1], end)
        self.assertEqual(found["Peer"], ENDS[0])
        self.assertEqual(found["Bench"], ENDS[1])
        self.assertEqual(found["Over"], "tcp")
        self.assertEqual(found["Began"], "2026-03-01 at 00:00:00.000000 UTC")
        self.assertEqual(found["Moved"], "5 bytes came, 4 bytes went")
        self.assertEqual(found["End"], "idle: for 3 s, after 3 s")
        self.assertEqual(
            found["Kernel"],
            "ESTABLISHED, rtt 250 µs, cwnd 10, 2 unacked, 4 bytes not sent, 3 retransmitted",
        )

    def test_open(self) -> None:
        """One that was open when the recording ended is said to be."""
        found = said(*talked("c1")[:-1])
        self.assertIn("still open", found["End"])
        self.assertNotIn("Kernel", found)

    def test_tls(self) -> None:
        """TLS, or why it failed; and the balancer between."""
        begin = Accepted(0, "echo", "c1", *ENDS, "tls", "127.0.0.1:7")
        found = said(begin, Tls(1, "echo", "c1", "TLSv1.3", "AES"))
        self.assertEqual((found["TLS"], found["Through"]), ("TLSv1.3, AES", "127.0.0.1:7"))
        self.assertEqual(said(Tls(1, "echo", "c1", error="late"))["TLS"], "failed: late")

    def test_datagrams(self) -> None:
        """Datagrams have no end."""
        self.assertNotIn("End", said(DatagramReceived(0, "echo", *ENDS, 3)))

    def test_hostile(self) -> None:
        """What a peer chose is escaped."""
        found = said(
            Accepted(0, HOSTILE, "c1", HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            Tls(1, "echo", "c1", HOSTILE, HOSTILE),
            Closed(2, "e", "c1", HOSTILE, HOSTILE, CloseReason.ERROR, 1, 1, 1.0, HOSTILE),
        )
        for text in found.values():
            self.assertTrue(text.isprintable(), text)
            self.assertNotIn("\u202e", text)

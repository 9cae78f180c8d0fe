"""What came of a conversation, for the exit status of socketlab connect."""

from __future__ import annotations

import signal

from twisted.trial.unittest import SynchronousTestCase

from tests.test_telling import CLOSED, closed, note
from twisted_lab.client.verdict import Verdict
from twisted_lab.events import CloseReason, Event


class VerdictTests(SynchronousTestCase):
    def after(self, *events: Event) -> tuple[int, str | None]:
        verdict = Verdict()
        for event in events:
            verdict(event)
        return verdict.status, verdict.sentence

    def test_in_order(self) -> None:
        """A FIN from either side is an end in order; so is ours when nobody reads stdout."""
        for reason in (CloseReason.PEER_FIN, CloseReason.LOCAL, CloseReason.ABORTED):
            self.assertEqual(self.after(closed(reason)), (0, None))

    def test_not_in_order(self) -> None:
        """RST, a cut TLS stream and a failed handshake are none, and the sentence says which."""
        said = "the peer reset it (RST): what was on its way is lost"
        self.assertEqual(self.after(closed(CloseReason.RESET)), (1, said))
        self.assertEqual(self.after(closed(CloseReason.TRUNCATED))[0], 1)
        said = "the TLS handshake failed: expired"
        self.assertEqual(self.after(closed(CloseReason.HANDSHAKE, "expired")), (1, said))

    def test_notes(self) -> None:
        """An end after which not all arrived is not in order; other notes are no matter."""
        for kind in ("reset", "truncated", "unsent", "tls"):
            self.assertEqual(self.after(note(kind), CLOSED), (1, "so it was"))
        self.assertEqual(self.after(note("connect"), CLOSED), (0, None))

    def test_first(self) -> None:
        """The first thing that went wrong is the one that is said."""
        verdict = Verdict()
        verdict.failed("one")
        verdict(closed(CloseReason.RESET))
        self.assertEqual((verdict.status, verdict.sentence), (1, "one"))

    def test_nothing(self) -> None:
        """Without a connection it did not go well; datagrams have no end of their own."""
        verdict = Verdict()
        self.assertEqual(verdict.status, 1)
        verdict.ended()
        self.assertEqual(verdict.status, 0)

    def test_signal(self) -> None:
        """A signal decides, as a shell has it: 130 for Ctrl-C, 143 for SIGTERM."""
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            verdict = Verdict()
            verdict.interrupted(number)
            verdict(closed(CloseReason.LOCAL))
            self.assertEqual(verdict.status, status)

"""What looks like a mistake and is none: taken from right servers under the checker."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.diagnosis.story import Story

#: How a TLS record with a newline at its end looks from outside.
RECORD = b"\x17\x03\x03\x00\x45 \n"


class ClosedUnreadTests(SynchronousTestCase):
    def story(self) -> Story:
        story = Story()
        story.came(b"GET /\n")
        story.went(b"no\n")
        return story

    def test_told(self) -> None:
        """A reply, and the close with more unread: the reply is in danger."""
        story = self.story()
        story.closed(unread=38)
        self.assertEqual(story.mistakes, ["closed-unread"])

    def test_nothing_said(self) -> None:
        """A peer that was told nothing loses nothing."""
        story = Story()
        story.closed(unread=38)
        self.assertEqual(story.mistakes, [])

    def test_lingered(self) -> None:
        """It sent FIN, and read on for a while: that has an end, too."""
        story = self.story()
        story.fin_went()
        story.came(b"more")
        story.closed(unread=38)
        self.assertEqual(story.mistakes, [])

    def test_timed_out(self) -> None:
        """It gave up on a peer that sends and does not read."""
        story = self.story()
        story.failed("sendall", "timed out")
        story.closed(unread=38)
        self.assertEqual(story.mistakes, [])

    def test_idle(self) -> None:
        """Nothing had moved for long: an event loop's time-out, of which there is no call."""
        story = self.story()
        story.closed(unread=38, after=2000)
        self.assertEqual(story.mistakes, [])


class SendIgnoredTests(SynchronousTestCase):
    def story(self) -> Story:
        story = Story()
        story.went(b"x" * 100, given=1000, rest=b"y" * 32)
        return story

    def test_told(self) -> None:
        """The rest was never sent."""
        story = self.story()
        story.closed()
        self.assertEqual(story.mistakes, ["send-ignored"])

    def test_sent_later(self) -> None:
        """The rest was sent next."""
        story = self.story()
        story.went(b"y" * 900)
        story.closed()
        self.assertEqual(story.mistakes, [])

    def test_gave_up(self) -> None:
        """The peer took no more, and the program waited no longer."""
        story = self.story()
        story.closed(after=2000)
        self.assertEqual(story.mistakes, [])


class TextTests(SynchronousTestCase):
    def test_half_a_line(self) -> None:
        """Text is known by its newline."""
        story = Story()
        for came, went in ((b"hello wor", b"HELLO WOR\n"), (b"ld\n", b"LD\n")):
            story.came(came)
            story.went(went)
        self.assertEqual(story.mistakes, ["part-for-all"])

    def test_records(self) -> None:
        """In TLS's records a newline is an accident."""
        story = Story()
        for came in (RECORD[:-1], RECORD, RECORD, RECORD + RECORD):
            story.came(came)
            story.went(b"\x17\x03\x03\x00\x02ok")
        self.assertEqual(story.mistakes, [])


class PeerHadGoneTests(SynchronousTestCase):
    def story(self) -> Story:
        """A client that half-closed, or closed: who can tell? It gets its answers."""
        story = Story()
        story.came(b"one\ntwo\n")
        story.fin_came()
        story.went(b"1\n")
        story.failed("sendall", "EPIPE")
        return story

    def test_caught(self) -> None:
        """Who is ready for the error did nothing wrong."""
        story = self.story()
        story.closed()
        self.assertEqual(story.mistakes, [])

    def test_uncaught(self) -> None:
        """Who is not, is told."""
        story = self.story()
        story.uncaught()
        self.assertEqual(story.mistakes, ["peer-had-gone"])
        self.assertEqual(story.findings[0].place, ("server.py", 5))

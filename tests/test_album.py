"""The conversations of a recording: each with its own, and no more than fits."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.album import FIRST, LAST, MOST, Album
from twisted_lab.errors import ConfigurationError
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    Listening,
    Note,
    Received,
    Refused,
    Sent,
)
from twisted_lab.playback import Run, nanoseconds

DAY = datetime(2026, 3, 1, tzinfo=UTC)
RUN = Run("0.1.0", DAY, nanoseconds(DAY))
ENDS = "127.0.0.1:5", "127.0.0.1:9000"


def talked(id: str, messages: int = 1) -> list[Event]:
    said: list[Event] = [Accepted(0, "echo", id, *ENDS, "tcp")]
    for number in range(messages):
        said += [Received(number, "echo", id, 5), Sent(number, "echo", id, 4)]
    return [*said, Closed(messages, "echo", id, *ENDS, CloseReason.PEER_FIN, 5, 4, 1.0)]


class AlbumTests(SynchronousTestCase):
    def test_conversations(self) -> None:
        """Each connection has its events, in order, with who, how much and how it ended."""
        one, two = talked("c1"), talked("c2", 2)
        mixed = [event for pair in zip(two, [*one, *two[4:]], strict=True) for event in pair]
        album = Album([RUN, *dict.fromkeys(mixed)])
        self.assertEqual([chapter.id for chapter in album.chapters], ["c2", "c1"])
        chapter = album.chapters[1]
        self.assertEqual(chapter.events, one)
        self.assertEqual((chapter.peer, chapter.local), ENDS)
        self.assertEqual((chapter.bytes_in, chapter.bytes_out, chapter.count), (5, 4, 4))
        self.assertEqual((chapter.reason, chapter.run), ("peer-fin", 1))

    def test_datagrams(self) -> None:
        """A peer's datagrams with a service are one conversation."""
        said = [
            DatagramReceived(1, "echo", *ENDS, 3),
            DatagramReceived(2, "time", *ENDS, 1),
            DatagramSent(3, "echo", *ENDS, 3),
        ]
        album = Album([RUN, *said])
        self.assertEqual([one.events for one in album.chapters], [[said[0], said[2]], [said[1]]])
        self.assertEqual([one.id for one in album.chapters], ["d1", "d2"])

    def test_others(self) -> None:
        """What is of no conversation is in none."""
        said = [
            Listening(1, "echo", ENDS[1], "tcp"),
            Note(1, "echo", "accept", "x"),
            Refused(1, "echo", *ENDS, "access"),
        ]
        self.assertEqual(Album([RUN, *said]).chapters, [])

    def test_runs(self) -> None:
        """A connection of another run is another connection."""
        album = Album([RUN, *talked("c1"), RUN, *talked("c1", 3)])
        self.assertEqual([(one.run, one.count) for one in album.chapters], [(1, 4), (2, 8)])
        self.assertEqual(album.runs, 2)

    def test_long(self) -> None:
        """Of a long conversation the beginning and the end are kept, and what is between counts."""
        events = talked("c1", 1000)
        (chapter,) = Album([RUN, *events]).chapters
        self.assertEqual(chapter.events[:FIRST], events[:FIRST])
        self.assertEqual(chapter.events[-LAST:], events[-LAST:])
        (gap,) = [event for event in chapter.events if isinstance(event, Gap)]
        lost = events[FIRST:-LAST]
        self.assertEqual(gap.count, len(lost))
        self.assertEqual((gap.ns, gap.until), (lost[0].ns, lost[-1].ns))
        self.assertEqual(gap.bytes_in, 5 * sum(isinstance(one, Received) for one in lost))
        self.assertEqual((chapter.bytes_in, chapter.bytes_out), (5000, 4000))

    def test_just_as_long(self) -> None:
        """One that just fits has no gap."""
        events = talked("c1", 199)[: FIRST + LAST]
        (chapter,) = Album([RUN, *events]).chapters
        self.assertEqual(chapter.events, events)

    def test_many(self) -> None:
        """Of many the first are kept; the others are counted, once each."""
        said = [event for number in range(MOST + 5) for event in talked(f"c{number}")]
        album = Album([RUN, *said])
        self.assertEqual((len(album.chapters), album.left_out), (MOST, 5))


class OneTests(SynchronousTestCase):
    def test_only(self) -> None:
        """The only conversation there is, or the one that was asked for."""
        said = [RUN, *talked("c1"), *talked("c2")]
        self.assertEqual(Album(said[:5]).one("f").id, "c1")
        self.assertEqual(Album(said, "c2").one("f").id, "c2")

    def test_which(self) -> None:
        """Where there are several, the sentence says which."""
        said = [RUN, *talked("c1"), *talked("c2")]
        error = str(self.assertRaises(ConfigurationError, Album(said).one, "f"))
        self.assertIn("2 conversations", error)
        self.assertIn("(c1, c2)", error)

    def test_which_run(self) -> None:
        """A connection that is in two runs is asked for by its run as well."""
        said = [RUN, *talked("c1"), RUN, *talked("c1")]
        error = str(self.assertRaises(ConfigurationError, Album(said, "c1").one, "f"))
        self.assertIn("(1/c1, 2/c1)", error)
        self.assertEqual(Album(said, "2/c1").one("f").run, 2)

    def test_none(self) -> None:
        """One that is not there is named."""
        error = str(self.assertRaises(ConfigurationError, Album([RUN], "c\x1b9").one, "a\x1bb"))
        self.assertIn(r"'c\x1b9'", error)
        self.assertIn(r"'a\x1bb'", error)
        self.assertRaises(ConfigurationError, Album([RUN]).one, "f")

"""The answers that are asked for again and again become one look at everything."""

from __future__ import annotations

from tests.live.case import FakeBenchTestCase
from tests.live.fake_bench import connection, entry, service, talk
from twisted_lab.live.http_reading import Reader, Refused
from twisted_lab.live.polling import (
    Counts,
    path_of,
    read_documents,
    read_story,
    snapshot,
    stream_query,
)


class PollingTests(FakeBenchTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.reader = Reader(self.address)
        self.addCleanup(self.reader.close)

    def test_snapshot(self) -> None:
        """One look has the services, connections and datagram peers, and the counts."""
        self.fake.documents["/api/services"] = {"services": [service("echo"), service("line")]}
        closed = connection(1, state="closed", reason="reset")
        self.fake.connections(connection(2), closed, forgotten=9)
        self.fake.talks(talk(3))
        found = snapshot(read_documents(self.reader, None, 200))
        self.assertEqual([each.name for each in found.services], ["echo", "line"])
        self.assertEqual([each.word for each in found.connections], ["open", "reset"])
        self.assertEqual([each.id for each in found.talks], ["d3"])
        self.assertEqual(found.counts, Counts(1, 1, 2, 9, 1, 10**10))

    def test_service(self) -> None:
        """The bench is asked for one service alone, and for so many, whatever its name is."""
        read_documents(self.reader, "a&b", 1000)
        asked = self.fake.paths("GET")
        self.assertIn("/api/connections?service=a%26b&limit=1000", asked)
        self.assertIn("/api/datagrams?service=a%26b&limit=100", asked)

    def test_story(self) -> None:
        """A connection and a datagram peer have a story each."""
        self.fake.story(connection(4), entry(1), entry(2), seq=2)
        self.fake.story(talk(5), entry(3, "datagram-received"), seq=3)
        story = read_story(self.reader, "c4")
        self.assertEqual((story.about.id, story.seq, len(story.entries)), ("c4", 2, 2))
        self.assertEqual(read_story(self.reader, "d5").about.id, "d5")
        self.assertRaises(Refused, read_story, self.reader, "c99")

    def test_names(self) -> None:
        """Datagram peers are told from connections by their id."""
        self.assertEqual(
            (path_of("c1"), path_of("d1")), ("/api/connections/c1", "/api/datagrams/d1")
        )
        self.assertEqual(stream_query("c1"), {"connection": "c1"})
        self.assertEqual(stream_query("d1"), {"talk": "d1"})

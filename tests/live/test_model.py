"""What is shown follows what comes, and stays bounded."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry, talk
from tests.live.views import BENCH, entries, model, now, opened
from twisted_lab.live import values
from twisted_lab.live.model import (
    AROUND_LADDER,
    Away,
    arrived,
    connected,
    followed,
    looked,
    scrolled,
    told,
    untold,
)
from twisted_lab.live.opened import KEPT, KEPT_FIRST, Opened
from twisted_lab.live.polling import Story


class LookTests(SynchronousTestCase):
    def test_rates(self) -> None:
        """A rate is what moved between two looks, by the bench's own clock."""
        before = looked(model(), now(connection(2, bytes_in=1000, bytes_out=5), ns=2 * 10**9))
        after = looked(before, now(connection(2, bytes_in=5000, bytes_out=5), ns=4 * 10**9))
        (found,) = after.connections()
        self.assertEqual((found.rate_in, found.rate_out), (2000.0, 0.0))

    def test_no_rate(self) -> None:
        """What is new, and what was looked at in the same moment, has no rate."""
        again = looked(model(), now(connection(2, bytes_in=99)))
        self.assertEqual(again.connections()[0].rate_in, 0)
        new = looked(model(), now(connection(9, bytes_in=99), ns=10**11))
        self.assertEqual(new.connections()[0].rate_in, 0)

    def test_chosen(self) -> None:
        """What is chosen stays so when others come, and when it goes something else is."""
        first = model()
        self.assertEqual(first.chosen, "c2")
        more = looked(first, now(connection(3), connection(2)))
        self.assertEqual(more.chosen, "c2")
        self.assertEqual(looked(more, now(connection(3))).chosen, "c3")
        self.assertIsNone(looked(more, now()).chosen)

    def test_fresh(self) -> None:
        """A look that came makes the counts new again."""
        self.assertEqual(looked(model(stale="cannot reach it"), now()).stale, "")


class StreamTests(SynchronousTestCase):
    def test_bounded(self) -> None:
        """The last thousand events are kept; all are counted."""
        many = arrived(arrived(model(), entries(*range(1, 800))), entries(*range(800, 1501)))
        self.assertEqual(len(many.entries()), KEPT)
        self.assertEqual((many.entries()[-1].seq, many.data.arrived), (1500, 1500))

    def test_end(self) -> None:
        """A connection's end is in the table at once, with its reason and totals."""
        end = values.entry(entry(5, "closed", connection="c2", reason="idle", bytes_in=77))
        found = arrived(model(), [end]).find("c2")
        assert isinstance(found, values.Connection)
        self.assertEqual((found.state, found.word, found.bytes_in), ("closed", "idle", 77))

    def test_back(self) -> None:
        """When the bench is there again what was known stays, and the loss is over."""
        away = replace(arrived(model(), entries(1)), away=Away("gone", 1.0))
        back = connected(away, BENCH, anew=False)
        self.assertEqual((back.away, len(back.entries())), (None, 1))

    def test_anew(self) -> None:
        """Another run begins with nothing, and that is said."""
        before = replace(arrived(model(), entries(1)), away=Away("gone", 1.0))
        before = replace(before, data=replace(before.data, opened=opened(entry(1))))
        after = connected(before, BENCH, anew=True)
        self.assertEqual((after.entries(), after.connections()), ([], []))
        self.assertEqual(after.opened, Opened("c1"))
        self.assertIn("anew", after.said)


class FilterTests(SynchronousTestCase):
    def test_text(self) -> None:
        """A filter looks at ids, services, peers, words and sentences, whatever their case."""
        shown = arrived(model(), entries(1, says="Hello there") + entries(2, connection="c7"))
        for text, ids in {"RESET": ["c1"], "50002": ["c2"], "echo": ["c2", "c1"], "no": []}.items():
            filtered = replace(shown, filter=text)
            self.assertEqual([each.id for each in filtered.connections()], ids, text)
        self.assertEqual([each.seq for each in replace(shown, filter="hello t").entries()], [1])
        self.assertEqual([each.seq for each in replace(shown, filter="c7").entries()], [2])

    def test_service(self) -> None:
        """One service alone is shown, with its datagram peers and events."""
        both = model(connection(2, service="line"), connection(1))
        both = arrived(both, entries(1) + entries(2, service="line"))
        line = replace(both, service="line")
        self.assertEqual([each.id for each in line.listed()], ["c2"])
        self.assertEqual([each.seq for each in line.entries()], [2])

    def test_gap(self) -> None:
        """What is missing may have been of any service, so no filter hides it."""
        gap = values.entry(entry(None, "gap", service="socketlab"))
        shown = replace(arrived(model(), [gap]), service="line", filter="x")
        self.assertEqual(shown.entries(), [gap])

    def test_find(self) -> None:
        """A connection or a datagram peer is found by its id."""
        self.assertIsNotNone(model().find("d1"))
        self.assertIsNone(model().find("c99"))


class OpenedTests(SynchronousTestCase):
    def look_at(self, *numbers: int, seq: int = 0) -> None:
        self.story = Story(values.connection(connection(1)), entries(*numbers), seq)
        base = model()
        base = replace(base, data=replace(base.data, opened=Opened("c1")))
        self.model = told(base, "c1", self.story)

    def seqs(self) -> list[int | None]:
        assert self.model.opened is not None
        return [each.seq for each in (*self.model.opened.first, *self.model.opened.recent)]

    def test_no_event_twice(self) -> None:
        """What the story had is not taken again from the stream; what it had not, is."""
        self.look_at(1, 2, seq=2)
        self.model = followed(self.model, "c1", entries(2, 3))
        self.model = followed(self.model, "c1", entries(3))  # two of the same nanosecond
        self.assertEqual(self.seqs(), [1, 2, 3, 3])

    def test_bounded(self) -> None:
        """The first events stay, the last are kept, and how many are missing is known."""
        self.look_at(*range(1, 41))
        self.model = followed(self.model, "c1", entries(*range(41, 2001)))
        found = self.seqs()
        self.assertEqual(len(found), KEPT)
        self.assertEqual(
            found[: KEPT_FIRST + 1], [*range(1, KEPT_FIRST + 1), 2001 - KEPT + KEPT_FIRST]
        )
        assert self.model.opened is not None
        self.assertEqual(self.model.opened.left_out, 2000 - KEPT)
        self.assertEqual(self.model.opened.rows, KEPT + 1)

    def test_end(self) -> None:
        """Its own end is known at once, and no older look opens it again."""
        self.look_at(1)
        end = entry(9, "closed", reason="reset", bytes_in=7, bytes_out=8, duration=2.5)
        self.model = followed(self.model, "c1", [values.entry(end)])
        self.model = looked(self.model, now(connection(1)))
        about = self.model.opened and self.model.opened.about
        assert isinstance(about, values.Connection)
        self.assertEqual((about.state, about.word, about.bytes_in), ("closed", "reset", 7))

    def test_newer(self) -> None:
        """Its totals are those of the last look; so are a datagram peer's."""
        self.look_at(1)
        self.model = looked(self.model, now(connection(1, bytes_in=99)))
        about = self.model.opened and self.model.opened.about
        assert about is not None
        self.assertEqual(about.bytes_in, 99)
        peer = replace(self.model, data=replace(self.model.data, opened=opened(about=talk(1))))
        peer = looked(peer, now(talks=(talk(1, bytes_in=77),)))
        about = peer.opened and peer.opened.about
        assert about is not None
        self.assertEqual(about.bytes_in, 77)

    def test_of_another(self) -> None:
        """What comes late for one that is no longer looked at changes nothing."""
        self.look_at(1)
        before = self.model
        self.assertIs(told(before, "c2", self.story), before)
        self.assertIs(followed(before, "c2", entries(5)), before)
        self.assertIs(untold(before, "c2", "gone"), before)

    def test_trouble(self) -> None:
        """Why it cannot be read is kept with it, until it can."""
        self.look_at(1)
        troubled = untold(self.model, "c1", "no such connection")
        assert troubled.opened is not None
        self.assertEqual(troubled.opened.trouble, "no such connection")
        well = told(troubled, "c1", self.story)
        assert well.opened is not None
        self.assertEqual(well.opened.trouble, "")

    def test_scroll(self) -> None:
        """A ladder scrolls as far as it has rows, and stands still while new ones come."""
        self.look_at(*range(1, 31))
        self.model = replace(self.model, height=AROUND_LADDER + 10)
        self.assertEqual(scrolled(self.model, 999).scroll, 20)
        self.assertEqual(scrolled(self.model, -5).scroll, 0)
        up = followed(scrolled(self.model, 5), "c1", entries(31, 32))
        self.assertEqual(up.scroll, 7)
        self.assertEqual(followed(self.model, "c1", entries(31, 32)).scroll, 0)

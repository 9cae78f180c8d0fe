"""The event stream is taken up again wherever it breaks off, and says so."""

from __future__ import annotations

from collections.abc import Iterator

from tests.live.case import FakeBenchTestCase
from tests.live.fake_bench import entry
from twisted_lab.live.following import (
    Arrived,
    Follower,
    Interrupted,
    Item,
    Reached,
    read_bench,
)
from twisted_lab.live.frames import LIMIT
from twisted_lab.live.http_reading import Lost, NotOurs, Refused


class FollowingTests(FakeBenchTestCase):
    def follow(self, query: dict[str, str] | None = None, patient: bool = False) -> Iterator[Item]:
        self.waits: list[float] = []
        self.follower = Follower(self.address, None, query or {}, self.wait)
        items = self.follower.items(patient=patient)
        self.addCleanup(items.close)  # type: ignore[attr-defined]
        return items

    def wait(self, seconds: float) -> bool:
        """Instead of waiting."""
        self.waits.append(seconds)
        return len(self.waits) > 8

    def seqs(self, item: Item) -> list[int]:
        assert isinstance(item, Arrived), item
        return [said["seq"] for said in item.entries]

    def test_events(self) -> None:
        """Events come in their order, as the bench told them."""
        items = self.follow({"connection": "c1"})
        reached = next(items)
        assert isinstance(reached, Reached)
        self.assertEqual((reached.bench.version, reached.anew), ("0.1.0", False))
        stream = self.fake.stream()
        self.assertEqual((stream.query, stream.last), ({"connection": "c1"}, None))
        stream.send(entry(3), entry(4))
        found: list[int] = []
        while len(found) < 2:
            found += self.seqs(next(items))
        self.assertEqual(found, [3, 4])

    def test_resumed(self) -> None:
        """A stream that broke is taken up after the last event that came."""
        items = self.follow()
        next(items)
        self.fake.stream().send(entry(7))
        self.assertEqual(self.seqs(next(items)), [7])
        self.fake.stream().end()
        interrupted = next(items)
        assert isinstance(interrupted, Interrupted)
        self.assertIn("it closed the connection", interrupted.why)
        self.assertEqual(next(items), Reached(read_bench(self.address, None), anew=False))
        self.assertEqual(self.fake.stream(1).last, "7")

    def test_end(self) -> None:
        """A bench that stops says why, after its last events."""
        items = self.follow()
        next(items)
        stream = self.fake.stream()
        stream.raw(
            'id: 8\nevent: sent\ndata: {"seq": 8}\n\nevent: end\ndata: {"why": "it stops"}\n\n'
        )
        self.assertEqual(self.seqs(next(items)), [8])
        self.assertEqual(next(items), Interrupted("it stops", 0.25))

    def test_back_off(self) -> None:
        """While it is gone the attempts become rare, up to five seconds; and it stops when told."""
        items = self.follow()
        next(items)
        self.fake.__exit__()
        found = list(items)
        self.assertTrue(all(isinstance(item, Interrupted) for item in found))
        self.assertEqual(self.waits, [0.25, 0.5, 1, 2, 4, 5, 5, 5, 5])

    def test_anew(self) -> None:
        """Another run than before is known by its start, and none of its events is passed over."""
        items = self.follow()
        next(items)
        self.fake.stream().send(entry(7))
        next(items)
        self.fake.documents["/api/bench"]["started"] = "2026-03-02T00:00:00+00:00"
        self.fake.stream().end()
        self.assertIsInstance(next(items), Interrupted)
        reached = next(items)
        assert isinstance(reached, Reached)
        self.assertTrue(reached.anew)
        self.assertIsNone(self.fake.stream(1).last)

    def test_stop(self) -> None:
        """It ends when told, also before the next read."""
        items = self.follow()
        next(items)
        self.follower.stop()
        self.assertEqual(list(items), [])

    def test_never_there(self) -> None:
        """Without a bench to begin with there is nothing to follow, unless told to be patient."""
        self.fake.__exit__()
        self.assertRaises(Lost, next, self.follow())
        self.assertIsInstance(next(self.follow(patient=True)), Interrupted)

    def test_refused(self) -> None:
        """What the bench will not give is said in its words."""
        self.fake.documents["/api/events"] = {"error": "no such connection"}
        self.fake.statuses["/api/events"] = 404
        error = self.assertRaises(Refused, next, self.follow())
        self.assertEqual(str(error), "no such connection")

    def test_nonsense(self) -> None:
        """Events that are none count as a bench that is lost."""
        wrong = ("data: x\n\n", "data: [1]\n\n", f"data: {'x' * LIMIT}\n\n")
        for number, text in enumerate(wrong):
            items = self.follow()
            next(items)
            self.fake.stream(number).raw(text)
            self.assertIsInstance(next(items), Interrupted)


class BenchTests(FakeBenchTestCase):
    def test_not_ours(self) -> None:
        """A server with JSON but no bench is no page of socketlab."""
        self.fake.documents["/api/bench"] = {"version": "1"}
        self.assertRaises(NotOurs, read_bench, self.address, None)
        del self.fake.documents["/api/bench"]
        self.assertRaises(NotOurs, read_bench, self.address, None)

    def test_refused(self) -> None:
        """A bench that will not say is quoted."""
        self.fake.statuses["/api/bench"] = 401
        self.fake.documents["/api/bench"] = {"error": "the token is missing"}
        self.assertRaises(Refused, read_bench, self.address, None)

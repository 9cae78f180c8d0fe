"""Of too many events some are left out, and none is forgotten."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.diagram.bounding import bounded, gap_of
from twisted_lab.events import DatagramSent, Event, Gap, Received, Sent


class BoundedTests(SynchronousTestCase):
    def test_few(self) -> None:
        """As many as may be are all there."""
        events = [Received(ns, "echo", "c1", 1) for ns in range(8)]
        self.assertEqual(bounded(events, 8), list(enumerate(events)))
        self.assertEqual(bounded([], 8), [])

    def test_many(self) -> None:
        """Of more the first and the last are, with their numbers; a gap is between."""
        events: list[Event] = [Received(ns, "echo", "c1", 1) for ns in range(20)]
        found = bounded(events, 8)
        self.assertEqual([number for number, _ in found], [0, 1, 2, 3, 4, 5, 6, 19])
        gap = found[6][1]
        assert isinstance(gap, Gap)
        self.assertEqual((gap.ns, gap.until, gap.count, gap.bytes_in), (6, 18, 13, 13))
        self.assertEqual((gap.reason, gap.connection), ("overrun", "c1"))

    def test_smallest(self) -> None:
        """However few may be drawn, nothing is drawn twice."""
        events = [Received(ns, "echo", "c1", 1) for ns in range(9)]
        for limit in range(2, 9):
            numbers = [number for number, _ in bounded(events, limit)]
            self.assertEqual(len(set(numbers)), limit)


class GapTests(SynchronousTestCase):
    def test_moved(self) -> None:
        """What moved either way is counted, also in the gaps among them."""
        events = [
            Sent(1, "echo", "c1", 5),
            Gap(2, "echo", 50, "unwatched", "c1", 100, 200, 7),
            DatagramSent(51, "echo", "", "", 9),
            Gap(52, "echo", 90, "unwatched", "c1", 1000, 0, 2),
        ]
        gap = gap_of(events)
        self.assertEqual((gap.bytes_in, gap.bytes_out, gap.count), (1100, 214, 11))
        self.assertEqual((gap.ns, gap.until), (1, 90))

    def test_unknown(self) -> None:
        """How many are missing is only said where it is known."""
        self.assertIsNone(gap_of([Gap(2, "echo", 50, "unwatched", "c1", 100, 200)]).count)

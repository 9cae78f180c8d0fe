"""Several runs to one scale."""

from __future__ import annotations

from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.diagram import Group, Lane, Mark, Span, draw_lanes

MS = 1_000_000


class LanesTests(SynchronousTestCase):
    def drawn(self, *groups: Group, width: int = 720) -> list[ElementTree.Element]:
        return list(ElementTree.fromstring(draw_lanes(groups, width=width)).iter())

    def bars(self, *groups: Group) -> list[tuple[float, float]]:
        found = [one for one in self.drawn(*groups) if one.get("class") == "waits"]
        return [(float(one.get("x", "")), float(one.get("width", ""))) for one in found]

    def test_scale(self) -> None:
        """All groups have one scale, and each begins at the left."""
        first = Group("a", [Lane("x", [Span(100 * MS, 200 * MS, "waits")])])
        second = Group("b", [Lane("y", [Span(900 * MS, 950 * MS, "waits")])])
        (x1, long), (x2, short) = self.bars(first, second)
        self.assertEqual(x1, x2)
        self.assertAlmostEqual(long, 2 * short, delta=0.2)

    def test_inside(self) -> None:
        """Nothing is beyond the picture, at either width."""
        lanes = [
            Lane("a rather long name of a lane", [Span(0, 7 * MS, "waits")], [Mark(9 * MS, "asks")])
        ]
        for width in (344, 760):
            for one in self.drawn(Group("g", lanes), width=width):
                for name in ("x", "x1", "x2"):
                    self.assertLessEqual(float(one.get(name, 0)), width)

    def test_nothing(self) -> None:
        """Without a moment it is a picture all the same."""
        self.drawn()
        self.drawn(Group("g", [Lane("x")]))

    def test_hostile(self) -> None:
        """A name acts nowhere."""
        name = "<script>\x1b[31m"
        drawn = draw_lanes([Group(name, [Lane(name, [Span(0, 1, "waits", name)])])])
        self.assertNotIn("<script", drawn)
        self.assertNotIn("\x1b", drawn)

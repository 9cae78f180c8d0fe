"""Two clocks brought together."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.dating import began


def clock(*moments: int) -> Iterator[int]:
    """Their *moments*, and after those one every ns."""
    yield from moments
    while True:
        yield moments[-1]


class BeganTests(SynchronousTestCase):
    def test_between(self) -> None:
        """The wall's moment is half-way between the two of the other clock."""
        now = clock(*(10, 12) * 5)
        self.assertEqual(began(lambda: next(now), lambda: 1011), 1000)

    def test_interrupted(self) -> None:
        """A try that was interrupted does not count."""
        now, wall = clock(10, 90, 110, 112, 10, 90, 10, 90, 10, 90), clock(1085, 1111, 1085)
        self.assertEqual(began(lambda: next(now), lambda: next(wall)), 1000)

"""A histogram counts every value once, under the smallest bound that holds it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.histogram import Histogram


class HistogramTests(SynchronousTestCase):
    def test_bounds(self) -> None:
        """A value that equals a bound is not above it; one above all is under the infinite one."""
        histogram = Histogram((1.0, 2.0))
        for value in (0.5, 1.0, 1.5, 9.0):
            histogram.add(value)
        self.assertEqual(histogram.cumulative(), [(1.0, 2), (2.0, 3), (float("inf"), 4)])
        self.assertEqual((histogram.count, histogram.sum), (4, 12.0))

    @given(st.lists(st.floats(0, 10)))
    def test_any(self, values: list[float]) -> None:
        """Whatever the values, each bound's count is of those not above it."""
        histogram = Histogram((0.1, 1.0, 5.0))
        for value in values:
            histogram.add(value)
        for bound, count in histogram.cumulative():
            self.assertEqual(count, sum(value <= bound for value in values))

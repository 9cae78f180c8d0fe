"""Each source has its own bucket, and sources cannot fill the memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.source_rates import SOURCES_KEPT, SourceRates


class SourceRatesTests(SynchronousTestCase):
    def allowed(self, rates: SourceRates, key: str, now: float, tries: int) -> int:
        return sum(rates.allow(key, now) for _ in range(tries))

    def test_burst_then_rate(self) -> None:
        """A source may have its burst at once, then so many a second."""
        rates = SourceRates(rate=5, burst=10)
        self.assertEqual(self.allowed(rates, "a", 0.0, 50), 10)
        self.assertEqual(self.allowed(rates, "a", 1.0, 50), 5)
        self.assertEqual(self.allowed(rates, "a", 100.0, 50), 10)

    def test_refused_costs_nothing(self) -> None:
        """Who was refused and waits gets in as soon as anyone: trying is not punished."""
        rates = SourceRates(rate=1, burst=1)
        self.assertEqual(self.allowed(rates, "a", 0.0, 1000), 1)
        self.assertTrue(rates.allow("a", 1.0))

    def test_independent(self) -> None:
        """A greedy source takes nothing from a quiet one."""
        rates = SourceRates(rate=1, burst=2)
        self.allowed(rates, "greedy", 0.0, 1000)
        self.assertEqual(self.allowed(rates, "quiet", 0.0, 2), 2)

    def test_inherit(self) -> None:
        """At another rate who used up its burst has used it up."""
        old, new = SourceRates(rate=1, burst=2), SourceRates(rate=10, burst=20)
        self.allowed(old, "greedy", 0.0, 2)
        new.inherit(old)
        self.assertEqual(self.allowed(new, "greedy", 0.0, 50), 0)
        self.assertEqual(self.allowed(new, "greedy", 1.0, 50), 10)
        self.assertEqual(self.allowed(new, "quiet", 1.0, 50), 20)

    def test_bounded(self) -> None:
        """However many sources there are, only so many are remembered."""
        rates = SourceRates(rate=1, burst=1)
        for number in range(SOURCES_KEPT + 100):
            rates.allow(str(number), 0.0)
        self.assertEqual(len(rates._buckets), SOURCES_KEPT)

    def test_longest_silent_goes_first(self) -> None:
        """A source that keeps trying is not forgotten, so it cannot begin anew."""
        rates = SourceRates(rate=0.001, burst=1)
        self.assertTrue(rates.allow("greedy", 0.0))
        for number in range(2 * SOURCES_KEPT):
            rates.allow(str(number), 0.0)
            if number % 1000 == 0:
                self.assertFalse(rates.allow("greedy", 0.0))

    @given(
        st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 2)), max_size=200),
        st.floats(0.1, 20),
        st.floats(1, 20),
    )
    def test_never_more(self, tries: list[tuple[str, float]], rate: float, burst: float) -> None:
        """However a source spreads its tries, it never gets more than burst and rate allow."""
        rates = SourceRates(rate, burst)
        now, passed = 0.0, {"a": 0, "b": 0}
        for key, wait in tries:
            now += wait
            passed[key] += rates.allow(key, now)
        for count in passed.values():
            self.assertLessEqual(count, burst + rate * now + 0.01)

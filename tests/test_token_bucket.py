"""The token bucket, with the time passed in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.token_bucket import TokenBucket


class TokenBucketTests(SynchronousTestCase):
    def allowed(self, bucket: TokenBucket, now: float, tries: int = 100) -> int:
        return sum(bucket.allow(1, now) for _ in range(tries))

    def test_starts_with_its_burst(self) -> None:
        """A new bucket gives its whole capacity at once, and no more."""
        bucket = TokenBucket(rate=10, capacity=5, now=0.0)
        self.assertEqual(self.allowed(bucket, 0.0), 5)

    def test_refills_at_its_rate(self) -> None:
        """After half a second at 10/s there are five more."""
        bucket = TokenBucket(rate=10, capacity=20, now=0.0)
        self.allowed(bucket, 0.0)
        self.assertEqual(self.allowed(bucket, 0.5), 5)

    def test_never_holds_more_than_its_capacity(self) -> None:
        """A long silence does not save up more than one burst."""
        bucket = TokenBucket(rate=10, capacity=5, now=0.0)
        self.assertEqual(self.allowed(bucket, 3600.0), 5)

    def test_refusing_takes_nothing(self) -> None:
        """What was refused leaves the tokens for something smaller."""
        bucket = TokenBucket(rate=1, capacity=5, now=0.0)
        self.assertFalse(bucket.allow(6, 0.0))
        self.assertTrue(bucket.allow(5, 0.0))

    def test_rounding_refuses_nobody(self) -> None:
        """Ten steps of a tenth of a second give ten tokens, whatever the clock shows."""
        for start in (0.0, 100.0, 1_000_000.1):
            bucket = TokenBucket(rate=10, capacity=1, now=start)
            self.assertTrue(bucket.allow(1, start))
            for step in range(1, 11):
                self.assertTrue(bucket.allow(1, start + step / 10))

    def test_change(self) -> None:
        """Another rate and capacity hold from then on; what was used up stays used up."""
        bucket = TokenBucket(rate=10, capacity=10, now=0.0)
        bucket.change(1, 4)
        self.assertEqual(self.allowed(bucket, 0.0), 4)
        bucket.change(10, 100)
        self.assertEqual(self.allowed(bucket, 0.5), 5)

    def test_debt_is_told_in_seconds(self) -> None:
        """Taking 30 of 10 at 10/s is 2 s of debt, which time pays off."""
        bucket = TokenBucket(rate=10, capacity=10, now=0.0)
        self.assertEqual(bucket.take(10, 0.0), 0.0)
        self.assertAlmostEqual(bucket.take(20, 0.0), 2.0)
        self.assertAlmostEqual(bucket.take(0, 1.5), 0.5)
        self.assertEqual(bucket.take(0, 2.0), 0.0)

    def test_in_debt_nothing_is_allowed(self) -> None:
        """While a debt stands, even one token is refused."""
        bucket = TokenBucket(rate=10, capacity=10, now=0.0)
        bucket.take(15, 0.0)
        self.assertFalse(bucket.allow(1, 0.5))
        self.assertTrue(bucket.allow(1, 0.6))

    def test_clock_that_steps_back(self) -> None:
        """A clock that steps back neither gives nor takes, and time goes on from there."""
        bucket = TokenBucket(rate=10, capacity=10, now=1000.0)
        self.assertEqual(self.allowed(bucket, 1000.0), 10)
        self.assertEqual(self.allowed(bucket, 10.0), 0)
        self.assertEqual(self.allowed(bucket, 10.5), 5)

"""A peer that sends must send at a decent rate."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FakeStream, ended_at
from twisted_lab.policies.min_rate import WINDOW, MinRate


class MinRateTests(SynchronousTestCase):
    def paced(self, stream: FakeStream, rate: float) -> object:
        """Let *stream* receive *rate* bytes a second, of which some come with each look."""

        def receive(now: float) -> None:
            due = int(rate * (now - stream.opened_at))
            stream.moved(now, received=due - stream.bytes_in)

        return receive

    def test_slow(self) -> None:
        """S14: a byte a second at a minimum of 100 is told so and closed after a window."""
        stream = FakeStream()
        at = ended_at(MinRate(100), stream, 100, self.paced(stream, 1))
        self.assertLessEqual(at, 2 * WINDOW)
        self.assertEqual(stream.reason, "slow")
        text = "slower than 100 bytes/s for 5 s, closing"
        self.assertEqual((stream.calls, stream.detail), ([f"tell: {text}", "end"], text))

    def test_fast_enough(self) -> None:
        """At the minimum and over it a stream stays."""
        for rate in (100, 101, 100_000):
            stream = FakeStream()
            policy = MinRate(100)
            at = ended_at(policy, stream, 100, self.paced(stream, rate))
            self.assertEqual(at, float("inf"), rate)

    def test_quiet(self) -> None:
        """A stream on which nothing moves is not slow: that is the idle time-out's."""
        self.assertEqual(ended_at(MinRate(100), FakeStream(), 1000), float("inf"))

    def test_slows_down(self) -> None:
        """What was fast before does not make up for being slow now."""
        stream = FakeStream()
        stream.bytes_in = 10**9
        at = ended_at(MinRate(100), stream, 100, lambda now: stream.moved(now, received=1))
        self.assertLessEqual(at, 2 * WINDOW)

    def test_out_counts(self) -> None:
        """What we send counts as well as what we receive."""
        stream = FakeStream()
        policy = MinRate(100)
        at = ended_at(policy, stream, 100, lambda now: stream.moved(now, received=1, sent=999))
        self.assertEqual(at, float("inf"))

    def test_between_windows(self) -> None:
        """Asked early, it judges nothing and says when the window is over."""
        stream = FakeStream()
        policy = MinRate(100)
        policy.check(stream, 0)
        stream.moved(1, received=1)
        self.assertEqual(policy.check(stream, 1), WINDOW)
        self.assertFalse(stream.ending)

    def test_nothing_stays(self) -> None:
        """Nothing is remembered of a stream that is gone."""
        policy = MinRate(100)
        stream = FakeStream()
        policy.check(stream, 0)
        policy.closed(stream)
        policy.closed(stream)
        self.assertEqual(policy._marks, {})

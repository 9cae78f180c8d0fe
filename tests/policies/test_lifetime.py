"""No stream lives for ever."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FakeStream, ended_at
from twisted_lab.policies.lifetime import DEFAULT, Lifetime


class LifetimeTests(SynchronousTestCase):
    def test_default(self) -> None:
        """After an hour a stream is told so and closed, asked only once before."""
        stream = FakeStream(opened_at=10)
        looks: list[float] = []
        self.assertEqual(ended_at(Lifetime(), stream, 9999, looks.append), 10 + DEFAULT)
        self.assertEqual(len(looks), 2)
        self.assertEqual(stream.calls, ["tell: open for 3600 s, closing", "end"])
        self.assertEqual((stream.reason, stream.detail), ("lifetime", "open for 3600 s, closing"))

    def test_busy(self) -> None:
        """However busy it is."""
        stream = FakeStream()
        at = ended_at(Lifetime(2.5), stream, 99, lambda now: stream.moved(now, received=1000))
        self.assertEqual(at, 2.5)
        self.assertIn("2.5 s", stream.detail)

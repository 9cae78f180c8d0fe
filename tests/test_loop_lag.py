"""What holds the reactor shows as a timer that rang late."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.loop_lag import EVERY, LoopLag


class LoopLagTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lag = LoopLag(self.clock)

    def test_punctual(self) -> None:
        """A reactor that is on time has no lag, and is asked twice a second."""
        self.lag.start()
        self.clock.pump([EVERY] * 10)
        self.assertEqual((self.lag.seen.count, self.lag.seen.sum), (10, 0.0))

    def test_late(self) -> None:
        """Three seconds in which nothing rang are seen, less the half second of the timer."""
        self.lag.start()
        self.clock.advance(3.0)
        self.assertEqual((self.lag.seen.count, self.lag.seen.sum), (1, 2.5))

    def test_stopped(self) -> None:
        """Before its start and after its stop it has no alarm; what was seen stays."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.lag.start()
        self.lag.start()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(EVERY)
        self.lag.stop()
        self.lag.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.lag.seen.count, 1)

    def test_again(self) -> None:
        """Started again it measures from then, not from before its stop."""
        self.lag.start()
        self.lag.stop()
        self.clock.advance(60.0)
        self.lag.start()
        self.clock.advance(EVERY)
        self.assertEqual((self.lag.seen.count, self.lag.seen.sum), (1, 0.0))

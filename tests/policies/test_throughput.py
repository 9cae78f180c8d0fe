"""How fast one connection may be."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FakeStream
from twisted_lab.policies.throughput import Throughput

#: How often a greedy peer's next read is tried, in seconds: a turn of a busy reactor.
TURN = 0.001


class ThroughputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def open(self, policy: Throughput) -> FakeStream:
        stream = FakeStream(opened_at=self.clock.seconds())
        policy.opened(stream)
        return stream

    def run_echo(self, policy: Throughput, stream: FakeStream, seconds: float) -> int:
        """A greedy peer of an echo for so long; how many bytes came back."""
        before = stream.bytes_out
        for _ in range(round(seconds / TURN)):
            if not stream.holds:
                self.receive(policy, stream, stream.read_size)
                stream.moved(self.clock.seconds(), sent=stream.read_size)
                policy.sent(stream, stream.read_size)
            self.clock.advance(TURN)
        return stream.bytes_out - before

    def receive(self, policy: Throughput, stream: FakeStream, count: int) -> None:
        stream.moved(self.clock.seconds(), received=count)
        policy.received(stream, count)

    def test_within_ten_percent(self) -> None:
        """S16: over two seconds a greedy peer gets its rate within 10 %, at any rate."""
        for rate in (1000, 100_000, 10_000_000):
            policy = Throughput(rate, self.clock)
            moved = self.run_echo(policy, self.open(policy), 2)
            self.assertTrue(0.9 * 2 * rate <= moved <= 1.1 * 2 * rate, (rate, moved))

    def test_smooth(self) -> None:
        """No tenth of a second has more than twice its share."""
        policy = Throughput(100_000, self.clock)
        stream = self.open(policy)
        for _ in range(20):
            self.assertLessEqual(self.run_echo(policy, stream, 0.1), 20_000)

    def test_quiet_neighbour(self) -> None:
        """A greedy stream never holds another."""
        policy = Throughput(1000, self.clock)
        greedy, quiet = self.open(policy), self.open(policy)
        self.run_echo(policy, greedy, 1)
        self.receive(policy, quiet, 10)
        self.assertEqual(quiet.holds, set())

    def test_under_the_rate(self) -> None:
        """Who stays under the rate is never held."""
        policy = Throughput(1000, self.clock)
        stream = self.open(policy)
        for _ in range(100):
            self.clock.advance(0.1)
            self.receive(policy, stream, 20)
            self.assertEqual(stream.holds, set())

    def test_directions_apart(self) -> None:
        """In and out have a rate each: an echo does not get half."""
        policy = Throughput(1000, self.clock)
        stream = self.open(policy)
        self.run_echo(policy, stream, 5)
        self.assertGreater(stream.bytes_in, 4500)
        self.assertGreater(stream.bytes_out, 4500)

    def test_released(self) -> None:
        """What was held is released once the debt is paid."""
        policy = Throughput(1000, self.clock)
        stream = self.open(policy)
        self.receive(policy, stream, 1040)  # a bucket of 40, and 1,000 on credit
        self.assertEqual(stream.holds, {"throughput"})
        self.clock.pump([0.01] * 99)
        self.assertEqual(stream.holds, {"throughput"})
        self.clock.pump([0.01] * 3)
        self.assertEqual(stream.holds, set())

    def test_few_timers(self) -> None:
        """A stream waits with one timer, however often it writes meanwhile."""
        policy = Throughput(1000, self.clock)
        stream = self.open(policy)
        for _ in range(500):
            stream.moved(0, sent=1000)
            policy.sent(stream, 1000)
        self.assertLessEqual(len(self.clock.calls), 2)

    def test_closed(self) -> None:
        """A stream that is gone is neither released nor remembered."""
        policy = Throughput(1000, self.clock)
        stream = self.open(policy)
        self.receive(policy, stream, 5000)
        policy.closed(stream)
        self.clock.advance(100)
        self.assertEqual(stream.holds, {"throughput"})
        self.assertEqual(policy._accounts, {})
        self.assertEqual(self.clock.calls, [])

    def test_timer_after_the_end(self) -> None:
        """A stream that is gone leaves no timer, which would keep it in memory."""
        policy = Throughput(1, self.clock)
        stream = self.open(policy)
        self.receive(policy, stream, 10**6)
        policy.closed(stream)
        self.assertEqual(self.clock.calls, [])

    def test_slowest(self) -> None:
        """At one byte a second there is one byte a second."""
        policy = Throughput(1, self.clock)
        stream = self.open(policy)
        moved = self.run_echo(policy, stream, 10)
        self.assertTrue(9 <= moved <= 13, moved)

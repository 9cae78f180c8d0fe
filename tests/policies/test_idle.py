"""No stream stays when nothing moves."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import LOCAL_HOST, FakeStream, ended_at
from twisted_lab.policies.idle import ELSEWHERE, LOOPBACK, STALL, Idle


class QuietTests(SynchronousTestCase):
    def test_elsewhere(self) -> None:
        """A peer elsewhere that says nothing for a minute is told so and closed."""
        stream = FakeStream(opened_at=5)
        self.assertEqual(ended_at(Idle(), stream, 5000), 5 + ELSEWHERE)
        self.assertEqual(stream.calls, ["tell: idle for 60 s, closing", "end"])
        self.assertEqual((stream.reason, stream.detail), ("idle", "idle for 60 s, closing"))

    def test_loopback(self) -> None:
        """On loopback a person has ten minutes to think."""
        stream = FakeStream(LOCAL_HOST)
        self.assertEqual(ended_at(Idle(), stream, 5000), LOOPBACK)

    def test_activity(self) -> None:
        """Whoever sends now and then stays; the time runs from the last byte."""
        stream = FakeStream()

        def send_until_200(now: float) -> None:
            if now < 200:
                stream.moved(now, received=1)

        at = ended_at(Idle(), stream, 5000, send_until_200)
        self.assertEqual(at, stream.last_activity + ELSEWHERE)
        self.assertGreater(at, 200)

    def test_seldom_asked(self) -> None:
        """A quiet stream is looked at when its time is up, give or take, not all the time."""
        looks: list[float] = []
        ended_at(Idle(), FakeStream(LOCAL_HOST), 5000, looks.append)
        self.assertLessEqual(len(looks), 1 + LOOPBACK / STALL)


class LineTests(SynchronousTestCase):
    def test_not_finished(self) -> None:
        """A line must be finished in time, however busily its bytes dribble in."""
        stream = FakeStream()
        stream.message_begun_at = 3.0
        at = ended_at(Idle(), stream, 5000, lambda now: stream.moved(now, received=1))
        self.assertEqual(at, 3 + ELSEWHERE)
        self.assertEqual(stream.calls[0], "tell: line not finished for 60 s, closing")
        self.assertEqual(stream.reason, "idle")

    def test_finished(self) -> None:
        """A line that is finished leaves its stream the usual time."""
        stream = FakeStream()
        stream.message_begun_at = 0.0
        policy = Idle()
        self.assertLessEqual(policy.check(stream, 1), ELSEWHERE)
        stream.message_begun_at = None
        stream.moved(59, received=1)
        self.assertEqual(ended_at(policy, stream, 5000), 59 + ELSEWHERE)


class AnsweringTests(SynchronousTestCase):
    def test_who_waits_for_us(self) -> None:
        """A peer is not idle while it waits for an answer, however long that takes; after it the
        usual time begins."""
        stream = FakeStream()
        stream.answering = True

        def answer_at_300(now: float) -> None:
            if stream.answering and now >= 300:
                stream.answering = False
                stream.moved(now, sent=1)

        self.assertEqual(ended_at(Idle(), stream, 5000, answer_at_300), 300 + ELSEWHERE)


class UnsentTests(SynchronousTestCase):
    def test_never_reads(self) -> None:
        """Bytes that nobody takes for thirty seconds end the stream by RST, as stalled."""
        stream = FakeStream()
        stream.waiting = 4_000_000
        at = ended_at(Idle(), stream, 5000)
        self.assertTrue(STALL <= at <= STALL + ELSEWHERE / 4, at)
        self.assertEqual((stream.reason, stream.calls), ("stalled", ["abort"]))
        self.assertIn("4000000 bytes not read for 30 s", stream.detail)

    def test_stops_reading_later(self) -> None:
        """The same if it stops later: thirty seconds, and a look's delay, from then on."""
        for where, limit in ((FakeStream(), ELSEWHERE), (FakeStream(LOCAL_HOST), LOOPBACK)):
            self.stops_at_second_five(where, limit)

    def stops_at_second_five(self, stream: FakeStream, limit: float) -> None:
        policy = Idle()
        again = policy.check(stream, 0)  # as a stream asks at its beginning
        stream.moved(5, received=100, sent=100)
        stream.waiting = 100
        now = again
        while not stream.ending:
            now = again
            again = policy.check(stream, now)
        self.assertEqual(stream.reason, "stalled")
        self.assertLessEqual(now, 5 + STALL + min(limit, STALL))

    def test_slow_reader(self) -> None:
        """A peer that reads slowly, but reads, is neither stalled nor idle."""
        stream = FakeStream()
        stream.waiting = 10_000

        def read_a_little(now: float) -> None:
            stream.waiting -= 1

        self.assertEqual(ended_at(Idle(), stream, 5000, read_a_little), float("inf"))

    def test_reads_all_then_nothing(self) -> None:
        """Once it has read all, it is idle in its time."""
        stream = FakeStream()
        stream.waiting = 10
        policy = Idle()
        policy.check(stream, 0)
        stream.waiting = 0
        self.assertEqual(policy.check(stream, 50), stream.last_activity + ELSEWHERE)

    def test_short_limit(self) -> None:
        """An idle time-out shorter than that is in force for bytes that wait, too."""
        stream = FakeStream()
        stream.waiting = 1
        at = ended_at(Idle(2, 2), stream, 100)
        self.assertTrue(2 <= at <= 3, at)
        self.assertEqual(stream.reason, "stalled")

    def test_nothing_stays(self) -> None:
        """Nothing is remembered of streams that are gone."""
        policy = Idle()
        for _ in range(100):
            stream = FakeStream()
            stream.waiting = 1
            policy.check(stream, 0)
        del stream
        gc.collect()
        self.assertEqual(len(policy._progress), 0)

"""TLS handshakes end in time, and only so many are under way."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FAR_HOST, FakeStream, ended_at
from twisted_lab.policies.handshake import DEFAULT, UNFINISHED, Handshake


class TimeTests(SynchronousTestCase):
    def test_silent(self) -> None:
        """A peer that begins no handshake is gone after five seconds, and the reason says so."""
        stream = FakeStream(secure=True, opened_at=100)
        self.assertEqual(ended_at(Handshake(), stream, 200), 100 + DEFAULT)
        self.assertEqual((stream.reason, stream.calls), ("handshake", ["end"]))
        self.assertIn("5 s", stream.detail)

    def test_dribbled(self) -> None:
        """One that dribbles its handshake has no more time: it is for the whole."""
        stream = FakeStream(secure=True)
        policy = Handshake(2)
        policy.opened(stream)
        at = ended_at(policy, stream, 100, lambda now: stream.moved(now, received=1))
        self.assertEqual(at, 2)

    def test_done(self) -> None:
        """A finished handshake has all the time there is."""
        stream = FakeStream(secure=True)
        stream.established = True
        self.assertEqual(Handshake().check(stream, 1000), float("inf"))
        self.assertFalse(stream.ending)

    def test_plain(self) -> None:
        """A stream without TLS has no handshake."""
        self.assertEqual(Handshake().check(FakeStream(), 1000), float("inf"))


class NumberTests(SynchronousTestCase):
    def open(self, policy: Handshake, count: int = 1, *, secure: bool = True) -> list[FakeStream]:
        streams = [FakeStream(secure=secure) for _ in range(count)]
        for stream in streams:
            policy.opened(stream)
        return streams

    def test_default(self) -> None:
        """257 unfinished handshakes are one too many."""
        policy = Handshake()
        self.open(policy, UNFINISHED - 1)
        self.assertIsNone(policy.admit(FAR_HOST))
        self.open(policy)
        refusal = policy.admit(FAR_HOST)
        assert refusal is not None
        self.assertEqual(refusal.gate, "handshakes")

    def test_finished(self) -> None:
        """One that has finished makes room."""
        policy = Handshake(unfinished=2)
        first, _second = self.open(policy, 2)
        self.assertIsNotNone(policy.admit(FAR_HOST))
        first.established = True
        self.assertIsNone(policy.admit(FAR_HOST))

    def test_closed(self) -> None:
        """One that is gone makes room."""
        policy = Handshake(unfinished=1)
        (stream,) = self.open(policy)
        policy.closed(stream)
        self.assertIsNone(policy.admit(FAR_HOST))

    def test_plain(self) -> None:
        """Streams without TLS do not count."""
        policy = Handshake(unfinished=1)
        self.open(policy, 5, secure=False)
        self.assertIsNone(policy.admit(FAR_HOST))

    def test_nothing_stays(self) -> None:
        """Nothing is remembered of streams that are gone, finished or not."""
        policy = Handshake()
        for stream in self.open(policy, 10):
            stream.established = True
            policy.closed(stream)
        self.assertEqual(policy._unfinished, set())

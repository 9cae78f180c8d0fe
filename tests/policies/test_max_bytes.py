"""How many bytes one connection may move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FakeStream
from twisted_lab.policies.max_bytes import MaxBytes


class MaxBytesTests(SynchronousTestCase):
    def read(self, policy: MaxBytes, stream: FakeStream, most: int) -> int:
        """Let *stream* read once; how many bytes a protocol behind it got."""
        count = min(most, stream.read_size)
        stream.moved(0, received=count)
        policy.received(stream, count)
        return 0 if stream.ending else count

    @given(st.integers(1, 200_000), st.lists(st.integers(1, 70_000), min_size=40, max_size=40))
    def test_exactly(self, limit: int, reads: list[int]) -> None:
        """However its bytes come, exactly as many as allowed are answered, and then it ends."""
        stream = FakeStream()
        policy = MaxBytes(limit)
        policy.opened(stream)
        answered = 0
        for most in [*reads, limit, 1]:
            if not stream.ending:
                answered += self.read(policy, stream, most)
        while not stream.ending:
            answered += self.read(policy, stream, 2**16)
        self.assertEqual(answered, limit)

    def test_received(self) -> None:
        """The end is a limit, with its direction, and lingers so that the answers arrive."""
        stream = FakeStream()
        policy = MaxBytes(10)
        policy.opened(stream)
        self.assertEqual(self.read(policy, stream, 100), 10)
        self.read(policy, stream, 100)
        told = "tell: more than 10 bytes received, closing"
        self.assertEqual((stream.reason, stream.calls), ("limit", [told, "end and linger"]))
        self.assertEqual(stream.detail, "more than 10 bytes received, closing")

    def test_sent(self) -> None:
        """What we send is limited as well, and ended once."""
        stream = FakeStream()
        policy = MaxBytes(10)
        for _ in range(3):
            stream.moved(0, sent=5)
            policy.sent(stream, 5)
            stream.moved(0, sent=5)
            policy.sent(stream, 5)
        self.assertEqual((stream.reason, stream.calls), ("limit", ["end and linger"]))
        self.assertEqual(stream.detail, "more than 10 bytes sent, closing")

    def test_at_the_limit(self) -> None:
        """Exactly the limit is not over it."""
        stream = FakeStream()
        policy = MaxBytes(10)
        policy.opened(stream)
        self.read(policy, stream, 10)
        stream.moved(0, sent=10)
        policy.sent(stream, 10)
        self.assertFalse(stream.ending)

    def test_full_reads(self) -> None:
        """Far from the limit reads are as large as ever."""
        stream = FakeStream()
        policy = MaxBytes(2**20)
        policy.opened(stream)
        self.assertEqual(stream.read_size, 2**16)

    def test_over_tls(self) -> None:
        """Over TLS the reads are of records, and are left alone."""
        stream = FakeStream(secure=True)
        MaxBytes(10).opened(stream)
        self.assertEqual(stream.read_size, 2**16)

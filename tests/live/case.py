"""A test case with a fake bench."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import TOKEN, FakeBench
from twisted_lab.live.address import Address


class FakeBenchTestCase(SynchronousTestCase):
    """``self.fake`` serves while the test runs; ``self.address`` is where."""

    def setUp(self) -> None:
        self.fake = FakeBench()
        self.fake.__enter__()
        self.addCleanup(self.fake.__exit__)
        self.address = Address("http", "127.0.0.1", self.fake.port, TOKEN)

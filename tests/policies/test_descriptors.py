"""New connections are refused before the process runs out of descriptors."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FAR_HOST
from twisted_lab.policies.descriptors import RESERVE, Descriptors


class Process:
    """A process with *limit* descriptors, of which *used* are used, the lowest ones."""

    def __init__(self, limit: int | None, used: int = 10) -> None:
        self.limit_now = limit
        self.used = used
        self.asked = 0

    def limit(self) -> int | None:
        return self.limit_now

    def next_descriptor(self) -> int | None:
        self.asked += 1
        assert self.limit_now is not None
        return self.used if self.used < self.limit_now else None


class DescriptorsTests(SynchronousTestCase):
    def policy(self, process: Process) -> Descriptors:
        return Descriptors(process.limit, process.next_descriptor)

    def fill(self, policy: Descriptors, process: Process) -> int:
        """How many connections got in, each with a descriptor of its own."""
        entered = 0
        while policy.admit(FAR_HOST) is None:
            process.used += 1
            entered += 1
            self.assertLessEqual(process.used, process.limit_now or 2**20)
        return entered

    def test_reserve(self) -> None:
        """Connections are taken until only the reserve is left, and then refused."""
        process = Process(200)
        self.assertEqual(self.fill(self.policy(process), process), 200 - 10 - RESERVE)

    def test_again(self) -> None:
        """When one has left, one more is taken."""
        process = Process(200)
        policy = self.policy(process)
        self.fill(policy, process)
        process.used -= 1
        self.assertEqual(self.fill(policy, process), 1)

    def test_second_service(self) -> None:
        """A service with few connections sees too that another has used the descriptors up."""
        process = Process(200)
        self.fill(self.policy(process), process)
        self.assertEqual(self.fill(self.policy(process), process), 0)

    def test_used_by_others(self) -> None:
        """What else the process has open counts, from the first connection on."""
        process = Process(200, used=190)
        self.assertEqual(self.fill(self.policy(process), process), 0)

    def test_none_at_all(self) -> None:
        """With no descriptor left at all everyone is refused, with no text that would linger."""
        process = Process(64, used=64)
        policy = self.policy(process)
        refusal = policy.admit(FAR_HOST)
        assert refusal is not None
        self.assertEqual((refusal.gate, refusal.text), ("descriptors", ""))

    def test_limit_changed(self) -> None:
        """A limit that is raised while it runs is used."""
        process = Process(100)
        policy = self.policy(process)
        self.fill(policy, process)
        process.limit_now = 200
        self.assertEqual(self.fill(policy, process), 100)

    def test_no_limit(self) -> None:
        """A process without a limit is never asked."""
        process = Process(None)
        policy = self.policy(process)
        for _ in range(5000):
            self.assertIsNone(policy.admit(FAR_HOST))

    def test_real(self) -> None:
        """In this process there is room for one more."""
        self.assertIsNone(Descriptors().admit(FAR_HOST))

    def test_seldom_asked(self) -> None:
        """With few connections open a connection does not cost system calls."""
        process = Process(20_000)
        policy = self.policy(process)
        for _ in range(1000):
            policy.admit(FAR_HOST)
        self.assertLess(process.asked, 100)

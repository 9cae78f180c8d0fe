"""Every policy has the hooks of the seam and no others, and the fake is what it stands for."""

from __future__ import annotations

import inspect
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.policies.fakes import FakeStream
from twisted_lab.gates import GATE_HOOKS
from twisted_lab.interfaces import Policy, StreamView
from twisted_lab.layer import HOOKS
from twisted_lab.limits import stream_policies
from twisted_lab.settings import Settings
from twisted_lab.units import network

#: The parameters of each hook, as the table of :class:`twisted_lab.interfaces.Policy` has them.
PARAMETERS = {
    "admit": 1,
    "entered": 1,
    "left": 1,
    "opened": 1,
    "received": 2,
    "sent": 2,
    "check": 2,
    "closed": 1,
    "let_go": 1,
    "inherit": 1,
}


def every_policy() -> list[Any]:
    """One of each."""
    settings = Settings(allow=(network("10.0.0.0/8"),), min_rate=1.0, max_bytes=1, throughput=1.0)
    return stream_policies(settings, Clock(), secure=True)


class HooksTests(SynchronousTestCase):
    def test_written_down(self) -> None:
        """The hooks are those of the page that describes them."""
        self.assertEqual(set(PARAMETERS), {*GATE_HOOKS, *HOOKS, "let_go", "inherit"})
        for hook in PARAMETERS:
            self.assertIn(f"``{hook}(", Policy.__doc__ or "")

    def test_known(self) -> None:
        """A policy has no public method that nobody would call, and each takes what is given."""
        for policy in every_policy():
            for name, method in inspect.getmembers(policy, inspect.ismethod):
                if not name.startswith("_"):
                    self.assertEqual(
                        len(inspect.signature(method).parameters), PARAMETERS[name], method
                    )

    def test_counted(self) -> None:
        """A policy that counts who enters also counts who leaves."""
        for policy in every_policy():
            self.assertEqual(hasattr(policy, "entered"), hasattr(policy, "left"), policy)


class FakeTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """The fake stream has all that a policy may see and do."""
        members = {*StreamView.__annotations__} | {
            name for name in vars(StreamView) if not name.startswith("_")
        }
        fake = FakeStream()
        self.assertEqual([name for name in sorted(members) if not hasattr(fake, name)], [])
        for name in members:
            ours, theirs = getattr(fake, name), getattr(StreamView, name, None)
            if inspect.isfunction(theirs):
                expected = list(inspect.signature(theirs).parameters)[1:]
                self.assertEqual(list(inspect.signature(ours).parameters), expected, name)

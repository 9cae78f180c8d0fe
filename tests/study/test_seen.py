"""What programs did, and what experiments ask of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.study.outcomes import ended
from twisted_lab.study.seen import Seen


class EndedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.one = ended("client", "said")

    def test_calls(self) -> None:
        """Calls are found by name, in order, with those that failed or without."""
        self.assertEqual(self.one.names(), ["socket", "connect", "send", "send", "recv"])
        self.assertEqual(len(self.one.calls("send")), 2)
        self.assertEqual(len(self.one.done("send")), 1)
        self.assertEqual(self.one.errors_of("send"), ["EAGAIN"])

    def test_moved(self) -> None:
        """Sizes and bytes."""
        self.assertEqual(self.one.sizes("send", "recv"), [2, 3])
        self.assertEqual(self.one.data("recv"), [b"you"])
        self.assertEqual(self.one.moved("sent"), b"hi")

    def test_connections(self) -> None:
        """A part of it is the same with fewer events."""
        self.assertEqual(self.one.connections(), ["c1"])
        part = self.one.nth(0)
        self.assertEqual(part.names(), ["connect", "send", "send", "recv"])
        self.assertEqual(part.output, ("said",))

    def test_parts(self) -> None:
        """The first, the last, those after a moment, and those that are not aside."""
        self.assertEqual(self.one.first(2).names(), ["socket", "connect"])
        self.assertEqual(self.one.last(1).names(), ["recv"])
        self.assertEqual(self.one.since(4).names(), ["recv"])
        # a call that failed stays, whatever it was
        self.assertEqual(self.one.without("send").names(), ["socket", "connect", "send", "recv"])


class SeenTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """Programs by their parts."""
        seen = Seen({"server": ended("server"), "client": ended("client")})
        self.assertEqual([one.name for one in seen], ["server", "client"])
        self.assertEqual(seen.client.name, "client")
        self.assertIsNone(seen.get("other"))
        self.assertRaises(KeyError, lambda: seen["other"])

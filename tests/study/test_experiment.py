"""Experiments: each is whole, and is found by name or number."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.study.outcomes import ended
from twisted_lab.errors import ConfigurationError
from twisted_lab.study.experiment import experiment, names, same_output
from twisted_lab.study.seen import Seen


class ExperimentTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Each has an aim, questions, programs, the same in Twisted, a result, and tasks."""
        for number, name in enumerate(names(), 1):
            one = experiment(name)
            self.assertEqual((one.number, one.name), (number, name))
            self.assertTrue(one.title and one.aim and one.result, name)
            self.assertGreaterEqual(len(one.asked), 2, name)
            self.assertGreaterEqual(len(one.programs), 2, name)
            self.assertGreaterEqual(len(one.tasks), 2, name)
            for task in one.tasks:
                self.assertIn("?", task.question)
            if name != "web-files-mail":  # whose servers are Twisted's own
                self.assertTrue(one.twisted, name)

    def test_exercises(self) -> None:
        """At least six can be graded."""
        self.assertGreaterEqual(sum(experiment(one).exercise is not None for one in names()), 6)

    def test_number(self) -> None:
        """A number finds it, too."""
        self.assertEqual(experiment("1").name, "stream-life")

    def test_unknown(self) -> None:
        """What there is not is named, with what there is."""
        for name in ("nothing", "0", "99", "\x1b[31m"):
            with self.assertRaises(ConfigurationError) as caught:
                experiment(name)
            self.assertIn("stream-life", str(caught.exception))
            self.assertNotIn("\x1b", str(caught.exception))


class SameOutputTests(SynchronousTestCase):
    def observe(self, *output: str) -> tuple[bool, str]:
        plain = Seen({"server": ended("server"), "client": ended("client", "a", "on port 4")})
        twisted = Seen({"server": ended("server", "other"), "client": ended("client", *output)})
        (one,) = same_output(("server",), plain, twisted)
        return one.holds, one.says

    def test_same(self) -> None:
        """A port is another each time."""
        holds, says = self.observe("a", "on port 17")
        self.assertTrue(holds)
        self.assertIn("same 2 lines", says)

    def test_other(self) -> None:
        """What was printed instead is said."""
        holds, says = self.observe("b")
        self.assertFalse(holds)
        self.assertIn("something else: b", says)

    def test_missing(self) -> None:
        """A program that did not run at all is no agreement."""
        plain = Seen({"client": ended("client", "a")})
        (one,) = same_output(("server",), plain, Seen({}))
        self.assertFalse(one.holds)

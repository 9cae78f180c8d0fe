"""How the words of a command are read, and how it ends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab import __version__
from twisted_lab.command_line import CommandOptions, run_command
from twisted_lab.errors import ConfigurationError


class Options(CommandOptions):
    """Some."""

    optFlags = [["loud", "l", "say more"]]  # noqa: RUF012 - Twisted's
    optParameters = [["file", "f", None, "where"]]  # noqa: RUF012 - Twisted's
    words: tuple[str, ...] = ()

    def parseArgs(self, *words: str) -> None:
        """Any."""
        self.words = words


class WordsTests(SynchronousTestCase):
    def read(self, *words: str) -> tuple[object, object, tuple[str, ...]]:
        """What is understood."""
        options = Options()
        options.parseOptions(words)
        return options["file"], bool(options["loud"]), options.words

    def test_anywhere(self) -> None:
        """Options stand before, between and after the words, in any form."""
        for words in (
            ("--file", "x", "--loud", "a", "b"),
            ("a", "--file=x", "b", "--loud"),
            ("a", "b", "-l", "-f", "x"),
            ("a", "-lfx", "b"),
            ("a", "--fi", "x", "b", "--lou"),
        ):
            self.assertEqual(self.read(*words), ("x", True, ("a", "b")), words)

    def test_end_of_options(self) -> None:
        """After -- every word is taken as it is; - alone is a word."""
        self.assertEqual(self.read("a", "--", "--loud"), (None, False, ("a", "--loud")))
        self.assertEqual(self.read("-", "-l"), (None, True, ("-",)))

    def test_posix(self) -> None:
        """Also where a person's shell asks other programs for options first."""
        self.patch(os, "environ", {**os.environ, "POSIXLY_CORRECT": "1"})
        self.assertEqual(self.read("a", "--loud", "--", "-l"), (None, True, ("a", "-l")))

    def test_value(self) -> None:
        """A word after an option that takes one is its value, whatever it looks like."""
        self.assertEqual(self.read("a", "--file", "--loud"), ("--loud", False, ("a",)))
        self.assertEqual(self.read("--file", "--"), ("--", False, ()))

    def test_empty_value(self) -> None:
        """An empty value is a value."""
        self.assertEqual(self.read("a", "--file="), ("", False, ("a",)))
        self.assertEqual(self.read("--file", "", "a"), ("", False, ("a",)))

    def test_wrong(self) -> None:
        """What is no option is said by its name; so is an option without its value."""
        for words, said in ((("a", "--loudly"), "loudly"), (("a", "--file"), "file")):
            self.assertIn(said, str(self.assertRaises(usage.UsageError, self.read, *words)))


class RunTests(SynchronousTestCase):
    def run_it(self, *words: str, work: Callable[[Options], int]) -> tuple[int, str, str]:
        """Its status, and what it said on stdout and stderr."""
        self.patch(sys, "stdout", io.StringIO())
        self.patch(sys, "stderr", io.StringIO())
        status = run_command("try", Options(), words, work)
        return status, sys.stdout.getvalue(), sys.stderr.getvalue()  # type: ignore[attr-defined]

    def test_status(self) -> None:
        """The exit status is the work's."""
        self.assertEqual(self.run_it("a", work=lambda given: len(given.words)), (1, "", ""))

    def test_usage(self) -> None:
        """Wrong words are 2, said in one escaped line, and nothing is done."""
        status, _, said = self.run_it("--bo\x1bld", work=lambda given: 1 // 0)
        self.assertEqual(status, 2)
        self.assertTrue(said.startswith("socketlab try: option --bo\\x1bld"), said)
        self.assertEqual(said.count("\n"), 1)

    def test_could_not(self) -> None:
        """An error of ours is 1, with its sentence."""

        def work(given: Options) -> int:
            raise ConfigurationError("'x' is no y")

        self.assertEqual(self.run_it(work=work), (1, "", "socketlab try: 'x' is no y\n"))

    def test_version(self) -> None:
        """--version says the version, and all is well."""
        said = self.run_it("--version", work=lambda given: 1 // 0)
        self.assertEqual(said, (0, f"socketlab {__version__}\n", ""))

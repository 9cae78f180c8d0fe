"""The services that other packages bring."""

from __future__ import annotations

import contextlib
import io
import sys

from tests.packages import PackageTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.installed import find_kind, installed
from twisted_lab.protocols import KINDS
from twisted_lab.tap import Options

_GOOD = """
from twisted.internet.protocol import Protocol
from twisted_lab.protocols import Kind

class Good(Protocol):
    "Does good."

kind = Kind("other", "A kind of theirs", stream=lambda doors: None)

def make():
    return kind

def fail():
    raise ValueError("not today")
"""


class InstalledCase(PackageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.module("good", _GOOD)
        self.module("bad", "1 / 0")

    def help(self) -> str:
        """What ``--help`` says."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertRaises(SystemExit, Options().parseOptions, ["--help"])
        return " ".join(out.getvalue().split())


class FindTests(InstalledCase):
    def test_values(self) -> None:
        """The value is a Protocol, a Factory, a Kind or a function that returns one; the name is
        the entry point's."""
        self.distribution("theirs", one="good:Good", two="good:kind", three="good:make")
        for name in ("one", "two", "three"):
            self.assertEqual(find_kind(name).name, name)
        self.assertEqual(find_kind("one").summary, "Does good.")

    def test_ours_and_dotted(self) -> None:
        """Ours are found by their names, anyone's by module:Name."""
        self.assertIs(find_kind("echo"), KINDS["echo"])
        self.assertEqual(find_kind("good:Good").name, "Good")

    def test_none(self) -> None:
        """One that there is not is named, with those that there are."""
        self.distribution("theirs", one="good:Good")
        error = self.assertRaises(ConfigurationError, find_kind, "ecko")
        self.assertRegex(str(error), "^no service 'ecko'; there are echo, .*, one$")

    def test_broken(self) -> None:
        """A broken one is a sentence with its package, when it is asked for."""
        self.distribution("theirs", one="bad:X", two="good:fail", three="gone:X", four="good:no")
        for name, said in (
            ("one", "ZeroDivisionError"),
            ("two", "ValueError: not today"),
            ("three", "ModuleNotFoundError: No module named 'gone'"),
            ("four", "AttributeError"),
        ):
            sentence = str(self.assertRaises(ConfigurationError, find_kind, name))
            self.assertIn(f"the service '{name}' of theirs: loading it raised ", sentence)
            self.assertIn(said, sentence)


class ListTests(InstalledCase):
    def test_help(self) -> None:
        """--help lists them beside ours, and of a broken one why."""
        self.distribution("theirs", one="good:Good", two="bad:X")
        said = self.help()
        self.assertIn("one Does good.", said)
        self.assertIn("two the service 'two' of theirs: loading it raised ZeroDivision", said)
        self.assertIn("run serves your own", said)
        self.assertIn("echo sends back", said)

    def test_lazy(self) -> None:
        """Nothing of theirs is imported to parse a command line, not even to serve it later."""
        self.distribution("theirs", one="good:Good", two="bad:X")
        for words in (["echo"], ["one"], ["two", "--port", "0"]):
            options = Options()
            options.parseOptions(words)
            self.assertEqual(options.service, words[0])
        self.assertFalse({"good", "bad"} & set(sys.modules))

    def test_ours_wins(self) -> None:
        """A name of ours stays ours, and that is said."""
        self.distribution("theirs", echo="good:Good", run="good:Good")
        self.assertIs(find_kind("echo"), KINDS["echo"])
        (first, second) = installed().refused
        self.assertEqual(
            first,
            "theirs brings a service 'echo': the name is socketlab's own, which is what is served",
        )
        self.assertIn("'run'", second)
        self.assertIn(first, self.help())

    def test_first_wins(self) -> None:
        """Of two packages with one name the first in the alphabet is served, and that is said."""
        self.distribution("theirs", one="good:Good")
        self.distribution("another", one="good:kind")
        self.assertEqual(find_kind("one").summary, "A kind of theirs")
        self.assertEqual(
            installed().refused,
            ("theirs brings a service 'one': so does another, which is what is served",),
        )

    def test_unreadable(self) -> None:
        """A package whose entry points cannot be read is named, and hides nobody else's."""
        self.distribution("theirs", one="good:Good")
        self.distribution("torn")
        (self.folder / "torn-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\x1b[")
        self.assertEqual(list(installed().services), ["one"])
        (sentence,) = installed().refused
        self.assertIn("cannot be read: torn: UnicodeDecodeError", sentence)
        self.assertIn(sentence, self.help())

    def test_bad_name(self) -> None:
        """A name that would not fit in a line of the log is refused, and cannot write to the
        terminal."""
        self.distribution("theirs", **{"two words": "good:Good", "x" * 33: "good:Good"})
        self.assertEqual(installed().services, {})
        self.assertEqual(len(installed().refused), 2)

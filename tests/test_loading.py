"""Anyone's protocol as a service: what can be named, and one sentence for what cannot."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.protocol import (
    ConnectedDatagramProtocol,
    DatagramProtocol,
    Factory,
    ProcessProtocol,
    Protocol,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.packages import PackageTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.loading import dotted, kind_of, load_kind
from twisted_lab.protocols import Doors, Kind


class Plain(Protocol):
    """Says nothing.

    And this is not in the summary.
    """


class PlainFactory(Factory):
    protocol = Plain


class Datagrams(DatagramProtocol):
    pass


class Needy(Protocol):
    def __init__(self, need: object) -> None:
        """It cannot do without."""


class Sessions(PlainFactory, dict[str, int]):
    """Of a dict Python does not know the signature."""


class NeedyDatagrams(DatagramProtocol):
    def __init__(self, need: object) -> None:
        """It cannot do without."""


class FailingFactory(PlainFactory):
    def __init__(self) -> None:
        raise ValueError("no \x1b[31m\nway")


DOORS = Doors(clock=Clock(), max_line=100)


def built(kind: Kind) -> Any:
    """What serves a connection to *kind*."""
    assert kind.stream is not None
    return kind.stream(DOORS).buildProtocol(None)


class KindTests(SynchronousTestCase):
    def test_protocol_class(self) -> None:
        """A Protocol class serves streams, is named after itself and says what its docstring
        says first."""
        kind = kind_of(Plain)
        self.assertEqual((kind.name, kind.summary, kind.datagram), ("Plain", "Says nothing.", None))
        self.assertIsInstance(built(kind), Plain)
        self.assertIsNot(built(kind), built(kind))

    def test_factory_class(self) -> None:
        """A Factory class is made once a service."""
        kind = kind_of(PlainFactory)
        self.assertEqual(kind.name, "PlainFactory")
        self.assertIsInstance(built(kind), Plain)

    def test_factory(self) -> None:
        """A Factory serves as it is; a stock one is named after its protocol."""
        factory = PlainFactory()
        kind = kind_of(factory)
        self.assertEqual(kind.name, "PlainFactory")
        self.assertIs(kind.stream(DOORS), factory)  # type: ignore[misc]
        self.assertEqual(kind_of(Factory.forProtocol(Plain)).name, "Plain")

    def test_datagrams(self) -> None:
        """A DatagramProtocol class serves datagrams, with one protocol a port."""
        kind = kind_of(Datagrams)
        self.assertEqual((kind.name, kind.stream), ("Datagrams", None))
        assert kind.datagram is not None
        self.assertIsInstance(kind.datagram(DOORS), Datagrams)
        self.assertIsNot(kind.datagram(DOORS), kind.datagram(DOORS))

    def test_kind(self) -> None:
        """A Kind is one; another name is given to it where it is wanted."""
        kind = Kind("mine", "does")
        self.assertIs(kind_of(kind), kind)
        self.assertEqual(kind_of(kind, name="theirs").name, "theirs")

    def test_nothing_of_these(self) -> None:
        """Anything else is told from what it should be."""
        for thing, said in (
            (3, "3 is of type int, not a Protocol class"),
            (Plain(), "is of type Plain, not"),
            (Datagrams(), "is of type Datagrams, not"),
            (ProcessProtocol, "is the class ProcessProtocol, not"),
            (os, "is a module, not"),
        ):
            self.assertIn(said, str(self.assertRaises(ConfigurationError, kind_of, thing)))

    def test_connected_datagrams(self) -> None:
        """A protocol for a connected datagram socket is refused: a server has many peers."""
        error = self.assertRaises(ConfigurationError, kind_of, ConnectedDatagramProtocol)
        self.assertIn("connected to one peer", str(error))

    def test_needs_arguments(self) -> None:
        """A class that cannot be made without arguments is refused now, not at the first
        connection."""
        for thing in (Needy, NeedyDatagrams):
            error = self.assertRaises(ConfigurationError, kind_of, thing)
            self.assertIn("missing a required argument: 'need'", str(error))

    def test_arguments_unknown(self) -> None:
        """A class that does not say which arguments it takes is made and served."""
        kind = kind_of(Sessions)
        self.assertEqual((kind.name, type(built(kind))), ("Sessions", Plain))

    def test_no_protocol(self) -> None:
        """So is a Factory that would not know what to build."""
        for thing in (Factory(), Factory):
            with self.assertRaisesRegex(ConfigurationError, "whose protocol is not set"):
                built(kind_of(thing))

    def test_failing(self) -> None:
        """What making it raised is told, with its type and place, on one safe line."""
        with self.assertRaisesRegex(
            ConfigurationError, r"making it raised ValueError: no \\x1b\[31m way \(.*py:\d+\)$"
        ):
            built(kind_of(FailingFactory))


class LoadTests(PackageTestCase):
    def wrong(self, text: str) -> str:
        sentence = str(self.assertRaises(ConfigurationError, load_kind, text))
        self.assertEqual(len(sentence.splitlines()), 1)
        self.assertTrue(sentence.isprintable())
        return sentence

    def test_both_forms(self) -> None:
        """module:Name and module.Name are the same; a name may have parts."""
        for text in ("tests.test_loading:Plain", "tests.test_loading.Plain"):
            self.assertEqual(load_kind(text).name, "Plain")
        self.module("deep", "class A:\n    from tests.test_loading import Plain as B")
        self.assertEqual(load_kind("deep:A.B").name, "Plain")

    def test_current_folder(self) -> None:
        """The current folder counts, as for python -m."""
        self.patch(sys, "path", sys.path[1:])
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        self.module("lies_here", "from tests.test_loading import Plain")
        self.assertEqual(load_kind("lies_here:Plain").name, "Plain")

    def test_form(self) -> None:
        """What is no dotted name is refused."""
        for text in ("", "echo", ":Name", "module:", "a b:C", "a:b:c", "\x1b:x"):
            self.assertIn("expected module:Name", self.wrong(text))
            self.assertRaises(ConfigurationError, dotted, text)

    def test_not_there(self) -> None:
        """A module or name that is not there is named."""
        self.assertEqual(self.wrong("no_such_one:X"), "'no_such_one:X': no module 'no_such_one'")
        self.assertIn("no module 'tests.nor_this'", self.wrong("tests.nor_this:X"))
        self.assertIn("no 'Nope' in tests.test_loading", self.wrong("tests.test_loading:Nope"))
        self.assertIn("no 'Nope' in", self.wrong("tests.test_loading:Plain.Nope"))

    def test_import_raises(self) -> None:
        """What an import raised is told, with its type, its words and its place."""
        self.module("needs_more", "import no_such_dependency")
        self.module("divides", "1 / 0")
        self.module("exits", "raise SystemExit('bye')")
        self.module("unfinished", "x = (")
        self.assertIn(
            "raised ModuleNotFoundError: No module named 'no_such_dependency' (",
            self.wrong("needs_more:X"),
        )
        self.assertRegex(
            self.wrong("divides:X"),
            r"importing it raised ZeroDivisionError: division by zero \(.*divides.py:1\)$",
        )
        self.assertIn("raised SystemExit: bye", self.wrong("exits:X"))
        self.assertIn(
            "SyntaxError: '(' was never closed (unfinished.py", self.wrong("unfinished:X")
        )

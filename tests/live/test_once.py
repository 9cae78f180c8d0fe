"""The tables, or one ladder, once."""

from __future__ import annotations

import io
import json

from rich.console import Console

from tests.live.case import FakeBenchTestCase
from tests.live.fake_bench import connection, entry, talk
from twisted_lab.live.http_reading import NotOurs, Refused
from twisted_lab.live.once import print_once


class OnceTests(FakeBenchTestCase):
    def once(self, **options: object) -> str:
        out = io.StringIO()
        console = Console(file=out, width=160, color_system=None, markup=False, soft_wrap=True)
        print_once(self.address, None, console, **options)  # type: ignore[arg-type]
        return out.getvalue()

    def test_tables(self) -> None:
        """Services, connections and datagram peers are there, without colour or trailing blanks."""
        self.fake.connections(connection(2), connection(1, state="closed", reason="idle"))
        self.fake.talks(talk(1))
        found = self.once()
        self.assertNotIn("\x1b", found)
        self.assertRegex(found, r"(?m)^echo +serving +1 +4 ")
        self.assertRegex(found, r"(?m)^c1 +echo +127\.0\.0\.1:50001 +tcp +idle ")
        self.assertRegex(found, r"(?m)^d1 +echo ")
        self.assertTrue(all(line == line.rstrip() for line in found.splitlines()))

    def test_some(self) -> None:
        """Connections that are not listed are counted."""
        self.fake.connections(connection(2), matching=10_431)
        self.assertIn("the newest 1 of 10,431 connections", self.once())

    def test_service(self) -> None:
        """One service alone has one line."""
        self.assertNotIn("echo  ", self.once(service="line").partition("\n\n")[0])

    def test_ladder(self) -> None:
        """With a connection it is its ladder, and what looks like markup is text."""
        self.fake.story(connection(7), entry(1, data="W2JvbGRd"))
        found = self.once(conversation="c7").splitlines()
        self.assertEqual(found[0], "c7 echo  tcp  open")
        self.assertIn('5 bytes "[bold]"', found[3])

    def test_json(self) -> None:
        """As JSON it is the answers on one line."""
        (line,) = self.once(as_json=True).splitlines()
        self.assertEqual(set(json.loads(line)), {"services", "connections", "datagrams"})

    def test_not_there(self) -> None:
        """A connection there is not, and a server that is no bench, end it."""
        self.assertRaises(Refused, self.once, conversation="c9")
        self.fake.documents["/api/bench"] = {}
        self.assertRaises(NotOurs, self.once)

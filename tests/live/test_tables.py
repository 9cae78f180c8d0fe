"""Tables: one line a row, as many columns as there is room for."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry, service, talk
from twisted_lab.live import values
from twisted_lab.live.glyphs import ASCII, UNICODE
from twisted_lab.live.tables import (
    CONNECTIONS,
    ENTRIES,
    SERVICES,
    TALKS,
    event_style,
    fit,
    table,
)

#: Every table with a row whose texts are as long as they come.
LONG = "x" * 300
TABLES: tuple[tuple[Any, Any], ...] = (
    (SERVICES, values.service(service(LONG, state=LONG))),
    (CONNECTIONS, values.connection(connection(10**17, peer=LONG, service=LONG, reason=LONG))),
    (TALKS, values.talk(talk(10**17, peer=LONG, service=LONG))),
    (ENTRIES, values.entry(entry(10**9, LONG, service=LONG, says=LONG, connection=LONG))),
)


class TableTests(SynchronousTestCase):
    def lines(self, columns: Any, row: Any, width: int) -> list[str]:
        return [line.plain for line in table(columns, [row], width, UNICODE, lambda row: True)]

    def test_fits(self) -> None:
        """However long the texts are, a row is one line; from 40 cells on it fits."""
        for columns, row in TABLES:
            for width in (40, 60, 80, 92, 100, 120, 200):
                for line in self.lines(columns, row, width):
                    self.assertLessEqual(cell_len(line.rstrip()), width, line)
                    self.assertNotIn("\n", line)

    def test_aligned(self) -> None:
        """Every cell stands below its title."""
        found = values.connection(connection(3, bytes_in=70_000))
        titles, row = self.lines(CONNECTIONS, found, 80)
        for title, cell in (("id", "c3"), ("service", "echo"), ("peer", "127."), ("state", "open")):
            self.assertEqual(titles.index(title), row.index(cell))
        self.assertEqual(titles.index(" in ") + 3, row.index("KiB") + 3)

    def test_chosen(self) -> None:
        """What is chosen is marked by a sign too, not by its look alone."""
        _, row = self.lines(CONNECTIONS, values.connection(connection()), 80)
        self.assertTrue(row.startswith("▸ c1"))

    def test_wide_enough(self) -> None:
        """At 40 cells there is who and how it stands; at 120 everything."""
        found = values.connection(connection(reason="idle"))
        for width, titles in {
            40: "id service state in",
            80: "id service peer state in out lasted",
            92: "id service peer state in out moving lasted",
            120: "id service peer transport state in out in/s out/s lasted",
        }.items():
            self.assertEqual(self.lines(CONNECTIONS, found, width)[0].split(), titles.split())

    def test_numbers(self) -> None:
        """Rates and sizes read as people write them."""
        found = values.service(service(accepted=12_345))
        self.assertIn("12,345", self.lines(SERVICES, found, 80)[1])

    def test_styles(self) -> None:
        """An end in order looks calm, any other does not."""
        ends = {
            reason: event_style(values.entry(entry(1, "closed", reason=reason)))
            for reason in ("peer-fin", "reset")
        }
        self.assertEqual(ends, {"peer-fin": "", "reset": "red"})


class FitTests(SynchronousTestCase):
    def test_fit(self) -> None:
        """What is too long is cut, and that is seen; wide characters count twice."""
        self.assertEqual(fit("abcdef", 6, UNICODE), "abcdef")
        self.assertEqual(fit("abcdef", 4, UNICODE), "abc…")
        self.assertEqual(fit("abcdef", 4, ASCII), "abc~")
        self.assertEqual(cell_len(fit("日本語", 5, UNICODE)), 5)
        self.assertEqual([fit("abc", cells, UNICODE) for cells in (1, 0)], ["…", ""])

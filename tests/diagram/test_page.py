"""docs/diagram.md shows what the code draws, and says what each mark is."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.diagram.examples import FOLDER, PICTURES
from twisted_lab.events import CATALOGUE


class DiagramPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = (FOLDER.parent / "diagram.md").read_text("utf-8")

    def test_pictures(self) -> None:
        """Its pictures are drawn by the code as it is: python -m tests.diagram.examples."""
        self.assertEqual(set(re.findall(r"\(images/([^)]*)\)", self.page)), set(PICTURES))
        for name, picture in PICTURES.items():
            self.assertEqual((FOLDER / name).read_text("utf-8"), picture)

    def test_marks(self) -> None:
        """Each event, and a gap, has its mark in the table."""
        rows = "".join(line for line in self.page.splitlines() if line.startswith("|"))
        self.assertEqual({*CATALOGUE, "gap"} - set(re.findall(r"`([a-z-]+)`", rows)), set())

"""docs/first-mistake.md says what happens: its programs are run, watched, and drawn."""

from __future__ import annotations

import re
from textwrap import dedent

from scripts.watch_pictures import DOCS, PICTURES, run
from tests.folder import FolderTestCase


class FirstMistakeTests(FolderTestCase):
    timeout = 100

    def setUp(self) -> None:
        super().setUp()
        self.page = (DOCS / "first-mistake.md").read_text("utf-8")

    def test_wrong(self) -> None:
        """The wrong server answers half a line, and is told its mistake as the page says."""
        answers, said, picture = run("capitals_wrong.py", self.folder)
        self.assertTrue(answers.startswith("HELLO WOR\nLD\n"))
        shown = re.search(r"```\n(capitals_wrong.py:10: .*?)```", self.page, re.DOTALL)
        assert shown is not None
        self.assertEqual(said.split(), shown[1].split())
        self.assertIn("recv() returned part of a message", picture)

    def test_right(self) -> None:
        """The right one answers each line once, and is told nothing."""
        answers, said, picture = run("capitals.py", self.folder)
        self.assertEqual((answers, said), ("HELLO WORLD\nONE\nTWO\n", ""))
        self.assertNotIn("diagnosis", picture.partition("</style>")[2])

    def test_shown(self) -> None:
        """What the page shows of the programs stands in them."""
        files = [(DOCS / "watched" / name).read_text() for name in PICTURES]
        snippets = re.findall(r"```python\n(.*?)```", self.page, re.DOTALL)
        self.assertEqual(len(snippets), 2)
        for snippet, file in zip(snippets, files, strict=True):
            self.assertIn(dedent(snippet), dedent(file).replace("\n    ", "\n") + file)

    def test_pictures(self) -> None:
        """Its pictures are there, of both ends each."""
        for name in PICTURES.values():
            self.assertIn(f"(images/{name})", self.page)
            drawn = (DOCS / "images" / name).read_text()
            self.assertGreater(drawn.count('class="join bytes'), 4)

"""Wrong programs are told their mistake and its line, right ones nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.watched import FOLDER, Watched, watched_file
from twisted_lab.diagnosis import MISTAKES

WRONG = sorted((FOLDER / "wrong").glob("*.py"))
RIGHT = sorted((FOLDER / "right").glob("*.py"))

#: Programs whose mistake has another name than their file.
NAMES = {"in_time_wait": "address-in-use"}


def name_of(file: Path) -> str:
    return NAMES.get(file.stem, file.stem.replace("_", "-"))


def marked(file: Path) -> int:
    """The number of the line that is marked."""
    lines = file.read_text().splitlines()
    (number,) = (at for at, line in enumerate(lines, 1) if line.endswith("# MISTAKE"))
    return number


def run_all(files: list[Path]) -> list[tuple[Path, Watched]]:
    with ThreadPoolExecutor(4) as pool:
        return list(zip(files, pool.map(watched_file, files), strict=True))


class DiagnosisTests(SynchronousTestCase):
    timeout = 100

    def test_wrong(self) -> None:
        """Each is told the one mistake that it has, at its line."""
        for file, seen in run_all(WRONG):
            found = [(one.mistake.name, one.place) for one in seen.findings]
            self.assertEqual(found, [(name_of(file), (str(file), marked(file)))], seen.ended.err)
            self.assertIn(MISTAKES[name_of(file)].title, seen.ended.err)

    def test_right(self) -> None:
        """None is told anything."""
        for file, seen in run_all(RIGHT):
            self.assertEqual((file.name, seen.ended.status, seen.ended.err), (file.name, 0, ""))
            self.assertEqual((file.name, seen.findings), (file.name, []))
            self.assertGreater(len(seen.events), 3, file.name)

    def test_all(self) -> None:
        """There is a wrong program for each mistake, and there are enough right ones."""
        self.assertEqual({name_of(file) for file in WRONG}, set(MISTAKES))
        self.assertGreater(len(RIGHT), 20)

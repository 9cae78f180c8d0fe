"""The report, the notebook and the terminal: all is said, and nothing acts."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.study.outcomes import outcome
from twisted_lab.study.experiment import Observation
from twisted_lab.study.notebook import notebook
from twisted_lab.study.report import page
from twisted_lab.study.telling import told

_PARTS = ("Aim", "What is asked", "What happened", "Observations", "Result", "Try it yourself")


class ReportTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """Every part is there, with both programs, the same in Twisted, and each call in words."""
        made = page([outcome()], "today")
        for part in _PARTS:
            self.assertIn(f"<h3>{part}</h3>", made)
        for said in ("server.py", "client.py", "The same in Twisted", "client.py:6", "connect()"):
            self.assertIn(said, made)

    def test_safe(self) -> None:
        """What a program printed acts nowhere, and no address is outside."""
        made = page([outcome(), outcome()], "today")
        for one in ("<script", "\x1b", "\u202e"):
            self.assertNotIn(one, made)
        self.assertEqual(re.findall(r"(?:src|href)=\"(?!#)", made), [])

    def test_not_shown(self) -> None:
        """An observation that does not hold is marked, and the result says so."""
        made = page([outcome(Observation(True, "yes"), Observation(False, "no"))], "today")
        self.assertIn("not as was to be shown</span> <bdi>no", made)
        self.assertIn("1 of 2 observations are not what was to be shown", made)

    def test_shown(self) -> None:
        """Where all hold the result is the experiment's."""
        one = outcome(Observation(True, "yes"))
        self.assertEqual(one.result, one.experiment.result)
        self.assertNotIn('class="mark fails"', page([one], "today"))


class NotebookTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """Every part, the programs as they are, and pictures in files that are named."""
        text, pictures = notebook([outcome()], "today", "lab.md")
        for part in _PARTS:
            self.assertIn(f"### {part}", text)
        self.assertIn("```python\n", text)
        self.assertEqual(list(pictures), ["lab-stream-life-1.svg"])
        self.assertIn("(lab-stream-life-1.svg)", text)
        self.assertIn("<style>", pictures["lab-stream-life-1.svg"])

    def test_safe(self) -> None:
        """What was printed is no markup, and stays in its fence."""
        text, _ = notebook([outcome()], "today", "lab.md")
        prose = re.sub(r"```.*?\n```\n", "", text, flags=re.DOTALL)
        self.assertNotIn("<script", prose.replace("\\<", ""))
        self.assertNotIn("\x1b", text)


class TellingTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """A terminal gets all but the pictures."""
        text = "\n".join(told(outcome()))
        for part in _PARTS:
            self.assertIn(part, text)
        self.assertIn("client.py:6", text)
        self.assertIn("NOT so not", text)
        self.assertNotIn("\x1b", text)

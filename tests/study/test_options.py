"""What `socketlab study` takes."""

from __future__ import annotations

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.study.options import StudyOptions


class StudyOptionsTests(SynchronousTestCase):
    def test_right(self) -> None:
        """Names, all, a list, or one exercise."""
        for words in (["1", "2"], ["--all"], ["--list"], ["framing", "--grade", "x.py"]):
            StudyOptions().parseOptions(words)

    def test_wrong(self) -> None:
        """One sentence that names the value."""
        for words, said in (
            ([], "expected the name of an experiment"),
            (["--all", "framing"], "'framing' is one of --all"),
            (["framing", "--reactor", "poll"], "--reactor 'poll': expected epoll or lean"),
            (["--all", "--grade", "x.py"], "--grade is for one experiment's exercise"),
            (["1", "2", "--many", "x"], "--many is for one experiment's exercise"),
            (["1", "--many", "x", "--grade", "y"], "not both"),
            (["1", "--grade", "y", "--markdown", "z"], "--markdown"),
        ):
            with self.assertRaises(UsageError) as caught:
                StudyOptions().parseOptions(words)
            self.assertIn(said, str(caught.exception))

"""For every bug there is a mend in every framework, cut from a whole server."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.mends import FRAMEWORKS, mend_of, servers

_MARK = re.compile(r"^\s*# \[(/?)([a-z-]+)\]$", re.MULTILINE)


class MendTests(SynchronousTestCase):
    def test_every_bug(self) -> None:
        """Each bug has a mend in each framework: some lines, and no mark of ours among them."""
        for bug in BUGS:
            for framework in FRAMEWORKS:
                mend = mend_of(bug, framework)
                assert mend is not None, (bug, framework)
                head, *lines = mend.splitlines()
                self.assertRegex(head, f"^# {framework}/[a-z_]+[.]py$")
                code = [line for line in lines if line.strip() and line.strip()[0] != "#"]
                self.assertGreater(len(code), 0, (bug, framework))
                self.assertLess(len(lines), 40, (bug, framework))
                self.assertNotRegex(mend, _MARK)
                self.assertTrue(any(line and line[0] != " " for line in lines), (bug, framework))

    def test_marks(self) -> None:
        """Each mark names a bug, is opened once before it is closed, and is closed."""
        for framework in FRAMEWORKS:
            for file in servers(framework):
                opened: set[str] = set()
                for closes, bug in _MARK.findall(file.read_text("utf-8")):
                    self.assertIn(bug, BUGS, file.name)
                    self.assertEqual(bug in opened, bool(closes), (file.name, bug))
                    opened ^= {bug}
                self.assertEqual(opened, set(), file.name)

    def test_none(self) -> None:
        """What is no bug has no mend."""
        self.assertIs(mend_of("nope", "plain"), None)

"""For every bug there is a mend in every framework, cut from a whole server."""

from __future__ import annotations

import ast
import re
import sys

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.mends import FRAMEWORKS, cut_from, mend_of, servers

#: What begins a place: the name of a server, or the sign between two of its places.
_PLACES = re.compile(r"^# (?:[a-z]+/[a-z_]+[.]py|…)\n+", re.MULTILINE)

#: What a server may import: its framework, and the standard library.
_ALLOWED = {
    "twisted": {"twisted", "zope", *sys.stdlib_module_names} - {"asyncio"},
    "asyncio": set(sys.stdlib_module_names),
    "plain": set(sys.stdlib_module_names) - {"asyncio"},
}

_MARK = re.compile(r"^\s*# \[(/?)([a-z-]+)\]$", re.MULTILINE)


class MendTests(SynchronousTestCase):
    def test_every_bug(self) -> None:
        """Each bug has a mend in each framework: some lines, and no mark of ours among them."""
        for bug in BUGS:
            for framework in FRAMEWORKS:
                mend = mend_of(bug, framework)
                assert mend is not None, (bug, framework)
                self.assertRegex(mend, f"^# {framework}/[a-z_]+[.]py\n")
                self.assertNotRegex(mend, _MARK)
                for place in _PLACES.split(mend)[1:]:
                    self.assert_stands_alone(place, (bug, framework))

    def assert_stands_alone(self, place: str, which: object) -> None:
        """Few lines, code among them; indented as they are by themselves; some place says why."""
        lines = [line for line in place.splitlines() if line]
        self.assertIn(len(lines), range(2, 29), which)
        self.assertFalse(lines[0].startswith(" "), (which, lines[0]))
        self.assertTrue(any(line.strip()[0] != "#" for line in lines), which)
        self.assertNotIn("\n\n\n", place, which)

    def test_why(self) -> None:
        """Each mend has a comment, or a docstring, that says why it is so."""
        for bug in BUGS:
            for framework in FRAMEWORKS:
                for file in servers(framework):
                    cut = cut_from(file.read_text("utf-8"), bug)
                    said = re.search(r"# [A-Za-z]|\"\"\"", cut.replace("# …", ""))
                    self.assertTrue(said or not cut, (bug, framework, file.name))

    def test_own(self) -> None:
        """No server has anything of this package in it, and each says at its head what it is."""
        for framework in FRAMEWORKS:
            for file in servers(framework):
                tree = ast.parse(file.read_text("utf-8"))
                self.assertIn(f"python {file.name} PORT", ast.get_docstring(tree) or "")
                self.assertEqual(_imported(tree) - _ALLOWED[framework], set(), file.name)

    def test_same_in_each(self) -> None:
        """A student finds the same servers in each framework."""
        names = {tuple(file.name for file in servers(framework)) for framework in FRAMEWORKS}
        self.assertEqual(len(names), 1, names)
        self.assertEqual(len(*names), 5, names)

    def test_cut(self) -> None:
        """Marks may nest and overlap; each place is shown by itself, without them."""
        text = "a\n  # [x]\n  # [y]\n  b\n  # [/x]\n  c\n  # [/y]\n# [x]\n\nd\n# [/x]\n"
        self.assertEqual(cut_from(text, "x"), "b\n\n# …\n\nd\n")
        self.assertEqual(cut_from(text, "y"), "b\nc\n")
        self.assertEqual(cut_from(text, "z"), "")

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


def _imported(tree: ast.Module) -> set[str]:
    """The packages that *tree* imports, by their first names."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names

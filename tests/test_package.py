"""The wiring of the package: what is imported when, what is documented, where the plugin lies."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import twisted_lab
from tests.programs import run

PACKAGE = Path(twisted_lab.__file__).parent

#: What else there is than Python, by folder.
SUFFIXES = {
    "static": (".html", ".css", ".js", ".svg"),
    "diagram": (".py", ".css"),
    "conformance": (".py", ".css"),
    "examples": (".toml",),
    "study": (".py", ".css"),
    "twisted_lab": (".py", ".css"),
}
#: Programs that are run as they stand, and are no modules: the servers that mends are cut from.
PROGRAMS = PACKAGE / "conformance" / "servers"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if PROGRAMS not in path.parents)
ROOT = PACKAGE.parent
PLUGIN = ROOT / "twisted" / "plugins" / "socketlab_plugin.py"

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "twisted_lab.")
    if not module.name.endswith("__main__")
)

#: Prints which of the modules named as arguments install a reactor when they are imported.
_IMPORTS = """
import importlib, importlib.util, sys
for name in sys.argv[1:]:
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location("plugin", name)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    else:
        importlib.import_module(name)
    if "twisted.internet.reactor" in sys.modules:
        print(name)
        break
"""


class ImportTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Every module there is can be imported."""
        self.assertGreater(len(MODULES), 40)
        for name in MODULES:
            importlib.import_module(name)

    def test_no_reactor(self) -> None:
        """Importing any of them, the plugin's file included, installs no reactor: ``--reactor``
        and trial still have the choice."""
        modules = ["twisted_lab", "twisted_lab.tap", str(PLUGIN), "twisted_lab.cli", *MODULES]
        done = run(sys.executable, "-c", _IMPORTS, *modules, cwd=str(ROOT))
        self.assertEqual(done, (0, "", ""))

    def test_plugin_is_strings(self) -> None:
        """The plugin's file imports nothing of ours: listing plugins costs nothing."""
        code = (
            "import runpy, sys; runpy.run_path(sys.argv[1]); "
            "print([name for name in sys.modules if name.startswith('twisted_lab')])"
        )
        done = run(sys.executable, "-c", code, str(PLUGIN), cwd=str(ROOT))
        self.assertEqual(done, (0, "[]\n", ""))

    def test_no_module_level_reactor(self) -> None:
        """No module imports the reactor at its top level, also where no import finds it."""
        for path in FILES:
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ImportFrom) and node.module == "twisted.internet":
                    names = [alias.name for alias in node.names]
                    self.assertNotIn("reactor", names, path)


class LayoutTests(SynchronousTestCase):
    def test_no_init(self) -> None:
        """``twisted/`` and ``twisted/plugins/`` have no __init__.py, which would hide Twisted."""
        for folder in (PLUGIN.parent, PLUGIN.parent.parent):
            self.assertFalse((folder / "__init__.py").exists(), folder)
        self.assertEqual([path.name for path in PLUGIN.parent.glob("*.py")], [PLUGIN.name])

    def test_packages(self) -> None:
        """Every folder of ours is a package, but that which goes into a program's path."""
        for folder in {path.parent for path in FILES if path.parent.name != "hook"}:
            self.assertTrue((folder / "__init__.py").exists(), folder)

    def test_nothing_stray(self) -> None:
        """The package holds Python and the page's files: no copy of an editor, no leftover."""
        files = (path for path in PACKAGE.rglob("*") if path.is_file())
        strays = [
            path.name
            for path in files
            if path.suffix not in SUFFIXES.get(path.parent.name, (".py",))
            and path.name != "py.typed"
            and "__pycache__" not in path.parts
        ]
        self.assertEqual(strays, [])

    def test_version(self) -> None:
        """The version is three numbers."""
        self.assertRegex(twisted_lab.__version__, r"^\d+\.\d+\.\d+$")

    def test_picture(self) -> None:
        """The picture of the package names no module that there is not."""
        picture = (twisted_lab.__doc__ or "").partition("::")[2].partition("A stream passes")[0]
        for name in re.findall(r"\b(\w+)\.py\b", picture):
            self.assertTrue((PACKAGE / f"{name}.py").exists(), name)
        for name in re.findall(r"\b(\w+)/", picture):
            self.assertTrue((PACKAGE / name).is_dir(), name)


class DocumentedTests(SynchronousTestCase):
    def public(self) -> list[tuple[str, ast.AST]]:
        """Every module, and every public class, function and method, by its dotted name."""
        found: list[tuple[str, ast.AST]] = []
        for path in FILES:
            tree = ast.parse(path.read_text())
            name = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
            found.append((name, tree))
            self.walk(name, tree, found)
        return found

    def walk(self, name: str, tree: ast.AST, found: list[tuple[str, ast.AST]]) -> None:
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.startswith("_"):
                    continue
                found.append((f"{name}.{node.name}", node))
                if isinstance(node, ast.ClassDef):
                    self.walk(f"{name}.{node.name}", node, found)

    def test_docstrings(self) -> None:
        """Every module, class, function and method that is public says what it does; a seam says
        it once for all its members."""
        missing = [
            name
            for name, node in self.public()
            if not (ast.get_docstring(node) or "").strip()  # type: ignore[arg-type]
            and not re.match(r"twisted_lab\.interfaces\.\w+\.\w+", name)
        ]
        self.assertEqual(missing, [])

    def test_sentences(self) -> None:
        """What a module or a class says begins with a sentence, on one line, that ends."""
        for name, node in self.public():
            if isinstance(node, ast.Module | ast.ClassDef):
                first = (ast.get_docstring(node) or "").partition("\n\n")[0]
                self.assertRegex(first.rstrip(), r"[.:)]$", name)

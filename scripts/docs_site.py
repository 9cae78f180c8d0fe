"""Builds the site of the docs in build/site; a warning, or an address outside, is an error. ::

    python -m scripts.docs_site

The pages link to each other, and to examples, by where they are in the repository; so that is what
is built: its pages, and the files that they link to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_STAGED, _SITE = ROOT / "build" / "docs", ROOT / "build" / "site"

_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benchmarks/README.md")

#: Whatever a page would load, or lead to, elsewhere; an SVG's namespace and a licence are none.
_OUTSIDE = re.compile(
    r"""(?:src|href|action)=["']?((?:https?:)?//[^"'\s>]+)|url\(["']?((?:https?:)?//[^"')]+)"""
)


def main() -> None:
    """Stage, build, and look at what was built."""
    stage()
    words = (sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--clean")
    # it warns of its own next version, whatever is built
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(words, cwd=ROOT, check=True, env=environment)
    outside = sorted(set(addresses_outside()))
    if outside:
        raise SystemExit("addresses outside:\n" + "\n".join(outside))
    print(f"{len(list(_SITE.rglob('*.html')))} pages in {_SITE.relative_to(ROOT)}")


def stage() -> None:
    """Gather the pages, and what they link to."""
    shutil.rmtree(_STAGED, ignore_errors=True)
    for name in (*_PAGES, *_docs()):
        _copy(ROOT / name)
        if name.endswith(".md"):
            for linked in _links(ROOT / name):
                _copy(linked)


def _docs() -> Iterator[str]:
    for path in (ROOT / "docs").rglob("*"):
        if path.is_file():
            yield str(path.relative_to(ROOT))


def _links(page: Path) -> Iterator[Path]:
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        path = (page.parent / target).resolve()
        if path.is_relative_to(ROOT) and path.is_file():
            yield path


def _copy(path: Path) -> None:
    there = _STAGED / path.relative_to(ROOT)
    there.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, there)


def addresses_outside() -> Iterator[str]:
    """Each address that a built page has which is not of the site."""
    for path in _SITE.rglob("*"):
        if path.suffix in (".html", ".css"):
            for found in _OUTSIDE.findall(path.read_text(errors="replace")):
                yield f"{path.relative_to(_SITE)}: {found[0] or found[1]}"


if __name__ == "__main__":
    main()

"""Writes docs/field-report.md: real servers, each checked whole, case by case. ::

    python -m scripts.field_report [NAME…]

Some want root, for a network of their own where the well-known ports are free. With names only
the servers called so are checked, and the report goes to stdout. Takes a quarter of an hour.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import SkipTest

import twisted
from tests.integration.field import SUBJECTS, Subject, checked

PAGE = Path(__file__).parents[1] / "docs" / "field-report.md"

#: The same random bytes each time.
SEED = "1"

HEAD = """\
# Real servers under the checker

What `socketlab check` said of servers that we did not write, or that are written as textbooks and
documentations have them. This page is made by `python -m scripts.field_report`; the programs come
from `scripts/install-test-programs`, the textbook servers are in `tests/field/`.
`tests/integration/test_prey.py` holds what is known to deviate. The cases: [cases.md](cases.md).

A failure is not a verdict on a program: much of this was never meant for such clients. No server
was given an option that mends it, but where its name says so. Two were checked at a time, on a
machine that did nothing else.
"""

Said = dict[str, Any]


def main() -> int:
    """Check them, write; 1 when one could not be checked."""
    wanted = sys.argv[1:]
    subjects = [one for one in SUBJECTS.values() if not wanted or one.name in wanted]
    with ThreadPoolExecutor(2) as pool:
        table = dict(zip(subjects, pool.map(_checked, subjects), strict=True))
    text = "\n".join(page(table)) + "\n"
    if wanted:
        print(text, end="")
    else:
        PAGE.write_text(text)
    return 1 if any(said["wrong"] for said in table.values()) else 0


def _checked(subject: Subject) -> Said:
    try:
        said = checked(subject, "--seed", SEED)
    except (SkipTest, AssertionError) as why:
        said = {"wrong": f"not checked: {why}", "cases": [], "seconds": 0.0}
    failed = [case["id"] for case in said["cases"] if case["verdict"] == "failed"]
    print(
        f"{subject.key}: {said['wrong'] or ' '.join(failed) or 'nothing failed'}", file=sys.stderr
    )
    return said


def page(table: dict[Subject, Said]) -> Iterator[str]:
    """The page's lines."""
    yield HEAD
    day = datetime.now(UTC).date().isoformat()
    system = f"{platform.system()} {platform.release()}, {_distribution()}"
    yield f"- date: {day}\n- system: {system}\n- seed: {SEED}\n"
    yield "## The servers\n"
    yield "| server | version | started by |\n|---|---|---|"
    for name in dict.fromkeys(subject.name for subject in table):
        one = next(subject for subject in table if subject.name == name)
        yield f"| {name} | {_version(name)} | {_started_by(one)} |"
    yield "\n## Case by case"
    for profile, form in dict.fromkeys((one.profile, one.form) for one in table):
        column = {
            one: said for one, said in table.items() if (one.profile, one.form) == (profile, form)
        }
        yield from _matrix(f"{profile} over {form.upper()}", column)


def _matrix(title: str, column: dict[Subject, Said]) -> Iterator[str]:
    """A row for each case, a column for each server; then the failures in words."""
    yield f"\n### {title}\n"
    titles = {case["id"]: case["title"] for said in column.values() for case in said["cases"]}
    yield "| case | " + " | ".join(one.name for one in column) + " |"
    yield "|---|" + "---|" * len(column)
    for case, text in titles.items():
        cells = " | ".join(_cell(said, case) for said in column.values())
        yield f"| {case} {text} | {cells} |"
    yield ""
    for one, said in column.items():
        if said["wrong"]:
            yield f"- **{one.name}**: {said['wrong']}"
        for case in said["cases"]:
            if case["verdict"] == "failed":
                yield f"- **{one.name}**, {case['id']}: {case['bug']}: {_text(case['reason'])}"


def _cell(said: Said, case: str) -> str:
    for one in said["cases"]:
        if one["id"] == case:
            verdict = str(one["verdict"])
            return f"**{verdict}**" if verdict == "failed" else verdict
    return "-"


def _text(reason: str) -> str:
    return re.sub(r"([|<>*_`\\])", r"\\\1", reason)


def _started_by(subject: Subject) -> str:
    if not subject.words:
        return "its own services, on their well-known ports"
    words = re.sub(r"^.*-n --pidfile= ", "twistd -n ", subject.words)
    return f"`{words}`"


def _version(name: str) -> str:
    program, *rest = next(words for start, words in _VERSIONS.items() if name.startswith(start))
    if program in ("Twisted", "Python"):
        return {
            "Twisted": f"Twisted {twisted.__version__}",
            "Python": f"Python {platform.python_version()}",
        }[program]
    found = shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        return "not on this machine"
    done = subprocess.run([found, *rest], capture_output=True, text=True, check=False)
    numbers = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return numbers[0] if numbers else "unknown"


#: How a name begins, and what tells the version.
_VERSIONS = {
    "GNU inetd": ("inetutils-inetd", "--version"),
    "xinetd": ("xinetd", "-version"),
    "Twisted": ("Twisted",),
    "twistd": ("Twisted",),
    "socat": ("socat", "-V"),
    "ncat": ("ncat", "--version"),
    "asyncio": ("Python",),
    "socketserver": ("Python",),
    "C,": ("gcc", "--version"),
    "Go": ("go", "version"),
}


def _distribution() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")


if __name__ == "__main__":
    sys.exit(main())

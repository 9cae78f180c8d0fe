"""Writes docs/cases.md from the catalogue: every case, and every bug by its name. ::

python -m scripts.cases_page
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from twisted_lab.conformance import cases
from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.case import Case
from twisted_lab.conformance.profiles import PROFILES

PAGE = Path(__file__).parents[1] / "docs" / "cases.md"

#: The letters of the ids, and the module whose first line says what they try.
GROUPS = {
    "S": cases.segments,
    "H": cases.half_close,
    "C": cases.closing,
    "N": cases.crowd,
    "L": cases.lines,
    "R": cases.small,
    "U": cases.datagrams,
    "T": cases.tls,
    "B": cases.garbage,
    "P": cases.processes,
}

HEAD = """\
# The cases

What `socketlab check` does to a server, what it requires, and who says so. This page is made from
the catalogue by `python -m scripts.cases_page`; `socketlab check PROFILE --list` shows the cases
for one profile. How to use it: [check.md](check.md).

A failure is *grave* when data is lost, others are cut off, or the server can be misused against
third parties; *serious* when some clients do not work, or one costs the others dear; *slight* when
it is a letter of a standard, or an unkindness to people.
"""


def page() -> str:
    """The page."""
    parts = [HEAD, *(_group(letter) for letter in GROUPS), "\n".join(_bugs())]
    return "\n".join(parts)


def _group(letter: str) -> str:
    found = [case for case in cases.catalogue() if case.id[0] == letter]
    head = (GROUPS[letter].__doc__ or "").splitlines()[0]
    return f"## {letter}: {head}\n\n" + "\n".join(map(_case, found))


def _case(case: Case) -> str:
    needs = f" Needs {' and '.join(case.needs)}." if case.needs else ""
    return (
        f"### {case.id} {case.title}\n\n"
        f"{case.does}\n\n"
        f"*Required:* {case.requires}\n\n"
        f"For {_whom(case)}.{needs} A failure is {case.severity}; its name is mostly"
        f" [{BUGS[case.bug].name}](#{case.bug}). Source: {case.source}.\n"
    )


def _whom(case: Case) -> str:
    if case.profiles:
        return (
            f"the profiles {', '.join(sorted(case.profiles))}"
            if len(case.profiles) > 1
            else (f"the profile {min(case.profiles)}")
        )
    traits = ", ".join(sorted(trait.value for trait in case.of))
    unless = "; not where " + " or ".join(sorted(case.unless)) if case.unless else ""
    return f"what is {traits}{unless}" if case.of else f"every server{unless}"


def _bugs() -> Iterator[str]:
    yield "## The bugs by name\n"
    yield "`socketlab check --explain NAME` shows the mends in Twisted, asyncio and plain Python.\n"
    for bug in BUGS.values():
        yield f'### <a id="{bug.key}"></a>{bug.name}\n\n`{bug.key}`. {bug.cause}\n'


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"{len(cases.catalogue())} cases, {len(BUGS)} bugs, {len(PROFILES)} profiles: {PAGE}")
    sys.exit(0)

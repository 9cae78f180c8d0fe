"""Each wrong server is found out by the case that names its bug."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from tests.integration.pem import write_pem
from tests.mutants import MUTANTS, Mutant
from twisted_lab.conformance import Report, check
from twisted_lab.conformance.cases import catalogue
from twisted_lab.conformance.verdicts import Verdict

FOLDER = Path(__file__).parents[1] / "mutants"

#: Cases that no mutant is killed by, and why.
NONE = {
    "C04": "what only comes and goes kills what a reset kills, too: C01",
    "C05": "the same at the other end: C01, H01",
    "C07": "who cuts off those that are there: dies_on_reset would, but C01 is before it",
    "H07": "an RST after a whole reply is not strict, and no failure",
    "L03": "says what becomes of a CR alone, and judges nothing",
    "N04": "who serves one after the other is N01's",
    "N10": "what no case showed by itself",
    "P03": "not to end on SIGTERM is not strict, and no failure",
    "R05": "to go on after FIN is not strict, and no failure",
    "R07": "an RST after a whole reply is not strict, and no failure",
    "T02": "who does not close on garbage is T03's",
    "T05": "who does not see FIN is H03's",
    "U01": "what U02 to U08 are about, asked first",
    "U05": "says how many of a burst were answered, and judges nothing else",
    "U09": "on loopback to answer more than came is not strict, and no failure",
}


class MutantTests(FolderTestCase):
    timeout = 110

    def test_each_is_killed(self) -> None:
        """The case fails, and calls the bug by its name."""
        pem = write_pem(self.folder)
        with ThreadPoolExecutor(10) as pool:
            reports = pool.map(partial(_checked, pem=pem), MUTANTS)
            for mutant, report in zip(MUTANTS, reports, strict=True):
                said = [(one.finding.verdict, one.bug) for one in report.results]
                wanted = [(Verdict.FAILED, mutant.bug)]
                self.assertEqual(said, wanted, (mutant, report.complaint()))


def _checked(mutant: Mutant, pem: dict[str, str]) -> Report:
    """At a third of the patience; where the machine was too late for that, at all of it."""
    options = dict(mutant.options)
    words = options.pop("arguments", "").format(**pem)
    run = partial(
        check,
        mutant.profile.format(folder=FOLDER),
        spawn=f"{sys.executable} {FOLDER / mutant.name}.py {{port}} {words}",
        only=mutant.case,
        **options,
    )
    report = run(slow=0.3)
    if any(one.finding.verdict is Verdict.COULD_NOT_TELL for one in report.results):
        return run()
    return report


class CatalogueTests(SynchronousTestCase):
    def test_every_case_kills(self) -> None:
        """Each case is the one that kills a mutant, or it is said why none is."""
        killers = {mutant.case for mutant in MUTANTS}
        self.assertEqual({case.id for case in catalogue()} - killers, set(NONE))

    def test_every_mutant_is_used(self) -> None:
        """Each file is in the table, and there are enough of them."""
        files = {file.stem for file in FOLDER.glob("*.py")} - {"__init__", "base"}
        self.assertEqual({mutant.name for mutant in MUTANTS}, files)
        self.assertGreater(len(files), 50)

    def test_root(self) -> None:
        """The forged ones are tried: the tests run as root, or say that they do not."""
        forged = {mutant.case for mutant in MUTANTS} & {"U10", "U12"}
        self.assertEqual(len(forged), 2)
        self.assertEqual(os.geteuid(), 0, "U10 and U12 need root")

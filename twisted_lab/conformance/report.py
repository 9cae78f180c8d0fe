"""What came of checking one server: its results, and what a person asks of them first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.conformance.wirelog import lines
from twisted_lab.diagnosis import Finding
from twisted_lab.errors import SocketlabError

#: The verdicts, the worst first: of several runs the worst stands.
WORST = (
    Verdict.FAILED,
    Verdict.COULD_NOT_TELL,
    Verdict.NON_STRICT,
    Verdict.NO_LIMIT,
    Verdict.INFO,
    Verdict.OK,
    Verdict.SKIPPED,
)


#: Lines shown of the wire, of its beginning and of its end; and of what a server wrote.
_ENDS, _WROTE = 6, 12


class CheckFailed(SocketlabError, AssertionError):
    """Cases failed; it says which, and why."""


@dataclass(frozen=True, slots=True)
class Report:
    """The *results* for the server *name*, checked as *profile*, in the catalogue's order.

    *seconds* is how long it took. *said* are the last lines of a server that we started.
    *wrong* says why there are no results, for a server that could not be reached. *diagnoses* are
    the mistakes of a server that was watched.
    """

    name: str
    profile: str
    results: Sequence[Result] = ()
    seconds: float = 0.0
    seed: int = 0
    said: Sequence[str] = ()
    wrong: str = ""
    diagnoses: Sequence[Finding] = ()

    @property
    def failed(self) -> list[Result]:
        """The accusations."""
        return [result for result in self.results if result.failed]

    @property
    def well(self) -> bool:
        """Nothing failed, and the server was there."""
        return not self.failed and not self.wrong

    def count(self) -> dict[Verdict, int]:
        """How many cases came to each verdict, of those that there were."""
        counts = Counter(result.finding.verdict for result in self.results)
        order = (Verdict.OK, *WORST)
        return {verdict: counts[verdict] for verdict in dict.fromkeys(order) if counts[verdict]}

    @property
    def counts(self) -> str:
        """The same in words: ``35 ok, 1 failed``."""
        return ", ".join(f"{many} {verdict}" for verdict, many in self.count().items())

    def raise_if_failed(self) -> None:
        """Raise :class:`CheckFailed` with what :meth:`complaint` says, if anything."""
        if not self.well:
            raise CheckFailed(self.complaint())

    def complaint(self) -> str:
        """What is wrong: a sentence for each case that failed, and what went over the wire."""
        if self.wrong:
            said = [self.wrong]
        else:
            said = [line for result in self.failed for line in _told(result)]
        if self.said:
            said += ["what the server wrote last:", *(f"  {line}" for line in self.said[-_WROTE:])]
        return "\n".join(said)


def _told(result: Result) -> list[str]:
    said = [line for one in result.conversations[-1:] for line in lines(one)]
    if len(said) > 2 * _ENDS:
        said = [*said[:_ENDS], f"{'':>9}  …", *said[-_ENDS:]]
    return [sentence(result), *(f"  {line}" for line in said)]


def sentence(result: Result) -> str:
    """*result* on one line: ``H01 failed: replies lost …: try 1 of 20: FIN came after 0 bytes``."""
    return f"{result.case.id} {result.finding.verdict}: {accusation(result)}"


def accusation(result: Result) -> str:
    """What came of it in words, after the name of the bug, if there is one."""
    bug = f"{BUGS[result.bug].name}: " if result.bug else ""
    return bug + result.finding.reason


def merged(runs: Sequence[Report]) -> Report:
    """Several runs against one server as one: of each case the worst result, and how often it was.

    The runs are of the same cases.
    """
    if len(runs) == 1 or any(run.wrong for run in runs):
        return next((run for run in runs if run.wrong), runs[0])
    results = [_worst(results) for results in zip(*(run.results for run in runs), strict=True)]
    return replace(runs[-1], results=results, seconds=sum(run.seconds for run in runs))


def _worst(results: Sequence[Result]) -> Result:
    worst = min(results, key=lambda result: WORST.index(result.finding.verdict))
    verdict = worst.finding.verdict
    times = sum(result.finding.verdict is verdict for result in results)
    if times == len(results):
        return worst
    said = f"{times} of {len(results)} runs: {worst.finding.reason}"
    return replace(worst, finding=replace(worst.finding, reason=said))

"""The check as a person sees it: a table that grows, how far it is, what is wrong in the end."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.case import Case
from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.profiles import Profile
from twisted_lab.conformance.report import Report, accusation
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.conformance.wirelog import lines
from twisted_lab.explaining import counted

_STYLES = {
    Verdict.OK: "green",
    Verdict.FAILED: "bold red",
    Verdict.COULD_NOT_TELL: "yellow",
    Verdict.NON_STRICT: "yellow",
    Verdict.SKIPPED: "dim",
}

#: Lines of the wire shown for a failure: its first and its last.
_FIRST, _LAST = 6, 6

#: Lines shown of what a server wrote.
_WROTE = 12


class Board:
    """Shows on *console* what :func:`~twisted_lab.conformance.checking.examine` tells.

    Use as a context manager. *quiet* shows failures and the sum alone, *wire* every case's wire.
    """

    def __init__(self, console: Console, *, quiet: bool = False, wire: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._wire = wire
        self._progress = Progress(
            TextColumn("{task.completed} of {task.total}"),
            BarColumn(30),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> Board:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def head(self, text: str) -> None:
        """Say which server comes now."""
        self._print(Text(text, "bold"))

    def begin(self, number: int) -> None:
        """*number* results will come."""
        self._progress.reset(self._task, total=number, visible=True)

    def tell(self, result: Result) -> None:
        """One came."""
        self._progress.advance(self._task)
        if self._quiet:
            return
        finding = result.finding
        row = _grid(4, 14, None)
        row.add_row(
            result.case.id,
            Text(finding.verdict, _STYLES.get(finding.verdict, "")),
            Text(f"{result.case.title}: {accusation(result)}"),
        )
        self._print(row)
        if self._wire:
            self._print_lines(_log(result, 10**6))

    def end(self, report: Report) -> None:
        """All of *report*'s came: what is wrong, and the sum."""
        self._progress.update(self._task, visible=False)
        for result in report.failed:
            self._failure(result)
        if report.said and (report.failed or report.wrong):
            self._print(Text("\nWhat the server wrote last:", "bold"))
            self._print_lines(_indented(report.said[-_WROTE:]))
        if report.wrong:
            self._print(Text(report.wrong, "bold red"))
            return
        if report.diagnoses:
            self._print(Text("\nWhat watching it found:", "bold"))
        for finding in report.diagnoses:
            self._print(Text("\n".join(("", *finding.told()))))
        said = f"{report.name}: {report.counts}; {report.seconds:.1f} s, seed {report.seed}"
        self._print(Text(f"{'' if self._quiet else chr(10)}{said}", "bold"))

    def _failure(self, result: Result) -> None:
        case, bug = result.case, BUGS[result.bug]
        self._print(Text(f"\n{case.id} {case.title}: {bug.name}", "bold red"))
        grid = _grid(9, None)
        grid.add_row("", Text(f"{result.finding.reason}."))
        for term, said in (
            ("done", case.does),
            ("required", f"{case.requires} ({case.source})"),
            ("cause", bug.cause),
            ("mend", f"socketlab check --explain {bug.key}"),
        ):
            grid.add_row(Text(term, "dim"), Text(said))
        self._print(grid)
        if not self._wire:
            self._print_lines(_log(result, _FIRST + _LAST))

    def matrix(self, reports: Sequence[Report]) -> None:
        """Several servers, case by case: where not all is well, and the sum of each."""
        table = Table("case", *(report.name for report in reports))
        found = [{result.case.id: result for result in report.results} for report in reports]
        cases = {result.case.id: result.case for report in reports for result in report.results}
        for id, case in sorted(cases.items()):
            verdicts = [results[id].finding.verdict if id in results else None for results in found]
            if any(verdict not in (None, Verdict.OK, Verdict.SKIPPED) for verdict in verdicts):
                cells = (
                    Text(verdict or "", _STYLES.get(verdict, "") if verdict else "")
                    for verdict in verdicts
                )
                table.add_row(f"{id} {case.title}", *cells)
        sums = (str(len(report.failed)) if not report.wrong else "not there" for report in reports)
        table.add_row("failed", *sums)
        self._print(table)

    def _print(self, what: Text | Table) -> None:
        self._progress.console.print(what)

    def _print_lines(self, text: Text) -> None:
        """Cut where the terminal ends: the rest of a payload is of no use."""
        self._progress.console.print(text, no_wrap=True, overflow="ellipsis")


def show_cases(console: Console, profile: Profile, cases: Sequence[Case]) -> None:
    """The cases of *profile*, and what each is for."""
    if profile.summary:
        console.print(Text(f"{profile.name}: {profile.summary}; {counted(len(cases), 'case')}"))
    for case in cases:
        row = _grid(4, 9, None)
        needs = f" Needs {', '.join(case.needs)}." if case.needs else ""
        said = f"{case.title}. {case.does} Required: {case.requires} ({case.source}){needs}"
        row.add_row(case.id, Text(case.severity), Text(said))
        console.print(row)


def _grid(*widths: int | None) -> Table:
    grid = Table.grid(padding=(0, 1), expand=False)
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    return grid


def _log(result: Result, most: int) -> Text:
    """The wire of the conversation that failed, which is the last."""
    shown: list[str] = []
    for conversation in result.conversations[-1:]:
        said = list(lines(conversation))
        if len(said) > most:
            said = [*said[:_FIRST], f"{'':>9}  …", *said[-_LAST:]]
        shown += said
    return _indented(shown)


def _indented(shown: Sequence[str]) -> Text:
    return Text("\n".join(f"  {line}" for line in shown), "dim")

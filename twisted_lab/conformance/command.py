"""The command ``socketlab check``: from its arguments to its exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from rich.console import Console

from twisted_lab.command_line import run_command
from twisted_lab.conformance.board import Board, show_cases
from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.checking import KINDS, cases_of, examine
from twisted_lab.conformance.exam import traits_of
from twisted_lab.conformance.many import Entry, read_entries
from twisted_lab.conformance.mends import FRAMEWORKS, mend_of
from twisted_lab.conformance.options import CheckOptions
from twisted_lab.conformance.profiles import PROFILES, Profile
from twisted_lab.conformance.report import Report
from twisted_lab.conformance.spawning import SPAWNED, Watcher
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.outfile import write_file

#: Letters of a line that no terminal wraps.
_LINE = 1000


def check(arguments: Sequence[str], watcher: Callable[[], Watcher]) -> int:
    """Run ``socketlab check``; *watcher* makes who looks at a server that is to be watched.

    The exit status: 0 nothing failed; 1 a case failed, or a server could not be reached; 2 wrong
    usage; 130 it was interrupted.
    """
    try:
        return run_command("check", CheckOptions(), arguments, partial(_check, watcher))
    except KeyboardInterrupt:
        print("socketlab check: interrupted", file=sys.stderr)
        return 130


def _check(watcher: Callable[[], Watcher], options: CheckOptions) -> int:
    if options["explain"] is not None:
        _explain(options["explain"])
        return 0
    if options["list"]:
        _list(options)
        return 0
    assert options.profile is not None
    with Board(_console(options), quiet=options["quiet"], wire=options["wire"]) as board:
        report = partial(_report, options, options.profile, board, watcher)
        reports = list(_reports(options, report, board))
        if options["many"] is not None:
            board.matrix(reports)
    _write(options, reports)
    return 0 if all(report.well for report in reports) else 1


def _console(options: CheckOptions) -> Console:
    """Where people read: not stdout when that carries data, or is no terminal."""
    data = "-" in (options["json"], options["junit-xml"], options["html"])
    aside = data or not sys.stdout.isatty()
    terminal = (sys.stderr if aside else sys.stdout).isatty()
    width = None if terminal else _LINE
    return Console(stderr=aside, width=width, highlight=False, markup=False)


def _reports(
    options: CheckOptions, report_of: Callable[[Entry], Report], board: Board
) -> Iterator[Report]:
    if options["many"] is None:
        yield report_of(Entry("", options.endpoint, options["spawn"]))
        return
    for entry in read_entries(options["many"]):
        board.head(f"\n{escape(entry.name)}")
        try:
            yield report_of(entry)
        except ConfigurationError as error:  # the others are checked all the same
            assert options.profile is not None
            report = Report(escape(entry.name), options.profile.name, wrong=str(error))
            board.end(report)
            yield report


def _report(
    options: CheckOptions,
    profile: Profile,
    board: Board,
    watcher: Callable[[], Watcher],
    entry: Entry,
) -> Report:
    report = examine(
        profile,
        entry.endpoint or SPAWNED,
        options.plan,
        spawn=entry.spawn,
        name=escape(entry.name) or None,
        begin=board.begin,
        tell=board.tell,
        watcher=watcher() if options["watch"] and entry.spawn is not None else None,
    )
    board.end(report)
    return report


def _write(options: CheckOptions, reports: Sequence[Report]) -> None:
    if options["json"] is not None:
        from twisted_lab.conformance.as_json import as_json

        write_file([as_json(reports).encode()], options["json"])
    if options["junit-xml"] is not None:
        from twisted_lab.conformance.as_junit import as_junit

        write_file([as_junit(reports)], options["junit-xml"])
    if options["html"] is not None:
        from twisted_lab.conformance.as_html import as_html

        write_file([as_html(reports).encode()], options["html"])


def _list(options: CheckOptions) -> None:
    console = Console(highlight=False, markup=False)
    profiles = PROFILES.values() if options.profile is None else [options.profile]
    for profile in profiles:
        traits = [traits_of(server, profile) for server in KINDS]
        show_cases(console, profile, cases_of(profile, traits, options.plan.choice))


def _explain(key: str) -> None:
    bug = BUGS[key]
    print(f"{bug.key}: {bug.name}\n\nWhat usually causes it: {bug.cause}")
    for framework, called in FRAMEWORKS.items():
        if (mend := mend_of(key, framework)) is not None:
            print(f"\nThe mend in {called}:\n\n{mend}")

"""Reports as one page of HTML that stands alone: a matrix, and each failure with its picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import resources

from twisted_lab import __version__
from twisted_lab.conformance.bugs import BUGS
from twisted_lab.conformance.case import Case
from twisted_lab.conformance.exam import Result
from twisted_lab.conformance.log import Conversation
from twisted_lab.conformance.mends import FRAMEWORKS, mend_of
from twisted_lab.conformance.report import Report
from twisted_lab.conformance.verdicts import Verdict
from twisted_lab.conformance.wirelog import lines
from twisted_lab.diagnosis import Finding
from twisted_lab.diagram import draw
from twisted_lab.escaping import escape
from twisted_lab.explaining import counted
from twisted_lab.paper import NARROW, WIDE, document, in_html, in_widths

#: What stands in a cell of the matrix: told without colour, too.
_MARKS = {
    Verdict.OK: "✓",
    Verdict.NON_STRICT: "~",
    Verdict.INFO: "i",
    Verdict.FAILED: "✗",
    Verdict.SKIPPED: "-",
    Verdict.COULD_NOT_TELL: "?",
    Verdict.NO_LIMIT: "∞",
}


def as_html(reports: Sequence[Report]) -> str:
    """The page of *reports*."""
    names = ", ".join(report.name for report in reports[:3]) + (" …" if len(reports) > 3 else "")
    title = f"socketlab check: {names}"
    body = [f"<h1>{in_html(title)}</h1>", _summary(reports), _legend()]
    if len(reports) > 1:
        body.append(_matrix(reports))
    body += [_server(number, report) for number, report in enumerate(reports)]
    sheet = (resources.files(__package__) / "report.css").read_text("utf-8")
    return document(title, "".join(body), sheet)


def _summary(reports: Sequence[Report]) -> str:
    well = sum(report.well for report in reports)
    said = f"{counted(len(reports), 'server')} checked by socketlab {__version__}: {well} without"
    return f"<p>{said} a failure.</p>\n"


def _legend() -> str:
    marks = "".join(f"<div><dt>{_mark(verdict)}</dt><dd>{verdict}</dd></div>" for verdict in _MARKS)
    return (
        "<details class='legend'><summary>How to read this</summary>"
        f"<dl>{marks}</dl><p>Only ✗ is an accusation. Time runs down in the pictures; the clock is"
        " the checker's own.</p></details>\n"
    )


def _mark(verdict: Verdict) -> str:
    kind = verdict.value.replace(" ", "-")
    return f'<span class="verdict {kind}" title="{verdict}">{_MARKS[verdict]}</span>'


def _matrix(reports: Sequence[Report]) -> str:
    cases: dict[str, Case] = {}
    for report in reports:
        cases.update((result.case.id, result.case) for result in report.results)
    heads = "".join(
        f'<th scope="col"><a href="#s{number}">{in_html(report.name)}</a></th>'
        for number, report in enumerate(reports)
    )
    by_case = [{result.case.id: result for result in report.results} for report in reports]
    rows = "".join(
        f'<tr><th scope="row">{id} {in_html(case.title)}</th>'
        + "".join(_cell(number, results.get(id)) for number, results in enumerate(by_case))
        + "</tr>\n"
        for id, case in sorted(cases.items())
    )
    return (
        '<div class="matrix"><table><thead><tr><th>case</th>'
        f"{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )


def _diagnosis(finding: Finding) -> str:
    """A mistake that was seen in the server itself."""
    where = f": {finding.where}" if finding.where else ""
    rows = (("Seen", finding.says), ("Why", finding.mistake.why), ("Mend", finding.mistake.mend))
    said = "".join(f"<dt>{term}</dt><dd>{in_html(text)}</dd>" for term, text in rows)
    return f"<h3>{in_html(finding.mistake.title + where)}</h3>\n<dl>{said}</dl>\n"


def _cell(server: int, result: Result | None) -> str:
    if result is None:
        return "<td></td>"
    mark = _mark(result.finding.verdict)
    return f'<td><a href="#s{server}-{result.case.id}">{mark}</a></td>'


def _server(number: int, report: Report) -> str:
    said = f"Profile {report.profile}, {report.seconds:.1f} s, seed {report.seed}: {report.counts}."
    rows = "".join(_row(number, result) for result in report.results)
    failures = "".join(_failure(result) for result in report.failed)
    wrong = f'<p class="wrong">{in_html(report.wrong)}</p>' if report.wrong else ""
    wrote = "\n".join(report.said)
    output = (
        f"<details><summary>What the server wrote</summary><pre>{in_html(wrote)}</pre></details>"
        if wrote
        else ""
    )
    diagnoses = "".join(map(_diagnosis, report.diagnoses))
    table = (
        '<table class="cases"><thead><tr><th></th><th>case</th><th>what came of it</th></tr>'
        f"</thead>\n<tbody>\n{rows}</tbody></table>\n"
        if rows
        else ""
    )
    return (
        f'<section id="s{number}"><h2>{in_html(report.name)}</h2>\n{wrong}'
        f"<p>{in_html(said if report.results else '')}</p>\n"
        f"{failures}{diagnoses}{table}{output}</section>\n"
    )


def _row(server: int, result: Result) -> str:
    case, finding = result.case, result.finding
    bug = f"<b>{in_html(BUGS[result.bug].name)}</b>: " if result.bug else ""
    return (
        f'<tr id="s{server}-{case.id}"><td>{_mark(finding.verdict)}</td>'
        f"<td>{case.id} {in_html(case.title)}</td>"
        f"<td>{finding.verdict}: {bug}{in_html(finding.reason)}"
        f"<details><summary>{case.severity}; {in_html(case.source)}</summary>"
        f"<p>{in_html(case.does)}</p><p>{in_html(case.requires)}</p>{_log(result)}"
        "</details></td></tr>\n"
    )


def _log(result: Result) -> str:
    return "".join(
        f"<pre>{in_html(chr(10).join(lines(conversation)))}</pre>"
        for conversation in result.conversations
    )


def _failure(result: Result) -> str:
    case, bug = result.case, BUGS[result.bug]
    pictures = "".join(map(_picture, result.conversations[-1:]))
    mends = "".join(
        f"<details><summary>The mend in {called}</summary><pre>{in_html(text)}</pre></details>"
        for framework, called in FRAMEWORKS.items()
        if (text := mend_of(bug.key, framework)) is not None
    )
    return (
        f'<article class="failure"><h3>{in_html(bug.name)}</h3>\n'
        f"<p>{case.id} {in_html(case.title)} ({case.severity}):"
        f" {in_html(result.finding.reason)}.</p>"
        f"<p>{in_html(case.does)} Required: {in_html(case.requires)}"
        f" <cite>{in_html(case.source)}</cite></p>\n"
        f"<p>What usually causes it: {in_html(bug.cause)}</p>\n{mends}"
        f"<figure>{pictures}</figure></article>\n"
    )


def _picture(conversation: Conversation) -> str:
    """One for each width; the style shows the one that fits."""
    picture = partial(
        draw,
        conversation.events,
        peer=escape(conversation.peer),
        local=escape(conversation.local),
        names=("server", "checker"),
        standalone=False,
        limit=60,
    )
    return in_widths(picture(width=WIDE), picture(width=NARROW))

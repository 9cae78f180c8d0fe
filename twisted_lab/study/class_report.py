"""Graded programs as one page of HTML: a table, and of each why."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from twisted_lab.escaping import escape
from twisted_lab.explaining import counted
from twisted_lab.paper import document, in_html, in_widths
from twisted_lab.study.experiment import Experiment
from twisted_lab.study.grading import Grade


def page(experiment: Experiment, grades: Sequence[Grade]) -> str:
    """The HTML of *grades*, for the exercise of *experiment*."""
    assert experiment.exercise is not None
    title = f"{experiment.title}: the exercise"
    passed = sum(one.passed for one in grades)
    body = [
        f"<h1>{in_html(title)}</h1>\n<p>{in_html(experiment.exercise.task)}</p>\n",
        f"<p>{passed} of {counted(len(grades), 'program')} passed.</p>\n",
    ]
    if len(grades) > 1:
        body.append(_table(grades))
    body += [_section(number, one) for number, one in enumerate(grades)]
    sheet = (resources.files(__package__) / "study.css").read_text("utf-8")
    return document(title, "".join(body), sheet)


def _table(grades: Sequence[Grade]) -> str:
    rows = "".join(
        f'<tr><td><a href="#p{number}">{in_html(escape(one.file))}</a></td><td>{one.verdict}</td>'
        f"<td>{len(one.mistakes)}</td><td>{in_html(one.cases)}</td></tr>\n"
        for number, one in enumerate(grades)
    )
    heads = "".join(f"<th>{word}</th>" for word in ("program", "verdict", "mistakes", "cases"))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"


def _section(number: int, one: Grade) -> str:
    reasons = "".join(f"<li>{in_html(reason)}</li>\n" for reason in one.reasons)
    mistakes = "".join(f"<pre>{in_html(mistake)}</pre>\n" for mistake in one.mistakes)
    picture = ""
    if one.picture is not None:
        caption = f"<figcaption>{in_html(escape(one.picture.caption))}</figcaption>"
        drawn = in_widths(one.picture.wide, one.picture.narrow)
        picture = f"<figure>{caption}{drawn}</figure>\n"
    mark = "holds" if one.passed else "fails"
    return (
        f'<section id="p{number}">\n<h2>{in_html(escape(one.file))}</h2>\n'
        f'<p><span class="word {mark}">{one.verdict}</span> {in_html(one.cases)}</p>\n'
        f"{f'<ul>{reasons}</ul>' if reasons else ''}{mistakes}{picture}</section>\n"
    )

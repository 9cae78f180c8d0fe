"""The study as one page of HTML that stands alone: no script, no address outside, printable."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import resources

from twisted_lab import __version__
from twisted_lab.escaping import escape
from twisted_lab.events import Event
from twisted_lab.explaining import counted, explain, span
from twisted_lab.paper import document, in_html, in_widths
from twisted_lab.study.drawing import Picture, drawn
from twisted_lab.study.experiment import Observation
from twisted_lab.study.listing import listing
from twisted_lab.study.program import Program
from twisted_lab.study.running import Outcome
from twisted_lab.study.seen import Ended, Seen

#: The rules that only this page has.
_SHEET = "study.css"

#: Lines of a program's output that are shown.
_SHOWN = 24

#: Calls told in words, and how many are told without being asked for.
_TOLD, _SHORT = 120, 20


def page(outcomes: Sequence[Outcome], when: str) -> str:
    """The HTML of *outcomes*, which were run *when*."""
    one = outcomes[0].experiment if len(outcomes) == 1 else None
    title = f"A study of socket programming{f': {one.title}' if one else ''}"
    body = [f"<h1>{in_html(title)}</h1>\n", _summary(outcomes, when)]
    if one is None:
        body.append(_contents(outcomes))
    body += [_reading(), *map(_section, outcomes)]
    sheet = (resources.files(__package__) / _SHEET).read_text("utf-8")
    return document(title, "".join(body), sheet)


def _summary(outcomes: Sequence[Outcome], when: str) -> str:
    observed = [one for outcome in outcomes for one in outcome.observations]
    holds = sum(one.holds for one in observed)
    said = (
        f"{counted(len(outcomes), 'experiment')}, run on {when} by socketlab {__version__}, Python"
        f" {platform.python_version()} and {platform.system()} {platform.release()}, on this"
        " machine alone (127.0.0.1, its loopback); Twisted's programs on the"
        f" {outcomes[0].reactor} reactor. Of {counted(len(observed), 'observation')}, each computed"
        f" from what was recorded, {'all' if holds == len(observed) else holds} are what was to be"
        " shown."
    )
    return f"<p>{in_html(said)}</p>\n"


def _contents(outcomes: Sequence[Outcome]) -> str:
    rows = "".join(
        f'<li value="{one.experiment.number}"><a href="#{one.experiment.name}">'
        f"{in_html(one.experiment.title)}</a>{'' if one.holds else _MARKS[False]}</li>\n"
        for one in outcomes
    )
    return f'<nav aria-label="Experiments"><ol>\n{rows}</ol></nav>\n'


_HOW = (
    "Time runs down, and is to scale on the axis at the left; where two strokes cross the axis,"
    " a silence is left out.",
    "Each program has a lifeline. A dot with its label is a call that the program made, with its"
    " arguments and what it returned.",
    "A line from one lifeline to the other is what the call sent, and it ends at the call that"
    " got it. A double line that ends at a bar is the end of a stream (FIN); a zigzag is RST; a"
    " line that ends in a cross never came, or was never read.",
    "A bar along a lifeline is a call that waited, for as long as the bar is.",
)


def _reading() -> str:
    items = "".join(f"<li>{in_html(one)}</li>\n" for one in _HOW)
    summary = "<summary>How to read the pictures</summary>"
    return f'<details class="legend">{summary}\n<ul>\n{items}</ul></details>\n'


def _section(outcome: Outcome) -> str:
    one = outcome.experiment
    parts = [
        f'<section id="{one.name}">\n<h2>{one.number}. {in_html(one.title)}</h2>\n',
        f"<h3>Aim</h3>\n<p>{in_html(one.aim)}</p>\n",
        f"<h3>What is asked</h3>\n{_list(one.asked)}",
        f"<h3>{_programs_title(one.programs)}</h3>\n",
        f'<div class="programs">{"".join(map(listing, one.programs))}</div>\n',
        _twisted(outcome),
        "<h3>What happened</h3>\n",
        *(_printed(ended) for ended in outcome.seen if ended.output),
        *map(_figure, outcome.pictures),
        _in_words(outcome.seen),
        f"<h3>Observations</h3>\n{_observations(outcome.observations)}",
        f"<h3>Result</h3>\n<p>{in_html(outcome.result)}</p>\n",
        f"<h3>Try it yourself</h3>\n{_tasks(outcome)}",
        "</section>\n",
    ]
    return "".join(parts)


def _programs_title(programs: Sequence[Program]) -> str:
    names = [one.name for one in programs]
    return "Server and client" if names == ["server", "client"] else "The programs"


def _list(items: Sequence[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{in_html(one)}</li>\n" for one in items) + "</ul>\n"


def _twisted(outcome: Outcome) -> str:
    programs = outcome.experiment.twisted.values()
    if not programs:
        return ""
    shown = "".join(
        listing(one, f"in place of {one.file}, in Twisted: {one.name}.py") for one in programs
    )
    return f'<h3>The same in Twisted</h3>\n<div class="programs">{shown}</div>\n'


def _printed(ended: Ended) -> str:
    lines = [escape(line, 200) for line in ended.output[:_SHOWN]]
    if len(ended.output) > _SHOWN:
        lines.append(f"… {len(ended.output) - _SHOWN} more lines")
    text = in_html("\n".join(lines))
    return f'<div class="printed"><h4>{in_html(ended.title)} printed</h4><pre>{text}</pre></div>\n'


def _figure(picture: Picture) -> str:
    caption = f"<figcaption>{in_html(escape(picture.caption, 200))}</figcaption>"
    return f"<figure>{caption}{in_widths(picture.wide, picture.narrow)}</figure>\n"


def _in_words(seen: Seen) -> str:
    """Every call of all programs in the order of time, with the sentence on what it meant."""
    events = sorted(
        ((one, ended.title) for ended in seen for one in drawn(ended)), key=lambda pair: pair[0].ns
    )
    rows = "".join(_told(event, name, events[0][0].ns) for event, name in events[:_TOLD])
    if len(events) > _TOLD:
        rows += f"<li>… {len(events) - _TOLD} more calls</li>\n"
    open_ = " open" if len(events) <= _SHORT else ""
    summary = "<summary>Call by call, in words</summary>"
    return f'<details class="told"{open_}>{summary}<ol>{rows}</ol></details>\n'


def _told(event: Event, name: str, start: int) -> str:
    explained = explain(event, "tcp")
    call = event.call
    where = in_html(name + ("" if call is None or call.line is None else f":{call.line}"))
    made = "" if explained.call is None else f" <code>{in_html(explained.call)}</code>"
    return (
        f"<li><b>{span(event.ns - start, 4)}</b> <i>{where}</i>{made}"
        f" {in_html(explained.says)}</li>\n"
    )


_MARKS = {
    True: '<span class="mark holds" title="what was to be shown">✓</span> ',
    False: '<span class="mark fails">not as was to be shown</span> ',
}


def _observations(observations: Sequence[Observation]) -> str:
    rows = "".join(
        f"<li>{_MARKS[one.holds]}<bdi>{in_html(escape(one.says, 1000))}</bdi></li>\n"
        for one in observations
    )
    return f'<ul class="observations">\n{rows}</ul>\n'


def _tasks(outcome: Outcome) -> str:
    one = outcome.experiment
    rows = "".join(
        f"<li>{in_html(task.change)} <em>{in_html(task.question)}</em></li>\n" for task in one.tasks
    )
    graded = ""
    if one.exercise is not None:
        graded = (
            f"<p><b>Exercise.</b> {in_html(one.exercise.task)} It is graded by"
            f" <code>socketlab study {one.name} --grade FILE</code>.</p>\n"
        )
    command = f"<code>socketlab study {one.name} --save FOLDER</code>"
    save = f"<p>{command} writes the programs as files, to run and to change.</p>\n"
    return f"<ol>\n{rows}</ol>\n{graded}{save}"

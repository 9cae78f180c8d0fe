"""The picture of both ends: each send joined to the recvs that got its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted_lab.diagram.bounding import bounded
from twisted_lab.diagram.drawing import LIMIT, axis, group, heads, picture, silence, times
from twisted_lab.diagram.joining import Moment, Side, joins, moments
from twisted_lab.diagram.layout import BOTTOM, TOP, Frame, Row, frame, rows
from twisted_lab.diagram.svg import element, held, line, shown, text, words
from twisted_lab.diagram.waiting import bar
from twisted_lab.diagram.ways import Ways
from twisted_lab.events import Closed, Event, Gap, Note, NotListening
from twisted_lab.explaining import counted, transport_of
from twisted_lab.explaining_calls import shown as shown_call

#: Pixels of a letter of the labels and of what was sent, and from a lifeline to its label.
_LETTER, _MONO, _BESIDE = 6.6, 6.8, 10.0

#: Of the room between the lifelines what a label takes at most: arrows cross the rest.
_LABEL = 0.66


@dataclass(frozen=True, slots=True)
class End:
    """One end: its *events* in order, what it is called, and its address.

    *lines*: each call is told with the number of its line.
    """

    events: Sequence[Event]
    name: str
    address: str = ""
    lines: bool = False


def draw_both(
    left: End, right: End, *, width: int = 720, standalone: bool = True, limit: int = LIMIT
) -> str:
    """Both ends of one conversation as SVG, *left* being who connected; time is to scale.

    *width* is in pixels; *standalone* brings a style. Of more than *limit* events the middle is a
    gap. The ns of both ends must be of one clock.
    """
    both = moments(left.events, right.events)
    columns = frame(max(240, width))
    placed = rows(bounded([one.event for one in both], limit), to_scale=True)
    bottom = max([TOP, *(row.y for row in placed), *(row.tick for row in placed)]) + BOTTOM
    ways = Ways(columns, {row.index: row.y for row in placed}, both)
    transport = transport_of(one.event for one in both)
    lines = left.lines or right.lines
    inside = [
        heads(columns, (left.address, right.address), (left.name, right.name)),
        *_lives(placed, both, columns, bottom - 6),
        axis(placed, columns),
        *(silence(row, columns) for row in placed if row.cut),
        *map(ways.drawn, joins(both)),
        *(_bar(both[row.index], placed, columns) for row in placed),
        *(
            group(row, when, columns, transport, _mark(row, both[row.index].side, columns, lines))
            for row, when in zip(placed, times(placed, to_scale=True), strict=True)
        ),
    ]
    title = f"Both ends: {left.name} and {right.name}"
    summary = f"{counted(len(both), 'event')} at both ends, from the top down; the lists say each."
    return picture(shown(title, 200), summary, inside, columns, bottom, standalone)


def _x(side: Side, columns: Frame) -> float:
    return columns.bench if side else columns.peer


def _lives(
    placed: Sequence[Row], both: Sequence[Moment], columns: Frame, bottom: float
) -> Iterator[str]:
    """The two lifelines, each down to where its end closed."""
    for side in (0, 1):
        own = [row for row in placed if both[row.index].side == side]
        last = next((row for row in reversed(own) if not isinstance(row.event, Note)), None)
        closed = last.y if last and isinstance(last.event, Closed | NotListening) else None
        x, end = _x(side, columns), bottom if closed is None else closed + 8
        yield line(x, TOP - 16, x, end, class_="life open", stroke="currentColor")
        if closed is not None:
            yield line(x - 8, end, x + 8, end, class_="life", stroke="currentColor")


def _bar(moment: Moment, placed: Sequence[Row], columns: Frame) -> str:
    x = _x(moment.side, columns)
    return bar(moment.event.call, moment.began, moment.ended, placed, x)


def _mark(row: Row, side: Side, columns: Frame, lines: bool) -> str:
    """What is said of an event, beside its lifeline."""
    event, x = row.event, _x(side, columns)
    if isinstance(event, Gap):
        said = f"{counted(event.count or 0, 'event')} left out"
        return text(columns.middle, row.y, said, text_anchor="middle", class_="label quiet")
    share = 0.95 if isinstance(event, Note) else _LABEL
    letters = int(columns.room * share / _LETTER)
    said = shown(_said(event, lines), letters)
    inside = words(said)
    data = getattr(event, "data", None)
    left = int((columns.room * _LABEL - len(said) * _LETTER) / _MONO) - 1
    if data and left > 4:
        preview = words(shown(data, left))
        inside += "\N{EN SPACE}" + element("tspan", preview, class_="data", unicode_bidi="isolate")
    label = element(
        "text",
        inside,
        x=x + (-_BESIDE if side else _BESIDE),
        y=row.y - 4,
        text_anchor="end" if side else "start",
        class_=f"label beside {getattr(event, 'kind', '')}".strip(),
        direction="ltr",
    )
    dot = element("circle", cx=x, cy=row.y, r=2.6, fill="currentColor", class_="dot")
    return dot + held(said, label, columns.peer + 1, row.y - 18, columns.room - 2, 20)


def _said(event: Event, lines: bool) -> str:
    if isinstance(event, Note):
        return event.text if event.kind == "diagnosis" else f"{event.kind}: {event.text}"
    if event.call is not None:
        place = f"{event.call.line}: " if lines and event.call.line is not None else ""
        return place + shown_call(event.call)
    size: int | None = getattr(event, "bytes", None)
    if isinstance(event, Closed):
        return f"closed: {event.reason}"
    return event.event if size is None else f"{event.event} {counted(size)}"

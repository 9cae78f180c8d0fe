"""The picture put together: heads, time, lifelines, and a mark for each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib import resources
from typing import Literal

from twisted_lab.diagram.bounding import bounded
from twisted_lab.diagram.layout import BOTTOM, ROW, TOP, Frame, Row, frame, rows
from twisted_lab.diagram.lifelines import cut, lifelines
from twisted_lab.diagram.marks import mark
from twisted_lab.diagram.svg import element, line, shown, text, words
from twisted_lab.diagram.waiting import bar
from twisted_lab.events import Event, Gap
from twisted_lab.explaining import counted, explain, span

#: Events drawn at most: a longer picture nobody reads, and each costs about 100 us.
LIMIT = 400

#: Pixels that a line leads from a time to its row: where many are farther, one sees a grey wedge.
_FAR = 5 * ROW

#: Pixels from a gap's beginning on the axis to the cut.
_IN_GAP = 9

#: The style that a picture brings when it stands alone; the page has the same.
STYLE = "diagram.css"


def draw(
    events: Sequence[Event],
    *,
    scale: Literal["time", "even"] = "time",
    peer: str = "",
    local: str = "",
    names: tuple[str, str] = ("peer", "bench"),
    width: int = 720,
    standalone: bool = True,
    limit: int = LIMIT,
) -> str:
    """*events* of one conversation, in order, as SVG; :class:`Gap` values may be among them.

    *scale* ``time`` is true to time, ``even`` is a row an event. *peer* and *local* are the two
    addresses, *names* the words over them; *width* is in pixels, 240 at least. *standalone* brings
    a style; otherwise there are classes and presentation attributes alone. Each event is a
    ``<g class="event NAME" data-index="N" data-ns="NS">``, N its place in *events*, NS its ns. Of
    more than *limit* the middle is a gap.
    """
    columns = frame(max(240, width))
    placed = rows(bounded(events, limit), scale == "time")
    bottom = max([TOP, *(row.y for row in placed), *(row.tick for row in placed)]) + BOTTOM
    inside = [
        heads(columns, (peer, local), names),
        lifelines(placed, columns, bottom - 6),
        *(_blocked(row, placed, columns) for row in placed),
        axis(placed, columns) if scale == "time" else "",
        *(silence(row, columns) for row in placed if row.cut),
        *map(partial(_event, columns), placed, times(placed, scale == "time")),
    ]
    title = f"Sequence diagram: {shown(peer, 60)} and {shown(local, 60)}"
    return picture(title, _summary(events), inside, columns, bottom, standalone)


def picture(
    title: str, summary: str, inside: Iterable[str], columns: Frame, bottom: float, standalone: bool
) -> str:
    """*inside* as a picture of its own, *bottom* pixels high; *standalone* brings a style."""
    return element(
        "svg",
        element("title", words(title)),
        element("desc", words(summary)),
        element("style", style()) if standalone else "",
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        class_="diagram",
        role="img",
        width=columns.width,
        height=bottom,
        viewBox=f"0 0 {columns.width:.0f} {bottom:.0f}",
        font_family="system-ui, sans-serif",
        font_size="12",
        fill="currentColor",
    )


def style() -> str:
    """The rules of :data:`STYLE`."""
    return (resources.files(__package__) / STYLE).read_text("utf-8")


def _summary(events: Sequence[Event]) -> str:
    if not events:
        return "Nothing is known of it."
    lasted = span(events[-1].ns - events[0].ns)
    return f"{counted(len(events), 'event')} in {lasted}, from the top down; the list says each."


def heads(columns: Frame, addresses: tuple[str, str], names: tuple[str, str]) -> str:
    """What stands over the lifelines."""
    letters = int((columns.room / 2 + 10) / 7.5)
    left, right = columns.peer - 18, columns.bench + 18
    names = shown(names[0], letters), shown(names[1], letters)
    return (
        text(left, 18, names[0], class_="who", font_weight="600")
        + text(left, 34, shown(addresses[0], letters), class_="address")
        + text(right, 18, names[1], class_="who", font_weight="600", text_anchor="end")
        + text(right, 34, shown(addresses[1], letters), class_="address", text_anchor="end")
    )


def axis(placed: Sequence[Row], columns: Frame) -> str:
    """Time, to scale, and from each event's moment a line to its row."""
    lines, y = [], TOP
    for row in placed:
        for at in _cuts(row):
            lines.append(line(columns.axis, y, columns.axis, at - 3, class_="axis"))
            lines.append(cut(columns.axis, at))
            y = at + 3
        lines.append(_leader(row, columns))
    if placed:
        end = max(y, placed[-1].tick)
        lines.append(line(columns.axis, y, columns.axis, end, class_="axis"))
    return element("g", *lines, class_="time", stroke="currentColor", stroke_width="0.6")


def _cuts(row: Row) -> Iterator[float]:
    """Where the axis leaves out time: before *row*, and in a gap."""
    if row.cut:
        yield row.cut_at
    if isinstance(row.event, Gap):
        yield row.tick + _IN_GAP


def _leader(row: Row, columns: Frame) -> str:
    """From its time on the axis to its row, or where that would be far, a tick alone."""
    far = row.y - row.tick > _FAR
    end = (columns.axis + 5, row.tick) if far else (columns.peer - 6, row.y)
    return line(columns.axis, row.tick, *end, class_="tick" if far else "leader")


def silence(row: Row, columns: Frame) -> str:
    """What is said where the axis leaves out the time before *row*."""
    said = f"{span(row.since)} nothing"
    return text(columns.middle, row.cut_at + 4, said, text_anchor="middle", class_="quiet")


def times(placed: Sequence[Row], to_scale: bool) -> Iterator[str]:
    """What stands beside each row: when it was, or how long after the one before."""
    last = ""
    for row in placed:
        when = span(row.event.ns - placed[0].event.ns, 4)
        said = when if to_scale and when != last else f"+{span(row.since)}"
        yield said.replace(" min", "m").replace(" s", "s") if " min" in said else said
        last = when


def _blocked(row: Row, placed: Sequence[Row], columns: Frame) -> str:
    """The bar of its call, at the program's lifeline."""
    call, ns = row.event.call, row.event.ns
    took = 0 if call is None else round(call.duration * 1e9)
    return bar(call, ns - took, ns, placed, columns.bench)


def _event(columns: Frame, row: Row, when: str) -> str:
    return group(row, when, columns, row.standing.transport, mark(row, columns))


def group(row: Row, when: str, columns: Frame, transport: str, drawn: str) -> str:
    """*drawn*, with what is common to all: its sentence, what is chosen with it, its time."""
    explained = explain(row.event, transport)
    call = f" [{explained.call}]" if explained.call else ""
    return element(
        "g",
        element("title", words(explained.says + call)),
        element(
            "rect",
            x=0.0,
            y=row.y - ROW / 2 - 6,
            width=columns.width,
            height=ROW - 2,
            class_="hit",
            fill="transparent",
        ),
        text(columns.axis - 6, row.y + 1, when, class_="when", text_anchor="end", font_size="11"),
        drawn,
        class_=f"event {row.event.event}",
        data_index=row.index,
        data_ns=row.event.ns,
    )

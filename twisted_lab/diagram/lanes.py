"""Several runs beside each other: a lane for each connection, time to the right, to one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted_lab.diagram.drawing import style
from twisted_lab.diagram.svg import element, line, shown, text, words
from twisted_lab.explaining import counted, span

#: Pixels: of a lane, above a group, and around all; of a name's letters, and the most it takes.
_LANE, _HEAD, _EDGE = 22.0, 30.0, 14.0
_LETTER, _NAMES = 6.8, 0.3

#: Letters of what a span or a mark says.
_SAID = 200

#: Steps of the scale at most.
_STEPS = 6


@dataclass(frozen=True, slots=True)
class Span:
    """From one ns to another something was so: *says* it; *kind* is a class of the style."""

    began: int
    ended: int
    kind: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """At *ns* something happened: *says* it; *kind* is a class of the style."""

    ns: int
    kind: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """What is drawn beside *name*."""

    name: str
    spans: Sequence[Span] = ()
    marks: Sequence[Mark] = ()

    @property
    def ends(self) -> list[int]:
        """Every ns of it."""
        moments = [ns for one in self.spans for ns in (one.began, one.ended)]
        return [*moments, *(one.ns for one in self.marks)]


@dataclass(frozen=True, slots=True)
class Group:
    """One run: its *lanes* under *name*. Its time begins with its first moment."""

    name: str
    lanes: Sequence[Lane]

    @property
    def began(self) -> int:
        """Its first ns."""
        return min((ns for lane in self.lanes for ns in lane.ends), default=0)

    @property
    def lasted(self) -> int:
        """From its first ns to its last."""
        return max((ns for lane in self.lanes for ns in lane.ends), default=0) - self.began


def draw_lanes(groups: Sequence[Group], *, width: int = 720, standalone: bool = True) -> str:
    """*groups* as SVG, one below the other by the same scale; *width* is in pixels."""
    names = [lane.name for group in groups for lane in group.lanes]
    most = width * _NAMES
    left = _EDGE + min(most, max((len(one) for one in names), default=0) * _LETTER) + 8
    longest = max((group.lasted for group in groups), default=0) or 1
    scale = (width - left - _EDGE - 8) / longest
    y, inside = _EDGE, list[str]()
    for group in groups:
        inside += _group(group, y, left, scale, width)
        y += _HEAD + _LANE * len(group.lanes)
    inside.append(_axis(y + 6, left, scale, longest))
    y += 34
    lanes = counted(len(names), "lane")
    return element(
        "svg",
        element("title", words(f"{counted(len(groups), 'run')}, one below the other")),
        element(
            "desc", words(f"{lanes}, time to the right; the text beside the picture says each.")
        ),
        element("style", style()) if standalone else "",
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        class_="diagram lanes",
        role="img",
        width=float(width),
        height=y,
        viewBox=f"0 0 {width} {y:.0f}",
        font_family="system-ui, sans-serif",
        font_size="12",
        fill="currentColor",
    )


def _group(group: Group, top: float, left: float, scale: float, width: float) -> Iterator[str]:
    letters = int((width - 2 * _EDGE) / _LETTER)
    yield text(_EDGE, top + 14, shown(group.name, letters), class_="who", font_weight="600")
    for number, lane in enumerate(group.lanes):
        y = top + _HEAD + number * _LANE
        yield from _lane(lane, group.began, y, left, scale, width)


def _lane(
    lane: Lane, zero: int, y: float, left: float, scale: float, width: float
) -> Iterator[str]:
    letters = int((left - _EDGE) / _LETTER)
    yield text(left - 8, y + 4, shown(lane.name, letters), text_anchor="end", class_="label")
    yield line(
        left, y, width - _EDGE, y, class_="lane", stroke="currentColor", stroke_opacity="0.2"
    )
    for one in lane.spans:
        x = left + (one.began - zero) * scale
        yield element(
            "rect",
            element("title", words(shown(one.says, _SAID))),
            x=x,
            y=y - 6,
            width=max(1.5, (one.ended - one.began) * scale),
            height=12,
            rx="2",
            class_=one.kind,
            fill="currentColor",
        )
    for mark in lane.marks:
        x = left + (mark.ns - zero) * scale
        yield element(
            "g",
            element("title", words(shown(mark.says, _SAID))),
            line(x, y - 7, x, y + 7, class_="line", stroke="currentColor", stroke_width="2"),
            class_=mark.kind,
        )


def _axis(y: float, left: float, scale: float, longest: int) -> str:
    step = _step(longest)
    ticks = []
    for at in range(0, longest + 1, step):
        x = left + at * scale
        ticks.append(line(x, y - 3, x, y + 3))
        ticks.append(text(x, y + 16, span(at), text_anchor="middle", font_size="11", stroke="none"))
    ticks.append(line(left, y, left + longest * scale, y))
    return element("g", *ticks, class_="time", stroke="currentColor", stroke_width="0.6")


def _step(longest: int) -> int:
    """A round number of ns, of which some are in *longest*."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if longest // (step * factor) <= _STEPS:
                return step * factor
        step *= 10

"""What goes from one end to the other: lines that fall, for it takes time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from twisted_lab.diagram.joining import Join, Moment
from twisted_lab.diagram.layout import Frame
from twisted_lab.diagram.svg import element, line, path, words
from twisted_lab.events import Gap
from twisted_lab.explaining import counted

#: How far something goes that did not arrive, of the way; and how far it falls, in pixels.
_LOST, _FALLS = 0.35, 8.0


@dataclass(frozen=True, slots=True)
class _Way:
    """A straight way, in pixels."""

    x1: float
    y1: float
    x2: float
    y2: float

    def part(self, share: float) -> tuple[float, float]:
        """The point so far along it, of 1."""
        return self.x1 + share * (self.x2 - self.x1), self.y1 + share * (self.y2 - self.y1)

    def beside(self, by: float) -> _Way:
        """The same, so many pixels lower."""
        return _Way(self.x1, self.y1 + by, self.x2, self.y2 + by)

    def drawn(self, **about: Any) -> str:
        """It as a line."""
        ends = (self.x1, self.y1, self.x2, self.y2)
        return line(*ends, class_="line", stroke="currentColor", **about)

    def head(self, kind: str = "full") -> str:
        """The head of an arrow at its end."""
        length = hypot(self.x2 - self.x1, self.y2 - self.y1) or 1.0
        along, down = (self.x2 - self.x1) / length, (self.y2 - self.y1) / length
        wings = " L".join(
            f"{self.x2 - 9 * along + up * down:.1f} {self.y2 - 9 * down - up * along:.1f}"
            for up in (-4.5, 4.5)
        )
        first, _, second = wings.partition(" L")
        shape = f"M{first} L{self.x2:.1f} {self.y2:.1f} L{second}"
        if kind == "full":
            return path(shape + " Z", class_="head", fill="currentColor", stroke="none")
        return path(shape, class_="head", fill="none", stroke="currentColor")


@dataclass(frozen=True, slots=True)
class Ways:
    """Draws joins; *heights* are the y of the moments that are in the picture."""

    columns: Frame
    heights: Mapping[int, float]
    both: Sequence[Moment]

    def drawn(self, join: Join) -> str:
        """*join*, in the colour of who sends; nothing where its beginning is left out."""
        start = self.heights.get(join.start)
        if start is None or isinstance(self.both[join.start].event, Gap):
            return ""
        side = self.both[join.start].side
        came = None if join.end is None else self.heights.get(join.end)
        near, far = (self.columns.peer, self.columns.bench)[:: -1 if side else 1]
        way = _Way(near, start, far, start + _FALLS if came is None else came)
        shape = _KINDS[join.kind](way, came is not None)
        known = join.end is not None
        return element(
            "g",
            element("title", words(_joined(join))),
            shape,
            class_=f"join {join.kind} {'right' if side else 'left'}{'' if known else ' lost'}",
        )


def _joined(join: Join) -> str:
    size = counted(join.bytes)
    if join.kind == "bytes":
        return f"{size} of this send() came by this recv()" if join.end else f"{size} never read"
    if join.kind == "datagram":
        return f"a datagram of {size}" if join.end else f"a datagram of {size} that never came"
    if join.kind == "fin":
        return "FIN" if join.end else "FIN, of which the program took no notice"
    return "RST" if join.kind == "rst" else "the handshake"


def _lost(way: _Way, **about: Any) -> str:
    x, y = way.part(_LOST)
    cross = f"M{x - 5:.1f} {y - 5:.1f} l10 10 M{x - 5:.1f} {y + 5:.1f} l10 -10"
    part = _Way(way.x1, way.y1, x, y)
    return part.drawn(**about) + path(
        cross, class_="cross", stroke="currentColor", stroke_width="2", fill="none"
    )


def _bytes(way: _Way, came: bool) -> str:
    return way.drawn() + way.head() if came else _lost(way)


def _datagram(way: _Way, came: bool) -> str:
    dashes = {"stroke_dasharray": "2 3"}
    return way.drawn(**dashes) + way.head() if came else _lost(way, **dashes)


def _open(way: _Way, came: bool) -> str:
    thin: dict[str, Any] = {"stroke_width": "0.7", "stroke_dasharray": "6 3"}
    return "".join(way.beside(by).drawn(**thin) for by in (-3, 0, 3)) + way.head("open")


def _fin(way: _Way, came: bool) -> str:
    x, y = way.part(0.97)
    stop = line(x, y - 7, x, y + 7, class_="line", stroke="currentColor", stroke_width="2")
    return "".join(way.beside(by).drawn() for by in (-1.5, 1.5)) + stop


def _rst(way: _Way, came: bool) -> str:
    steps = 24
    points = [way.part(step / steps) for step in range(1, steps)]
    zigzag = " L".join(
        f"{x:.1f} {y + (4 if number % 2 else -4):.1f}" for number, (x, y) in enumerate(points)
    )
    shape = f"M{way.x1:.1f} {way.y1:.1f} L{zigzag} L{way.x2:.1f} {way.y2:.1f}"
    return path(shape, class_="line", stroke="currentColor", fill="none", stroke_width="1.6")


_KINDS = {"open": _open, "bytes": _bytes, "datagram": _datagram, "fin": _fin, "rst": _rst}

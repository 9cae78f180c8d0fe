"""SVG as text: elements whose every value is escaped.

Rule: text is safe to show (:mod:`twisted_lab.escaping`) and safe in XML, whoever chose it.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape as in_xml
from itertools import accumulate

from twisted_lab.escaping import escape

#: Characters that XML 1.0 does not have, which the escaping for people leaves alone.
_NO_XML = re.compile("[\ufffe\uffff]")

#: Characters of one text, at most.
_LONGEST = 300


def element(name: str, *inside: str, **attributes: object) -> str:
    """``<name …>inside</name>``; an attribute's ``_`` stands for ``-``, and ends a Python word.

    *inside* is SVG already. Numbers have one decimal.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return in_xml(safe(str(value)))


def safe(text: str) -> str:
    """*text* on one line, with nothing in it that acts."""
    # A backslash is only what escaping made of something else: what is safe is not escaped again.
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def words(text: str) -> str:
    """*text*, which is safe to show, as the content of an element."""
    return in_xml(safe(text[:_LONGEST]), quote=False)


def text(x: float, y: float, said: str, **attributes: object) -> str:
    """*said*, which is safe to show, at ``x, y``."""
    return element("text", words(said), x=float(x), y=float(y), **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """A straight line."""
    ends = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
    return element("line", **ends, **attributes)


def path(d: str, **attributes: object) -> str:
    """A path."""
    return element("path", d=d, **attributes)


def shown(peers: str | bytes, limit: int) -> str:
    """What a peer chose, made safe and cut to *limit* letters' room."""
    if isinstance(peers, bytes):  # four bytes are a letter, at most
        peers = peers[: 4 * limit + 4].decode("utf-8", "surrogateescape")
    said = escape(peers[: limit + 1], limit + 1)
    return said if room(said) <= limit else _cut(said, limit - 1) + "…"


def room(said: str) -> int:
    """How many letters' room *said* takes: those of East Asia take two."""
    return len(said) if said.isascii() else sum(map(_room, said))


def _room(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(said: str, limit: int) -> str:
    if said.isascii():
        return said[: max(0, limit)]
    taken = accumulate(map(_room, said))
    return "".join(letter for letter, end in zip(said, taken, strict=True) if end <= limit)


def held(said: str, inside: str, x: float, y: float, width: float, height: float) -> str:
    """*inside*, which shows *said*, cut off at a box: another script may be wider than we know."""
    if said.replace("…", "").isascii():
        return inside
    box = {"x": x, "y": y, "width": width, "height": height}
    place = f"{x:.1f} {y:.1f} {width:.1f} {height:.1f}"
    return element("svg", inside, **box, viewBox=place, overflow="hidden", role="presentation")

"""What lines and arrows are made of, for terminals that have UTF-8 and for those that have not.

No two things that mean something else look alike, also without colour.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character for each: first the two lifelines, then what goes between them."""

    life: str = "│"  # may send
    ended: str = "╎"  # has sent FIN
    paused: str = "║"  # is not read from, or does not read
    missing: str = "░"  # here events are missing
    corner_left: str = "└"
    corner_right: str = "┘"
    data: str = "─"
    fin: str = "═"
    rst: str = "╳"  # noqa: RUF001 - this cross is meant
    rare: str = "┈"  # accept, handshake: no bytes of the service
    datagram: str = "╌"
    right: str = "▶"
    left: str = "◀"
    dropped: str = "✗"
    pause: str = "‖"
    resume: str = "▷"
    chosen: str = "▸"
    dot: str = "·"
    more: str = "…"


UNICODE = Glyphs()
ASCII = Glyphs(
    life="|",
    ended=":",
    paused="#",
    missing="?",
    corner_left="+",
    corner_right="+",
    data="-",
    fin="=",
    rst="x",
    rare=".",
    datagram="~",
    right=">",
    left="<",
    dropped="X",
    pause="%",
    resume="}",
    chosen=">",
    dot="-",
    more="~",
)


def glyphs_for(encoding: str) -> Glyphs:
    """Those that a terminal of this *encoding* can show."""
    try:
        "".join(getattr(UNICODE, name) for name in Glyphs.__slots__).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE

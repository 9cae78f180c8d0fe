"""The pictures of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twisted_lab.diagram import End, draw, draw_both
from twisted_lab.events import Event
from twisted_lab.paper import NARROW, WIDE
from twisted_lab.study.seen import Ended, Seen

#: Calls that only ask, or that say how others wait: a picture is clearer without them.
_ASIDE = ("getaddrinfo", "getsockname", "getpeername", "settimeout", "setblocking", "epoll_wait")


@dataclass(frozen=True, slots=True)
class Picture:
    """SVG, *wide* and *narrow*, under its *caption*."""

    caption: str
    wide: str
    narrow: str


def picture(caption: str, draw: Callable[[int], str]) -> Picture:
    """What ``draw(width)`` draws, in both widths."""
    return Picture(caption, draw(WIDE), draw(NARROW))


def plain_pictures(seen: Seen) -> Iterator[Picture]:
    """Both ends, the client at the left."""
    yield both(seen.client, seen.server)


def both(left: Ended, right: Ended, caption: str = "") -> Picture:
    """Every call of both with its line; each send is joined to the recvs that got its bytes."""
    ends = [End(drawn(one), one.title, _address(one), lines=True) for one in (left, right)]
    said = caption or f"{left.title} and {right.title}: every call, by one clock"
    return picture(said, lambda width: draw_both(*ends, width=width, standalone=False))


def alone(ended: Ended, peer: str, caption: str) -> Picture:
    """What one program saw of a connection; *peer* is what the other end is called."""
    events, addresses = drawn(ended), (_peer(ended), _address(ended))

    def one(width: int) -> str:
        return draw(
            events,
            peer=addresses[0],
            local=addresses[1],
            names=(peer, ended.title),
            width=width,
            standalone=False,
        )

    return picture(caption, one)


def drawn(ended: Ended) -> list[Event]:
    """Its events without those that are aside."""
    return list(ended.without(*_ASIDE).events)


def _peer(ended: Ended) -> str:
    return next((one.peer for one in ended.events if getattr(one, "peer", "")), "")  # type: ignore[attr-defined]


def _address(ended: Ended) -> str:
    return next((one.local for one in ended.events if getattr(one, "local", "")), "")  # type: ignore[attr-defined]

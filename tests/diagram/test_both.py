"""The picture of both ends: what stands in it, and that nobody else can put anything there."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from tests.diagram.test_drawing import HOSTILE
from tests.diagram.test_joining import ACCEPTED, CONNECTED, call, closed
from twisted_lab.diagram import End, draw_both
from twisted_lab.events import (
    CloseReason,
    DatagramReceived,
    DatagramSent,
    Event,
    Note,
    PeerShutdown,
    Received,
    Sent,
)

MS = 1_000_000


def tree(left: list[Event], right: list[Event], **how: Any) -> ElementTree.Element:
    """The picture, parsed: it is well-formed."""
    return ElementTree.fromstring(
        draw_both(End(left, "client", "127.0.0.1:1"), End(right, "server", "127.0.0.1:2"), **how)
    )


def classes(picture: ElementTree.Element, first: str) -> list[str]:
    """The classes of the groups whose first is *first*, without it."""
    found = [one.get("class", "") for one in picture.iter()]
    return [one.removeprefix(f"{first} ") for one in found if one.startswith(f"{first} ")]


TALK: tuple[list[Event], list[Event]] = (
    [CONNECTED, Sent(MS, "c", "c1", 2, b"ab"), Sent(2 * MS, "c", "c1", 1, b"c"), closed(5 * MS)],
    [ACCEPTED, Received(3 * MS, "s", "c2", 3, b"abc"), PeerShutdown(6 * MS, "s", "c2")],
)


class BothTests(SynchronousTestCase):
    def test_joins(self) -> None:
        """Each event has its place, and lines lead from each send to the recv that got it."""
        picture = tree(*TALK)
        self.assertEqual(len(classes(picture, "event")), 7)
        self.assertEqual(
            sorted(classes(picture, "join")), ["bytes left", "bytes left", "fin left", "open left"]
        )

    def test_way(self) -> None:
        """A line begins at its send's row and ends at its recv's."""
        picture = tree(*TALK)
        dots = {
            group.get("data-ns"): dot
            for group in picture.iter()
            for dot in group
            if dot.get("class") == "dot"
        }
        first = next(one for one in picture.iter() if one.get("class") == "join bytes left")
        way = next(one for one in first if one.get("class") == "line")
        sent, received = dots[str(MS)], dots[str(3 * MS)]
        self.assertEqual((way.get("x1"), way.get("y1")), (sent.get("cx"), sent.get("cy")))
        self.assertEqual((way.get("x2"), way.get("y2")), (received.get("cx"), received.get("cy")))

    def test_lost(self) -> None:
        """A datagram that never came goes a part of the way."""
        sent = DatagramSent(0, "c", "b", "a", 1, b"x")
        came = DatagramReceived(MS, "s", "a", "b", 2, b"yy")
        self.assertEqual(classes(tree([sent], [came]), "join"), ["datagram left lost"])

    def test_reset(self) -> None:
        """RST is a zigzag to where it was heard."""
        left = [CONNECTED, closed(MS, CloseReason.ABORTED)]
        right = [ACCEPTED, closed(2 * MS, CloseReason.RESET)]
        picture = tree(left, right)
        self.assertEqual(classes(picture, "join"), ["open left", "rst left"])
        for one in picture.iter():
            if one.tag.endswith("path"):
                self.assertRegex(one.get("d", ""), r"[0-9Z]$")

    def test_blocked(self) -> None:
        """A call that blocked is a bar from its beginning to its end; a short one is none."""
        long = Received(50 * MS, "c", "c1", 1, b"x", call=call("recv", 0.04))
        short = Received(51 * MS, "c", "c1", 1, b"x", call=call("recv", 0.000_1))
        picture = tree([CONNECTED, long, short], [ACCEPTED])
        (bar,) = (one for one in picture.iter() if one.get("class") == "blocked")
        self.assertGreater(float(bar.get("height", "0")), 30)

    def test_hostile(self) -> None:
        """Nothing that a peer or a program chose acts."""
        said = HOSTILE.decode("utf-8", "surrogateescape")
        left = [CONNECTED, Sent(1, "c", "c1", len(HOSTILE), HOSTILE), Note(2, "c", "watch", said)]
        for width in (240, 720):
            drawn = draw_both(End(left, said, said), End([ACCEPTED], said, said), width=width)
            ElementTree.fromstring(drawn)
            for one in ("<script", "\x1b", "\u202e", "\x00"):
                self.assertNotIn(one, drawn)

    def test_many(self) -> None:
        """Of too many events the middle is a gap, and no line leads into it."""
        left: list[Event] = [CONNECTED, *(Sent(n, "c", "c1", 1, b"x") for n in range(1, 600))]
        right: list[Event] = [ACCEPTED, Received(MS, "s", "c2", 599, b"x")]
        picture = tree(left, right)
        self.assertEqual(len(classes(picture, "event")), 400)
        self.assertLess(len(classes(picture, "join")), 400)

    def test_nothing(self) -> None:
        """An end without events is a line."""
        self.assertEqual(classes(tree([], []), "event"), [])

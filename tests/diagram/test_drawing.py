"""The picture: what stands in it, where, and that nobody else can put anything there."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from tests.test_packing import example
from twisted_lab.diagram import draw
from twisted_lab.diagram.drawing import LIMIT, style
from twisted_lab.diagram.layout import ROW, rows
from twisted_lab.diagram.svg import shown
from twisted_lab.events import (
    CATALOGUE,
    Accepted,
    Closed,
    CloseReason,
    DatagramReceived,
    Event,
    Gap,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Resumed,
    Sent,
)

MS = 1_000_000
PEER, LOCAL = "127.0.0.1:50001", "127.0.0.1:9000"
HOSTILE = b"</text><script>alert(1)</script>\x1b[31m\xe2\x80\xae\x00\xef\xbf\xbf&amp;\"'"

ACCEPTED = Accepted(0, "echo", "c1", PEER, LOCAL, "tcp")


def received(ms: int, size: int = 5, data: bytes = b"hello") -> Received:
    return Received(ms * MS, "echo", "c1", size, data)


def closed(ms: int, reason: CloseReason = CloseReason.LOCAL) -> Closed:
    return Closed(ms * MS, "echo", "c1", PEER, LOCAL, reason, 5, 5, ms / 1000)


def tree(*events: Event, **how: Any) -> ElementTree.Element:
    """The picture, parsed: it is well-formed."""
    return ElementTree.fromstring(draw(events, **{"peer": PEER, "local": LOCAL} | how))


def groups(picture: ElementTree.Element) -> dict[str, list[ElementTree.Element]]:
    """What is drawn of each kind of event."""
    found: dict[str, list[ElementTree.Element]] = {}
    for one in picture.iter():
        name = one.get("class", "")
        if name.startswith("event "):
            found.setdefault(name.removeprefix("event "), []).append(one)
    return found


def words(one: ElementTree.Element) -> str:
    """What can be read in it, its tooltip not counted."""
    return " ".join("".join(text.itertext()) for text in one.iter() if text.tag.endswith("}text"))


def shape(one: ElementTree.Element) -> list[tuple[str, Any, Any, Any]]:
    """The lines and forms of a mark, without words, places and colours."""
    forms = [child for child in one.iter() if child.get("class") != "hit"]
    return [
        (
            form.tag.rpartition("}")[2],
            form.get("stroke-dasharray"),
            form.get("stroke-width"),
            re.sub(r"[\d. -]+", "", form.get("d", "")),
        )
        for form in forms
        if not form.tag.endswith(("}text", "}title", "}tspan", "}g"))
    ]


class MarksTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Everything that can happen can be drawn, wide and narrow, to scale and evenly."""
        events = [example(kind, empty) for kind in CATALOGUE.values() for empty in (False, True)]
        for width in (240, 360, 1200):
            for scale in ("time", "even"):
                found = groups(tree(*events, width=width, scale=scale))
                self.assertEqual(set(found), set(CATALOGUE))

    def test_told_without_colour(self) -> None:
        """No two kinds have the same form: without colour they can still be told."""
        gap = Gap(0, "echo", 5, "unwatched", "c1")
        kinds = [example(CATALOGUE[name], False) for name in (
            "accepted", "refused", "tls", "received", "paused", "resumed", "peer-shutdown",
            "note", "datagram-received", "datagram-dropped", "listening",
        )]  # fmt: skip
        kinds += [gap, closed(1), closed(1, CloseReason.RESET)]
        shapes = {str(shape(groups(tree(one))[one.event][0])) for one in kinds}
        self.assertEqual(len(shapes), len(kinds))

    def test_directions(self) -> None:
        """What came points at the bench, what went at the peer."""
        found = groups(tree(received(0), Sent(MS, "echo", "c1", 5)))
        ends = []
        for name in ("received", "sent"):
            (arrow,) = [one for one in found[name][0].iter() if one.get("class") == "line"]
            ends.append(float(arrow.get("x2", "0")) - float(arrow.get("x1", "0")))
        self.assertGreater(ends[0], 100)
        self.assertEqual(ends[0], -ends[1])

    def test_words(self) -> None:
        """A byte run has its true size and begins with what was in it."""
        (mark,) = groups(tree(received(0, 2048, b"hello\r\n")))["received"]
        self.assertIn("2,048 bytes", words(mark))
        self.assertIn(r"hello\r\n", words(mark))

    def test_resets(self) -> None:
        """FIN and RST are told apart, and whose RST it was."""
        for reason, said in (
            (CloseReason.RESET, "RST from the peer"),
            (CloseReason.ABORTED, "RST: aborted"),
            (CloseReason.STALLED, "RST: stalled"),
            (CloseReason.IDLE, "closed: idle"),
        ):
            (mark,) = groups(tree(ACCEPTED, closed(1, reason)))["closed"]
            self.assertIn(said, words(mark))

    def ends(self, *events: Event) -> tuple[str, list[float]]:
        """The words of the last mark, and how far each of its lines goes to the right."""
        (mark,) = groups(tree(ACCEPTED, *events))["closed"]
        lines = [one for one in mark.iter() if one.get("class") == "line"]
        return words(mark), [float(one.get("x2", 0)) - float(one.get("x1", 0)) for one in lines]

    def test_close_after_fin(self) -> None:
        """The peer's FIN came before; what goes at the end is ours."""
        fin = PeerShutdown(MS, "echo", "c1")
        said, (across,) = self.ends(fin, closed(2, CloseReason.PEER_FIN))
        self.assertIn("closed: peer-fin", said)
        self.assertLess(across, -100)
        self.assertGreater(self.ends(closed(2, CloseReason.PEER_FIN))[1][0], 100)

    def test_close_after_both(self) -> None:
        """Where our FIN had gone, nothing more goes: a piece at either line."""
        ours = LocalShutdown(MS, "echo", "c1")
        for before in ([ours], [PeerShutdown(MS, "echo", "c1"), ours]):
            said, lines = self.ends(*before, closed(2, CloseReason.DRAIN))
            self.assertIn("closed: drain", said)
            self.assertEqual(lines, [22, 22])

    def test_other_transports(self) -> None:
        """Over TLS what ends a direction is a close_notify; a UNIX socket has no FIN and no RST."""
        for transport, end, reset in (
            ("tcp", "FIN", "RST from the peer"),
            ("tls", "close_notify", "RST from the peer"),
            ("unix", "end of stream", "reset from the peer"),
        ):
            found = groups(tree(
                Accepted(0, "echo", "c1", PEER, LOCAL, transport),
                PeerShutdown(1, "echo", "c1"), LocalShutdown(2, "echo", "c1"),
                closed(3, CloseReason.RESET),
            ))  # fmt: skip
            for name in ("peer-shutdown", "local-shutdown"):
                self.assertTrue(words(found[name][0]).endswith(f" {end}"))
            self.assertTrue(words(found["closed"][0]).endswith(reset))

    def test_more_than_recorded(self) -> None:
        """Of bytes that were not all recorded the preview says that there were more."""
        (mark,) = groups(tree(received(0, 2048, b"hello")))["received"]
        self.assertTrue(words(mark).endswith("hello…"))
        (mark,) = groups(tree(received(0, 5, b"hello")))["received"]
        self.assertTrue(words(mark).endswith("hello"))

    def test_sentence(self) -> None:
        """Each mark says its sentence and its system call to who points at it."""
        (mark,) = groups(tree(ACCEPTED, received(0)))["received"]
        (title,) = [one.text for one in mark if one.tag.endswith("}title")]
        self.assertIn("One recv() returned 5 bytes", title or "")
        self.assertIn("[recv()]", title or "")

    def test_index(self) -> None:
        """Each mark knows its place among the events."""
        found = groups(tree(ACCEPTED, received(1), received(2), closed(3)))
        self.assertEqual([one.get("data-index") for one in found["received"]], ["1", "2"])

    def test_gap(self) -> None:
        """A gap says how long it is and what moved in it; in little room how long."""
        gap = Gap(0, "echo", 2 * 10**9, "unwatched", "c1", 1000, 2000)
        (mark,) = groups(tree(ACCEPTED, gap, width=720))["gap"]
        self.assertIn("not watched for 2 s: 1,000 in, 2,000 out", words(mark))
        (mark,) = groups(tree(ACCEPTED, gap, width=300))["gap"]
        self.assertTrue(words(mark).endswith("not watched for 2 s"))


class LifelineTests(SynchronousTestCase):
    def lives(self, *events: Event) -> list[str]:
        found = tree(*events).iter()
        return [one.get("class", "") for one in found if one.get("class", "").startswith("life")]

    def test_open(self) -> None:
        """One that is open goes on to the end of the picture, without an end of its own."""
        self.assertEqual(self.lives(ACCEPTED), ["life open"] * 2)

    def test_closed(self) -> None:
        """One that is closed ends, both sides of it."""
        self.assertEqual(self.lives(ACCEPTED, closed(1)).count("life"), 2)

    def test_half_closed(self) -> None:
        """After its FIN a side's line is dashed, the other's not."""
        lives = self.lives(ACCEPTED, PeerShutdown(MS, "echo", "c1"), received(2))
        self.assertEqual(lives, ["life open", "life shut", "life open"])

    def test_gap(self) -> None:
        """Where nobody watched both are broken."""
        lives = self.lives(ACCEPTED, Gap(MS, "echo", 2 * MS, "unwatched", "c1"), received(3))
        self.assertEqual(lives.count("life gap"), 2)

    def test_pauses(self) -> None:
        """A pause is a bar from its beginning to its end, or to the end of what is known."""
        events = [
            Paused(1 * MS, "echo", "c1", "out", "output"),
            Paused(2 * MS, "echo", "c1", "in", "output"),
            Resumed(3 * MS, "echo", "c1", "out"),
        ]
        picture = tree(ACCEPTED, *events)
        bars = [one for one in picture.iter() if one.get("class", "").startswith("bar")]
        self.assertEqual([one.get("class") for one in bars], ["bar out", "bar in"])
        self.assertNotEqual(bars[0].get("fill"), bars[1].get("fill"))
        ended = tree(ACCEPTED, *events[:2], closed(5))
        self.assertEqual(len([one for one in ended.iter() if "bar" in one.get("class", "")]), 2)


class TimeTests(SynchronousTestCase):
    def test_true(self) -> None:
        """The axis is true: its ticks are where the times are."""
        placed = rows(list(enumerate([ACCEPTED, received(100), received(400)])), to_scale=True)
        first, second = placed[1].tick - placed[0].tick, placed[2].tick - placed[0].tick
        self.assertAlmostEqual(second / first, 4)

    def test_silence(self) -> None:
        """A silence beside which all else would be nothing is cut out of the axis, and said."""
        events = [ACCEPTED, received(3), received(60_003), received(60_006)]
        first, second, third, fourth = rows(list(enumerate(events)), to_scale=True)
        self.assertEqual(
            [row.cut for row in (first, second, third, fourth)], [False] * 2 + [True, False]
        )
        self.assertAlmostEqual(second.tick - first.tick, fourth.tick - third.tick)
        self.assertTrue(second.y < third.cut_at < third.y)
        picture = tree(*events)
        self.assertIn("60 s nothing", "".join(picture.itertext()))
        cuts = [one for one in picture.iter() if one.get("class") == "cut"]
        self.assertEqual(len(cuts), 3, "the axis and both lifelines")
        self.assertNotIn("nothing", "".join(tree(*events, scale="even").itertext()))

    def test_no_silence(self) -> None:
        """What is short, or not much longer than the rest, is not cut."""
        for times in ([0, 1, 19], [0, 1000, 2000, 3000], [0, 1000, 4000]):
            events = [received(ms) for ms in times]
            placed = rows(list(enumerate(events)), to_scale=True)
            self.assertFalse(any(row.cut for row in placed))

    def test_after_gap(self) -> None:
        """The axis leaves out a gap too, and is true before and after it."""
        gap = Gap(10 * MS, "echo", 90_000 * MS, "unwatched", "c1")
        events = [ACCEPTED, gap, received(90_010), received(90_020)]
        placed = rows(list(enumerate(events)), to_scale=True)
        steps = [placed[1].tick - placed[0].tick, placed[3].tick - placed[2].tick]
        self.assertAlmostEqual(*steps)
        self.assertLess(placed[-1].y, 400)
        cuts = [one for one in tree(*events).iter() if one.get("class") == "cut"]
        self.assertEqual(len(cuts), 1, "of the axis; the lifelines are broken")

    def test_same_time(self) -> None:
        """Where two times read the same, the second says how long after the first it was."""
        late = [ACCEPTED, received(9000), Sent(9000 * MS + 40_000, "echo", "c1", 1)]
        self.assertIn("+40 µs", words(groups(tree(*late))["sent"][0]))

    def test_apart(self) -> None:
        """Rows never cover each other, however close the events; their order is kept."""
        events = [received(ms) for ms in (0, 0, 0, 1000, 1000, 5000)]
        for to_scale in (True, False):
            placed = rows(list(enumerate(events)), to_scale)
            steps = [after.y - before.y for before, after in pairwise(placed)]
            self.assertGreaterEqual(min(steps), ROW)

    def test_burst(self) -> None:
        """In a burst a line leads to the rows that are near, and a tick stands for the others."""
        events = [*[received(0)] * 20, received(9000)]
        drawn = [one.get("class") for one in tree(*events).iter()]
        self.assertEqual((drawn.count("leader"), drawn.count("tick")), (7, 14))

    def test_even(self) -> None:
        """Evenly each event is a row further, and says how long after the last it came."""
        text = "".join(tree(ACCEPTED, received(2), received(5), scale="even").itertext())
        self.assertIn("+2 ms", text)
        self.assertIn("+3 ms", text)

    def test_since_start(self) -> None:
        """To scale each says when it was, from the first on."""
        late = [Received(10**12 + ms * MS, "echo", "c1", 1) for ms in (0, 250)]
        self.assertIn("250 ms", "".join(tree(*late).itertext()))


class SafetyTests(SynchronousTestCase):
    def hostile(self, **how: Any) -> str:
        text = HOSTILE.decode()
        return draw(
            [
                Accepted(0, text, text, text, text, text),
                received(1, 60, HOSTILE),
                Note(2 * MS, text, text, text, "c1"),
                DatagramReceived(3 * MS, text, text, text, 5, HOSTILE),
                Closed(4 * MS, text, "c1", text, text, CloseReason.ERROR, 1, 1, 1.0, text),
            ],
            peer=text,
            local=text,
            **how,
        )

    def test_peers_words(self) -> None:
        """What a peer sent stands in text nodes alone: no element, no control, no override."""
        for how in ({}, {"standalone": False}, {"width": 360}):
            picture = self.hostile(**how)
            ElementTree.fromstring(picture)
            self.assertNotIn("<script", picture)
            for forbidden in ("\x1b", "\x00", "\u202e", "\uffff"):
                self.assertNotIn(forbidden, picture)

    def test_other_scripts(self) -> None:
        """Words whose width we cannot know are cut off at their row, between the lifelines."""
        for text in ("日本語" * 40, "\ufdfd" * 9, "Z" + "\u0301" * 40, "\u05e9\u05dc" * 9):
            picture = tree(
                ACCEPTED, received(1, 999, text.encode()), Note(2, "e", "x", text, "c1"), width=360
            )
            held = [one for one in picture.iter() if one.get("overflow") == "hidden"]
            self.assertEqual(len(held), 2)
            for one in held:
                self.assertGreater(float(one.get("x", 0)), 80)
                self.assertLess(float(one.get("width", 0)), 360 - 80)
                self.assertLessEqual(float(one.get("height", 0)), ROW)

    def test_held_only_where_needed(self) -> None:
        """Words of ASCII need no box, also where they are cut."""
        picture = draw([received(0, 999, b"x" * 256)], peer=PEER, local=LOCAL)
        self.assertNotIn("overflow", picture)

    def test_letters(self) -> None:
        """A preview is cut between letters, and wide letters take twice the room."""
        self.assertEqual(shown("grüße".encode() * 9, 8), "grüßegr…")
        self.assertEqual(shown("日本語日本語", 6), "日本…")
        self.assertEqual(shown("日本語", 6), "日本語")
        self.assertEqual(shown(b"\xff\x00", 8), "\\xff\\x00")

    def test_policy(self) -> None:
        """A picture in the page has no style of its own, no handler, no link."""
        for one in ElementTree.fromstring(self.hostile(standalone=False)).iter():
            self.assertNotIn(one.tag.rpartition("}")[2], ("style", "script", "a", "image", "use"))
            for name in one.keys():  # noqa: SIM118 - an Element is no mapping
                self.assertFalse(name == "style" or name.startswith("on") or "href" in name, name)

    def test_alone(self) -> None:
        """One that stands alone brings its style, and asks for nothing outside."""
        picture = self.hostile()
        self.assertIn(style(), picture)
        self.assertEqual(re.findall(r"https?://[^\"]*", picture), ["http://www.w3.org/2000/svg"])
        self.assertNotIn("url(", picture)
        self.assertNotIn("@import", picture)

    def test_accessible(self) -> None:
        """It is an image with a name and a description."""
        picture = tree(ACCEPTED, received(1))
        self.assertEqual(picture.get("role"), "img")
        title, desc = picture[0].text or "", picture[1].text or ""
        self.assertIn(PEER, title)
        self.assertIn("2 events in 1 ms", desc)


class BoundTests(SynchronousTestCase):
    def test_many(self) -> None:
        """Of too many events the middle is one gap, with their bytes and their number."""
        events = [received(ms, 10) for ms in range(3 * LIMIT)]
        found = groups(tree(*events))
        (gap,) = found["gap"]
        drawn = len(found["received"])
        self.assertEqual(drawn, LIMIT - 1)
        self.assertIn(f"{(3 * LIMIT - drawn) * 10:,} in, 0 out", words(gap))
        self.assertEqual(found["received"][-1].get("data-index"), str(3 * LIMIT - 1))

    def test_nothing(self) -> None:
        """Of nothing there is a picture of nothing."""
        self.assertIn("Nothing is known", draw([]))

    def test_long_words(self) -> None:
        """A long word is cut to its room."""
        (mark,) = groups(tree(Note(0, "echo", "note", "x" * 10_000, "c1")))["note"]
        self.assertLess(len(words(mark)), 120)

"""A recording as a page: whole, alone, and nobody else's."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from twisted.trial.unittest import SynchronousTestCase

from tests.test_album import ENDS, RUN, talked
from twisted_lab.album import MOST, Album
from twisted_lab.brochure import MOST_EVENTS, SHOWN, dump, page, share
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramReceived,
    Event,
    Note,
    Received,
)

HOSTILE = "</li><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e\x00\"'&"


class Seen(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


def brochure(*events: Event, name: str = "run.jsonl") -> str:
    return page(Album([RUN, *events]), name)


class PageTests(SynchronousTestCase):
    def test_one(self) -> None:
        """A conversation with its facts, its picture and its events."""
        html = brochure(*talked("c1"))
        seen = Seen(html)
        self.assertEqual(seen.tags.count("svg"), 2, "one for each width")
        self.assertEqual(seen.tags.count("ol"), 1)
        self.assertEqual(len(re.findall(r"<li><b>", html)), 4)
        self.assertIn("c1: echo", seen.text)
        self.assertIn("5 bytes came, 4 bytes went", seen.text)
        self.assertIn("2026-03-01", seen.text)
        self.assertIn("One recv() returned 5 bytes", seen.text)
        self.assertNotIn("table", seen.tags)

    def test_several(self) -> None:
        """Several have a table that leads to each."""
        html = brochure(*talked("c1"), *talked("c2"))
        self.assertEqual(html.count("<figure>"), 2)
        for id in ("r1-c1", "r1-c2"):
            self.assertIn(f'href="#{id}"', html)
            self.assertIn(f'id="{id}"', html)

    def test_runs(self) -> None:
        """Of several runs each connection has its run."""
        html = page(Album([RUN, *talked("c1"), RUN, *talked("c1")]), "run.jsonl")
        self.assertIn("1/c1", html)
        self.assertIn("2/c1", html)

    def test_bytes(self) -> None:
        """Bytes are shown as text and as hex, and what was not recorded is said."""
        data = bytes(range(40))
        seen = Seen(brochure(Accepted(0, "echo", "c1", *ENDS, "tcp"),
                             Received(1, "echo", "c1", 100, data)))  # fmt: skip
        self.assertIn("0010  10 11 12", seen.text)
        self.assertIn("60 more, not recorded", seen.text)
        long = Seen(brochure(Received(1, "echo", "c1", 5000, b"x" * 5000)))
        self.assertIn(f"{5000 - SHOWN:,} more", long.text)

    def test_legend(self) -> None:
        """It says itself how its pictures are read."""
        self.assertIn("Zigzag with a cross: RST", Seen(brochure(*talked("c1"))).text)

    def test_tls(self) -> None:
        """What went over TLS is told in the words of TLS."""
        text = Seen(
            brochure(Accepted(0, "echo", "c1", *ENDS, "tls"), Received(1, "echo", "c1", 5))
        ).text
        self.assertIn("One TLS record brought 5 bytes", text)

    def test_much(self) -> None:
        """However much there is, the page stays one that opens; what is missing is said."""
        said = [event for number in range(MOST) for event in talked(f"c{number}", 30)]
        html = brochure(*said)
        self.assertLessEqual(html.count("<li><b>"), MOST_EVENTS)
        self.assertGreater(html.count("<li><b>"), MOST_EVENTS - MOST)
        self.assertIn("were too many to show", html)

    def test_share(self) -> None:
        """What a short conversation does not need, longer ones have."""
        self.assertEqual(share([10, 500, 10], 100), 80)
        self.assertEqual(share([10, 20], 100), 20)
        self.assertEqual(share([90, 90, 90], 100), 33)
        self.assertEqual(share([], 100), 0)

    def test_left_out(self) -> None:
        """How many are left out is said."""
        said = [event for number in range(MOST + 5) for event in talked(f"c{number}")]
        self.assertIn("5 are left out", brochure(*said))

    def test_nothing(self) -> None:
        """A run in which nobody talked is a page that says so."""
        self.assertIn("0 conversations in 1 run", brochure())

    def test_datagrams(self) -> None:
        """Datagrams have their picture too."""
        self.assertIn("one datagram", brochure(DatagramReceived(0, "echo", *ENDS, 3, b"abc")))


class AloneTests(SynchronousTestCase):
    def test_alone(self) -> None:
        """It asks for nothing outside and runs nothing."""
        html = brochure(*talked("c1"))
        addresses = set(re.findall(r"https?://[^\s\"'<]*", html))
        self.assertEqual(addresses, {"http://www.w3.org/2000/svg"})
        self.assertIn("default-src 'none'", html)
        for forbidden in ("@import", "url(", "<script", "<link", "<img"):
            self.assertNotIn(forbidden, html)

    def test_hostile(self) -> None:
        """What a peer chose is text, whatever it is."""
        html = brochure(
            Accepted(0, HOSTILE, "c1", HOSTILE, HOSTILE, "tcp"),
            Received(1, HOSTILE, "c1", 99, HOSTILE.encode()),
            Note(2, HOSTILE, HOSTILE, HOSTILE, "c1"),
            Closed(3, HOSTILE, "c1", HOSTILE, HOSTILE, CloseReason.ERROR, 1, 1, 1.0, HOSTILE),
            name=HOSTILE,
        )
        seen = Seen(html)
        self.assertNotIn("script", seen.tags)
        self.assertNotIn("img", seen.tags)
        self.assertFalse([name for name, _ in seen.attributes if name.startswith("on")])
        for forbidden in ("\x1b", "\u202e", "\x00"):
            self.assertNotIn(forbidden, html)
        self.assertIn("alert(1)", seen.text)


class DumpTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Sixteen bytes a line: where, hex, letters."""
        lines = dump(b"hello, world! \x00\xff<b>").splitlines()
        self.assertTrue(lines[0].startswith("0000  68 65 6c"))
        self.assertTrue(lines[0].endswith("hello, world! .."))
        self.assertEqual(lines[1].split(), ["0010", "3c", "62", "3e", "<b>"])
        self.assertEqual(dump(b""), "")

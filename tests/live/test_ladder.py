"""A conversation as a ladder: one row an event, each drawn as what it is."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry, talk
from tests.live.views import opened
from twisted_lab.events import CATALOGUE
from twisted_lab.live.glyphs import ASCII, UNICODE
from twisted_lab.live.ladder import ladder
from twisted_lab.live.opened import Opened


def event(name: str, ms: int = 1, **fields: Any) -> dict[str, Any]:
    return entry(ms, name, **{"ns": ms * 10**6, "data": None, "call": "", **fields})


class RowTests(SynchronousTestCase):
    """At 40 cells the lifelines have 28 between them."""

    def inside(self, *events: dict[str, Any]) -> list[str]:
        found = ladder(opened(*events), 40, UNICODE)
        return [row.plain[9:] for row in found]

    def test_stream(self) -> None:
        """Bytes are arrows with their size; each direction points to who gets them."""
        found = self.inside(
            event("accepted"), event("received", bytes=1), event("sent", bytes=70000)
        )
        self.assertEqual(
            found,
            [
                "│┈┈┈┈┈┈┈┈┈ accepted ┈┈┈┈┈┈┈┈▶│",
                "│────────── 1 byte ─────────▶│",
                "│◀─────── 70,000 bytes ──────│",
            ],
        )

    def test_payload(self) -> None:
        """What was moved stands in the arrow, as far as there is room."""
        (row,) = self.inside(event("received", bytes=5, data="aGkKDQ=="))
        self.assertEqual(row, '│───── 5 bytes "hi\\n\\r" ────▶│')

    def test_fin(self) -> None:
        """FIN is a double line, and who has sent one has a broken lifeline from there on."""
        found = self.inside(
            event("peer-shutdown"), event("sent", bytes=5), event("local-shutdown"), event("sent")
        )
        self.assertEqual(
            found,
            [
                "│═══════════ FIN ═══════════▶│",
                "╎◀───────── 5 bytes ─────────│",
                "╎◀═════ FIN (half-close) ════│",
                "╎◀───────── 5 bytes ─────────╎",
            ],
        )

    def test_pauses(self) -> None:
        """Whose reading is paused has a double lifeline until it is resumed."""
        found = self.inside(
            event("paused", direction="in", reason="output"),
            event("paused", direction="out"),
            event("resumed", direction="in"),
            event("resumed", direction="out"),
            event("sent"),
        )
        self.assertEqual(
            found,
            [
                "│  reading paused (output) ‖ │",
                "│ ‖ peer does not read       ║",
                "║          reading resumed ▷ ║",
                "║ ▷ peer reads again         │",
                "│◀───────── 5 bytes ─────────│",
            ],
        )

    def test_gap(self) -> None:
        """Missing events break both lifelines, and say why and how much moved."""
        found = self.inside(
            entry(None, "gap", reason="unwatched", bytes_in=5, bytes_out=0),
            entry(None, "gap", reason="overrun", count=1200),
        )
        self.assertEqual(
            found, ["░ events not watched, 5 B in ░", "░    1,200 events missed     ░"]
        )

    def test_tls(self) -> None:
        """The handshake goes both ways or fails; then a close_notify is what ends a direction."""
        found = self.inside(
            event("tls", error="no cipher"), event("tls", version="TLSv1.3"), event("peer-shutdown")
        )
        self.assertEqual(
            found,
            [
                "│         TLS failed         │",
                "│◀┈┈┈┈┈┈┈ TLS is up ┈┈┈┈┈┈┈┈▶│",
                "│═══════ close_notify ══════▶│",
            ],
        )

    def test_note(self) -> None:
        """A note says what it says; an event that is new to us its name."""
        found = self.inside(event("note", says="bad-command: /x"), event("quantum"))
        self.assertEqual(
            found, ["│ · bad-command: /x          │", "│ · quantum                  │"]
        )

    def test_datagrams(self) -> None:
        """Datagrams have another line, and one that was dropped another head."""
        found = self.inside(
            event("datagram-received", bytes=9),
            event("datagram-sent", bytes=9),
            event("datagram-dropped", reason="rate", count=3),
            event("datagram-dropped", reason="amplification"),
        )
        self.assertEqual(
            found,
            [
                "│╌╌╌╌╌╌╌╌╌ 9 bytes ╌╌╌╌╌╌╌╌╌▶│",
                "│◀╌╌╌╌╌╌╌╌╌ 9 bytes ╌╌╌╌╌╌╌╌╌│",
                "│╌╌╌╌╌ 3 dropped: rate ╌╌╌╌╌✗│",
                "│✗╌╌ dropped: amplification ╌│",
            ],
        )


class EndTests(SynchronousTestCase):
    def end(self, reason: str, *before: dict[str, Any], transport: str = "tcp") -> str:
        about = connection(1, transport=transport)
        found = ladder(opened(*before, event("closed", reason=reason), about=about), 60, ASCII)
        return list(found)[-1].plain[12:38].strip()

    def test_arrows(self) -> None:
        """Where the reason says what came and from whom, it is an arrow: FIN or RST."""
        self.assertEqual(self.end("peer-fin"), "|===== FIN: closed =====>|")
        self.assertEqual(self.end("reset"), "|xxxxx RST, or lost xxxx>|")
        self.assertEqual(self.end("aborted"), "|<xxxxx RST: aborted xxxx|")
        self.assertEqual(self.end("truncated"), "|= FIN, no close_noti~ =>|")

    def test_lines(self) -> None:
        """A FIN that was drawn is not drawn again; what nobody told of is a line across."""
        line = "+--- closed: peer-fin ---+"
        self.assertEqual(self.end("peer-fin", event("peer-shutdown")), line)
        self.assertIn("closed: local", self.end("local", event("local-shutdown")))
        for reason in ("local", "idle"):  # FIN, or RST if the peer did not take what was left
            self.assertIn(f"- closed: {reason} -", self.end(reason))

    def test_transports(self) -> None:
        """TLS ends with close_notify; a UNIX socket knows neither FIN nor RST."""
        self.assertIn("= close_notify: clos", self.end("peer-fin", transport="tls"))
        self.assertIn(" end of stream: clo", self.end("peer-fin", transport="unix"))
        self.assertIn("x reset, or lost x", self.end("reset", transport="unix"))


class WholeTests(SynchronousTestCase):
    def every(self) -> Opened:
        """Every event there is."""
        return opened(*(event(name, reason="peer-fin", direction="in") for name in CATALOGUE))

    def test_widths(self) -> None:
        """At any width each event is one row that fits, in UTF-8 and in ASCII."""
        for width in (10, 20, 40, 59, 60, 80, 99, 100, 120, 300):
            for glyphs in (UNICODE, ASCII):
                found = list(ladder(self.every(), width, glyphs))
                self.assertEqual(len(found), len(CATALOGUE))
                for row in found:
                    self.assertLessEqual(cell_len(row.plain), max(width, 16), row.plain)
                    self.assertNotIn("\n", row.plain)
                if glyphs is ASCII:
                    self.assertTrue(all(row.plain.isascii() for row in found))

    def test_wide_characters(self) -> None:
        """Characters of two cells do not move the lifelines."""
        data = "5pel5pys6Kqe"  # three of them
        for row in ladder(
            opened(event("received", data=data), event("note", says="日本語")), 40, UNICODE
        ):
            self.assertEqual(cell_len(row.plain), 39)

    def test_columns(self) -> None:
        """From 60 cells on there is the system call, from 100 on the sentence."""
        said = event("received", call="recv()", says="One recv() returned them.")
        found = {
            width: next(ladder(opened(said), width, UNICODE)).plain for width in (59, 60, 99, 100)
        }
        self.assertEqual(["recv()" in found[width] for width in (59, 60)], [False, True])
        self.assertEqual(["returned" in found[width] for width in (99, 100)], [False, True])

    def test_times(self) -> None:
        """Times count from the begin of the connection, in seconds."""
        about = connection(1, opened_ns=2 * 10**9)
        said = event("received", ns=2_000_250_000)
        (row,) = ladder(opened(said, about=about), 80, UNICODE)
        self.assertEqual(row.plain[:12], "   0.000250 ")
        about = talk(1, first_ns=10**9)
        (row,) = ladder(opened(event("datagram-sent", ns=1_500_000_000), about=about), 40, UNICODE)
        self.assertEqual(row.plain[:9], "  0.5000 ")

    def test_left_out(self) -> None:
        """Events that made room are a row between the first and the last."""
        many = opened(*(event("sent", n) for n in range(2000)))
        found = [row.plain for row in ladder(many, 80, UNICODE)]
        self.assertIn("1,000 events, no longer kept here", found[32])

"""The page under hostile bytes, for the keyboard alone, for weak eyes and on a telephone."""

from __future__ import annotations

import base64

from playwright.sync_api import Page, expect

from tests.integration.browsing import (
    FAINT,
    HOSTILE,
    NARROW,
    BrowserTestCase,
    entries,
    row,
    said,
    turn_to_events,
)
from twisted_lab import escaping


class HostileTests(BrowserTestCase):
    def test_what_a_peer_sends_is_only_shown(self) -> None:
        """Markup, terminal escapes, bidirectional controls and NUL are seen, and do nothing."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, HOSTILE)
            page = self.look(child, "c1")
            expect(page.locator(".canvas > svg")).to_be_visible()
            turn_to_events(page)
            entries(page, "received").get_by_role("button").click()
            text = page.get_by_label("As text")
            expect(text).to_contain_text(r"<img src=x onerror=document.title='broken'><script>")
            expect(text).to_contain_text(r"\x1b[31m\x00\xff\u202etxt.exe\u202c")
            expect(page.get_by_label("As hex and ASCII")).to_contain_text("1b 5b 33 31 6d")
            self.assertNotIn("broken", page.title())
            self.assertEqual(page.locator("img, #pane script, #list script").count(), 0)
            self.check_text(page)

    def test_a_command_of_a_peer_is_only_shown(self) -> None:
        """The words of a note, which may be a peer's, cannot act either."""
        child = self.bench()
        with child.connect("line") as sock:
            sock.sendall(b"/<b>\x1b[2J" + "\u202e".encode() + b"\r\n")
            self.assertIn(b"unknown command", sock.recv(1000))
            page = self.look(child, "c1")
            turn_to_events(page)
            expect(entries(page, "note")).to_contain_text("<b>")
            self.check_text(page)

    def check_text(self, page: Page) -> None:
        """No character that acts is in the page's text, and nothing is wider than the page."""
        shown = page.locator("body").text_content() or ""
        acting = [c for c in shown if c != "\n" and c != "\\" and escaping.escape(c) != c]
        self.assertEqual(acting, [])
        self.assertFalse(page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def test_the_page_escapes_as_the_terminal_does(self) -> None:
        """The page's rules and those of the log and the terminal give the same for any text."""
        texts = [
            *(chr(code) for code in (*range(0x300), *range(0x2000, 0x2100), 0xFEFF, 0x1F600)),
            "back\\slash", "x" * 300, "\U0001f600" * 150, "\U0001f600" * 250,
        ]  # fmt: skip
        pieces = [
            *(text.encode() for text in texts), bytes(range(256)), HOSTILE, b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80", b"\xe0\x80\xaf", b"\xf0\x9f\x98", b"\xc3", b"\xef\xbb\xbfbom",
            *(bytes([first, second, 0x80, 0x80]) for first in range(0xC0, 0x100)
              for second in (0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0)),
        ]  # fmt: skip
        page = self.look(self.bench())
        shown = page.evaluate(
            """async ([texts, pieces]) => {
                const { escape } = await import("/static/escape.js");
                const { fromBase64 } = await import("/static/bytes.js");
                const of = (piece) => escape(fromBase64(piece));
                return [texts.map((text) => escape(text)), pieces.map(of)];
            }""",
            [texts, [base64.b64encode(piece).decode() for piece in pieces]],
        )
        self.assertEqual(shown[0], [escaping.escape(text) for text in texts])
        self.assertEqual(shown[1], [escaping.escape(piece) for piece in pieces])


class AccessTests(BrowserTestCase):
    def test_with_the_keyboard_alone(self) -> None:
        """Filter, walk the list, open, walk the events, see bytes, close: no mouse."""
        child = self.bench()
        with child.connect() as sock, child.connect() as other:
            said(sock, b"hello")
            said(other, b"other")
            page = self.look(child)
            expect(row(page, "c2")).to_be_visible()
            press = page.keyboard.press
            press("/")
            expect(page.get_by_role("searchbox", name="Peer")).to_be_focused()
            page.keyboard.type("127.0.0.1")
            press("Escape")
            row(page, "c2").get_by_role("link").focus()
            press("ArrowDown")
            expect(row(page, "c1").get_by_role("link")).to_be_focused()
            press("Enter")
            expect(page.get_by_role("heading", name="c1")).to_be_focused()
            page.get_by_role("tab", name="Diagram").focus()
            press("ArrowRight")
            expect(entries(page, "sent")).to_be_visible()
            entries(page, "received").get_by_role("button").focus()
            press("ArrowDown")
            expect(entries(page, "sent").get_by_role("button")).to_be_focused()
            press("Enter")
            expect(page.get_by_label("As text")).to_contain_text("hello")
            press("Escape")
            expect(entries(page, "sent").get_by_role("button")).to_be_focused()
            press("Escape")
            expect(page.locator("#pane")).not_to_be_visible()
            expect(row(page, "c1").get_by_role("link")).to_be_focused()
            press("p")
            expect(page.get_by_text("Paused at")).to_be_visible()

    def test_the_keyboard_walks_the_diagram(self) -> None:
        """The arrow keys go from event to event of the diagram, Enter to what is told of it."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"hello")
            page = self.look(child, "c1")
            expect(page.locator(".canvas > svg")).to_be_visible()
            page.locator(".canvas").focus()
            page.keyboard.press("ArrowDown")
            expect(page.locator(".inspector")).to_contain_text("accepted")
            page.keyboard.press("ArrowDown")
            expect(page.get_by_label("As text")).to_contain_text("hello")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="received")).to_be_focused()

    def test_words_are_told_from_their_ground(self) -> None:
        """Every word has the contrast of WCAG AA against what is behind it, light and dark."""
        child = self.bench("--deny", "127.0.0.2")
        with child.connect() as sock:
            said(sock, b"hello\x00")
            child.connect("line").close()
            for scheme in ("light", "dark"):
                page = self.look(child, "c1")
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
                turn_to_events(page)
                entries(page, "sent").get_by_role("button").click()
                self.assertEqual(page.evaluate(FAINT), [], scheme)
                page.close()

    def test_narrow(self) -> None:
        """On a telephone nothing is wider than the page, and what is open stands alone."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, HOSTILE * 10)
            page = self.look(child)
            page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            self.check_width(page)
            row(page, "c1").click()
            expect(page.locator(".canvas > svg")).to_be_visible()
            expect(page.get_by_role("table")).not_to_be_visible()
            self.check_width(page)
            turn_to_events(page)
            entries(page, "received").first.get_by_role("button").click()
            self.check_width(page)
            for at in ("datagrams", "refused", "service/echo"):
                page.goto(f"{page.url.partition('#')[0]}#{at}")
                expect(page.get_by_role("heading", name="socketlab")).to_be_visible()
                self.check_width(page)

    def check_width(self, page: Page) -> None:
        self.assertFalse(page.evaluate("document.documentElement.scrollWidth > innerWidth"))

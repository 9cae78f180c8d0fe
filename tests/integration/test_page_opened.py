"""One connection opened in the page: its diagram, events, bytes, kernel's view, and its end."""

from __future__ import annotations

import errno
import socket

from playwright.sync_api import expect

from tests.integration.browsing import (
    BrowserTestCase,
    entries,
    row,
    said,
    turn_to_events,
)
from tests.integration.child import read_all


class OpenedTests(BrowserTestCase):
    def test_a_connection_opened(self) -> None:
        """A click opens a connection: its peer, its diagram, its events in words with the call."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"hello")
            page = self.look(child)
            row(page, "c1").click()
            host, port = sock.getsockname()
            expect(page.get_by_role("region", name="c1")).to_contain_text(f"{host}:{port}")
            expect(page.locator(".canvas > svg [data-index]").first).to_be_visible()
            turn_to_events(page)
            expect(entries(page)).to_have_count(3)
            expect(entries(page, "accepted")).to_contain_text("accept()")
            expect(entries(page, "received")).to_contain_text("5 bytes")
            expect(entries(page, "received")).to_contain_text("recv()")
            expect(entries(page, "sent")).to_contain_text("hello")

    def test_events_come_by_themselves(self) -> None:
        """What happens on an open connection appears while one looks, down to its end."""
        child = self.bench()
        with child.connect() as sock:
            page = self.look(child, "c1")
            turn_to_events(page)
            expect(entries(page)).to_have_count(1)
            said(sock, b"one")
            expect(entries(page, "sent")).to_have_count(1)
            said(sock, b"two")
            expect(entries(page, "received").last).to_contain_text("two")
            page.get_by_role("tab", name="Diagram").click()
            drawn = page.locator(".canvas > svg [data-index]")
            before = drawn.count()
            said(sock, b"three")
            expect(drawn.nth(before)).to_be_visible()
        expect(page.get_by_role("region", name="c1")).to_contain_text("peer-fin")
        turn_to_events(page)
        expect(entries(page, "closed")).to_have_count(1)

    def test_bytes_as_text_and_hex(self) -> None:
        """A byte run opens as text and as hex beside ASCII; Escape goes back to it."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, "grüße\r\n".encode())
            page = self.look(child, "c1")
            turn_to_events(page)
            run = entries(page, "received").get_by_role("button")
            run.click()
            expect(page.get_by_label("As text")).to_contain_text(r"grüße\r\n")
            expect(page.get_by_label("As hex and ASCII")).to_have_text(
                "0000  67 72 c3 bc c3 9f 65 0d  0a" + " " * 24 + "gr....e.."
            )
            page.keyboard.press("Escape")
            expect(page.get_by_label("As text")).not_to_be_visible()
            expect(run).to_be_focused()

    def test_bytes_from_the_diagram(self) -> None:
        """A click on an arrow of the diagram shows the bytes of that very event."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"first")
            said(sock, b"second one")
            page = self.look(child, "c1")
            for scale in ("To scale", "Evenly"):
                page.get_by_label(scale).check()
                for index, text in ((1, "first"), (2, "first"), (3, "second one")):
                    arrow = page.locator(f'.canvas [data-index="{index}"]').first
                    arrow.dispatch_event("click")
                    expect(page.get_by_label("As text")).to_have_text(f"{text}\n")

    def test_bytes_cut_by_the_capture_limit(self) -> None:
        """Where more moved than was kept, the page says how much of it one sees."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"x" * 1000)
            page = self.look(child, "c1")
            turn_to_events(page)
            entries(page, "received").first.get_by_role("button").click()
            shown = page.get_by_text("Cut by the capture limit: the first 256 of")
            expect(shown).to_be_visible()

    def test_a_gap_is_named(self) -> None:
        """What happened while nobody looked is one gap in the list, with the bytes that moved."""
        child = self.bench()
        with child.connect() as sock:
            for _ in range(40):
                said(sock, b"0123456789")
            page = self.look(child, "c1")
            turn_to_events(page)
            expect(entries(page, "gap")).to_have_count(1)
            expect(page.get_by_role("region", name="c1")).to_contain_text("400 bytes")
            said(sock, b"seen")
            expect(entries(page).last).to_contain_text("seen")

    def test_reset_from_the_page(self) -> None:
        """Reset sends RST: the peer's next recv() fails with ECONNRESET."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"hello")
            page = self.look(child, "c1")
            page.get_by_role("button", name="Reset").click()
            with self.assertRaises(ConnectionResetError) as raised:
                sock.recv(10)
            self.assertEqual(raised.exception.errno, errno.ECONNRESET)
            expect(page.get_by_role("region", name="c1")).to_contain_text("closed")
            expect(page.get_by_role("button", name="Reset")).to_have_count(0)

    def test_close_from_the_page(self) -> None:
        """Close sends FIN: the peer reads to the end, without an error."""
        child = self.bench()
        with child.connect() as sock:
            page = self.look(child, "c1")
            page.get_by_role("button", name="Close", exact=True).click()
            self.assertEqual(read_all(sock), b"")
        expect(page.get_by_role("region", name="c1")).to_contain_text("closed")

    def test_the_kernels_view(self) -> None:
        """The kernel's own view of an open TCP connection stands above its events."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"hello")
            page = self.look(child, "c1")
            kernel = page.get_by_role("region", name="Kernel")
            expect(kernel).to_contain_text("ESTABLISHED")
            for term in ("rtt", "cwnd", "unacked", "not sent", "retransmits"):
                expect(kernel).to_contain_text(term)

    def test_no_kernels_view(self) -> None:
        """Where the kernel keeps none, as for a UNIX socket, a sentence says so."""
        child = self.bench("--listen", "unix:bench.sock")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(child.folder / "bench.sock"))
            page = self.look(child, "c1")
            expect(page.locator(".kernel .why")).to_contain_text("no TCP_INFO")

    def test_reload_and_back(self) -> None:
        """A connection's address can be reloaded and left with Back."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"hello")
            page = self.look(child)
            row(page, "c1").click()
            expect(page.get_by_role("region", name="c1")).to_be_visible()
            self.assertTrue(page.url.endswith("#c1"))
            page.reload()
            expect(page.get_by_role("region", name="c1")).to_contain_text("5 bytes")
            page.go_back()
            expect(page.get_by_role("region", name="c1")).to_have_count(0)

    def test_one_that_never_was(self) -> None:
        """An address of a connection that the bench does not know says so."""
        page = self.look(self.bench(), "c99")
        expect(page.locator("#pane")).to_contain_text("c99")
        expect(page.locator("#pane .empty")).to_be_visible()
        self.errors[:] = [text for text in self.errors if "404" not in text]

    def test_what_happens_while_paused(self) -> None:
        """A paused view counts the events of the connection it shows, and shows them after."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"before")
            page = self.look(child, "c1")
            turn_to_events(page)
            expect(entries(page)).to_have_count(3)
            page.keyboard.press("p")
            said(sock, b"meanwhile")
            expect(page.get_by_text("2 events of c1")).to_be_visible()
            expect(entries(page)).to_have_count(3)
            page.keyboard.press("p")
            expect(entries(page)).to_have_count(5)

    def test_a_long_history_stays_small(self) -> None:
        """Of many events the list keeps the first and the last, and says what is left out."""
        child = self.bench()
        with child.connect() as sock:
            page = self.look(child, "c1")
            turn_to_events(page)
            expect(entries(page)).to_have_count(1)
            for _ in range(600):
                said(sock, b"tick")
            said(sock, b"the last")
            expect(entries(page).last).to_contain_text("the last")
            expect(entries(page)).to_have_count(500)
            expect(page.get_by_text("left out here")).to_be_visible()
            expect(entries(page).first).to_contain_text("accepted")

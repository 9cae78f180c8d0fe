"""The page as a person uses it: Chromium, a bench in a process of its own, real sockets."""

from __future__ import annotations

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
from twisted_lab.events import CloseReason


class ListTests(BrowserTestCase):
    def test_a_connection_is_seen_to_come_and_go(self) -> None:
        """A connection appears by itself, open; when it has ended the row says how."""
        child = self.bench()
        page = self.look(child)
        expect(page.get_by_text("No connection yet")).to_be_visible()
        with child.connect() as sock:
            expect(row(page, "c1")).to_contain_text("open")
            said(sock, b"hello")
            expect(row(page, "c1")).to_contain_text("5 B")
            expect(page.locator("#services")).to_contain_text("1 open")
        expect(row(page, "c1")).to_contain_text("closed")
        expect(row(page, "c1")).to_contain_text("peer-fin")
        expect(page.locator("#services")).to_contain_text("1 accepted")

    def test_the_open_ones_stand_on_top(self) -> None:
        """A connection that is open stands above a younger one that has ended."""
        child = self.bench()
        with child.connect() as sock:
            said(sock, b"first")
            child.connect("line").close()
            page = self.look(child)
            expect(row(page, "c2")).to_contain_text("closed")
            expect(page.locator("tbody tr a")).to_have_text(["c1", "c2"])

    def test_filters(self) -> None:
        """The list narrows to a service, a part of the peer, a state and a close reason."""
        child = self.bench()
        with child.connect() as first, child.connect("line") as second:
            said(first, b"first")
            said(second, b"second\r\n")
            child.connect().close()
            page = self.look(child)
            ids = page.locator("tbody tr a")
            expect(ids).to_have_text(["c2", "c1", "c3"])
            page.get_by_role("combobox", name="Service").select_option("line")
            expect(ids).to_have_text(["c2"])
            page.get_by_role("combobox", name="Service").select_option("")
            page.get_by_role("combobox", name="State").select_option("closed")
            expect(ids).to_have_text(["c3"])
            page.get_by_role("combobox", name="State").select_option("")
            page.get_by_role("combobox", name="Ended by").select_option("peer-fin")
            expect(ids).to_have_text(["c3"])
            page.get_by_role("combobox", name="Ended by").select_option("")
            page.get_by_role("searchbox", name="Peer").fill(str(second.getsockname()[1]))
            expect(ids).to_have_text(["c2"])
            page.get_by_role("searchbox", name="Peer").fill("no such peer")
            expect(page.get_by_text("No connection matches the filter.")).to_be_visible()

    def test_the_filter_knows_every_close_reason(self) -> None:
        """Each close reason of the catalogue can be filtered for, and none that is not one."""
        page = self.look(self.bench())
        offered = page.get_by_role("combobox", name="Ended by").locator("option")
        expect(offered).to_have_text(["any", *(reason.value for reason in CloseReason)])

    def test_pause_holds_the_view_still(self) -> None:
        """A paused view does not move, says so and counts; resumed, it shows what came."""
        child = self.bench()
        page = self.look(child)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Paused at")).to_be_visible()
        with child.connect():
            expect(page.get_by_text("Held back: 1 event")).to_be_visible()
            page.wait_for_timeout(1500)  # a view that moves asks every second
            expect(row(page, "c1")).to_have_count(0)
            page.get_by_role("button", name="Resume").first.click()
            expect(row(page, "c1")).to_contain_text("open")
            expect(page.get_by_text("Paused at")).not_to_be_visible()

    def test_what_was_refused(self) -> None:
        """A connection that a gate turned away stands in the list of the refused, with the gate."""
        child = self.bench("--deny", "127.0.0.2")
        page = self.look(child, "refused")
        expect(page.get_by_text("Nothing was turned away.")).to_be_visible()
        where = ("127.0.0.1", child.port())
        with socket.create_connection(where, 10, ("127.0.0.2", 0)) as sock:
            self.assertEqual(read_all(sock), b"")
        expect(page.get_by_role("row").last).to_contain_text("access")
        expect(page.get_by_role("row").last).to_contain_text("127.0.0.2:")

    def test_datagrams_by_peer(self) -> None:
        """The datagrams of a peer are one row; opened, it lists each and shows its bytes."""
        child = self.bench()
        page = self.look(child, "datagrams")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.connect(("127.0.0.1", child.port("echo", "udp")))
            for _ in range(2):
                sock.send(b"knock")
                self.assertEqual(sock.recv(100), b"knock")
            line = row(page, "d1")
            expect(line).to_contain_text("2 · 10 B")
            line.click()
            turn_to_events(page)
            expect(entries(page, "datagram-received")).to_have_count(2)
            sock.send(b"again")
            expect(entries(page, "datagram-received")).to_have_count(3)
        entries(page, "datagram-received").last.get_by_role("button").click()
        expect(page.get_by_label("As hex and ASCII")).to_contain_text("61 67 61 69 6e")

    def test_suspend_and_resume(self) -> None:
        """A suspended service takes no connection; the open one lives on; resumed, it takes one."""
        child = self.bench()
        page = self.look(child)
        where = ("127.0.0.1", child.port())
        card = page.get_by_role("listitem").filter(has_text="echo").first
        with child.connect() as sock:
            card.get_by_role("button", name="Suspend").click()
            expect(card).to_contain_text("suspended")
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(where, 10)
            said(sock, b"still here")
            card.get_by_role("button", name="Resume").click()
            expect(card).not_to_contain_text("suspended")
            with socket.create_connection(where, 10) as again:
                said(again, b"hello")

    def test_commands_to_try(self) -> None:
        """“Try it” gives commands that name the service's own port, and copies them."""
        child = self.bench()
        page = self.look(child)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("link", name="Try it").first.click()
        command = page.locator(".command").first
        expect(command).to_contain_text(f"127.0.0.1 {child.port()}")
        command.get_by_role("button").click()
        expect(command.get_by_role("button")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        self.assertEqual(copied, command.locator("code").text_content())

    def test_without_the_token(self) -> None:
        """Without the token all is seen, and a button that changes says how to get it."""
        child = self.bench()
        page = self.look(child, token=False)
        page.get_by_role("button", name="Suspend").first.click()
        expect(page.get_by_role("alert")).to_contain_text("the address that the bench printed")
        child.connect().close()
        expect(row(page, "c1")).to_contain_text("closed")

    def test_the_token_leaves_the_address(self) -> None:
        """The token does not stay in the address bar, and a reload still has it."""
        child = self.bench()
        page = self.look(child)
        expect(page).not_to_have_url("token")
        self.assertNotIn("token", page.url)
        page.reload()
        page.get_by_role("button", name="Suspend").first.click()
        expect(page.get_by_text("suspended")).to_be_visible()

    def test_a_lost_bench(self) -> None:
        """A bench that stops is said to be gone; what was seen stays."""
        child = self.bench()
        page = self.look(child)
        with child.connect():
            expect(row(page, "c1")).to_contain_text("open")
        child.stop()
        expect(page.get_by_text("trying again")).to_be_visible()
        expect(row(page, "c1")).to_be_visible()
        self.errors[:] = [text for text in self.errors if "ERR_" not in text]

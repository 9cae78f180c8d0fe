"""What `socketlab export` makes of a real recording, as Chromium shows it to a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.folder import FolderTestCase
from tests.integration.browsing import FAINT, HOSTILE, NARROW, WIDE, BrowserTestCase, said
from tests.integration.child import Child, read_all
from tests.programs import SOCKETLAB, run


class ExportedTests(BrowserTestCase, FolderTestCase):
    def setUp(self) -> None:
        FolderTestCase.setUp(self)
        BrowserTestCase.setUp(self)
        self.recording = self.folder / "run.jsonl"
        with Child("--port", "0", "--no-page", "--record", str(self.recording)) as child:
            self.talk(child)

    def talk(self, child: Child) -> None:
        with child.connect() as sock:
            said(sock, HOSTILE)
            sock.shutdown(1)
            self.assertEqual(read_all(sock), b"")
        with child.connect("line") as sock:
            sock.sendall(b"/reset\n")
            self.assertRaises(ConnectionResetError, sock.recv, 9)

    def export(self, form: str, *words: str) -> Path:
        target = self.folder / f"run.{form}"
        done = run(*SOCKETLAB, "export", str(self.recording), f"--{form}", str(target), *words)
        self.assertEqual((done.status, done.err), (0, ""))
        return target

    def show(self, file: Path, scheme: Any) -> Page:
        page = self.context.new_page()
        page.emulate_media(color_scheme=scheme)
        asked: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        self.addCleanup(self.check_errors)
        self.addCleanup(lambda: self.assertEqual(asked, [file.as_uri()]))
        return page

    def test_page(self) -> None:
        """A page shows each conversation at either width, in either scheme, and runs nothing."""
        file = self.export("html")
        for scheme in ("light", "dark"):
            page = self.show(file, scheme)
            self.check_width(page, WIDE, "wide", "narrow")
            self.check_width(page, NARROW, "narrow", "wide")
            self.assertEqual(page.title(), "socketlab: run.jsonl")
            self.assertEqual(page.locator("img, script").count(), 0)
            expect(page.locator(".wide .closed .label")).to_have_text(
                ["closed: peer-fin", "RST: aborted"]
            )

    def check_width(self, page: Page, size: Any, seen: str, other: str) -> None:
        """Of the pictures the one for this width is seen; nothing is too wide, or faint."""
        page.set_viewport_size(size)
        for at in range(2):
            expect(page.locator(f".{seen} > svg").nth(at)).to_be_visible()
            expect(page.locator(f".{other} > svg").nth(at)).to_be_hidden()
        self.assertFalse(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
        self.assertEqual(page.evaluate(FAINT), [])

    def test_bytes(self) -> None:
        """The bytes open on a click, as text and as hex; on paper they are open."""
        page = self.show(self.export("html"), "light")
        dump = page.get_by_text("1b 5b 33 31 6d").first
        expect(dump).to_be_hidden()
        page.emulate_media(media="print")
        expect(dump).to_be_visible()
        page.emulate_media(media="screen")
        expect(dump).to_be_hidden()
        page.locator("li summary").first.click()
        expect(dump).to_be_visible()
        expect(page.locator("li pre").first).to_contain_text("<img src=x onerror=")

    def test_picture(self) -> None:
        """A picture opens alone, and shows what was sent as text."""
        page = self.show(self.export("svg", "--connection", "c1"), "dark")
        expect(page.locator(".received .data")).to_contain_text("<img src=x")
        self.assertEqual(page.locator("img, script, image, a").count(), 0)

    def test_which(self) -> None:
        """Without a connection the picture could be of either, and the sentence says of which."""
        done = run(*SOCKETLAB, "export", str(self.recording), "--svg", str(self.folder / "x.svg"))
        self.assertEqual(done.status, 1)
        self.assertRegex(done.err, r"2 conversations: .*\(c1, c2\)")

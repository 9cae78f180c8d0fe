"""A browser that looks at the page of a bench: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import atexit
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import WITH_US, Child, wait_for
from tests.integration.peers import missing

#: What must be seen is waited for this long, in milliseconds: these machines are slow and shared.
PATIENCE = 15_000.0

expect.set_options(timeout=PATIENCE)

#: A desk and a telephone.
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 380, "height": 760}


def address(child: Child) -> str:
    """The page's address with the token, as the child printed it."""
    found = re.search(r"(http://127\.0\.0\.1:\d+/#token=\S+)", child.output)
    if found is None:
        raise AssertionError(f"no page was announced: {child.output}")
    return found[1]


#: What a peer may send to break a page: markup, terminal escapes, bidirectional controls, NUL,
#: bytes that are no UTF-8, and letters that are stacked on each other.
HOSTILE = (
    b"<img src=x onerror=document.title='broken'><script>document.title='broken'</script>"
    b"\x1b[31m\x00\xff\xe2\x80\xaetxt.exe\xe2\x80\xac" + b"\xd8\xa7\xcc\x80" * 20 + b"\r\n"
)


@cache
def _chromium() -> str:
    """Chromium, running until this process ends: the address at which it is driven."""
    path = shutil.which("chromium")
    if path is None:
        raise missing("chromium")
    folder = tempfile.TemporaryDirectory(prefix="socketlab-test-")
    options = ("--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0")
    said = Path(folder.name) / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*WITH_US, path, *options, f"--user-data-dir={folder.name}", "about:blank"],
            stdout=output,
            stderr=output,
        )

    def end() -> None:
        process.terminate()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    told = re.compile(r"DevTools listening on (ws://\S+)\n")
    wait_for(lambda: told.search(said.read_text()), said.read_text)
    (address,) = told.findall(said.read_text())
    return str(address)


@contextmanager
def browser(**options: object) -> Iterator[BrowserContext]:
    """A browser with nothing in it; *options* are Playwright's of a context."""
    where = _chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.connect_over_cdp(where)
        context = chromium.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        try:
            yield context
        finally:
            context.close()
            chromium.close()


class BrowserTestCase(SynchronousTestCase):
    """Each test has a context of its own, with nothing in it; an error on its console fails it.

    Playwright's loop runs as long as it drives a browser, and other tests have loops of their own:
    so each test begins and ends it, while Chromium goes on.
    """

    def setUp(self) -> None:
        self.errors: list[str] = []
        self.enter(browser())

    def enter(self, opened: object) -> BrowserContext:
        self.context: BrowserContext = opened.__enter__()  # type: ignore[attr-defined]
        self.addCleanup(opened.__exit__, None, None, None)  # type: ignore[attr-defined]
        return self.context

    def bench(self, *arguments: str) -> Child:
        """A bench with its page, on free ports, until the test ends."""
        child = Child("--port", "0", *arguments)
        child.__enter__()
        self.addCleanup(child.__exit__)
        return child

    def look(self, child: Child, at: str = "", token: bool = True) -> Page:
        """The page of *child*, opened as a person opens it; then at the address *at* in it."""
        page = self.context.new_page()
        # Before the bench goes, which is a loss that a page may complain of.
        self.addCleanup(self.check_errors)
        page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        printed = address(child)
        page.goto(printed if token else printed.partition("#")[0])
        if at:
            page.goto(f"{printed.partition('#')[0]}#{at}")
        return page

    def check_errors(self) -> None:
        """Nothing went wrong in any page so far."""
        self.assertEqual(self.errors, [])


def row(page: Page, key: str) -> Locator:
    """The row of *key* in the list that is shown."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=key, exact=True))


def entries(page: Page, event: str = "") -> Locator:
    """The events in the list of what is open."""
    return page.locator(f"ol.entries > li.entry{'.' + event if event else ''}")


def said(sock: socket.socket, data: bytes) -> socket.socket:
    """*data* sent to an echo service, and all of it come back."""
    sock.sendall(data)
    got = b""
    while len(got) < len(data):
        got += sock.recv(2**16)
    return sock


def turn_to_events(page: Page) -> None:
    """Turn to the list of events."""
    page.get_by_role("tab", name="Events").click()


#: The words on the page whose contrast is under 4.5 (WCAG 2.2, success criterion 1.4.3).
FAINT = """() => {
    const parse = (color) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
        const part = (c) => c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color[3] === 255) return color;
        }
        return [255, 255, 255, 255];
    };
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode.parentElement;
        const words = texts.currentNode.data.trim().slice(0, 40);
        if (!words || !node.checkVisibility() || node.closest("svg")) continue;
        const style = getComputedStyle(node);
        const both = [light(parse(style.color)), light(ground(node))].sort((a, b) => b - a);
        const ratio = (both[0] + 0.05) / (both[1] + 0.05);
        if (ratio < 4.5) found.push(`${words}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""

"""How fast the page is: ``python -m scripts.page_speed``. Its figures stand in docs/measured.md.

How long the page takes to open with 10,000 connections in the history, and how long an event takes
from the client's send() to the screen while there are 2,000 of them a second. Every message is the
time at which it was sent; the page's own frames note when its row is there.
"""

from __future__ import annotations

import json
import threading
import time

from playwright.sync_api import Page

from tests.integration.browsing import address, browser, said
from tests.integration.child import Child

#: Connections in the history, and how often the page is opened with them.
HISTORY, OPENINGS = 10_000, 5

#: Messages a second, each of them two events; and for how many seconds.
RATE, SECONDS = 1000, 10.0

#: Counts frames, and how old each message is when the frame after its row was added begins.
_WATCH = """() => {
    window.ages = []; window.frames = 0;
    const seen = new WeakSet();
    const look = () => {
        const now = Date.now();
        window.frames += 1;
        let row = document.querySelector(".entries").lastElementChild;
        for (; row && !seen.has(row); row = row.previousElementSibling) {
            seen.add(row);
            const sent = /t(\\d+)/.exec(row.querySelector(".run")?.textContent ?? "");
            if (row.classList.contains("received") && sent) window.ages.push(now - Number(sent[1]));
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""

_READ = """() => {
    const ages = window.ages.toSorted((a, b) => a - b);
    const at = (share) => ages[Math.floor((ages.length - 1) * share)];
    return {
        seen: ages.length, p50: at(0.5), p95: at(0.95), most: at(1),
        frames: window.frames, heap: performance.memory.usedJSHeapSize / 2 ** 20,
        gaps: document.querySelectorAll(".entry.gap").length,
    };
}"""


def main() -> int:
    """Measure and print; exit status 0."""
    with Child("--port", "0") as child, browser() as context:
        for _ in range(HISTORY):
            with child.connect() as sock:
                said(sock, b"hello")
        page = context.new_page()
        times = sorted(_open(page, child) for _ in range(OPENINGS))
        print(
            f"opens with {HISTORY:,} connections kept in {', '.join(f'{t:.2f}' for t in times)} s"
        )
        for tab in ("Events", "Diagram"):
            print(f"{RATE * 2:,} events/s, {tab} open: {_event_to_screen(page, child, tab)}")
    return 0


def _open(page: Page, child: Child) -> float:
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(address(child))
    page.wait_for_selector(".list tbody a")
    return time.monotonic() - began


def _event_to_screen(page: Page, child: Child, tab: str) -> str:
    with child.connect() as sock:
        said(sock, b"x")
        where = address(child).partition("/#")[0]
        listed = json.loads(page.request.get(f"{where}/api/connections?limit=1").text())
        page.goto("about:blank")
        page.goto(f"{where}/#{listed['connections'][0]['id']}")
        page.get_by_role("tab", name="Events").click()
        page.wait_for_selector(".entry.sent")
        page.evaluate(_WATCH)
        page.get_by_role("tab", name=tab).click()
        talking = threading.Thread(target=_talk, args=(sock,))
        talking.start()
        while talking.is_alive():
            page.wait_for_timeout(200)
        page.wait_for_timeout(500)
        found = page.evaluate(_READ)
    return (
        f"{found['seen']:,} of {RATE * SECONDS:,.0f} messages seen, send() to screen"
        f" p50 {found['p50']} ms, p95 {found['p95']} ms, at most {found['most']} ms;"
        f" {found['frames'] / SECONDS:.0f} frames/s, heap {found['heap']:.0f} MiB,"
        f" {found['gaps']} gaps"
    )


def _talk(sock: object) -> None:
    """RATE messages a second, each answered before the next."""
    began = time.monotonic()
    for number in range(round(RATE * SECONDS)):
        said(sock, b"t%d" % (time.time() * 1000))  # type: ignore[arg-type]
        ahead = began + number / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


if __name__ == "__main__":
    raise SystemExit(main())

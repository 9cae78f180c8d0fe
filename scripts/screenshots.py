"""Pictures of the page: ``python -m scripts.screenshots FOLDER``.

A bench is started and talked to by real sockets, so that the page has something to tell: a
half-close, resets, chunks, a reader whose window is closed, datagrams, a refusal, bytes meant to
break a page. Then the list and one connection are photographed, wide and narrow, light and dark.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.integration.browsing import (
    HOSTILE,
    NARROW,
    WIDE,
    address,
    browser,
    entries,
    row,
    said,
    turn_to_events,
)
from tests.integration.child import Child, read_all

#: The longest answer of the line service, and how many are more than the kernel's buffers hold.
LONG, TIMES = 2**20, 6

#: Seconds for which the slow reader does not read: what is to be seen in the diagram.
SILENCE = 1.5

SCHEMES = ("light", "dark")
SIZES = (WIDE, NARROW)


def main(folder: str) -> int:
    """Writes the pictures into *folder*; exit status 0."""
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        child = stack.enter_context(Child("--port", "0", "--deny", "127.0.0.2"))
        open_ones = Session(child, stack).play()
        for scheme in SCHEMES:
            for size in SIZES:
                with browser(viewport=size, color_scheme=scheme, device_scale_factor=1) as context:
                    Camera(child, context, into, f"{size['width']}-{scheme}").take(open_ones)
    for picture in sorted(into.glob("*.png")):
        print(f"{picture}  {picture.stat().st_size / 1024:.0f} KiB")
    return 0


class Session:
    """What happens on the bench; what stays open is closed with *stack*."""

    def __init__(self, child: Child, stack: ExitStack) -> None:
        self._child = child
        self._stack = stack

    def play(self) -> dict[str, str]:
        """The connections worth opening: what each is, and its id."""
        for _ in range(3):
            with self._child.connect() as sock:
                said(sock, b"hello\r\n")
        self._reset_by_us()
        self._reset_by_peer()
        self._refused()
        self._datagrams()
        hostile = self._child.connect()
        said(self._stack.enter_context(hostile), HOSTILE)
        self._half_close()
        line = self._stack.enter_context(self._child.connect("line", host="::1"))
        self._line(line)
        said(self._stack.enter_context(self._child.connect()), b"x" * 1000)
        self._slow_reader()
        return {"hostile": "c6", "half-close": "c7", "line": "c8", "slow": "c10"}

    def _reset_by_us(self) -> None:
        with self._child.connect("line") as sock:
            sock.sendall(b"/reset\r\n")
            with suppress(ConnectionResetError):
                read_all(sock)

    def _reset_by_peer(self) -> None:
        sock = said(self._child.connect(), b"gone in a moment")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def _refused(self) -> None:
        where = ("127.0.0.1", self._child.port())
        with suppress(ConnectionError), socket.create_connection(where, 5, ("127.0.0.2", 0)) as s:
            read_all(s)

    def _datagrams(self) -> None:
        for count in (3, 1):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(5)
                sock.connect(("127.0.0.1", self._child.port("echo", "udp")))
                for number in range(count):
                    sock.send(b"datagram %d" % number)
                    sock.recv(100)

    def _half_close(self) -> None:
        with self._child.connect() as sock:
            sock.sendall(b"data, and FIN right behind")
            sock.shutdown(socket.SHUT_WR)
            read_all(sock)

    @staticmethod
    def _line(sock: socket.socket) -> None:
        for command in (
            b"hello",
            b"/upper gr\xc3\xbc\xc3\x9fe",
            b"/chunks 3,1,5 abcdefghi",
            b"/frobnicate",
        ):
            sock.sendall(command + b"\r\n")
            time.sleep(0.15)
            sock.recv(1000)

    def _slow_reader(self) -> None:
        """Asks for much and reads nothing for a while: the window closes and opens again."""
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**13)
            sock.settimeout(20)
            sock.connect(("127.0.0.1", self._child.port("line")))
            sock.sendall(b"/bytes %d\r\n" % LONG * TIMES)
            time.sleep(SILENCE)
            got = 0
            while got < LONG * TIMES:
                got += len(sock.recv(2**20))
            sock.sendall(b"/quit\r\n")
            read_all(sock)


class Camera:
    """Photographs the page of *child* into the folder *into*; *suffix* names size and scheme."""

    def __init__(self, child: Child, context: BrowserContext, into: Path, suffix: str) -> None:
        self._into = into
        self._suffix = suffix
        self._home, _, _ = address(child).partition("#")
        self._page: Page = context.new_page()
        self._page.goto(address(child))

    def take(self, ids: dict[str, str]) -> None:
        """Every picture."""
        page = self._page
        expect(row(page, "c1")).to_be_visible()
        self._shoot("list")
        for name in ("datagrams", "refused", "service/echo"):
            self._go(name)
            expect(page.get_by_role("heading", name="socketlab")).to_be_visible()
            self._shoot(name.replace("/", "-"))
        for name, key in ids.items():
            self._go(key)
            expect(page.locator(".canvas > svg")).to_be_visible()
            self._shoot(f"{name}-diagram")
            turn_to_events(page)
            expect(entries(page, "accepted")).to_be_visible()
            self._shoot(f"{name}-events")
            entries(page, "received").first.get_by_role("button").click()
            self._shoot(f"{name}-bytes")
            page.keyboard.press("Escape")
            page.get_by_role("tab", name="Diagram").click()

    def _go(self, at: str) -> None:
        self._page.goto(f"{self._home}#{at}")

    def _shoot(self, name: str) -> None:
        # One more question is asked every second: what is photographed is what stands.
        self._page.wait_for_timeout(400)
        self._page.screenshot(path=self._into / f"{name}-{self._suffix}.png", animations="disabled")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m scripts.screenshots FOLDER")
    raise SystemExit(main(sys.argv[1]))

"""A program on a terminal of its own (a pty), as a person sits before it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from tests.programs import SOCKETLAB
from twisted_lab.child import PATIENCE

_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[?1049l"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_HOME = "\x1b[H"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class OnTerminal:
    """``socketlab ARGUMENTS…`` on a terminal of *width* and *height*; a context manager.

    *command* is what stands in front of the arguments, *environment* is added to ours.
    ``wrote`` is everything it wrote to it.
    """

    def __init__(
        self,
        *arguments: str,
        width: int = 100,
        height: int = 30,
        environment: dict[str, str] | None = None,
        command: tuple[str, ...] = SOCKETLAB,
    ) -> None:
        self.ours, self.theirs = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.theirs)
        self.wrote = ""
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
            preexec_fn=self._take_terminal,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
        )

    def _take_terminal(self) -> None:
        """In the child: Ctrl-C and Ctrl-Z typed there are its signals."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def resize(self, width: int, height: int) -> None:
        """The window has another size."""
        size = struct.pack("HHHH", height, width, 0, 0)
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)  # the kernel sends SIGWINCH

    def type(self, keys: str) -> None:
        """These are typed."""
        os.write(self.ours, keys.encode())

    def read(self, seconds: float = 0.05) -> None:
        """Take what it writes within *seconds*."""
        ready, _, _ = select.select([self.ours], [], [], seconds)
        if ready:
            self.wrote += os.read(self.ours, 2**16).decode("utf-8", "replace")

    @property
    def screen(self) -> list[str]:
        """The last whole picture, without its colours."""
        pictures = self.wrote.split(_HOME)
        for picture in reversed(pictures[1:]):
            lines = _STYLE.sub("", picture).replace("\r", "").split("\n")
            if len(lines) >= self.height:
                return [line.rstrip() for line in lines]
        return []

    @property
    def height(self) -> int:
        """Lines of the window."""
        size = fcntl.ioctl(self.ours, termios.TIOCGWINSZ, bytes(8))
        return int(struct.unpack("HHHH", size)[0])

    def wait_for(self, text: str, limit: float = PATIENCE) -> str:
        """The line of the screen with *text* in it, once it is there."""
        until = time.monotonic() + limit
        while True:
            found = [line for line in self.screen if text in line]
            if found:
                return found[0]
            if time.monotonic() > until:
                raise AssertionError(f"no {text!r} in\n" + "\n".join(self.screen or [self.wrote]))
            self.read()

    def ended(self, limit: float = PATIENCE) -> int:
        """Its exit status, once it has one; all it wrote is read then."""
        until = time.monotonic() + limit
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError("it did not end:\n" + "\n".join(self.screen))
            self.read()
        self.read_rest()
        return self.process.returncode

    def read_rest(self) -> None:
        """What is still to be read."""
        while select.select([self.ours], [], [], 0.05)[0]:
            self.read()

    def trouble(self) -> list[str]:
        """What is not as it was before, in words; empty when the terminal is as it was found."""
        found = []
        if termios.tcgetattr(self.theirs) != self.before:
            found.append("termios attributes differ")
        if self.wrote.rfind(_ENTER) > self.wrote.rfind(_LEAVE):
            found.append("the alternate screen is not left")
        if self.wrote.rfind(_HIDE) > self.wrote.rfind(_SHOW):
            found.append("the cursor is hidden")
        return found

    @property
    def after(self) -> str:
        """What it wrote after it left the alternate screen."""
        return self.wrote.rpartition(_LEAVE)[2]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; its exit status."""
        self.process.send_signal(number)
        return self.ended()

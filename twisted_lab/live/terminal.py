"""The terminal: keys as they are typed, the alternate screen; and all as it was, at the end.

Rule this file owns: whatever ends us except SIGKILL, the terminal is left as it was found.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from contextlib import suppress
from types import FrameType
from typing import Any

from rich.console import Console, ConsoleDimensions, RenderableType
from rich.control import Control
from rich.screen import Screen

from twisted_lab.live.keys import Keys

#: Seconds after which an ESC that nothing followed was the key Escape: as long as in vim or tmux
#: at most, and longer than a sequence takes over a slow line.
_ESCAPE = 0.05

#: What a terminal has that does not say.
_USUAL = 80, 24

_QUIT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

#: Indices into what termios.tcgetattr() gives.
_IFLAG, _LFLAG, _CC = 0, 3, 6


class Terminal:
    """The terminal of stdin and stdout while it is ours; a context manager, for the main thread.

    ``quit`` becomes true with SIGINT, SIGTERM, SIGHUP, SIGQUIT, and when the terminal is gone;
    ``blank``: nothing is shown on it yet, or no longer.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stdin = sys.stdin.fileno()
        self._keys = Keys()
        self._handlers: dict[int, Any] = {}
        self._suspend = False
        self.quit = False
        self.blank = True
        self._wakes, self._waker = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._waker, False)

    def __enter__(self) -> Terminal:
        self._before = termios.tcgetattr(self._stdin)
        try:
            self._old_waker = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
            for number in _QUIT:
                self._handlers[number] = signal.signal(number, self._on_quit)
            self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._on_suspend)
            self._handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, _nothing)
            self._take()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._give_back()
        signal.set_wakeup_fd(self._old_waker)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._wakes)
        os.close(self._waker)

    def wake(self) -> None:
        """End a :meth:`wait`; from any thread."""
        with suppress(OSError):  # full: it wakes up anyway; closed: it is over
            os.write(self._waker, b"\0")

    @property
    def size(self) -> tuple[int, int]:
        """Cells of a line, and lines; asked of the terminal, for COLUMNS may be of another day."""
        with suppress(OSError):
            found = os.get_terminal_size(self._console.file.fileno())
            if found.columns > 0 and found.lines > 0:
                return found.columns, found.lines
        return _USUAL

    def show(self, renderable: RenderableType) -> None:
        """Show *renderable* on the whole screen."""
        self._console.size = ConsoleDimensions(*self.size)
        self.blank = False
        try:
            with self._console:  # one write
                self._console.control(Control.home())
                self._console.print(Screen(renderable), end="")
        except OSError:  # the terminal is gone
            self.quit = True

    def wait(self, seconds: float) -> list[str]:
        """The keys that were typed; sooner than after *seconds* if there are any, or on a wake."""
        if self._suspend:
            self._stop_for_a_while()
        limit = min(seconds, _ESCAPE) if self._keys.waiting else seconds
        ready, _, _ = select.select([self._stdin, self._wakes], [], [], max(limit, 0))
        if self._wakes in ready:
            with suppress(BlockingIOError):
                os.read(self._wakes, 4096)
        if self._stdin in ready:
            return self._keys.feed(self._read())
        return self._keys.flush() if self._keys.waiting and not ready else []

    def _read(self) -> bytes:
        try:
            data = os.read(self._stdin, 4096)
        except OSError:
            data = b""
        self.quit = self.quit or not data
        return data

    def _take(self) -> None:
        """Keys at once and without echo; Ctrl-S is a key. Signals stay signals."""
        ours = termios.tcgetattr(self._stdin)
        ours[_LFLAG] &= ~(termios.ECHO | termios.ICANON)
        ours[_IFLAG] &= ~termios.IXON
        ours[_CC][termios.VMIN], ours[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self._stdin, termios.TCSADRAIN, ours)
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def _give_back(self) -> None:
        with suppress(OSError):
            self._console.show_cursor(True)
            self._console.set_alt_screen(False)
            self._console.file.flush()
        with suppress(termios.error):  # the terminal is gone
            # What is still to be read was typed to us, not to the shell.
            termios.tcsetattr(self._stdin, termios.TCSAFLUSH, self._before)

    def _on_quit(self, number: int, frame: FrameType | None) -> None:
        self.quit = True

    def _on_suspend(self, number: int, frame: FrameType | None) -> None:
        self._suspend = True

    def _stop_for_a_while(self) -> None:
        """Ctrl-Z: the shell gets its terminal as it was, and we ours when it goes on."""
        self._suspend = False
        self.blank = True
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The wakeup descriptor has told already."""

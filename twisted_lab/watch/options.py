"""What ``socketlab watch -- PROGRAM`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.python import usage

from twisted_lab.command_line import CommandOptions
from twisted_lab.escaping import escape
from twisted_lab.units import size

if TYPE_CHECKING:
    from twisted_lab.transports.endpoints import Listen

#: Bytes of a message that are kept at most: a record of a ring is 64 KiB at most.
_MOST = 2**15


class ProgramOptions(CommandOptions):
    """What ``socketlab watch -- PROGRAM`` takes."""

    synopsis = "Usage: socketlab watch [options] -- PROGRAM [ARGUMENTS]"
    longdesc = (
        "Runs PROGRAM, and tells every call of its sockets: arguments, result, source line. "
        "Its input, output and exit status are its own; ours goes to stderr."
    )
    optParameters = [  # noqa: RUF012 - Twisted's
        ["record", None, None, "write every event to this file as JSON lines"],
        ["pcapng", None, None, "write packets drawn from the events to this file"],
        ["svg", None, None, "draw its first conversation here, both ends where it has both"],
        ["html", None, None, "write a page with all conversations to this file"],
        ["by", None, None, "what sees the calls: hook (Python) or strace; default: what fits"],
        ["page", None, None, "serve the live page there, as 9002; it stays until Ctrl-C"],
        ["capture", None, "256", "bytes of each message to keep, such as 4KiB; 0 for none"],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's
        ["brief", None, "tell the calls without a sentence each"],
        ["quiet", None, "tell no calls"],
    ]
    program: tuple[str, ...] = ()
    capture = 256
    page: tuple[Listen, ...] = ()

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """What follows ``--`` is the program's own."""
        words = list(options or ())
        at = words.index("--")
        self.program = tuple(words[at + 1 :])
        super().parseOptions(words[:at])

    def parseArgs(self, *words: str) -> None:
        """Nothing but options stands before ``--``."""
        if words:
            raise usage.UsageError("a URL or -- PROGRAM: expected one of them")

    def postOptions(self) -> None:
        """A program, and a size."""
        if not self.program or not self.program[0]:
            raise usage.UsageError("expected the program to watch after --")
        if self["by"] not in (None, "hook", "strace"):
            raise usage.UsageError(f"--by '{escape(self['by'])}': expected hook or strace")
        if self["page"] is not None:
            self.page = _listens(self["page"])
        try:
            self.capture = size(self["capture"])
        except ValueError as error:
            raise usage.UsageError(f"--capture '{escape(self['capture'])}': {error}") from None
        if self.capture > _MOST:
            raise usage.UsageError(f"--capture '{escape(self['capture'])}': at most 32KiB")


def _listens(text: str) -> tuple[Listen, ...]:
    from twisted_lab.settings import page_listens  # with every service: a start without is sooner

    try:
        return page_listens(text)
    except ValueError as error:
        raise usage.UsageError(f"--page '{escape(text)}': {error}") from None

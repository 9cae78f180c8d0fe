"""What a command is given, and the steps it gives back: values only.

A command touches no socket and no clock. It returns steps, and
:class:`~twisted_lab.protocols.line.LineService` takes them in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol

from twisted_lab.escaping import cut, escape

#: How many bytes of a wrong value are shown back.
_SHOWN = 40


class Session(Protocol):
    """What a command may know of its connection. Lines and bytes count up to its own line."""

    now: Callable[[], datetime]
    transport: Any
    lines_in: int
    bytes_in: int


@dataclass(frozen=True, slots=True)
class Request:
    """One command line: what followed the name and one space, and how the line ended."""

    arguments: bytes
    ending: bytes
    session: Session

    def reply(self, *lines: bytes) -> bytes:
        """*lines*, each with the request's ending; LF between them where the request has none."""
        between = self.ending or b"\n"
        return between.join(lines) + (self.ending if lines else b"")


@dataclass(frozen=True, slots=True)
class Wait:
    """Send what there is, then wait this many *seconds*."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Until:
    """Send what there is, then wait until *seconds* after the command began.

    Each of many short waits comes a little late, and the delays add up; moments do not.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """The command was wrong: *what*, and the *value* as it came; answered with *ending*."""

    what: str
    value: bytes
    ending: bytes

    @property
    def answer(self) -> str:
        """What the peer is told, on one safe line, the value cut."""
        return f"{self.what} {escape(self.value, _SHOWN) or 'nothing'}; try /help"

    @property
    def note(self) -> str:
        """The same for a note, as it came: who shows an event escapes it."""
        return f"{self.what} {cut(self.value, _SHOWN)}"


class Act(Enum):
    """What a command may do to the connection, once everything before it is written."""

    NO_DELAY = auto()
    HALF_CLOSE = auto()
    CLOSE = auto()
    RESET = auto()
    QUIT = auto()


#: ``bytes`` are to be sent; what stands between two waits goes out in one write.
Step = bytes | Wait | Until | Refusal | Act

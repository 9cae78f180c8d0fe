"""What a person can paste to talk to a service: one command a program, each fit for its kind.

Rule: every text works as it stands, on the machine that serves; nothing in it was chosen by a peer.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted_lab.trying import c, python, shell
from twisted_lab.trying.target import Target, target_of

__all__ = ["Target", "Try", "target_of", "tries"]


@dataclass(frozen=True, slots=True)
class Try:
    """A *text* to paste; *language* is ``sh``, ``python``, ``c`` or ``haproxy`` (haproxy.cfg).

    *title* names the program, and the transport unless it is TCP: ``nc``, ``Python, udp``.
    """

    title: str
    language: str
    text: str


def tries(target: Target) -> tuple[Try, ...]:
    """Everything to try *target* with: the lines for a shell, best first, then Python, then C."""
    rows = [*shell.rows(target), ("Python", "python", python.program(target))]
    if (program := c.program(target)) is not None:
        rows.append(("C", "c", program))
    over = "" if target.transport == "tcp" else f", {target.transport}"
    return tuple(Try(title + over, language, text) for title, language, text in rows)


def line(target: Target) -> str | None:
    """The one line to try *target* with; None for the rare address no line can hold."""
    for title, language, text in shell.rows(target):
        return text if language == "sh" else f"{title}: {text}"
    return None

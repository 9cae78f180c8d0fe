"""The arguments of commands: plain decimal numbers within bounds, and what is wrong with others."""

from __future__ import annotations

import re
from dataclasses import dataclass

# ASCII digits only: int() and float() also take 1_000, nan, and the digits of other scripts.
# At most twenty, because int() refuses thousands of them.
_WHOLE = re.compile(rb"[0-9]{1,20}")
_DECIMAL = re.compile(rb"[0-9]{1,20}(\.[0-9]{1,20})?")


class Wrong(Exception):
    """An argument that cannot be: what is wrong, after the command's name, and the *value*."""

    def __init__(self, what: str = "", value: bytes = b"") -> None:
        super().__init__(what)
        self.what = what
        self.value = value


class Missing(Wrong):
    """There are too few arguments."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers a command takes: *low* to *high*, and of what."""

    low: int
    high: int
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.low} to {self.high} {self.unit}".rstrip()

    def whole(self, word: bytes) -> int:
        """*word* as a whole number; :exc:`Wrong` when it is none, or out of bounds."""
        return int(self._number(word, _WHOLE))

    def decimal(self, word: bytes) -> float:
        """*word* as a number, with or without decimals; :exc:`Wrong` as for :meth:`whole`."""
        return float(self._number(word, _DECIMAL))

    def _number(self, word: bytes, form: re.Pattern[bytes]) -> bytes:
        if not word:
            raise Missing
        if form.fullmatch(word) and self.low <= float(word) <= self.high:
            return word
        raise Wrong(f"takes {self}, not", word)


def alone(arguments: bytes) -> bytes:
    """The only argument, without the spaces round it."""
    return arguments.strip(b" ")


def pair(arguments: bytes) -> tuple[bytes, bytes]:
    """Exactly two arguments."""
    words = arguments.split()
    if len(words) < 2:
        raise Missing
    if len(words) > 2:
        raise Wrong("takes two arguments, not", arguments)
    return words[0], words[1]


def before_text(arguments: bytes) -> tuple[bytes, bytes]:
    """The first argument, and the text after one space, which may be empty."""
    first, _, text = arguments.partition(b" ")
    return first, text

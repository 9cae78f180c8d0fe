"""What stands between the brackets of a line of strace, as values.

A string is bytes, a structure a dict, a list a list; a constant, or several joined by ``|``, is a
:class:`Word`, and a descriptor a :class:`Descriptor`. What is not understood is a Word, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_NUMBER = re.compile(r"-?(?:0x[0-9a-f]+|\d+)(?![\w|])")
_NOTE = re.compile(r'<((?:->|[^<>"]|"[^"]*")*)>(?:\(deleted\))?')
_WORD = re.compile(r"[&~]?[\w.|?*+-]+")
_SKIPPED = re.compile(r"(?:\s|,|/\*.*?\*/|\.\.\.)+")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")

#: Deeper than any argument of a call on sockets.
_DEEPEST = 20


class Word(str):
    """A constant as strace writes it, such as ``MSG_PEEK|MSG_DONTWAIT``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor; *kind* is what strace says it is (``TCP``), *text* which (``1:2->3:4``)."""

    number: int
    kind: str = ""
    text: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Its own address and its peer's, as strace writes them; "" for what it has not."""
        own, _, peer = self.text.partition("->")
        return (own, peer) if ":" in own else ("", "")


def values(text: str) -> list[Any]:
    """The values in *text*: the arguments of a call, or what stands behind its result."""
    return _Reader(text).items("")


def bytes_of(text: str) -> bytes:
    """A string as ``strace -xx`` writes it."""
    return bytes.fromhex("".join(_ESCAPED.findall(text)))


class _Reader:
    """Reads *text* once, from the left to the right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def items(self, end: str) -> list[Any]:
        """The values up to *end*, or to the end of all."""
        found: list[Any] = []
        self._depth += 1
        while not self._ends(end):
            before = self._at
            value = self._value()
            if self._text.startswith(" => ", self._at):  # before the call, and after it
                self._at += 4
                value = self._value()
            found.append(value)
            self._at += self._at == before  # whatever that was
        self._depth -= 1
        return found

    def _ends(self, end: str) -> bool:
        if skipped := _SKIPPED.match(self._text, self._at):
            self._at = skipped.end()
        if self._at >= len(self._text):
            return True
        if end and self._text[self._at] == end:
            self._at += 1
            return True
        return False

    def _value(self) -> Any:
        letter = self._text[self._at : self._at + 1]
        if letter and letter in "{[(" and self._depth < _DEEPEST:
            self._at += 1
            return _structure(self.items("}")) if letter == "{" else self.items(")]"[letter == "["])
        if found := self._match(_STRING):
            return bytes_of(found[1])
        if found := self._match(_NUMBER):
            number = int(found[0], 0)
            note = self._match(_NOTE)
            return number if note is None else _descriptor(number, note[1])
        return self._word()

    def _word(self) -> Any:
        found = self._match(_WORD)
        if found is None:
            return Word("")
        word = found[0]
        if self._text.startswith("(", self._at):  # htons(80)
            self._at += 1
            return _of(word, self.items(")"))
        if self._text.startswith("=", self._at) and not self._text.startswith("=>", self._at):
            self._at += 1
            return word, self._value()
        return None if word == "NULL" else Word(word)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found


def _structure(items: list[Any]) -> dict[str, Any]:
    return dict(one for one in items if isinstance(one, tuple) and len(one) == 2)


def _of(word: str, items: list[Any]) -> Any:
    """What a function around a value means."""
    if word == "inet_pton" and len(items) > 1:
        return "sin6_addr", _text(items[1])
    first = items[0] if items else None
    return _text(first) if word == "inet_addr" else first


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _descriptor(number: int, note: str) -> Descriptor:
    kind, _, text = note.partition(":[")
    return Descriptor(number, kind, text.removesuffix("]")) if text else Descriptor(number)

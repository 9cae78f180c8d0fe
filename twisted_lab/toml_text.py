"""A TOML file as values, and the lines on which they stand.

Rule: whatever the file, the outcome is values or one ConfigurationError; a line is named only
where it is certain.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: Bytes. A file of services has some hundreds; more is another file, named by mistake.
LARGEST = 2**18


@dataclass(frozen=True, slots=True)
class TomlText:
    """The file *name*, its text and what it says."""

    name: str
    text: str
    values: dict[str, Any]

    def line_of(self, key: str, array: str, number: int) -> int | None:
        """The line that sets *key* in the *number*-th ``[[array]]``, or at the top for 0.

        tomllib knows no positions. Of the lines that look like it, it is the one before which all
        is TOML by itself, so that a statement begins there, and which has that many tables and
        not yet the key.
        """
        for line, before in self._statements(_key(key), array, number):
            tables = before.get(array, [])
            table = tables[-1] if number and isinstance(tables, list) and tables else before
            if _count(before, array) == number and key not in table:
                return line
        return None

    def header_of(self, array: str, number: int) -> int | None:
        """The line of the *number*-th ``[[array]]``."""
        for line, before in self._statements(_header(array), array, number - 1):
            if _count(before, array) == number - 1:
                return line
        return None

    def _statements(
        self, looks: re.Pattern[str], array: str, headers: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """The lines that look so and begin a statement, and what is said before each.

        Before the right one there are at least so many *headers*, so most need no parsing.
        """
        lines = self.text.split("\n")
        header, seen = _header(array), 0
        for at, line in enumerate(lines):
            if seen >= headers and looks.match(line):
                try:
                    before = tomllib.loads("\n".join(lines[:at]))
                except ValueError:
                    continue  # within a text or an array of several lines
                yield at + 1, before
            seen += header.match(line) is not None


def _key(key: str) -> re.Pattern[str]:
    """A line that may set *key*, or begin a table of that name."""
    return re.compile(rf"""\s*(\[\[?\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")


def _header(array: str) -> re.Pattern[str]:
    return re.compile(rf"""\s*\[\[\s*["']?{re.escape(array)}["']?\s*\]\]""")


def _count(values: dict[str, Any], array: str) -> int:
    tables = values.get(array, [])
    return len(tables) if isinstance(tables, list) else 0


def read_toml(name: str, path: str) -> TomlText:
    """The file at *path*, which a person knows as *name*; raises :class:`ConfigurationError`."""
    shown = escape(name)
    text = _read(shown, path)
    try:
        return TomlText(name, text, tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # numbers too long, arrays too deep
        why = "it is nested too deep" if isinstance(error, RecursionError) else escape(str(error))
        raise ConfigurationError(f"{shown} is not TOML: {why}") from None


def _read(shown: str, path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"cannot read {shown}: {why}") from None
    if len(content) > LARGEST:
        raise ConfigurationError(f"{shown} is longer than {LARGEST // 1024} KiB: not a config file")
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{shown}, line {line}: the text is not UTF-8") from None


def as_toml(value: Any) -> str:
    """*value* about as it stands in the file, on one safe line of some 200 characters at most."""
    if isinstance(value, str):
        return f'"{escape(value)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return escape(f"[{', '.join(_plain(one) for one in value[:10])}]")
    return "a table" if isinstance(value, dict) else escape(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, list | dict):
        return "[…]" if isinstance(value, list) else "{…}"
    return f'"{value}"' if isinstance(value, str) else number_text(value)


def number_text(value: Any) -> str:
    """A number as a person writes it as an option: without exponent."""
    if isinstance(value, float) and isfinite(value):
        return format(Decimal(repr(value)), "f")
    # int() to text refuses some thousands of digits; the options take far fewer.
    return hex(value) if isinstance(value, int) and abs(value) >= 2**64 else str(value)

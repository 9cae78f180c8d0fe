"""What was typed: bytes of a terminal as the names of keys (ECMA-48 and xterm's sequences)."""

from __future__ import annotations

import codecs
import re

_NAMED = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x03": "ctrl-c",
    "\x0c": "ctrl-l",
}
#: After ESC [ or ESC O: cursor keys in both of their modes, and the keypad above them.
_SEQUENCES = {
    "A": "up",
    "B": "down",
    "H": "home",
    "F": "end",
    "1~": "home",
    "7~": "home",
    "4~": "end",
    "8~": "end",
    "5~": "page-up",
    "6~": "page-down",
    "M": "enter",
}
_SEQUENCE = re.compile(r"\x1b(?:\[([0-?]*[ -/]*[@-~])|O(.))", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")

#: Characters of a sequence at most; none of a real key is as long.
_LONGEST = 32


class Keys:
    """Bytes in, names of keys out: ``up``, ``enter``, ``escape`` …, or the character itself."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    @property
    def waiting(self) -> bool:
        """Whether a sequence has begun, or Escape was pressed alone: only time can tell."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[str]:
        """The keys that are complete with *data*."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        keys = []
        while text:
            if len(text) <= _LONGEST and _UNFINISHED.fullmatch(text):
                self._rest = text
                break
            key, text = _first(text)
            keys += [key] if key else []
        return keys

    def flush(self) -> list[str]:
        """Nothing followed: what looked like the begin of a sequence was Escape."""
        rest, self._rest = self._rest, ""
        return ["escape"] if rest else []


def _first(text: str) -> tuple[str, str]:
    """The first key of *text*, empty for one that means nothing here, and what follows it."""
    if text[0] != "\x1b":
        key = _NAMED.get(text[0], text[0])
        return (key if len(key) > 1 or key.isprintable() else ""), text[1:]
    sequence = _SEQUENCE.match(text)
    if sequence is None:
        return "escape", text[1:]
    return _SEQUENCES.get(sequence[1] or sequence[2], ""), text[sequence.end() :]

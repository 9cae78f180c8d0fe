"""Text from a peer, made safe to show: it cannot write to our terminal, our log or our page.

Rule 1: one line in, one line out. Rule 2: what is shown can be told from what was meant, for the
backslash is escaped too. Used by everything that shows a peer's words to a person.
"""

from __future__ import annotations

import re

#: How much of one field of a peer's text is shown: a long line of it helps nobody.
SHOWN_BYTES = 200

# C0, DEL and C1 controls; line and paragraph separators; bidirectional controls (UAX #9) and
# other invisible formatters; lone surrogates, which stand for the bytes that were not UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\\\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


#: What Python and C write shorter.
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte that was not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def cut(text: str | bytes, limit: int) -> str:
    """*text* cut after *limit* bytes (characters for ``str``) with ``…``, and not safe to show."""
    begin = text[:limit]
    if isinstance(begin, bytes):
        begin = begin.decode("utf-8", "surrogateescape")
    return begin + ("…" if len(text) > limit else "")


def escape(text: str | bytes, limit: int = SHOWN_BYTES) -> str:
    """*text* on one safe line, cut after *limit* bytes (characters for ``str``) with ``…``."""
    return _UNSAFE.sub(_escape, cut(text, limit))

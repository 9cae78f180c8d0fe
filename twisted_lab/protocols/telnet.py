"""Telnet's commands, recognised and named; this bench does not negotiate, it shows.

A telnet client on a line service sends them as data, and a person should see why their first line
begins with odd bytes.
"""

from __future__ import annotations

import re
from itertools import islice

# RFC 854: IAC, then a command, which takes an option after SB, WILL, WON'T, DO and DON'T.
_TELNET = re.compile(rb"\xff(?:([\xf0-\xf9])|([\xfa-\xfe])(.))", re.DOTALL)
_COMMANDS = dict(enumerate("SE NOP DM BRK IP AO AYT EC EL GA SB WILL WONT DO DONT".split(), 0xF0))
# The options that telnet clients send, by number (IANA, "Telnet Options").
_OPTIONS = {
    0: "BINARY",
    1: "ECHO",
    3: "SUPPRESS-GO-AHEAD",
    5: "STATUS",
    6: "TIMING-MARK",
    24: "TERMINAL-TYPE",
    31: "WINDOW-SIZE",
    32: "TERMINAL-SPEED",
    33: "FLOW-CONTROL",
    34: "LINEMODE",
    35: "X-DISPLAY",
    37: "AUTHENTICATION",
    39: "NEW-ENVIRON",
}
#: A client that talks telnet opens with some seven words; random bytes could go on for ever.
_NAMED = 8


class TelnetSpotter:
    """Looks for telnet commands in a stream of bytes, however it is cut into reads."""

    def __init__(self) -> None:
        self._cut = b""  # where a command may have been cut: the last two bytes

    def look(self, data: bytes) -> list[str]:
        """The commands in *data*, in RFC 854's words: ``DO ECHO``, ``IP`` (at most 8)."""
        recent = self._cut + data
        self._cut = recent[-2:]
        if b"\xff" not in recent:
            return []
        return [_word(match) for match in islice(_TELNET.finditer(recent), _NAMED)]


def _word(match: re.Match[bytes]) -> str:
    alone, verb, option = match.groups()
    if alone is not None:
        return _COMMANDS[alone[0]]
    return f"{_COMMANDS[verb[0]]} {_OPTIONS.get(option[0], option[0])}"

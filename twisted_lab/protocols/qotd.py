"""Quote of the day (RFC 865): a short text, then the end."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape

#: RFC 865: "should be less than 512 characters". Ours are bytes, as sent.
MOST = 511

#: What is said when no file of quotes is given.
QUOTES = tuple(
    text.replace("\n", "\r\n").encode("ascii")
    for text in (
        "Be liberal in what you accept, and\nconservative in what you send.\n    RFC 1122, 1.2.2\n",
        "It Has To Work.\n    RFC 1925, 2 (1)\n",
        "No matter how hard you push and no matter what the priority,\n"
        "you can't increase the speed of light.\n    RFC 1925, 2 (2)\n",
        "With sufficient thrust, pigs fly just fine. However, this is\n"
        "not necessarily a good idea.\n    RFC 1925, 2 (3)\n",
        "In protocol design, perfection has been reached not when there\n"
        "is nothing left to add, but when there is nothing left to take\n"
        "away.\n    RFC 1925, 2 (12)\n",
    )
)


def read_quotes(path: str) -> tuple[bytes, ...]:
    """The quotes in the file *path*, UTF-8, a line of one ``%`` between two, as fortune(6) has it.

    They come back with CR LF. Raises :class:`ConfigurationError` when there is none, or one of
    more than :data:`MOST` bytes, or the file cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from error
    except ValueError as error:  # not UTF-8, or a name that no file can have
        raise _unusable(path, "it is not UTF-8 text") from error
    lines = text.replace("\r\n", "\n")
    quotes = [quote.strip("\n") for quote in re.split(r"^%\n?$", lines, flags=re.MULTILINE)]
    sent = tuple(f"{quote}\n".replace("\n", "\r\n").encode() for quote in quotes if quote.strip())
    if not sent:
        raise _unusable(path, "there is no quote in it")
    for number, quote in enumerate(sent, 1):
        if len(quote) > MOST:
            raise _unusable(path, f"quote {number} has {len(quote)} bytes, and {MOST} are the most")
    return sent


def _unusable(path: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"the quotes file '{escape(path)}' cannot be used: {why}")


def quote(quotes: tuple[bytes, ...], random: Random, most: int = MOST) -> bytes:
    """One of *quotes* by *random*; of those with at most *most* bytes if there are any."""
    fitting = [one for one in quotes if len(one) <= most]
    return random.choice(fitting or quotes)

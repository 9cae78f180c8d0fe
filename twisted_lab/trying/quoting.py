"""Bytes as a shell, Python, C and socat read them back; what is written is one printable line."""

from __future__ import annotations

import re
import shlex

#: What a C string can hold as it is: printable, and neither quote, backslash nor the question mark
#: of a trigraph.
_PLAIN_C = re.compile(rb"[ !#->@-\[\]-~]")

#: What socat would read as part of its own grammar, within an address (socat(1)).
_SOCAT_SPECIAL = re.compile(rb"""([\\:,!"'(){}\[\]])""")


#: What a shell's printf can hold as it is, between single quotes; a minus could begin an option.
_PLAIN_PRINTF = re.compile(rb"[ !-$&(-,.-\[\]-~]")


def _printable(data: bytes) -> str | None:
    """*data* as text that shows itself as it is, if it does."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _octal(data: bytes, plain: re.Pattern[bytes]) -> str:
    pieces = (data[at : at + 1] for at in range(len(data)))
    return "".join(
        piece.decode() if plain.fullmatch(piece) else f"\\{piece[0]:03o}" for piece in pieces
    )


def for_shell(data: bytes) -> str:
    """One word for any POSIX shell; not of data that ends in a line feed, which ``$()`` drops."""
    if (text := _printable(data)) is not None:
        return shlex.quote(text)
    return f"\"$(printf '{_octal(data, _PLAIN_PRINTF)}')\""


def for_socat(data: bytes) -> bytes:
    """*data* as part of an address of socat, still to be quoted for the shell."""
    return _SOCAT_SPECIAL.sub(rb"\\\1", data)


def for_python(data: bytes) -> str:
    """A literal: text where it shows itself, else bytes."""
    return repr(data if (text := _printable(data)) is None else text)


def for_c(data: bytes) -> str:
    """A string literal."""
    return '"' + _octal(data, _PLAIN_C).replace("\\015", "\\r").replace("\\012", "\\n") + '"'

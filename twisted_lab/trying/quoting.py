"""Bytes as a shell, Python, C and socat read them back; what is written is printable ASCII."""

from __future__ import annotations

import re
import shlex

#: What a C string can hold as it is: printable, and neither quote, backslash nor the question mark
#: of a trigraph.
_PLAIN_C = re.compile(rb"[ !#->@-\[\]-~]")

#: What socat would read as part of its own grammar, within an address (socat(1)).
_SOCAT_SPECIAL = re.compile(rb"""([\\:,!"'(){}\[\]])""")


def _printable(data: bytes) -> bool:
    return all(0x20 <= byte <= 0x7E for byte in data)


def for_shell(data: bytes) -> str:
    """One word for any POSIX shell; not of data that ends in a line feed, which ``$()`` drops."""
    if _printable(data):
        return shlex.quote(data.decode("ascii"))
    octal = "".join(f"\\{byte:03o}" for byte in data)
    return f"\"$(printf '{octal}')\""


def for_socat(data: bytes) -> bytes:
    """*data* as part of an address of socat, still to be quoted for the shell."""
    return _SOCAT_SPECIAL.sub(rb"\\\1", data)


def for_python(data: bytes) -> str:
    """A literal: text where it is plain, else bytes."""
    return repr(data.decode("ascii") if _printable(data) else data)


def for_c(data: bytes) -> str:
    """A string literal."""
    escapes = {b"\r": "\\r", b"\n": "\\n"}
    pieces = (data[at : at + 1] for at in range(len(data)))
    shown = (
        piece.decode("ascii")
        if _PLAIN_C.fullmatch(piece)
        else escapes.get(piece, f"\\{piece[0]:03o}")
        for piece in pieces
    )
    return '"' + "".join(shown) + '"'

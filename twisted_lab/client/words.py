"""Between a person and bytes: what is typed becomes bytes, what comes becomes text."""

from __future__ import annotations

import codecs
from typing import Protocol

from twisted_lab.brochure import dump
from twisted_lab.escaping import escape

#: More than a line of a person, and little enough to keep.
LONGEST = 2**16


class Shown(Protocol):
    """Makes what comes ready for stdout."""

    def __call__(self, data: bytes, /) -> bytes:
        """What stdout shall get for *data*."""


def raw(data: bytes) -> bytes:
    """As it is: stdout is no terminal."""
    return data


class Readable:
    """For a terminal: one the peer cannot write to. Lines stay lines; the rest is escaped.

    A character that is cut between two reads is shown once it is whole.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode

    def __call__(self, data: bytes) -> bytes:
        """*data* as lines of text."""
        text = self._decode(data).replace("\r\n", "\n")
        lines = (_line(part) for part in text.split("\n"))
        return "\n".join(lines).encode()


def _line(text: str) -> str:
    return "\t".join(escape(part, len(part)) for part in text.split("\t"))


class Hex:
    """As hex and ASCII, with the place in the whole at the left."""

    def __init__(self) -> None:
        self._at = 0

    def __call__(self, data: bytes) -> bytes:
        """*data* as lines of hex."""
        lines = dump(data, self._at)
        self._at += len(data)
        return f"{lines}\n".encode()


class Typed:
    """Lines as bytes to send; *crlf* ends each with CR LF, *hexadecimal* reads it as hex.

    ``refused`` gathers a sentence for each line that is no hex, and is not sent.
    """

    def __init__(self, crlf: bool = False, hexadecimal: bool = False) -> None:
        self._crlf = crlf
        self._hex = hexadecimal
        self._rest = b""
        self.refused: list[str] = []

    def read(self, data: bytes) -> list[bytes]:
        """What to send of *data*: whole lines where they must be, else all of it at once."""
        if not (self._crlf or self._hex):
            return [data]
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            lines, self._rest = [*lines, self._rest], b""
        return [sent for line in lines if (sent := self._line(line, b"\r\n"))]

    def end(self) -> list[bytes]:
        """What is left at the end of the input, which no line end followed."""
        rest, self._rest = self._rest, b""
        return [sent] if rest and (sent := self._line(rest, b"")) else []

    def _line(self, line: bytes, end: bytes) -> bytes:
        if not self._hex:
            return line.removesuffix(b"\r") + end
        try:
            return bytes.fromhex(line.decode("ascii"))
        except ValueError:
            self.refused.append(f"'{escape(line)}' is not hex, and was not sent")
            return b""


class Lines:
    """Cuts input in lines, each of them one datagram, without its line end."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> list[bytes]:
        """The lines that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.removesuffix(b"\r") for line in lines]

    def end(self) -> list[bytes]:
        """The last, which had no end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []

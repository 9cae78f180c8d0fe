"""Between a person and bytes: what is typed becomes bytes, what comes becomes text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Protocol

from twisted_lab.escaping import escape
from twisted_lab.hexdump import dump

#: The most bytes of a line that is read as a whole: more than a person types, little to keep.
LONGEST = 2**16


class Shown(Protocol):
    """Makes what comes ready for stdout."""

    def __call__(self, data: bytes, /) -> bytes:
        """What stdout shall get for *data*."""

    def end(self) -> bytes:
        """What it shall get once no more comes."""


class Raw:
    """As it is: stdout is no terminal."""

    def __call__(self, data: bytes) -> bytes:
        """*data*."""
        return data

    def end(self) -> bytes:
        """Nothing."""
        return b""


class Readable:
    """For a terminal: one the peer cannot write to. Lines stay lines; the rest is escaped.

    A character that is cut between two reads is shown once it is whole, or no more can come.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._return = ""  # a CR, whose LF may come with the next read

    def __call__(self, data: bytes, final: bool = False) -> bytes:
        """*data* as lines of text."""
        text = self._return + self._decode(data, final)
        self._return = "" if final or not text.endswith("\r") else "\r"
        text = text.removesuffix(self._return).replace("\r\n", "\n")
        return "\n".join(map(_line, text.split("\n"))).encode()

    def end(self) -> bytes:
        """What was no whole character."""
        return self(b"", final=True)


def _line(text: str) -> str:
    return "\t".join(escape(part, len(part)) for part in text.split("\t"))


class ReadableDatagrams:
    """The same for datagrams, which begin and end on a line of their own."""

    def __call__(self, data: bytes) -> bytes:
        """*data* as lines of text."""
        return Readable()(data, final=True).removesuffix(b"\n") + b"\n"

    def end(self) -> bytes:
        """Nothing."""
        return b""


class Hex:
    """As hex and ASCII, with the place in the whole at the left."""

    def __init__(self) -> None:
        self._at = 0

    def __call__(self, data: bytes) -> bytes:
        """*data* as lines of hex."""
        lines = dump(data, self._at)
        self._at += len(data)
        return f"{lines}\n".encode()

    def end(self) -> bytes:
        """Nothing."""
        return b""


class Typed(Protocol):
    """Makes what is typed ready to be sent.

    ``refused`` gathers a sentence for each line that is not sent.
    """

    refused: list[str]

    def read(self, data: bytes, /) -> list[bytes]:
        """What to send of *data* now."""

    def end(self) -> list[bytes]:
        """What to send at the end of the input."""


class Text:
    """As it is typed; *crlf* makes each line end CR LF."""

    def __init__(self, crlf: bool = False) -> None:
        self.refused: list[str] = []
        self._crlf = crlf
        self._return = b""  # a CR, whose LF may come with the next read

    def read(self, data: bytes) -> list[bytes]:
        """All of *data* at once."""
        if not self._crlf:
            return [data]
        before, self._return = self._return, b"\r" if data.endswith(b"\r") else b""
        return [re.sub(rb"(?<!\r)\n", b"\r\n", before + data)[len(before) :]]

    def end(self) -> list[bytes]:
        """Nothing was kept."""
        return []


class Lines:
    """Cuts what is typed in lines, and sends what each *means*, or refuses it.

    *means* raises :class:`ValueError`, with what the line is not. No more than *longest* bytes are
    kept; a line that has more is refused.
    """

    def __init__(self, means: Callable[[bytes], bytes], longest: int = LONGEST) -> None:
        self.refused: list[str] = []
        self._means = means
        self._longest = longest
        self._rest = b""
        self._too_long = False

    def read(self, data: bytes) -> list[bytes]:
        """The lines that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        sent = [message for line in lines for message in self._line(line)]
        if len(self._rest) > self._longest + 1:  # it may end in CR
            self._too_long, self._rest = True, b""
        return sent

    def end(self) -> list[bytes]:
        """The last, which had no end."""
        rest, self._rest = self._rest, b""
        return self._line(rest) if rest or self._too_long else []

    def _line(self, line: bytes) -> list[bytes]:
        line = line.removesuffix(b"\r")
        too_long, self._too_long = self._too_long, False
        if too_long or len(line) > self._longest:
            self.refused.append(f"a line of more than {self._longest:,} bytes was not sent")
            return []
        try:
            return [self._means(line)]
        except ValueError as error:
            self.refused.append(f"'{escape(line)}' is {error}, and was not sent")
            return []


def from_hex(line: bytes) -> bytes:
    """The bytes that *line* writes as hex, with or without spaces between them."""
    try:
        return bytes.fromhex(line.decode("ascii"))
    except ValueError:
        raise ValueError("not hex") from None


def as_typed(line: bytes) -> bytes:
    """*line* itself."""
    return line


def with_crlf(line: bytes) -> bytes:
    """*line* with CR LF after it."""
    return line + b"\r\n"

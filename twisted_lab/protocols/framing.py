"""Lines out of bytes: a pure machine, no I/O. This file owns what a line is.

Rule 1: LF or CRLF ends a line; a bare CR is data, and so is every other byte. Rule 2: how the
input was split into reads changes neither the lines nor the verdict "too long".
"""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of content, terminator not counted. What people type stays under 4096 (the kernel's own
#: limit for a typed line, termios(3)); 16 KiB leaves room for a long JSON object or header.
MAX_LINE = 16384


@dataclass(frozen=True, slots=True)
class Line:
    """One line and how it ended: ``b"\\n"``, ``b"\\r\\n"``, or ``b""`` for one that FIN cut."""

    content: bytes
    ending: bytes


class LineFramer:
    """Cuts a stream of bytes into lines of at most *max_line* bytes of content.

    Once :attr:`too_long` is true nothing more is delivered, for after an over-long line nobody
    can say where the next one begins. Memory held: at most ``max_line`` + 1 bytes.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.max_line = max_line
        self.too_long = False
        self._begun = bytearray()

    @property
    def unfinished(self) -> bool:
        """A line has begun and has not ended."""
        return bool(self._begun)

    def feed(self, data: bytes) -> list[Line]:
        """The lines that *data* completes, in order."""
        if self.too_long:
            return []
        # split() looks only at the new bytes, in C: one byte at a time stays linear.
        first, *others = data.split(b"\n")
        self._begun += first
        if not others:
            self._check_begun()
            return []
        rest = others.pop()
        lines = self._finished([bytes(self._begun), *others])
        self._begun = bytearray(b"" if self.too_long else rest)
        self._check_begun()
        return lines

    def feed_plain(self, data: bytes, mark: bytes) -> bytes:
        """All the lines that *data* completes, as one piece, if none of them begins with *mark*.

        Empty when one does, is too long, or none is complete: then nothing was taken, and *data*
        is for :meth:`feed`. A read holds up to 65,536 lines; as values they take 0.2 s.
        """
        cut = data.rfind(b"\n") + 1
        block = bytes(self._begun) + data[:cut]
        if self.too_long or not cut or block.startswith(mark) or b"\n" + mark in block:
            return b""
        if len(block) > self.max_line and max(map(len, block.split(b"\n"))) > self.max_line:
            return b""
        self._begun = bytearray(data[cut:])
        self._check_begun()
        return block

    def _finished(self, pieces: list[bytes]) -> list[Line]:
        lines = []
        for piece in pieces:
            if piece.endswith(b"\r"):
                line = Line(piece[:-1], b"\r\n")
            else:
                line = Line(piece, b"\n")
            if len(line.content) > self.max_line:
                self.too_long = True
                break
            lines.append(line)
        return lines

    def _check_begun(self) -> None:
        # A CR just past the limit may still become CRLF, which is not content.
        allowed = self.max_line + self._begun.endswith(b"\r")
        if len(self._begun) > allowed:
            self._refuse()

    def finish(self) -> Line | None:
        """The last line, which FIN ended; None when there is none, or it is too long."""
        content = bytes(self._begun)
        self._begun.clear()
        if len(content) > self.max_line:  # a CR past the limit that stayed bare
            self._refuse()
        return Line(content, b"") if content and not self.too_long else None

    def _refuse(self) -> None:
        self.too_long = True
        self._begun.clear()

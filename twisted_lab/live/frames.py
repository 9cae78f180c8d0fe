"""Server-sent events, taken apart (HTML Living Standard, section 9.2)."""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of one event at most. An entry has at most 256 KiB of payload in base64; more is a mistake.
LIMIT = 2**20


class TooLong(ValueError):
    """An event longer than :data:`LIMIT`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: its name, its data, and its id, empty when it has none."""

    event: str
    data: str
    id: str = ""


class Frames:
    """Bytes in, :class:`Frame` out; holds at most one event that is not finished."""

    def __init__(self) -> None:
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        self._data: list[str] = []
        self._event = self._id = ""
        self._held = 0

    def feed(self, data: bytes) -> list[Frame]:
        """What is finished with *data*; raises :class:`TooLong`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        frames = [frame for line in lines if (frame := self._line(line)) is not None]
        self._hold(len(self._rest))
        return frames

    def _line(self, line: bytes) -> Frame | None:
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        if text:
            self._field(text)
            return None
        frame = Frame(self._event or "message", "\n".join(self._data), self._id)
        found = frame if self._data else None
        self._begin()
        return found

    def _field(self, text: str) -> None:
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id":
            self._id = value
        else:  # a comment, or what we do not know
            return
        self._held += len(text)
        self._hold(0)

    def _hold(self, more: int) -> None:
        if self._held + more > LIMIT:
            raise TooLong(f"an event of more than {LIMIT:,} bytes")

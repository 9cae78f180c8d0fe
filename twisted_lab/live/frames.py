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
        self._held = 0
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """What is finished with *data*; raises :class:`TooLong`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        frames = [frame for line in lines if (frame := self._line(line)) is not None]
        if len(self._rest) + self._held > LIMIT:
            raise TooLong(f"an event of more than {LIMIT} bytes")
        return frames

    def _line(self, line: bytes) -> Frame | None:
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        if text:
            self._field(text)
            return None
        fields, self._fields, self._held = self._fields, {}, 0
        if "data" not in fields:
            return None
        return Frame(fields.get("event", "message"), fields["data"], fields.get("id", ""))

    def _field(self, text: str) -> None:
        name, _, value = text.partition(":")
        if not name:  # a comment
            return
        value = value.removeprefix(" ")
        self._held += len(value)
        if self._held > LIMIT:
            raise TooLong(f"an event of more than {LIMIT} bytes")
        if name == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        if name in ("data", "event", "id"):
            self._fields[name] = value

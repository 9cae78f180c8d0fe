"""What a bench's answers say, as values: typed, bounded, and safe to show.

Rules this file owns: every text is escaped as it comes in, so whoever draws need not think of it;
a field that is missing or is something else reads as nothing (0, the empty text), for a bench may
be newer than we are.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted_lab.escaping import escape

#: Characters of a sentence that are kept; a bench cuts what it quotes at 200.
_SENTENCE = 500

#: Bytes of what was moved that are shown.
_SHOWN = 64

#: No number of ours is larger: they are shown, not reckoned with.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Bench:
    """The run: ``started`` is its date, ISO 8601, and tells one run from another."""

    version: str
    reactor: str
    started: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its counts since the start; ``state`` is a word, ``ports`` addresses."""

    name: str
    state: str
    ports: tuple[str, ...]
    open: int
    accepted: int
    refused: int
    bytes_in: int
    bytes_out: int
    datagrams_in: int
    datagrams_out: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection; ``rate_in`` and ``rate_out`` are bytes a second between the last two looks."""

    id: str
    service: str
    peer: str
    local: str
    transport: str
    state: str
    reason: str
    detail: str
    opened_ns: int
    duration: float
    bytes_in: int
    bytes_out: int
    rate_in: float = 0.0
    rate_out: float = 0.0

    @property
    def word(self) -> str:
        """Its state, or why it was closed."""
        return self.reason or self.state


@dataclass(frozen=True, slots=True)
class Talk:
    """The datagrams of one peer with one service."""

    id: str
    service: str
    peer: str
    local: str
    first_ns: int
    last_ns: int
    datagrams_in: int
    datagrams_out: int
    bytes_in: int
    bytes_out: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the bench tells it; ``seq`` is None on a gap, ``bytes`` where none were moved.

    ``text`` is the begin of what was moved.
    """

    seq: int | None
    event: str
    ns: int
    service: str
    conversation: str
    peer: str
    bytes: int | None
    says: str
    call: str
    direction: str
    reason: str
    until: int
    bytes_in: int
    bytes_out: int
    count: int | None
    duration: float
    error: str
    text: str

    @property
    def told(self) -> str:
        """What was moved, and what happened."""
        return f'"{self.text}" {self.says}' if self.text else self.says


def bench(said: Mapping[str, Any]) -> Bench:
    """What ``/api/bench`` says."""
    return Bench(_text(said, "version"), _text(said, "reactor"), _text(said, "started"))


def service(said: Mapping[str, Any]) -> Service:
    """One of ``/api/services``."""
    ports = [_text(port, "local") for port in objects(said, "ports")]
    return Service(
        _text(said, "name"),
        _text(said, "state"),
        tuple(dict.fromkeys(ports)),
        _count(said, "open"),
        _count(said, "accepted"),
        _total(said, "refused"),
        _count(said, "bytes_in"),
        _count(said, "bytes_out"),
        _count(said, "datagrams_in"),
        _count(said, "datagrams_out"),
        _total(said, "dropped"),
    )


def connection(said: Mapping[str, Any]) -> Connection:
    """One of ``/api/connections``."""
    return Connection(
        _text(said, "id"),
        _text(said, "service"),
        _text(said, "peer"),
        _text(said, "local"),
        _text(said, "transport"),
        _text(said, "state"),
        _text(said, "reason"),
        _text(said, "detail"),
        _count(said, "opened_ns"),
        _seconds(said, "duration"),
        _count(said, "bytes_in"),
        _count(said, "bytes_out"),
    )


def talk(said: Mapping[str, Any]) -> Talk:
    """One of ``/api/datagrams``."""
    return Talk(
        _text(said, "id"),
        _text(said, "service"),
        _text(said, "peer"),
        _text(said, "local"),
        _count(said, "first_ns"),
        _count(said, "last_ns"),
        _count(said, "datagrams_in"),
        _count(said, "datagrams_out"),
        _count(said, "bytes_in"),
        _count(said, "bytes_out"),
        _count(said, "dropped"),
    )


def entry(said: Mapping[str, Any]) -> Entry:
    """One event of a conversation or of the stream."""
    return Entry(
        optional(said, "seq"),
        _text(said, "event"),
        _count(said, "ns"),
        _text(said, "service"),
        _text(said, "connection") or _text(said, "talk"),
        _text(said, "peer"),
        optional(said, "bytes"),
        sentence(said, "says"),
        _text(said, "call"),
        _text(said, "direction"),
        _text(said, "reason"),
        _count(said, "until"),
        _count(said, "bytes_in"),
        _count(said, "bytes_out"),
        optional(said, "count"),
        _seconds(said, "duration"),
        _text(said, "error"),
        _payload(said),
    )


def objects(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list *name*."""
    found = said.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def optional(said: Mapping[str, Any], name: str) -> int | None:
    """The number *name*, None when there is none."""
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return min(max(value, 0), _LARGEST)


def sentence(said: Mapping[str, Any], name: str) -> str:
    """Text that the bench has escaped: its backslashes stay as they are, all else is made sure."""
    value = said.get(name)
    return escape(value, _SENTENCE).replace("\\\\", "\\") if isinstance(value, str) else ""


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return escape(value) if isinstance(value, str) else ""


def _payload(said: Mapping[str, Any]) -> str:
    """The begin of what was moved, as text; empty when nothing was kept of it."""
    value = said.get("data")
    if not isinstance(value, str):
        return ""
    try:
        # Three bytes are four characters; some more than is shown, so that a cut is seen.
        data = binascii.a2b_base64(value[: 2 * _SHOWN])
    except ValueError:
        return ""
    return escape(data, _SHOWN)


def _count(said: Mapping[str, Any], name: str) -> int:
    return optional(said, name) or 0


def _total(said: Mapping[str, Any], name: str) -> int:
    """The sum of counts by reason."""
    value = said.get(name)
    return sum(_count(value, reason) for reason in value) if isinstance(value, dict) else 0


def _seconds(said: Mapping[str, Any], name: str) -> float:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return min(max(float(value), 0.0), float(_LARGEST))

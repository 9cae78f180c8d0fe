"""Events of one conversation in few bytes, to keep many of them in memory.

Bytes, for they are a third of what the values take and nothing to the garbage collector. The form
is the interpreter's own (marshal), and never leaves the process.
"""

from __future__ import annotations

import dataclasses
import io
import marshal
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from twisted_lab.events import CATALOGUE, Call, Closed, CloseReason, Event, Gap, TcpInfo

_KINDS: dict[str, type[Event]] = CATALOGUE | {Gap.event: Gap}

#: What all events of a conversation have in common, so is not kept with each.
_COMMON = frozenset({"service", "connection"})

_names = {
    kind: tuple(field.name for field in dataclasses.fields(kind) if field.name not in _COMMON)
    for kind in _KINDS.values()
}
_values: dict[type[Event], Callable[[Any], Any]] = {
    kind: attrgetter("event", *names) for kind, names in _names.items()
}


def pack(event: Event) -> bytes:
    """*event*, but for its service and its connection."""
    values = _values[type(event)](event)
    if type(event) is Closed or event.call is not None:
        values = tuple(map(_plain, values))
    return marshal.dumps(values)


def _plain(value: Any) -> Any:
    if isinstance(value, CloseReason):
        return value.value
    return dataclasses.astuple(value) if isinstance(value, TcpInfo | Call) else value


def unpack(packed: bytes | bytearray, service: str, connection: str | None) -> Iterator[Event]:
    """The events that are joined in *packed*; *connection* is theirs, None for datagrams."""
    source = io.BytesIO(packed)
    while source.tell() < len(packed):
        name, *values = marshal.load(source)
        kind = _KINDS[name]
        fields = dict(zip(_names[kind], values, strict=True), service=service)
        if connection is not None:
            fields["connection"] = connection
        if fields["call"] is not None:
            fields["call"] = Call(*fields["call"])
        if kind is Closed:
            fields["reason"] = CloseReason(fields["reason"])
            raw = fields["tcp_info"]
            fields["tcp_info"] = None if raw is None else TcpInfo(*raw)
        yield kind(**fields)

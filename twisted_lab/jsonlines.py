"""An event as one line of JSON: the form of recordings and of JSON logs."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

from twisted_lab.events import CATALOGUE, Closed, CloseReason, Event, TcpInfo

_names_by_kind: dict[type[Event], tuple[str, ...]] = {}
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _names(kind: type[Event]) -> tuple[str, ...]:
    if kind not in _names_by_kind:
        _names_by_kind[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return _names_by_kind[kind]


def as_dict(event: Event) -> dict[str, Any]:
    """*event* with only JSON's types; what does not apply (None) is left out, bytes are base64."""
    said: dict[str, Any] = {"event": event.event}
    for name in _names(type(event)):
        value = getattr(event, name)
        if value is None:
            continue
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = dataclasses.asdict(value)
        said[name] = value
    return said


def line(value: Event | dict[str, Any]) -> bytes:
    """*value* as one line of pure ASCII with its newline."""
    said = as_dict(value) if isinstance(value, Event) else value
    return _encode(said).encode("ascii") + b"\n"


def read_event(said: dict[str, Any]) -> Event:
    """The event of which :func:`as_dict` makes *said*.

    Raises KeyError for an event there is not, TypeError for fields that are not its own.
    """
    fields = dict(said)
    kind = CATALOGUE[fields.pop("event")]
    if "data" in fields:
        fields["data"] = base64.b64decode(fields["data"])
    if "tcp_info" in fields:
        fields["tcp_info"] = TcpInfo(**fields["tcp_info"])
    if kind is Closed:
        fields["reason"] = CloseReason(fields["reason"])
    return kind(**fields)

"""An event as one line of JSON: the form of recordings and of JSON logs."""

from __future__ import annotations

import base64
import dataclasses
import json
from functools import cache
from typing import Any, get_type_hints

from twisted_lab.events import CATALOGUE, Call, Closed, CloseReason, Event, TcpInfo

#: No number of an event is larger, nor below 0.
_LARGEST = 2**63

_FLOATS = (float, float | None)

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
            value = {key: one for key, one in dataclasses.asdict(value).items() if one is not None}
        said[name] = value
    return said


def line(value: Event | dict[str, Any]) -> bytes:
    """*value* as one line of pure ASCII with its newline."""
    said = as_dict(value) if isinstance(value, Event) else value
    return _encode(said).encode("ascii") + b"\n"


def read_event(said: dict[str, Any]) -> Event:
    """The event of which :func:`as_dict` makes *said*.

    Raises KeyError for an event there is not, TypeError or ValueError for fields that are not its
    own, or have what they cannot have.
    """
    fields = dict(said)
    kind = CATALOGUE[fields.pop("event")]
    if "data" in fields:
        fields["data"] = base64.b64decode(fields["data"])
    if "tcp_info" in fields:
        fields["tcp_info"] = TcpInfo(**fields["tcp_info"])
        _check(fields["tcp_info"])
    if "call" in fields:
        fields["call"] = Call(**{"result": None, "error": None, **fields["call"]})
        _check(fields["call"])
    if kind is Closed:
        fields["reason"] = CloseReason(fields["reason"])
    event = kind(**fields)
    _check(event)
    return event


def _check(value: Any) -> None:
    """The fields of *value* are of their types, and numbers are what one of ours can be."""
    of: Any = type(value)
    for name, kind in _types(of).items():
        found = getattr(value, name)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise TypeError(f"{name} is a {type(found).__name__}")
        if isinstance(found, int | float) and not 0 <= found <= _LARGEST:
            raise TypeError(f"{name} is {found}")


@cache
def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    found = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    # JSON does not tell 1.0 from 1.
    return {name: hint | int if hint in _FLOATS else hint for name, hint in found.items()}

"""What the values of a line mean: numbers, addresses, times, what was moved."""

from __future__ import annotations

import socket as api
from typing import Any

from twisted_lab.watch.strace.values import Descriptor, Word

#: What strace calls by other names than Python.
_CONSTANTS = {"SOL_IPV6": api.IPPROTO_IPV6, "SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2}


def number(value: Any) -> int:
    """*value* as the number that C has for it; 0 for what is not known."""
    if isinstance(value, Word):
        return sum(map(_constant, value.split("|")))
    return value if isinstance(value, int) else 0


def _constant(name: str) -> int:
    known = _CONSTANTS.get(name, getattr(api, name, None))
    if isinstance(known, int):
        return int(known)
    try:
        return int(name, 0)
    except ValueError:
        return 0


def address_of(value: Any) -> Any:
    """An address: (host, port), or a path; None where there is none."""
    if not isinstance(value, dict) or "sa_family" not in value:
        return None
    if "sun_path" in value:
        path = value["sun_path"]
        return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
    host = value.get("sin_addr", value.get("sin6_addr"))
    port = value.get("sin_port", value.get("sin6_port"))
    return None if host is None or not isinstance(port, int) else (str(host), port)


def names_in(given: Any) -> dict[str, Any]:
    """The addresses that strace says a descriptor has."""
    if not isinstance(given, Descriptor):
        return {}
    return {
        name: _pair(text) for name, text in zip(("local", "peer"), given.names, strict=True) if text
    }


def _pair(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0


def only(value: Any) -> Any:
    """The value in brackets, where there is one alone."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def in_words(value: Any) -> Any:
    """An option's value, as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, int | bytes) else str(value)


def data_of(value: Any) -> bytes | None:
    """What was moved, as far as it is kept."""
    return value if isinstance(value, bytes) else None


def gathered(buffers: Any) -> bytes:
    """What was moved of several buffers (readv(2)), as far as it is kept."""
    if not isinstance(buffers, list):
        return b""
    found = [one.get("iov_base") for one in buffers if isinstance(one, dict)]
    return b"".join(one for one in found if isinstance(one, bytes))


def room(buffers: Any) -> int:
    """How much several buffers hold."""
    if not isinstance(buffers, list):
        return 0
    return sum(number(one.get("iov_len")) for one in buffers if isinstance(one, dict))


def seconds(time: Any, parts: int) -> float | None:
    """A time as a call takes it, *parts* of a second or a structure; None is for ever."""
    if isinstance(time, dict):
        whole = number(time.get("tv_sec"))
        return whole + number(time.get("tv_nsec")) / 1e9 + number(time.get("tv_usec")) / 1e6
    if not isinstance(time, int) or time < 0:
        return None
    return time / parts

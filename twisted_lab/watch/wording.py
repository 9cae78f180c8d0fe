"""A call's arguments and result as a C programmer reads them: constants by their names."""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted_lab.escaping import escape


def _names(prefix: str) -> dict[int, str]:
    """The constants that begin with *prefix*, without those of families nobody meets."""
    found: dict[int, str] = {}
    for name in dir(socket):
        if "J1939" in name or "VM_SOCKETS" in name:
            continue
        if name.startswith(prefix) and isinstance(getattr(socket, name), int):
            found.setdefault(int(getattr(socket, name)), name)
    return found


_FAMILIES = _names("AF_")
_TYPES = {
    int(getattr(socket, name)): name
    for name in ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET")
}
_FLAGS = {value: name for value, name in _names("MSG_").items() if value}
_HOW = {0: "SHUT_RD", 1: "SHUT_WR", 2: "SHUT_RDWR"}
_PROTOCOLS = {0: "0", 1: "IPPROTO_ICMP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP"}
_LEVELS = {
    int(socket.SOL_SOCKET): ("SOL_SOCKET", _names("SO_")),
    int(socket.IPPROTO_TCP): ("IPPROTO_TCP", _names("TCP_")),
    int(socket.IPPROTO_IP): ("IPPROTO_IP", _names("IP_")),
    int(socket.IPPROTO_IPV6): ("IPPROTO_IPV6", _names("IPV6_")),
}

#: What Python's exceptions without an errno are called.
_WORDS = {
    "timeout": "timed out",
    "TimeoutError": "timed out",
    "SSLWantReadError": "the TLS record is not whole yet",
    "SSLWantWriteError": "the kernel takes no more now",
}

#: Letters of one argument.
_LONGEST = 60


def arguments_of(name: str, given: Any) -> str:
    """*given* as it stands between the brackets."""
    if not isinstance(given, tuple):
        return ""
    if name in ("socket", "fromfd", "socketpair"):
        return _creating(given)
    if name in ("setsockopt", "getsockopt"):
        return _option(given)
    if name == "shutdown":
        return _HOW.get(given[0], str(given[0])) if given else ""
    if name in ("send", "sendall", "sendto", "sendmsg", "sendfile", "write", "writev"):
        return _sending(given)
    if name == "recvmsg":  # the room for ancillary data stands before the flags
        return _joined([*map(_show, given[:2]), *_flags(given[2:3])])
    if name in ("recv", "recv_into", "recvfrom", "recvfrom_into") and given:
        return _joined([_show(given[0]), *_flags(given[1:2]), *map(_show, given[2:])])
    return _joined(map(_show, given))


def _joined(words: Any) -> str:
    return ", ".join(words)


def _creating(given: tuple[Any, ...]) -> str:
    family, kind, protocol = (*given, 0, 0, 0)[:3]
    plain = kind & 0xF if isinstance(kind, int) and kind >= 0 else kind
    words = [_FAMILIES.get(family, str(family)), _TYPES.get(plain, str(kind))]
    return _joined(words if not protocol or protocol == -1 else [*words, str(protocol)])


def _option(given: tuple[Any, ...]) -> str:
    level, names = _LEVELS.get(given[0], (str(given[0]), {})) if given else ("", {})
    option = names.get(given[1], str(given[1])) if len(given) > 1 else ""
    return _joined([level, option, *map(_show, given[2:])])


def _sending(given: tuple[Any, ...]) -> str:
    size, *rest = given
    shown = f"{size} bytes" if isinstance(size, int) else str(size)
    words = [
        _flags((one,))[0] if isinstance(one, int) and one else _show(one) for one in rest if one
    ]
    return _joined([shown, *words])


def _flags(given: tuple[Any, ...]) -> list[str]:
    if not given or not isinstance(given[0], int):
        return [_show(one) for one in given]
    names = [name for value, name in _FLAGS.items() if given[0] & value == value]
    return ["|".join(names)] if names else []


def _show(value: Any) -> str:
    if isinstance(value, tuple) and len(value) >= 2 and isinstance(value[0], str):
        return escape(f"{value[0]}:{value[1]}", _LONGEST)
    if isinstance(value, float):
        return f"{value:g}"
    return escape(repr(value) if isinstance(value, bytes) else str(value), _LONGEST)


def result_of(name: str, result: Any, more: dict[str, Any]) -> str:
    """What the call gave back."""
    if name in ("select", "poll", "epoll_wait"):
        return f"{result} ready"
    if name == "accept":
        return f"{result}, {_show(more.get('peer'))}" if more.get("peer") else str(result)
    if name in ("getaddrinfo",):
        return f"{result} addresses"
    return "0" if result is None else _show(result)


def error_of(error: Any) -> str:
    """An errno by its name, or what happened instead, in words."""
    if isinstance(error, int):
        return errno.errorcode.get(error, f"errno {error}")
    return _WORDS.get(str(error), escape(str(error)))

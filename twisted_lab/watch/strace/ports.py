"""What the kernel's tables say of sockets: their addresses, and who has a port (proc(5))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from twisted_lab.watch.strace.tables import Held

#: tcp_states.h, as /proc/net/tcp writes them.
_LISTEN, _TIME_WAIT = "0A", "06"


def names_of(held: Held) -> dict[str, Any]:
    """The addresses of a socket, ``local`` and ``peer``, by its inode; what is not known, not."""
    if held.inode is None or held.family == socket.AF_UNIX:
        return {}
    table = "tcp" if held.type == socket.SOCK_STREAM else "udp"
    for fields in _entries(table + ("6" if held.family == socket.AF_INET6 else "")):
        if fields[9] == str(held.inode):
            found = {"local": _address(fields[1]), "peer": _address(fields[2])}
            return {name: pair for name, pair in found.items() if pair[1]}
    return {}


def holder(port: int) -> str:
    """Who has *port*, which could not be bound."""
    states = {
        fields[3]
        for table in ("tcp", "tcp6")
        for fields in _entries(table)
        if fields[1].endswith(f":{port:04X}")
    }
    if _LISTEN in states:
        return "another socket listens there"
    waits = _TIME_WAIT in states
    return "connections there are in TIME_WAIT" if waits else "another socket is bound to it"


def _entries(table: str) -> Iterator[list[str]]:
    with suppress(OSError), open(f"/proc/net/{table}") as lines:
        next(lines, None)
        for line in lines:
            yield line.split()


def _address(text: str) -> tuple[str, int]:
    """``0100007F:1F90`` as people write it: words of 32 bits in the order of this machine."""
    host, _, port = text.partition(":")
    words = [int(host[at : at + 8], 16) for at in range(0, len(host), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)

"""Who has a port, by what the kernel's tables say (proc(5))."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

#: tcp_states.h, as /proc/net/tcp writes them.
_LISTEN, _TIME_WAIT = "0A", "06"


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

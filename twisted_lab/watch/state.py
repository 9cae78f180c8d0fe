"""What is known of one socket of a watched program, and what follows from it."""

from __future__ import annotations

import os
import socket as api
from dataclasses import dataclass
from typing import Any

from twisted_lab.addresses import show_pair
from twisted_lab.events import CloseReason


@dataclass(slots=True)
class Socket:
    """What is known of one socket: its *kind* (``tcp``, ``udp``, ``unix``), its connection.

    *holders* are the processes that have it.
    """

    id: str
    holders: set[int]
    kind: str = ""
    connection: str | None = None
    local: str = ""
    peer: str = ""
    listening: bool = False
    connecting: bool = False
    opened: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    peer_done: bool = False
    done: bool = False
    reset: bool = False
    lingers_not: bool = False
    tls: bool = False

    @property
    def stream(self) -> bool:
        """Whether it has a connection, or may have one."""
        return self.kind in ("tcp", "unix", "")


def reason_of(sock: Socket, unread: int) -> tuple[CloseReason, str]:
    """Who ended it first, and what is to be said of that."""
    if sock.reset:
        return CloseReason.RESET, ""
    if sock.kind == "tcp" and unread and not sock.tls:
        return CloseReason.ABORTED, f"{unread} bytes were not read, so the kernel sent RST"
    if sock.lingers_not:
        return CloseReason.ABORTED, "SO_LINGER with 0 s"
    return (CloseReason.PEER_FIN if sock.peer_done and not sock.done else CloseReason.LOCAL), ""


def kind_of(family: int, type: int) -> str:
    """What a socket of these is called in events: ``tcp``, ``udp``, ``unix``."""
    datagrams = (type & 0xF) == api.SOCK_DGRAM
    if family == api.AF_UNIX:
        return "unix-datagram" if datagrams else "unix"
    if family in (api.AF_INET, api.AF_INET6):
        return "udp" if datagrams else "tcp"
    return f"family {family}"


def show(address: Any) -> str:
    """An address as a call has it, as people write it."""
    if isinstance(address, tuple) and len(address) >= 2:
        return show_pair(str(address[0]), int(address[1]))
    if isinstance(address, bytes):
        address = os.fsdecode(address.replace(b"\0", b"@", 1))
    return f"unix:{address}" if isinstance(address, str) else ""

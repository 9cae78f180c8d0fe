"""What the kernel knows about a socket: bytes still unsent, progress, TCP_INFO, free descriptors.

Every call answers honestly with None or 0 where the platform cannot tell.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Any

from twisted_lab.events import TcpInfo

_LINUX = sys.platform == "linux"

#: ioctl(2) of tcp(7) and unix(7): bytes in the send queue that the peer has not acknowledged
#: (TCP) or not read (UNIX). Also called TIOCOUTQ.
_SIOCOUTQ = 0x5411

_TCP_STATES = (
    "UNKNOWN ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT "
    "LAST_ACK LISTEN CLOSING NEW_SYN_RECV"
).split()

# struct tcp_info (linux/tcp.h): eight bytes of state, 24 u32, then u64 and u32 by kernel version.
_HEAD = struct.Struct("=8B24I")
_BYTES = struct.Struct("=4Q4I")  # pacing, max_pacing, bytes_acked, bytes_received, segs, notsent
_TCP_INFO_SIZE = _HEAD.size + _BYTES.size


def unsent(sock: socket.socket | None) -> int:
    """How many bytes given to *sock* the peer has not taken yet; 0 where it cannot be known."""
    if not _LINUX or sock is None:
        return 0
    from fcntl import ioctl

    try:
        return int(struct.unpack("i", ioctl(sock, _SIOCOUTQ, b"\0\0\0\0"))[0])
    except (OSError, ValueError):
        return 0


def raw_tcp_info(sock: socket.socket | None) -> bytes | None:
    """The kernel's struct tcp_info of *sock*, unread; None for other sockets and platforms."""
    if not _LINUX or sock is None or sock.family == socket.AF_UNIX:
        return None
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except (OSError, ValueError):
        return None


def read_tcp_info(raw: bytes | None) -> TcpInfo | None:
    """*raw* as a value; None when there is none, or the kernel is older than Linux 4.6."""
    if raw is None or len(raw) < _TCP_INFO_SIZE:
        return None
    head = _HEAD.unpack_from(raw)
    more = _BYTES.unpack_from(raw, _HEAD.size)
    state = _TCP_STATES[head[0]] if head[0] < len(_TCP_STATES) else str(head[0])
    words = head[8:]
    return TcpInfo(
        state=state,
        retransmits=head[2],
        unacked=words[4],
        rtt_us=words[15],
        rttvar_us=words[16],
        snd_cwnd=words[18],
        total_retrans=words[23],
        bytes_acked=more[2],
        bytes_received=more[3],
        notsent_bytes=more[6],
    )


def tcp_info(sock: socket.socket) -> TcpInfo | None:
    """The kernel's view of *sock* now."""
    return read_tcp_info(raw_tcp_info(sock))


def descriptor_limit() -> int | None:
    """How many descriptors this process may have open (RLIMIT_NOFILE); None if without limit."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows has no such limit
        return None
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def next_descriptor() -> int | None:
    """The number the next descriptor will get (the lowest free one); None when there is none."""
    try:
        fd = os.dup(0)
    except OSError:
        return None
    os.close(fd)
    return fd


def socket_of(transport: Any) -> socket.socket | None:
    """The socket *transport* owns; None once it is closed, or for a fake."""
    sock = getattr(transport, "socket", None)
    return sock if isinstance(sock, socket.socket) else None


def was_reset(sock: socket.socket | None) -> bool:
    """Whether the kernel holds an error for *sock*, as it does after an RST.

    epoll may report the error (EPOLLERR, EPOLLHUP) a moment before it reports that there is
    something to read; Twisted (26.10, posixbase) takes that for a FIN.
    """
    return sock is not None and bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def missing_here() -> list[str]:
    """One sentence for each thing the bench can do on Linux and cannot do on this platform."""
    if _LINUX:
        return []
    return [
        f"On {sys.platform} there is no TCP_INFO: closed events carry none.",
        f"On {sys.platform} the kernel's unsent bytes are unknown: a peer that reads slowly may be"
        " taken for idle.",
        f"On {sys.platform} datagrams come by recvfrom(): kernel drops are not counted and, on a"
        " wildcard address, the answer leaves from whatever address the kernel picks.",
    ]

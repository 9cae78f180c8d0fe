"""What the peers of our tests do to a server, with real sockets, and what they see of it."""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import SkipTest

MIB = 2**20

#: Rounds a figure of milliseconds may take: on a loaded machine one round measures the neighbours.
#: The bound is never loosened; the best round must hold it, as no server is faster than it can be.
ROUNDS = 5


def missing(what: str) -> Exception:
    """What to raise when *what* is not on this machine: a skip with its reason, a failure in CI."""
    return AssertionError(f"CI lacks {what}") if os.environ.get("CI") else SkipTest(f"no {what}")


def side_by_side(*actions: Callable[[], Any]) -> list[Any]:
    """Do *actions* at the same time, a thread each; their results, or the first exception."""
    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]


@contextmanager
def all_descriptors() -> Iterator[None]:
    """As many descriptors as this process and the children it starts may ever have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Do *action* over and over in a thread; it ends when a socket of its own does."""
    stop = threading.Event()

    def go_on() -> None:
        with suppress(OSError):
            while not stop.is_set():
                action()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def send_and_fin(sock: socket.socket, data: bytes, *, one_segment: bool = False) -> None:
    """Send *data* and FIN with nothing between them; *one_segment* has the kernel join them."""
    sock.sendall(data, socket.MSG_MORE if one_segment else 0)
    sock.shutdown(socket.SHUT_WR)


def read_to_end(sock: socket.socket, pace: float = 0.0) -> bytes:
    """All that comes until FIN, waiting *pace* seconds before each read."""
    pieces = []
    while piece := sock.recv(2**16):
        pieces.append(piece)
        if pace:
            time.sleep(pace)
    return b"".join(pieces)


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """The next *count* bytes; fewer only at the end of the stream."""
    pieces = bytearray()
    while len(pieces) < count and (piece := sock.recv(count - len(pieces))):
        pieces += piece
    return bytes(pieces)


def exchange(sock: socket.socket, data: bytes, late: float = 0.0) -> bytes:
    """Send *data* and FIN; read to the end, beginning *late* seconds after."""
    sender = threading.Thread(target=send_and_fin, args=(sock, data))
    sender.start()
    time.sleep(late)
    try:
        return read_to_end(sock)
    finally:
        sender.join()


def send_until_blocked(sock: socket.socket, most: int, patience: float = 0.5) -> int:
    """Send without reading until nothing is taken for *patience* seconds; how much was."""
    block = bytes(range(256)) * 256
    sent = 0
    sock.setblocking(False)
    while sent < most and select.select([], [sock], [], patience)[1]:
        with suppress(BlockingIOError):
            sent += sock.send(block[sent % 256 :])
    sock.settimeout(20)
    return sent


def pattern(count: int) -> bytes:
    """What :func:`send_until_blocked` sent."""
    return (bytes(range(256)) * (count // 256 + 1))[:count]


def reset(sock: socket.socket) -> None:
    """Close *sock* with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def seconds_until_end(sock: socket.socket) -> float:
    """How long the server keeps the connection: until FIN or RST."""
    began = time.monotonic()
    with suppress(ConnectionError):
        read_to_end(sock)
    return time.monotonic() - began


def p99(values: list[float]) -> float:
    """The 99th percentile of *values*."""
    return sorted(values)[len(values) * 99 // 100]


def round_trips(sock: socket.socket, count: int, message: bytes = b"quiet\n") -> list[float]:
    """Send *message* and wait for as many bytes, *count* times; the seconds each took."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        sock.sendall(message)
        if len(read_exactly(sock, len(message))) != len(message):
            raise ConnectionError("it ended")
        took.append(time.perf_counter() - began)
    return took


def best_of(rounds: int, bound: float, measure: Callable[[], float]) -> float:
    """The least *measure* gives, asked until it is within *bound*, at most *rounds* times."""
    best = float("inf")
    for _ in range(rounds):
        best = min(best, measure())
        if best <= bound:
            break
    return best


def connect_at_once(address: tuple[str, int], count: int) -> list[float]:
    """Begin *count* connects before any is looked at; seconds from each until a byte was back."""
    began: dict[int, float] = {}
    served: list[float] = []
    with ExitStack() as stack, select.epoll() as poll:
        sockets: dict[int, socket.socket] = {}
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sockets[sock.fileno()] = sock
            began[sock.fileno()] = time.perf_counter()
            sock.connect_ex(address)
            poll.register(sock, select.EPOLLOUT)
        while len(served) < count and (ready := poll.poll(20)):
            for fd, what in ready:
                if what & select.EPOLLOUT:
                    sockets[fd].send(b"x")
                    poll.modify(fd, select.EPOLLIN)
                elif sockets[fd].recv(1) == b"x":
                    served.append(time.perf_counter() - began[fd])
                    poll.unregister(fd)
        for sock in sockets.values():
            reset(sock)  # no TIME_WAIT, which would use up the ports of a machine
    if len(served) < count:
        raise AssertionError(f"{count - len(served)} of {count} connects were not served")
    return served


def recorded(path: Path, event: str = "") -> list[dict[str, Any]]:
    """The events of a recording so far, all or those called *event*; its header is left out."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    events = [json.loads(line) for line in lines]
    return [e for e in events if e.get("event") == event or (not event and "event" in e)]

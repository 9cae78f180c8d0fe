"""The load: a process of its own that drives one server through one case and says what it cost.

``python -m benchmarks.load CASE PORT PID SECONDS`` prints one `Reading` as JSON. Rule: every byte
that comes back is compared with what was sent; a wrong or missing one ends the measurement.
It never sleeps where it has a core of its own: a server that must wake its client pays for that,
and two sleepers taking turns would be measured instead of the server.
"""

import json
import os
import random
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Protocol

from benchmarks.measuring import cpu_seconds, user_bytes

# Seconds of the same traffic before the clocks are read: caches, windows and lazy imports settle.
WARM_UP = 0.2

# Seconds without one answer, and of a burst in all, after which the server is given up.
PATIENCE = 10.0

# Bytes. Each message fits the load's send buffer whole, so that it never waits to write.
SEND_BUFFER = 256 * 1024

# Seconds between two looks at the clock where load and server share a core and the load may sleep.
TURN = 0.1

# Distinct payloads in rotation: a late, repeated or foreign answer differs from the one expected.
PAYLOADS = 16

# Datagrams in flight per socket: keeps a server busy, and far below any receive buffer.
WINDOW = 4

# Connections of the case `connect` at a time: below 50, the backlog of listenTCP.
VISITORS = 10

# Connections opened before the first look at the memory: imports and first arenas are not counted.
SETTLED = 100


class WrongAnswerError(Exception):
    """The server did not send back what it was sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server under load: its port on 127.0.0.1, its process, and the seconds to measure."""

    port: int
    pid: int
    seconds: float

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: the cost in the case's unit, and what it was computed from (seconds)."""

    cost: float
    operations: int
    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. Less of its unit is better."""

    name: str
    what: str
    form: str  # "tcp" or "udp"
    unit: str
    run: Callable[[Target], Reading]


class Exchange(Protocol):
    """One socket of the load; `readable` returns how many operations it has just completed."""

    def fileno(self) -> int: ...

    def readable(self) -> int: ...


class Load:
    """An epoll loop over exchanges, stopped by the clock."""

    def __init__(self, target: Target) -> None:
        self._epoll = select.epoll()
        self._exchanges: dict[int, Exchange] = {}
        shared = os.sched_getaffinity(0) & os.sched_getaffinity(target.pid)
        self._sleep = TURN if shared else 0.0

    def add(self, exchange: Exchange) -> None:
        """Begin to watch an exchange."""
        self._exchanges[exchange.fileno()] = exchange
        self._epoll.register(exchange.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> int:
        """Drive all exchanges for some seconds; return the operations completed."""
        completed, exchanges, sleep = 0, self._exchanges, self._sleep
        now = answered = time.monotonic()
        end = now + seconds
        while now < end:
            for descriptor, _ in self._epoll.poll(sleep):
                completed += exchanges[descriptor].readable()
                answered = now
            now = time.monotonic()
            if now - answered > PATIENCE:
                raise WrongAnswerError(f"no answer for {PATIENCE:g} s")
        return completed


def payloads(size: int, count: int = PAYLOADS) -> list[bytes]:
    source = random.Random(size)
    return [source.randbytes(size) for _ in range(count)]


class StreamExchange:
    """Ping-pong: send a message, wait until all of it is back, send the next."""

    def __init__(self, target: Target, messages: Sequence[bytes], first: int) -> None:
        self._socket = connected(target)
        self.fileno, self._recv, self._send = (
            self._socket.fileno,
            self._socket.recv,
            self._socket.send,
        )
        self._messages = islice(cycle(messages), first, None)
        self._begin()

    def _begin(self) -> None:
        self._message, self._back = next(self._messages), 0
        if self._send(self._message) != len(self._message):
            raise WrongAnswerError("the message did not fit the load's own send buffer")

    def readable(self) -> int:
        data = self._recv(65536)
        # An empty read is the server's FIN; b"".startswith would let it pass.
        if not data or not self._message.startswith(data, self._back):
            raise WrongAnswerError(
                f"{len(data)} bytes at offset {self._back} are not the message's"
            )
        self._back += len(data)
        if self._back < len(self._message):
            return 0
        self._begin()
        return 1


class TimedExchange(StreamExchange):
    """The same, and how many seconds each answer took."""

    def __init__(self, target: Target, messages: Sequence[bytes], first: int) -> None:
        self.took: list[float] = []
        super().__init__(target, messages, first)

    def _begin(self) -> None:
        self._began = time.perf_counter()
        super()._begin()

    def readable(self) -> int:
        began = self._began
        completed = super().readable()
        if completed:
            self.took.append(time.perf_counter() - began)
        return completed


class DatagramExchange:
    """A window of datagrams in flight; each answer is replaced by the next datagram."""

    def __init__(self, target: Target, messages: Sequence[bytes], first: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(target.address)
        self._socket.setblocking(False)
        self.fileno, self._recv, self._send = (
            self._socket.fileno,
            self._socket.recv,
            self._socket.send,
        )
        self._messages = islice(cycle(messages), first, None)
        self._in_flight: list[bytes] = []
        for _ in range(WINDOW):
            self._begin()

    def _begin(self) -> None:
        message = next(self._messages)
        self._in_flight.append(message)
        self._send(message)

    def readable(self) -> int:
        data = self._recv(65536)
        if data not in self._in_flight:
            raise WrongAnswerError(
                f"a datagram of {len(data)} bytes that is none of those in flight"
            )
        self._in_flight.remove(data)
        self._begin()
        return 1


class Visit:
    """Connect, one message, FIN, wait for the server's FIN; then again on a new connection."""

    def __init__(self, load: Load, target: Target, message: bytes) -> None:
        self._load, self._target, self._message = load, target, message
        self._begin()

    def _begin(self) -> None:
        self._socket, self._back = connected(self._target), 0
        self.fileno = self._socket.fileno
        self._socket.send(self._message)
        self._load.add(self)

    def readable(self) -> int:
        data = self._socket.recv(65536)
        if data:
            self._answered(data)
            return 0
        if self._back < len(self._message):
            raise WrongAnswerError(f"closed after {self._back} of {len(self._message)} bytes")
        self._socket.close()  # leaves the epoll set with it
        self._begin()
        return 1

    def _answered(self, data: bytes) -> None:
        if not self._message.startswith(data, self._back):
            raise WrongAnswerError(
                f"{len(data)} bytes at offset {self._back} are not the message's"
            )
        self._back += len(data)
        if self._back == len(self._message):
            self._socket.shutdown(socket.SHUT_WR)


def connected(target: Target) -> socket.socket:
    """A connection to the server, non-blocking from now on."""
    connection = socket.create_connection(target.address, timeout=PATIENCE)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


def metered(target: Target, run: Callable[[float], int]) -> Reading:
    """Warm up, then read the server's CPU clock around the measured seconds; µs per operation."""
    run(WARM_UP)
    cpu, wall = cpu_seconds(target.pid), time.monotonic()
    operations = run(target.seconds)
    cpu, wall = cpu_seconds(target.pid) - cpu, time.monotonic() - wall
    if not operations:
        raise WrongAnswerError(f"nothing completed in {target.seconds:g} s")
    return Reading(cpu * 1e6 / operations, operations, cpu, wall)


def ping_pong(
    kind: type[StreamExchange] | type[DatagramExchange], size: int, sockets: int
) -> Callable[[Target], Reading]:
    def run(target: Target) -> Reading:
        load, messages = Load(target), payloads(size)
        for index in range(sockets):
            load.add(kind(target, messages, index))
        return metered(target, load.run)

    return run


def latency(target: Target, connections: int = 10) -> Reading:
    """The time in which 99 of 100 answers were there, in µs, with all connections kept busy."""
    load, messages = Load(target), payloads(1024)
    exchanges = [TimedExchange(target, messages, index) for index in range(connections)]
    for exchange in exchanges:
        load.add(exchange)
    load.run(WARM_UP)
    for exchange in exchanges:
        exchange.took.clear()
    cpu, wall = cpu_seconds(target.pid), time.monotonic()
    operations = load.run(target.seconds)
    cpu, wall = cpu_seconds(target.pid) - cpu, time.monotonic() - wall
    took = sorted(second for exchange in exchanges for second in exchange.took)
    if not took:
        raise WrongAnswerError(f"nothing completed in {target.seconds:g} s")
    return Reading(took[len(took) * 99 // 100] * 1e6, operations, cpu, wall)


def visits(target: Target) -> Reading:
    load = Load(target)
    for message in payloads(64, VISITORS):
        Visit(load, target, message)
    return metered(target, load.run)


def idle(target: Target, connections: int = 5000) -> Reading:
    """Growth of the server's user space per connection that has been used once and then rests."""
    held = [used_once(target) for _ in range(SETTLED)]
    before, cpu, wall = user_bytes(target.pid), cpu_seconds(target.pid), time.monotonic()
    held += [used_once(target) for _ in range(connections)]
    grown = user_bytes(target.pid) - before
    cpu, wall = cpu_seconds(target.pid) - cpu, time.monotonic() - wall
    return Reading(grown / connections, connections, cpu, wall)


def used_once(target: Target) -> socket.socket:
    """A connection that has had one byte answered, and so has certainly been accepted."""
    connection = socket.create_connection(target.address, timeout=PATIENCE)
    connection.send(b"?")
    if connection.recv(2) != b"?":
        raise WrongAnswerError("one byte did not come back")
    return connection


def burst(target: Target, connections: int = 1000) -> Reading:
    """Wall milliseconds from the first of many simultaneous connects until all are served.

    The server is stopped meanwhile and continued after the last connect: otherwise it would accept
    as fast as one process can connect, and a short backlog would pass by luck.
    """
    epoll, waiting = select.epoll(), {}
    cpu, wall = cpu_seconds(target.pid), time.monotonic()
    os.kill(target.pid, signal.SIGSTOP)
    for message in payloads(64, connections):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(target.address)
        epoll.register(connection, select.EPOLLOUT)
        waiting[connection.fileno()] = connection, message
    os.kill(target.pid, signal.SIGCONT)
    while waiting:
        serve(epoll, waiting, wall + PATIENCE)
    cpu, wall = cpu_seconds(target.pid) - cpu, time.monotonic() - wall
    return Reading(wall * 1e3, connections, cpu, wall)


Waiting = dict[int, tuple[socket.socket, bytes]]


def serve(epoll: select.epoll, waiting: Waiting, deadline: float) -> None:
    """One turn of a burst: each connection that is ready has connected, or has its answer."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise WrongAnswerError(f"{len(waiting)} connections not answered within {PATIENCE:g} s")
    for descriptor, events in epoll.poll(left):
        connection, message = waiting[descriptor]
        if events & select.EPOLLIN:
            answered(connection, message)
            del waiting[descriptor]
        else:
            connection.send(message)
            epoll.modify(descriptor, select.EPOLLIN)


def answered(connection: socket.socket, message: bytes) -> None:
    data = connection.recv(65536)
    if data != message:
        raise WrongAnswerError(f"{len(data)} bytes came back that are not the message's")
    connection.close()


CPU_PER_MESSAGE = "µs CPU per message"

CASES = (
    Case(
        "tcp-1k-10",
        "1 KiB there and back, 10 connections",
        "tcp",
        CPU_PER_MESSAGE,
        ping_pong(StreamExchange, 1024, 10),
    ),
    Case(
        "tcp-1k-200",
        "1 KiB there and back, 200 connections",
        "tcp",
        CPU_PER_MESSAGE,
        ping_pong(StreamExchange, 1024, 200),
    ),
    Case(
        "tcp-64k",
        "64 KiB there and back, 4 connections",
        "tcp",
        CPU_PER_MESSAGE,
        ping_pong(StreamExchange, 65536, 4),
    ),
    Case(
        "udp-512",
        f"512 B there and back, 10 sockets with {WINDOW} datagrams in flight each",
        "udp",
        "µs CPU per datagram",
        ping_pong(DatagramExchange, 512, 10),
    ),
    Case(
        "latency-p99",
        "1 KiB there and back, 10 connections: until 99 of 100 answers are there",
        "tcp",
        "µs wall",
        latency,
    ),
    Case(
        "connect",
        f"accept, one message of 64 B, both FINs; {VISITORS} at a time",
        "tcp",
        "µs CPU per connection",
        visits,
    ),
    Case(
        "idle-memory",
        "growth of the server's user space (Pss) over 5,000 connections used once, then idle",
        "tcp",
        "bytes per connection",
        idle,
    ),
    Case(
        "burst-1000",
        "1,000 connects at once, each sends 64 B; until all are answered",
        "tcp",
        "ms wall",
        burst,
    ),
)


def main() -> int:
    name, port, pid, seconds = sys.argv[1:]
    case = next(case for case in CASES if case.name == name)
    try:
        reading = case.run(Target(int(port), int(pid), float(seconds)))
    except (WrongAnswerError, OSError) as problem:
        print(str(problem) or type(problem).__name__, file=sys.stderr)
        return 1
    print(json.dumps(asdict(reading)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

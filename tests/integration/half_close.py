"""Requests whose last byte and FIN leave without a gap, and whether the whole reply comes back.

What the tests and ``python -m scripts.half_close`` share: payloads, the exchange, the verdict.
"""

from __future__ import annotations

import random
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache

from tests.integration.child import TWISTD, Child
from tests.integration.roads import Client, connect

#: Seconds in which an exchange must have ended.
_PATIENCE = 30.0

#: With these a connection passes every policy there is, and every hook works. The largest payload
#: is as long as --max-bytes allows, to the byte.
ALL_POLICIES = (
    *("--max-connections", "10000", "--max-per-peer", "1000", "--accept-rate", "100000/s"),
    *("--allow", "127.0.0.0/8", "--allow", "::1", "--deny", "192.0.2.0/24"),
    *("--handshake-timeout", "20s", "--idle-timeout", "60s", "--lifetime", "10min"),
    *("--min-rate", "1/s", "--max-bytes", "16MiB", "--throughput", "10GB/s"),
)

#: Starts a child with no policy installed, not even a default one; no option asks for that.
NO_POLICY = (
    sys.executable,
    "-c",
    "from twisted_lab import service; service.stream_policies; "  # fails when it moves
    "service.stream_policies = lambda *_, **__: []; "
    "import sys; from twisted.scripts.twistd import run; sys.exit(run())",
    *TWISTD[3:],
    *("--logfile=twistd.log", "socketlab"),
)


@cache
def payload(service: str, size: int) -> bytes:
    """*size* bytes for *service*: random ones, or numbered lines that end in CRLF.

    One byte is a line without an end.
    """
    if service == "echo":
        return random.Random(size).randbytes(size)
    lines = b"".join(b"%0998d\r\n" % number for number in range(size // 1000))
    rest = size % 1000
    return lines + (b"x" * (rest - 2) + b"\r\n" if rest >= 2 else b"x" * rest)


class Exchange:
    """One connection: everything out as fast as it is taken, FIN behind it, everything in.

    *before* goes first, in the same breath: what a handshake has still to send.
    """

    def __init__(self, client: Client, request: bytes, before: bytes = b"") -> None:
        self.client = client
        self._request = request
        self._unsent = memoryview(before + client.encode(request) + client.encode_end())
        self._reply = bytearray()
        self._trouble = ""

    def send(self) -> bool:
        """Send what the kernel takes; True when something is left."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.client.socket.send(self._unsent) :]
            self.client.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return True
        except OSError as error:
            self._failed(error)
        return False

    def receive(self) -> bool:
        """Take what is there; True when more may come."""
        try:
            while data := self.client.socket.recv(2**18):
                self._reply += self.client.decode(data)
        except BlockingIOError:
            return True
        except OSError as error:
            self._failed(error)
        return False

    def _failed(self, error: OSError) -> None:
        self._trouble = error.strerror or str(error)

    def give_up(self) -> None:
        """It has had its time."""
        self._trouble = "no end"

    def fault(self) -> str:
        """What went wrong, in a few words; empty when the reply is the request and ended well."""
        came, asked = len(self._reply), len(self._request)
        if came != asked:
            return f"{came} of {asked} bytes, {self._trouble or 'FIN'}"
        if self._reply != self._request:
            return "other bytes"
        return self._trouble or ("" if self.client.ended_well else "no close_notify")


def run(exchanges: Iterable[Exchange], patience: float = _PATIENCE) -> None:
    """Run all *exchanges* side by side, in one thread: no switch comes between data and FIN."""
    until = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        open_ones = set()
        for exchange in exchanges:
            exchange.client.socket.setblocking(False)
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if exchange.send() else 0)
            selector.register(exchange.client.socket, wanted, exchange)
            open_ones.add(exchange)
        while open_ones and (left := until - time.monotonic()) > 0:
            for key, ready in selector.select(left):
                exchange = key.data
                if ready & selectors.EVENT_WRITE and not exchange.send():
                    selector.modify(key.fileobj, selectors.EVENT_READ, exchange)
                if ready & selectors.EVENT_READ and not exchange.receive():
                    selector.unregister(key.fileobj)
                    open_ones.discard(exchange)
        for exchange in open_ones:
            exchange.give_up()


def exchange(child: Child, service: str, road: str, size: int, times: int) -> Counter[str]:
    """*times* connections at once with *size* bytes each: how often each fault came, "" for none.

    A connection that is not even made is a fault like others.
    """
    request = payload(service, size)
    faults: Counter[str] = Counter()
    exchanges = []
    try:
        for _ in range(times):
            try:
                exchanges.append(Exchange(connect(child, service, road), request))
            except OSError as error:
                faults[f"not connected: {error.strerror or error}"] += 1
        run(exchanges)
        return faults + Counter(one.fault() for one in exchanges)
    finally:
        for one in exchanges:
            one.client.close()

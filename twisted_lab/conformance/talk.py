"""Datagrams to and from the server, each written down."""

from __future__ import annotations

import select
import socket
import time
from types import TracebackType

from twisted_lab.addresses import show_pair
from twisted_lab.conformance.log import PAYLOAD, Log
from twisted_lab.conformance.target import Server
from twisted_lab.conformance.verdicts import Failed, Silence
from twisted_lab.events import DatagramReceived, DatagramSent

#: The largest datagram there is, and one more, so that a longer one would show.
_READ = 2**16

#: How often something is asked that may be lost.
_TIMES = 8

#: Where answers from this machine come to: nobody else can send there.
_OURS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

#: The same for a port that some service of this machine may have: there are more addresses.
_BESIDE = _OURS | {socket.AF_INET: "127.0.0.2"}


class Talk:
    """A UDP socket of ours; *patience* is in seconds. Use as a context manager."""

    def __init__(self, server: Server, log: Log, patience: float, port: int = 0) -> None:
        self.server = server
        self.patience = patience
        self.sock = socket.socket(server.family, socket.SOCK_DGRAM)
        try:
            ours = _BESIDE if port else _OURS
            if port:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((ours[server.family] if server.loopback else "", port))
        except OSError:
            self.sock.close()
            raise
        self.local = show_pair(*self.sock.getsockname()[:2])
        self._log = log
        self._conversation = log.begin(server.shown, self.local)

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """One datagram; raises :class:`Failed` when the kernel has an ICMP error for us."""
        try:
            self.sock.sendto(data, (self.server.host, self.server.port))
        except OSError as error:
            raise Failed(f"sendto() of {len(data):,} bytes failed: {error}") from None
        self._note(DatagramSent, self.server.shown, data)

    def recv(self, patience: float | None = None) -> tuple[bytes, tuple[str, int]]:
        """The next datagram, and where it came from; raises :class:`Silence`."""
        wait = self.patience if patience is None else patience
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        if not poll.poll(wait * 1000):
            raise Silence(f"no datagram came for {wait:g} s")
        data, source = self.sock.recvfrom(_READ)
        self._note(DatagramReceived, show_pair(*source[:2]), data)
        return data, (source[0], source[1])

    def ask(self, data: bytes, patience: float | None = None) -> bytes:
        """The answer to one datagram, which must come from where it was sent to."""
        self.send(data)
        answer, source = self.recv(patience)
        if source != (self.server.host, self.server.port):
            raise Failed(
                f"the answer came from {show_pair(*source)}, not from {self.server.shown}",
                "answers-from-elsewhere",
            )
        return answer

    def ask_again(self, data: bytes) -> bytes:
        """The same, asked some times: a queue may be full, and UDP then loses what comes."""
        for _ in range(_TIMES - 1):
            try:
                return self.ask(data, self.patience / _TIMES)
            except Silence:
                continue
        return self.ask(data)

    def listen(self, seconds: float) -> list[bytes]:
        """All that comes in the next *seconds*."""
        until, got = time.monotonic() + seconds, []
        while (left := until - time.monotonic()) > 0:
            try:
                got.append(self.recv(left)[0])
            except Silence:
                break
        return got

    def _note(self, kind: type[DatagramSent | DatagramReceived], peer: str, data: bytes) -> None:
        size = len(data)
        event = kind(self._log.ns, self._log.service, peer, self.local, size, data[:PAYLOAD])
        self._conversation.add(event)

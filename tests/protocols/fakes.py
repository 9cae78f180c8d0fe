"""A transport that is a Stream as a protocol sees it, and one log of what was asked of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_lab.events import CloseReason
from twisted_lab.protocols.line import LineFactory, LineService
from twisted_lab.proxy import Proxy

PEER = IPv4Address("TCP", "127.0.0.1", 53412)
LOCAL = IPv4Address("TCP", "127.0.0.1", 9001)
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


class PlainTransport(StringTransport):
    """Twisted's own kind of transport, without what a Stream adds. ``calls`` is the log."""

    def __init__(self) -> None:
        super().__init__(LOCAL, PEER)
        self.calls: list[Any] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)
        super().write(data)

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.calls.append(f"no-delay {enabled}")

    def pauseProducing(self) -> None:
        self.calls.append("pause")
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self.calls.append("resume")
        super().resumeProducing()

    def loseWriteConnection(self) -> None:
        self.calls.append("half-close")

    def loseConnection(self) -> None:
        self.calls.append("close")
        super().loseConnection()

    def abortConnection(self) -> None:
        self.calls.append("reset")
        self.disconnected = self.disconnecting = True

    def written(self) -> list[bytes]:
        """The writes alone."""
        return [call for call in self.calls if isinstance(call, bytes)]


class FakeStream(PlainTransport):
    """What :class:`twisted_lab.interfaces.StreamView` adds, as far as a protocol uses it."""

    id = "c7"
    kind = "tcp"
    proxy: Proxy | None = None
    secure = False

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[str, str]] = []
        self.touched = 0

    def touch(self) -> None:
        self.touched += 1

    def note(self, kind: str, text: str) -> None:
        self.notes.append((kind, text))

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        self.calls.append(f"end {reason} linger={linger} {detail}".rstrip())
        self.disconnecting = True


class GreedyStream(FakeStream):
    """A stream whose peer reads nothing until :meth:`drain`: it is full after 64 KiB."""

    unread = 0

    def write(self, data: bytes) -> None:
        super().write(data)
        self.unread += len(data)
        if self.unread > 65536 and self.producer is not None:
            self.producer.pauseProducing()

    def drain(self) -> None:
        self.unread = 0
        self.producer.resumeProducing()


def connect(transport: PlainTransport, clock: Clock, max_line: int = 16384) -> LineService:
    """A line service talking to *transport*."""
    service = LineFactory(clock=clock, now=lambda: NOON, max_line=max_line).buildProtocol(PEER)
    service.makeConnection(transport)
    return service

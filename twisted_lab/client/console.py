"""stdin and stdout, neither of which may run ahead of the other end.

Rule: what stands in a buffer is bounded both ways. A peer that sends faster than stdout takes is
not read; what is typed or piped faster than the peer reads is not read either.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet import stdio
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """Calls *typed* with what comes on stdin, *ended* at its end, *broken* when stdout is gone."""

    def __init__(
        self,
        typed: Callable[[bytes], object],
        ended: Callable[[], object],
        broken: Callable[[], object],
    ) -> None:
        self._typed = typed
        self._ended = ended
        self._broken = broken
        self._gone: Callable[[], object] | None = None
        self._over = False
        self._blocking = [(fd, os.get_blocking(fd)) for fd in (0, 1)]
        self.transport: Any

    def open(self, reactor: Any) -> None:
        """Read and write from now on."""
        stdio.StandardIO(self, reactor=reactor)

    def dataReceived(self, data: bytes) -> None:
        """Some of stdin."""
        self._typed(data)

    def readConnectionLost(self) -> None:
        """stdin is at its end."""
        self._ended()

    def writeConnectionLost(self) -> None:
        """Nobody reads stdout any more."""
        self._over = True
        if self._gone is None:
            self._broken()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Both are done."""
        self._over = True
        if self._gone is not None:
            self._end(self._gone)
        else:
            self._broken()

    def _end(self, gone: Callable[[], object]) -> None:
        for fd, blocking in self._blocking:  # the shell has the same terminal
            os.set_blocking(fd, blocking)
        gone()

    def write(self, data: bytes) -> None:
        """To stdout, after what was written before."""
        self.transport.write(data)

    def fed_by(self, stream: Any) -> None:
        """Pause *stream* while stdout is slower than it, and stdin while *stream* is slower."""
        self.transport.registerProducer(stream, True)
        stream.registerProducer(_Input(self.transport), True)

    def close(self, gone: Callable[[], object]) -> None:
        """Write what is left and call *gone*."""
        self._gone = gone
        if self._over:
            self._end(gone)
            return
        self.transport.unregisterProducer()
        self.transport.loseConnection()


@implementer(IPushProducer)
class _Input:
    """stdin as what fills a stream; the end of the stream is not its own end, nor stdout's."""

    def __init__(self, transport: Any) -> None:
        self.pauseProducing = transport.pauseProducing
        self.resumeProducing = transport.resumeProducing

    def stopProducing(self) -> None:
        """Nothing more is taken; whoever ends the stream closes the console."""

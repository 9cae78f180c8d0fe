"""stdin and stdout, neither of which may run ahead of the other end.

Rule: what stands in a buffer is bounded both ways. A peer that sends faster than stdout takes is
not read; what is typed or piped faster than the peer reads is not read either.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from typing import Protocol as Seam

from twisted.internet import stdio
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.client.standard import same_place, unshared
from twisted_lab.explaining import counted


class Talker(Seam):
    """Who uses a console."""

    def typed(self, data: bytes, /) -> object:
        """Some of stdin."""

    def input_ended(self) -> object:
        """stdin is at its end."""

    def nobody_reads(self) -> object:
        """stdout takes no more."""


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """*stdin* and *stdout*, two descriptors, for one :class:`Talker`; *stderr* is only compared.

    Lines told go between the bytes written, on lines of their own, where stderr is the same
    terminal, pipe or file as stdout: nothing else keeps the order in which they happened.
    """

    def __init__(self, reactor: Any, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> None:
        self._reactor = reactor
        self._stdin = stdin
        self._stdout = stdout
        self._shared = same_place(stdout, stderr)
        self._blocking = [(fd, os.get_blocking(fd)) for fd in (stdin, stdout)]
        self._talker: Any = None
        self._gone: Callable[[], object] | None = None
        self._over = False
        self._echoes = os.isatty(stdin)
        self._fresh = True  # stdout is at the begin of a line
        self._full = False
        self._untold = 0
        self.transport: Any = None

    def open(self, talker: Talker) -> None:
        """Read and write from now on."""
        self._talker = talker
        make: Callable[..., object] = stdio.StandardIO  # mypy sees that of Windows
        make(self, unshared(self._stdin), unshared(self._stdout), reactor=self._reactor)

    def dataReceived(self, data: bytes) -> None:
        """Some of stdin."""
        if self._echoes:
            self._fresh = data.endswith(b"\n")
        self._talker.typed(data)

    def readConnectionLost(self) -> None:
        """stdin is at its end."""
        self._talker.input_ended()

    def writeConnectionLost(self) -> None:
        """Nobody reads stdout any more."""
        self._over = True
        if self._gone is None:
            self._talker.nobody_reads()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Both are done."""
        self._over = True
        if self._gone is not None:
            self._end(self._gone)
        else:
            self._talker.nobody_reads()

    def _end(self, gone: Callable[[], object]) -> None:
        for fd, blocking in self._blocking:  # others may have the same pipe
            os.set_blocking(fd, blocking)
        gone()

    def write(self, data: bytes) -> None:
        """To stdout, after what was written before."""
        if data and not self._over:
            self._fresh = data.endswith(b"\n")
            self.transport.write(data)

    def tell(self, line: str) -> bool:
        """Show *line* among what is written; False: it is not for here, but for stderr."""
        if not self._shared or self.transport is None or self._over:
            return False
        if self._full:
            self._untold += 1
        else:
            self.write(f"{'' if self._fresh else chr(10)}{line}\n".encode())
        return True

    def joins(self, source: Any, sink: Any = None) -> None:
        """Pause *source* while stdout is slower than it, and stdin while *sink* is slower."""
        self.transport.registerProducer(_Output(self, source), True)
        if sink is not None:
            sink.registerProducer(_Input(self.transport), True)

    def fill(self, full: bool) -> None:
        """stdout is full: nothing is told until it is not, and then how much was not."""
        self._full = full
        if not full and self._untold:
            untold, self._untold = self._untold, 0
            self.tell(f"({counted(untold, 'event')} not shown: the output was full)")

    def close(self, gone: Callable[[], object]) -> None:
        """Write what is left and call *gone*."""
        self._gone = gone
        if self._over or self.transport is None:
            self._end(gone)
            return
        self.transport.unregisterProducer()
        self.transport.loseConnection()


@implementer(IPushProducer)
class _Output:
    """What fills stdout; the end of stdout is told to the talker, not to it."""

    def __init__(self, console: Console, source: Any) -> None:
        self._console = console
        self._source = source

    def pauseProducing(self) -> None:
        """stdout is full."""
        self._console.fill(True)
        self._source.pauseProducing()

    def resumeProducing(self) -> None:
        """stdout is empty again."""
        self._console.fill(False)
        self._source.resumeProducing()

    def stopProducing(self) -> None:
        """stdout is gone."""


@implementer(IPushProducer)
class _Input:
    """stdin as what fills a stream; the end of the stream is not its own end, nor stdout's."""

    def __init__(self, transport: Any) -> None:
        self.pauseProducing = transport.pauseProducing
        self.resumeProducing = transport.resumeProducing

    def stopProducing(self) -> None:
        """Nothing more is taken; whoever ends the stream closes the console."""

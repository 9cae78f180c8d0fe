"""The line service: every line comes back as it is; one that begins with ``/`` is a command.

Rule 1: answers come in the order of their lines, whatever time a command takes. Rule 2: an answer
ends as its line ended: LF, CRLF, or nothing for a last line that only FIN ended. Rule 3: all lines
of one read are answered with one write, unless a command says otherwise. Rule 4: after our last
word, what still comes is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_lab.events import CloseReason
from twisted_lab.interfaces import Clock
from twisted_lab.protocols.commands import perform
from twisted_lab.protocols.framing import MAX_LINE, Line, LineFramer
from twisted_lab.protocols.paced import PacedWriter
from twisted_lab.protocols.steps import Act, Refusal, Step, Until, Wait
from twisted_lab.protocols.telnet import TelnetSpotter

#: Lines with commands among them that are answered in one turn of the reactor: 10 to 40 ms of
#: work, after which the other connections have theirs. A read may hold 65,536 lines.
LINES_A_TURN = 2048


@implementer(IHalfCloseableProtocol)
class LineService(Protocol):
    """One connection of the line service; it works on Twisted's own transports, too.

    *clock* times the commands, in seconds; *now* is the time of day, with a time zone;
    *max_line* is in bytes, the line's end not counted.
    """

    transport: Any  # a Stream (interfaces.StreamView), or any ITCPTransport

    def __init__(self, *, clock: Clock, now: Callable[[], datetime], max_line: int) -> None:
        self.now = now
        self.lines_in = 0
        self.bytes_in = 0
        #: When the unfinished line began (interfaces.Framed). None also while we do not read: a
        #: peer cannot be late with what we do not take.
        self.message_begun_at: float | None = None
        self._clock = clock
        self._framer = LineFramer(max_line)
        self._telnet: TelnetSpotter | None = TelnetSpotter()  # None once it has found some
        self._waiting: deque[Line] = deque()
        self._steps: Iterator[Step] = iter(())  # what is left of the running command
        self._command_began = 0.0
        self._last_ending = b"\r\n"
        self._peer_done = False
        self._done = False

    @property
    def answering(self) -> bool:
        """A command takes its time (interfaces.Framed)."""
        return self._writer.waiting

    # -- what comes in ---------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The connection is there."""
        self._writer = PacedWriter(self.transport, self._clock, self._work)

    def dataReceived(self, data: bytes) -> None:
        """One read: some lines, perhaps the beginning of one more."""
        if self._done:
            return
        if self._telnet and (words := self._telnet.look(data)):
            self._telnet = None
            note(self.transport, "telnet", f"telnet commands, taken as data: {', '.join(words)}")
        if not self._answer_plainly(data) and (lines := self._framer.feed(data)):
            self.message_begun_at = None
            self._waiting.extend(lines)
        self._work()

    def _answer_plainly(self, data: bytes) -> bool:
        """Answer lines without a command among them as they came, all at once: the usual case."""
        if self._waiting or self._writer.busy:
            return False
        block = self._framer.feed_plain(data, b"/")
        if block:
            self.message_begun_at = None
            self.lines_in += block.count(b"\n")
            self.bytes_in += len(block)
            self._last_ending = b"\r\n" if block.endswith(b"\r\n") else b"\n"
            self._writer.gather(block)
        return bool(block)

    def readConnectionLost(self) -> None:
        """The peer's FIN: answer all that is left, the unfinished line too, then close."""
        self._writer.may_read = False
        if self._done:
            self.transport.loseConnection()
        elif not self._peer_done:
            self._peer_done = True
            if last := self._framer.finish():
                self._waiting.append(last)
            self._work()

    def writeConnectionLost(self) -> None:
        """Our own FIN has left: nothing to do."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over; no timer of ours survives."""
        self._stop()
        self._writer.cancel()

    # -- answering -------------------------------------------------------------------------

    def _work(self) -> None:
        """Answer what waits, until a command takes time or the peer does not read."""
        until = self.lines_in + LINES_A_TURN
        while not (self._done or self._writer.busy):
            if self._writer.full:
                self._writer.flush()
            elif (step := next(self._steps, None)) is not None:
                self._take(step)
            elif self._waiting and self.lines_in >= until:
                self._writer.wait(0)  # the other connections' turn
            elif self._waiting:
                self._answer_lines(until)
            else:
                self._close_if_all_is_said()
                break
        self._writer.flush()
        self._date_the_unfinished()
        self._writer.regulate()

    def _answer_lines(self, until: int) -> None:
        """Answer lines up to the next command, and begin that one; *until* so many have come."""
        while self._waiting and self.lines_in < until:
            line = self._waiting.popleft()
            content, ending = line.content, line.ending
            self.lines_in += 1
            self.bytes_in += len(content) + len(ending)
            self._last_ending = ending
            if content.startswith(b"/"):
                self._command_began = self._clock.seconds()
                self._steps = iter(perform(line, self))
                return
            self._writer.gather(content + ending)

    def _take(self, step: Step) -> None:
        match step:
            case bytes():
                self._gather(step)
            case Wait(seconds):
                self._writer.wait(seconds)
            case Until(seconds):
                self._writer.wait(self._command_began + seconds - self._clock.seconds())
            case Refusal():
                self._gather(step.answer.encode() + step.ending)
                note(self.transport, "bad-command", step.note)
            case Act.NO_DELAY:
                with suppress(AttributeError, OSError):  # a UNIX socket has no such option
                    self.transport.setTcpNoDelay(True)
            case _:
                self._leave(step)

    def _gather(self, answer: bytes) -> None:
        # A command's answer may be far longer than the command: a read full of /help is 15 MiB.
        self._writer.gather(answer)

    def _date_the_unfinished(self) -> None:
        if self._done or self._peer_done or self._writer.busy or not self._framer.unfinished:
            self.message_begun_at = None
        elif self.message_begun_at is None:
            self.message_begun_at = self._clock.seconds()

    # -- the last word ---------------------------------------------------------------------

    def _close_if_all_is_said(self) -> None:
        if self._framer.too_long:
            said = f"line too long (limit {self._framer.max_line})"
            self._writer.gather(said.encode() + self._last_ending)
            note(self.transport, "line-too-long", f"{said}, after {self.lines_in} lines")
            self._stop()
            self._writer.finish()
            end(self.transport, CloseReason.LIMIT, "line too long")
        elif self._peer_done:
            self._leave(Act.CLOSE)

    def _leave(self, act: Act) -> None:
        self._stop()
        self._writer.finish()
        match act:
            case Act.HALF_CLOSE if not self._peer_done:
                self.transport.loseWriteConnection()
            case Act.RESET:
                self.transport.abortConnection()
            case Act.QUIT:
                end(self.transport, CloseReason.LOCAL)
            case _:
                self.transport.loseConnection()

    def _stop(self) -> None:
        self._done = True
        self._waiting.clear()
        self._steps = iter(())
        self.message_begun_at = None


class LineFactory(ServerFactory):
    """Makes a :class:`LineService`, with the same arguments, for each connection."""

    noisy = False

    def __init__(
        self, *, clock: Clock, now: Callable[[], datetime], max_line: int = MAX_LINE
    ) -> None:
        self.clock = clock
        self.now = now
        self.max_line = max_line

    def buildProtocol(self, addr: IAddress | None) -> LineService:
        """A fresh service for the peer at *addr*."""
        service = LineService(clock=self.clock, now=self.now, max_line=self.max_line)
        service.factory = self
        return service


def note(transport: Any, kind: str, text: str) -> None:
    """Publish a note, on a transport that can; Twisted's own cannot."""
    if (publish := getattr(transport, "note", None)) is not None:
        publish(kind, text)


def end(transport: Any, reason: CloseReason, detail: str = "") -> None:
    """Close so that our last words arrive; Twisted's own transports can only close."""
    if (close := getattr(transport, "end", None)) is not None:
        close(reason, detail, linger=True)
    else:
        transport.loseConnection()

"""One stream to the server, in plain socket calls, each with an end, and each written down.

Rule: no call waits for ever. Each raises :class:`Silence` when nothing moved for ``patience``
seconds, and :class:`Reset` when the server sent RST. A server may send what it likes: what is
kept of it is bounded.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from errno import ENOTCONN
from types import TracebackType

from twisted_lab.conformance.log import PAYLOAD, Conversation, Log
from twisted_lab.conformance.pipes import Pipe
from twisted_lab.conformance.verdicts import Failed, Reset, Silence
from twisted_lab.events import (
    Closed,
    CloseReason,
    Connected,
    Event,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Sent,
)

#: Bytes of one recv().
READ = 2**16

#: Bytes gathered at once, over those that were sent, before the server is said to flood.
MOST = 64 * 2**20


class Wire:
    """A connection that *pipe* carries; what happens on it goes to *log*.

    Use as a context manager: it is closed at the end. *patience* is in seconds; *deadline* the
    moment of the monotonic clock when the case must be done.
    """

    def __init__(
        self, pipe: Pipe, log: Log, peer: str, transport: str, patience: float, deadline: float
    ) -> None:
        self.pipe = pipe
        self.patience = patience
        self.deadline = deadline
        self.got = 0
        self.sent = 0
        self.ended = False  #: the server's FIN was seen
        self._log = log
        self._began = log.ns
        self._closed = False
        self._conversation: Conversation = log.begin(peer, pipe.local)
        self.note(Connected, peer, pipe.local, transport)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    # -- sending ---------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send all of *data*, in as many calls as the kernel needs."""
        left = memoryview(data)
        while left:
            left = left[self.send_some(left) :]

    def send_some(self, data: bytes | memoryview, patience: float | None = None) -> int:
        """One send(): how many bytes of *data* the kernel took."""
        try:
            taken = self.pipe.send(data, self._until(patience))
        except TimeoutError:
            self.note(Paused, "out", "the server does not read")
            raise self._silence("took no more bytes", patience) from None
        except OSError as error:
            raise self._reset(error) from None
        self._moved(Sent, bytes(data[: min(taken, PAYLOAD)]), taken)
        return taken

    def send_with_fin(self, data: bytes) -> None:
        """Send the little *data* and FIN in one segment, with nothing in between."""
        try:
            self.pipe.send_last(data, self._until())
        except TimeoutError:
            raise self._silence("took no more bytes") from None
        except OSError as error:
            raise self._reset(error) from None
        self._moved(Sent, data[:PAYLOAD], len(data))
        self.note(LocalShutdown)

    def fin(self) -> None:
        """shutdown(SHUT_WR); over TLS close_notify."""
        try:
            self.pipe.shutdown(self._until())
        except OSError as error:
            raise self._reset(error) from None
        self.note(LocalShutdown)

    def reset(self) -> None:
        """Send RST and be gone (SO_LINGER 0)."""
        if not self._closed:
            sock = self.pipe.sock
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._end(CloseReason.ABORTED)

    # -- receiving -------------------------------------------------------------------------

    def recv(self, most: int = READ, patience: float | None = None) -> bytes:
        """One recv(); empty is the server's FIN."""
        try:
            data = self.pipe.recv(most, self._until(patience))
        except TimeoutError:
            raise self._silence("sent nothing", patience) from None
        except OSError as error:
            raise self._reset(error) from None
        if not data:
            if not self.ended:
                self.note(PeerShutdown)
            self.ended = True
            return b""
        self._moved(Received, data[:PAYLOAD], len(data))
        return data

    def read(self, size: int) -> bytes:
        """*size* bytes; fewer when the server's FIN comes first."""
        return self.read_until(lambda got: len(got) >= size, size)

    def read_to_end(self) -> bytes:
        """Everything up to the server's FIN."""
        return self.read_until(lambda got: False)

    def read_until(self, enough: Callable[[bytearray], bool], most: int | None = None) -> bytes:
        """All that comes until *enough* of it is there, or the server's FIN."""
        got = bytearray()
        while not enough(got):
            data = self.recv(READ if most is None else min(READ, most - len(got)))
            if not data:
                break
            self._gather(got, data)
        return bytes(got)

    def _gather(self, got: bytearray, data: bytes) -> None:
        got += data
        if len(got) > MOST + self.sent:
            raise Failed(
                f"the server sent {len(got) >> 20} MiB, where {self.sent:,} bytes were asked",
                "flood",
            )

    def listen(self, seconds: float) -> bytes:
        """What comes in the next *seconds*; ``ended`` tells whether FIN was among it."""
        until = time.monotonic() + seconds
        got = bytearray()
        while not self.ended and (left := until - time.monotonic()) > 0:
            try:
                self._gather(got, self.recv(patience=left))
            except Silence:
                break
        return bytes(got)

    # -- the end ---------------------------------------------------------------------------

    def close(self) -> None:
        """close(): with unread data in our buffer the kernel sends RST."""
        self._end(CloseReason.PEER_FIN if self.ended else CloseReason.LOCAL)

    def _end(self, reason: CloseReason) -> None:
        if self._closed:
            return
        self._closed = True
        self.pipe.sock.close()
        lasted = (self._log.ns - self._began) / 1e9
        peer, local = self._conversation.peer, self._conversation.local
        self.note(Closed, peer, local, reason, self.got, self.sent, lasted)

    def _reset(self, error: OSError) -> Failed:
        self._end(CloseReason.RESET)
        # shutdown() says ENOTCONN where RST came before.
        rst = isinstance(error, ConnectionError) or error.errno == ENOTCONN
        what = "sent RST" if rst else f"broke the stream: {error}"
        said = f"the server {what} after {self.got:,} bytes from it and {self.sent:,} to it"
        return Reset(said, "reset-unread")

    # -- what is written down --------------------------------------------------------------

    def note(self, kind: type[Event], *fields: object) -> None:
        """Write down an event of *kind*, with *fields* after those that every one has."""
        made: Callable[..., Event] = kind
        where = self._log.ns, self._log.service, self._conversation.id
        self._conversation.add(made(*where, *fields))

    def remark(self, text: str) -> None:
        """Write down, in words, what the case does."""
        note = Note(self._log.ns, self._log.service, "check", text, self._conversation.id)
        self._conversation.add(note)

    def _moved(self, kind: type[Event], data: bytes, size: int) -> None:
        if kind is Sent:
            self.sent += size
        else:
            self.got += size
        self.note(kind, size, data)

    def _until(self, patience: float | None = None) -> float:
        wait = self.patience if patience is None else patience
        return min(time.monotonic() + wait, self.deadline)

    def _silence(self, what: str, patience: float | None = None) -> Silence:
        if time.monotonic() >= self.deadline:
            return Silence(
                "the case took too long: the server is slow, or sends so little that it never ends,"
                f" after {self.got:,} bytes from it and {self.sent:,} to it"
            )
        waited = self.patience if patience is None else patience
        return Silence(
            f"the server {what} for {waited:g} s,"
            f" after {self.got:,} bytes from it and {self.sent:,} to it"
        )

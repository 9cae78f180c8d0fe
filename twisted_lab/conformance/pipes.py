"""What carries a stream: a socket alone, or TLS on one. ``until`` is a moment of the monotonic
clock."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from contextlib import suppress

from twisted_lab.addresses import show_pair

_READ = 2**16

#: The most that one TLS record holds (RFC 8446, 5.1).
_RECORD = 2**14


class Pipe:
    """A connected TCP or UNIX *sock*. Each call raises TimeoutError when *until* has come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        name = sock.getsockname()
        self.local = show_pair(*name[:2]) if isinstance(name, tuple) else "unix:"

    def send(self, data: bytes | memoryview, until: float) -> int:
        """Some of *data*, at least one byte: how many."""
        return self.raw_send(data, until)

    def recv(self, most: int, until: float) -> bytes:
        """One recv(); empty at the end of the stream."""
        return self.raw_recv(most, until)

    def send_last(self, data: bytes, until: float) -> None:
        """*data* and the end of our stream; MSG_MORE lets the FIN share the segment (send(2))."""
        more = 0 if self.sock.family == socket.AF_UNIX else socket.MSG_MORE
        self.raw_send_all(data, until, more)
        self.sock.shutdown(socket.SHUT_WR)

    def raw_send(self, data: bytes | memoryview, until: float, flags: int = 0) -> int:
        """One send() on the socket, past TLS."""
        while True:
            try:
                return self.sock.send(data, flags)
            except BlockingIOError:
                self.wait(until, write=True)

    def raw_send_all(self, data: bytes, until: float, flags: int = 0) -> None:
        """As many send()s on the socket as *data* takes, past TLS."""
        left = memoryview(data)
        while left:
            left = left[self.raw_send(left, until, flags) :]

    def raw_recv(self, most: int, until: float) -> bytes:
        """One recv() on the socket, past TLS."""
        while True:
            try:
                return self.sock.recv(most)
            except BlockingIOError:
                self.wait(until)

    def shutdown(self, until: float) -> None:
        """End our stream."""
        self.sock.shutdown(socket.SHUT_WR)

    def wait(self, until: float, write: bool = False) -> None:
        """Until *sock* is ready, or TimeoutError."""
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT if write else select.POLLIN)
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TimeoutError


class TlsPipe(Pipe):
    """TLS on *sock*, which asks for *name*; the handshake is :meth:`shake_hands`.

    The bytes go through memory, so that a case decides what goes into one segment. One thread may
    send while another reads: ``_state`` guards the TLS object, ``_sending`` the order of records.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        super().__init__(sock)
        self.truncated = False  #: the server's FIN came without close_notify
        self._early = b""  # decrypted before somebody read it
        self._unsent = b""  # what a flush that took too long has left
        self._state, self._sending = threading.Lock(), threading.Lock()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name or None)

    def shake_hands(self, until: float) -> None:
        """The handshake; raises ssl.SSLError, an OSError, when it fails."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(until)
                if not self._feed(until):
                    raise ConnectionResetError("FIN in the handshake") from None
            else:
                return self._flush(until)

    def send(self, data: bytes | memoryview, until: float) -> int:
        """At most one record of *data*."""
        with self._sending:
            with self._state:
                taken = self.tls.write(data[:_RECORD])
            self._flush(until)
        return taken

    def recv(self, most: int, until: float) -> bytes:
        """At most one record; ``truncated`` tells when the end was a FIN without close_notify."""
        while True:
            with self._state:
                data = self._read(most)
            if data is not None:
                return data
            if self._out.pending and self._sending.acquire(blocking=False):
                try:
                    self._flush(until)  # a key update wants an answer
                finally:
                    self._sending.release()
            self._feed(until)

    def _read(self, most: int) -> bytes | None:
        """What is decrypted, or can be: None when more must come from the socket first."""
        if self._early:
            data, self._early = self._early[:most], self._early[most:]
            return data
        try:
            return self.tls.read(most)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:  # close_notify
            return b""
        except ssl.SSLEOFError:
            self.truncated = True
            return b""

    def send_last(self, data: bytes, until: float) -> None:
        """*data* and close_notify, in one go."""
        with self._sending:
            with self._state:
                for at in range(0, len(data), _RECORD):
                    self.tls.write(data[at : at + _RECORD])
                self._say_last()
            self._flush(until)

    def shutdown(self, until: float) -> None:
        """close_notify alone; FIN is :meth:`Pipe.shutdown`."""
        with self._sending:
            with self._state:
                self._say_last()
            self._flush(until)

    def _say_last(self) -> None:
        """Write close_notify, and go on reading.

        unwrap() looks for theirs in what has come, too, and breaks the stream for ever when it
        finds data: so what has come is read first.
        """
        early = bytearray(self._early)
        self._early = b""
        while data := self._read(_READ):
            early += data
        self._early = bytes(early)
        with suppress(ssl.SSLError):
            self.tls.unwrap()

    def _flush(self, until: float) -> None:
        self._unsent += self._out.read()
        while self._unsent:
            self._unsent = self._unsent[self.raw_send(self._unsent, until) :]

    def _feed(self, until: float) -> bool:
        data = self.raw_recv(_READ, until)
        with self._state:
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()
        return bool(data)

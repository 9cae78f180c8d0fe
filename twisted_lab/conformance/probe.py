"""What a case works with: it connects, asks, and waits as patiently as it was told to."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EAGAIN
from typing import Protocol

from twisted_lab.conformance.case import Trait
from twisted_lab.conformance.lateness import Lateness
from twisted_lab.conformance.log import Log
from twisted_lab.conformance.pipes import Pipe, TlsPipe
from twisted_lab.conformance.profiles import Judge, Profile, text
from twisted_lab.conformance.talk import Talk
from twisted_lab.conformance.target import Server
from twisted_lab.conformance.verdicts import Failed, Reset, Silence, Unreachable
from twisted_lab.conformance.wire import Wire

#: Seconds in which something must move, before it is said that nothing came.
PATIENCE = 4.0

#: Seconds that a case may take; it waits besides for what the server is declared to do.
LONGEST = 30.0

#: Seconds in which nothing may come, where nothing shall.
QUIET = 0.3

#: A server beside us may be so many times as late as we are before its silence counts.
LATER = 5

#: Seconds after which what is done many times was done often enough: where the queue of connects
#: is full, each takes a second.
ENOUGH = 5.0

#: A SYN that finds the queue full is sent again after a second (tcp(7)): so long such a connect
#: takes at least.
SYN_AGAIN = 0.9


class Process(Protocol):
    """The server's own process, where we started it."""

    pid: int

    def ended(self) -> str | None:
        """How it ended, in words, if it did."""

    def stop(self) -> None:
        """End it as an operator would, or kill it when it does not."""

    def start(self, *, same_port: bool = False) -> Server:
        """Start it anew; where it listens now. Raises :class:`Failed` when it does not."""


@dataclass(frozen=True, slots=True)
class Pace:
    """*slow* multiplies every time; *seed* is of the run."""

    slow: float = 1.0
    seed: int = 0


class Probe:
    """One run of one case against *server*, which is checked as *profile*.

    ``random`` is seeded by the run's seed and the case; ``log`` has what was seen.
    """

    def __init__(
        self,
        server: Server,
        profile: Profile,
        lateness: Lateness,
        pace: Pace,
        name: str = "",
        *,
        one_at_a_time: bool = False,
        process: Process | None = None,
    ) -> None:
        self.server = server
        self.profile = profile
        self.lateness = lateness
        #: The server takes the next client when the one before has gone.
        self.one_at_a_time = one_at_a_time
        #: The server's own, where we started it.
        self.process = process
        self.slow = pace.slow
        self.random = random.Random(f"{pace.seed} {name}")
        self.log = Log(profile.name)
        self.patience = PATIENCE * pace.slow
        self._began = time.monotonic()
        declared = server.limits.idle_timeout or 0.0, server.limits.handshake_timeout or 0.0
        self.deadline = time.monotonic() + (LONGEST + 2 * max(declared)) * pace.slow

    @property
    def quiet(self) -> float:
        """Seconds of silence that are one; more where this machine is late itself."""
        return QUIET * self.slow + LATER * self.lateness.worst(self._began)

    # -- connecting ------------------------------------------------------------------------

    def connect(
        self,
        *,
        rcvbuf: int | None = None,
        handshake: bool = True,
    ) -> Wire:
        """A stream to the server, over TLS if it has it; *rcvbuf* is our receive buffer in bytes.

        With ``handshake=False`` TLS is left out: for what comes before it.
        """
        sock = self._socket(rcvbuf)
        try:
            self._connect(sock)
            pipe = self._pipe(sock, self.server.context if handshake else None)
        except BaseException:
            sock.close()
            raise
        server = self.server
        wire = Wire(pipe, self.log, server.shown, server.kind, self.patience, self.deadline)
        if handshake and self.profile.greeting is not None:
            self._greeting(wire, self.profile.greeting)
        return wire

    def _greeting(self, wire: Wire, judge: Judge) -> None:
        try:
            self._owed(wire, judge, b"", 0)
        except BaseException:
            wire.close()
            raise

    def _socket(self, rcvbuf: int | None) -> socket.socket:
        sock = socket.socket(self.server.family, socket.SOCK_STREAM)
        if rcvbuf is not None:  # before connect(): it decides the window that SYN offers
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        sock.settimeout(self.patience)
        return sock

    def _connect(self, sock: socket.socket) -> None:
        try:
            sock.connect(self.server.address)
            if self.server.kind != "unix":  # what a case sends leaves as it sends it
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError:
            said = f"connect() was not answered for {self.patience:g} s"
            raise Unreachable(said, timed=True) from None
        except OSError as error:
            said = f"connect() failed: {error.strerror or error}"
            raise Unreachable(said, timed=error.errno == EAGAIN) from None  # unix(7): queue full

    def _pipe(self, sock: socket.socket, context: ssl.SSLContext | None) -> Pipe:
        if context is None:
            return Pipe(sock)
        pipe = TlsPipe(sock, context, self.server.name)
        try:
            pipe.shake_hands(time.monotonic() + self.patience)
        except TimeoutError:
            raise Silence(f"the TLS handshake was not done in {self.patience:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"its certificate is not believed: {error.verify_message}") from None
        except OSError as error:
            raise Reset(f"the TLS handshake failed: {error}") from None
        return pipe

    def talk(self, port: int = 0) -> Talk:
        """A UDP socket of ours on *port*, connected to nobody; raises OSError where it cannot."""
        return Talk(self.server, self.log, self.patience, port)

    # -- asking ----------------------------------------------------------------------------

    def request(self, size: int = 64) -> bytes:
        """One whole request of the profile, of about *size* bytes."""
        return b"" if self.profile.request is None else self.profile.request(size)

    def datagram(self, size: int) -> bytes:
        """One whole datagram to be answered, of about *size* bytes."""
        return text(size) if self.profile.request is None else self.profile.request(size)

    def check_datagram(self, got: bytes, asked: bytes) -> None:
        """Raise :class:`Failed` unless *got* is the answer to the datagram *asked*."""
        judge = self.profile.datagram or self.profile.judge
        said = judge(asked, 1, got)
        if said.wrong or not said.whole:
            raise Failed(f"wrong answer: {said.wrong or 'it is cut'}", "wrong-reply")

    def reply(self, wire: Wire, asked: bytes, count: int = 1) -> bytes:
        """Read until what the server owes for *asked* is there; raises :class:`Failed` otherwise.

        That is: :class:`Silence`, :class:`Reset`, an early FIN, or a wrong reply.
        """
        return self._owed(wire, self.profile.judge, asked, count)

    def _owed(self, wire: Wire, judge: Judge, asked: bytes, count: int) -> bytes:
        def enough(got: bytearray) -> bool:
            said = judge(asked, count, bytes(got))
            return said.whole or bool(said.wrong)

        got = wire.read_until(enough)
        _check(judge, got, asked, count)
        return got

    def check(self, got: bytes, asked: bytes, count: int = 1) -> None:
        """Raise :class:`Failed` unless *got* is what the server owes for *asked*, whole."""
        _check(self.profile.judge, got, asked, count)

    def exchange(self, wire: Wire, size: int = 64) -> bytes:
        """One request, and its reply."""
        asked = self.request(size)
        wire.send(asked)
        return self.reply(wire, asked)

    def fill(self, wire: Wire, most: int) -> bool:
        """Send requests, read nothing, until the server takes no more, or *most* bytes are sent.

        "No more" is nothing for half a second. False when the server's declared time-out can have
        ended the stream meanwhile, as it may where this machine is slow.
        """
        block = self.request(2**16)
        began = time.monotonic()
        try:
            while wire.sent < most:
                wire.send_some(block[wire.sent % len(block) :], 0.5 * self.slow)
        except Reset:
            declared = self.server.limits.idle_timeout
            if declared is None or time.monotonic() - began < declared:
                raise
            return False
        except Silence:
            pass
        return True

    def alive(self) -> None:
        """The server still serves a new connection; raises :class:`Failed` if not.

        A server that nobody can connect to any more is :class:`Unreachable`.
        """
        try:
            with self.connect() as wire:
                if self.profile.request is not None and Trait.REPLIES in self.profile.traits:
                    self.exchange(wire)
        except Unreachable as error:
            said = f"after that it is gone: {error.reason}"
            raise Unreachable(said, "dies", timed=error.timed) from None
        except Failed as error:
            said = f"after that it serves no new connection: {error.reason}"
            failed = Failed(said, "others-cut-off", timed=error.timed)
            failed.gone = not error.timed
            raise failed from None

    # -- doing many things at once ---------------------------------------------------------

    def together(self, *works: Callable[[], object]) -> None:
        """Run *works* in a thread each, and wait for all; the first failure is raised."""
        failures: list[BaseException] = []

        def guarded(work: Callable[[], object]) -> None:
            try:
                work()
            except BaseException as error:  # raised below, in the case's own thread
                failures.append(error)

        threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def times(self, number: int) -> Iterator[int]:
        """1, 2 … *number*; it ends sooner when that takes longer than :data:`ENOUGH`."""
        until = time.monotonic() + ENOUGH * self.slow
        for done in range(1, number + 1):
            yield done
            if time.monotonic() > until:
                break

    @contextmanager
    def many(
        self, number: int, *, handshake: bool = True, enough: bool = False
    ) -> Iterator[list[Wire]]:
        """*number* connections, one after the other, all closed at the end.

        *enough*: fewer will do where they take long, see :meth:`times`.
        """
        wires: list[Wire] = []
        try:
            for _ in self.times(number) if enough else range(number):
                wires.append(self.connect(handshake=handshake))
            yield wires
        finally:
            for wire in wires:
                wire.close()


def _check(judge: Judge, got: bytes, asked: bytes, count: int) -> None:
    said = judge(asked, count, got)
    if said.wrong:
        raise Failed(f"wrong reply: {said.wrong}", "wrong-reply")
    if not said.whole:
        raise Failed(f"FIN came after {len(got):,} bytes of the reply to {len(asked):,}")

"""Random runs: whatever both ends of a stream do, it has one end and no byte is wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.streams import StreamCase
from tests.transports.tls_peer import TlsPeer
from twisted_lab.events import CloseReason
from twisted_lab.protocols.echo import Echo
from twisted_lab.protocols.line import LineFactory
from twisted_lab.testing import CAPACITY, Peer
from twisted_lab.transports.certificates import make_certificate, server_context
from twisted_lab.transports.tls import TLSConnection

CONTEXT = server_context(make_certificate())

SERVICES = {
    "echo": lambda clock: Factory.forProtocol(Echo),
    "line": lambda clock: LineFactory(
        clock=clock, now=lambda: datetime(2026, 3, 1, tzinfo=UTC), max_line=2**20
    ),
}

#: What the peer may do, then the server's end, then time. One that takes a value is a pair.
ACTIONS = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 3 * CAPACITY)),
    st.sampled_from(["fin", "close", "reset", "stop", "read"]),
    st.sampled_from(["end", "linger", "abort", "half", "lose", "hold", "release"]),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.3, 1.0, 4.0])),
    st.just("turn"),
)


class RunTests(SynchronousTestCase):
    @given(
        service=st.sampled_from(sorted(SERVICES)),
        secure=st.booleans(),
        actions=st.lists(ACTIONS, max_size=30),
        seed=st.integers(0, 2**16),
    )
    def test_any_order(self, service: str, secure: bool, actions: list[Any], seed: int) -> None:
        """Whatever both ends do: one end, no byte wrong or, unless someone broke off, lost."""
        run = SecureRun(service, seed) if secure else Run(service, seed)
        for action in actions:
            run.act(*(action if isinstance(action, tuple) else (action,)))
        run.finish(self)


class Run:
    """One connection to *service*, and what was done to it."""

    peer_kind: type[Peer] = Peer
    secure: Any = None

    def __init__(self, service: str, seed: int) -> None:
        self.random = random.Random(seed)
        case = StreamCase()
        case.setUp()
        case.secure = self.secure
        self.network, self.seen = case.network, case.seen
        factory = case.behind_layer(SERVICES[service](case.clock))
        self.peer: Any = self.network.connect(self.peer_kind(), factory)
        self.layer = case.layer
        (self.stream,) = self.layer.streams
        self.network.pump()
        self.sent = bytearray()
        self.broken_off = self.peer_done = False

    def act(self, name: str, value: float = 0) -> None:
        """Do what is called *name*, if it can still be done."""
        if (peers := getattr(self, f"peer_{name}", None)) is not None:
            if not self.peer_done:
                peers(int(value))
        elif (ours := getattr(self, f"our_{name}", None)) is not None:
            self.broken_off = True
            ours()
        else:
            getattr(self, name)(value)

    def peer_send(self, size: int) -> None:
        data = self.random.randbytes(size).replace(b"/", b"\n")
        self.sent += data
        self.say(data)

    def peer_fin(self, _: int) -> None:
        self.peer_done = True
        self.say_end()

    def peer_close(self, _: int) -> None:
        self.peer_done = self.broken_off = True
        self.peer.close()

    def peer_reset(self, _: int) -> None:
        self.peer_done = self.broken_off = True
        self.peer.reset()

    def say(self, data: bytes) -> None:
        self.peer.send(data)

    def say_end(self) -> None:
        self.peer.fin()

    def heard(self) -> bytearray:
        return self.peer.received

    def stop(self, _: float) -> None:
        self.peer.transport.pauseProducing()

    def read(self, _: float) -> None:
        self.peer.transport.resumeProducing()

    def wait(self, seconds: float) -> None:
        self.network.advance(seconds)

    def turn(self, _: float) -> None:
        self.network.turn()

    def hold(self, _: float) -> None:
        self.stream.hold("test")

    def release(self, _: float) -> None:
        self.stream.release("test")

    def our_end(self) -> None:
        self.stream.end(CloseReason.LIMIT)

    def our_linger(self) -> None:
        self.stream.end(CloseReason.LIMIT, linger=True)

    def our_abort(self) -> None:
        self.stream.abort(CloseReason.FAULT)

    def our_half(self) -> None:
        self.stream.loseWriteConnection()

    def our_lose(self) -> None:
        self.stream.loseConnection()

    def finish(self, case: SynchronousTestCase) -> None:
        """Let everyone read, end it, and look at what was told of it."""
        self.release(0)
        self.read(0)
        self.network.pump()
        self.act("fin")
        self.network.advance(60)
        if self.peer.transport.disconnecting:
            self.peer.reset()  # closed: it reads no more, and what it still sends waits for that
            self.network.pump()
        seen = self.seen
        case.assertEqual((self.layer.streams, self.network.clock.calls), (set(), []))
        case.assertEqual((len(seen.of("closed")), seen.names[-1]), (1, "closed"))
        case.assertTrue(self.sent.startswith(self.heard()))
        (closed,) = seen.of("closed")
        if not self.broken_off:
            case.assertTrue(self.heard() == self.sent)
            case.assertEqual(closed.reason, "peer-fin")
            case.assertEqual((closed.bytes_in, closed.bytes_out), (len(self.sent),) * 2)
        case.assertEqual(closed.bytes_in, sum(read.bytes for read in seen.of("received")))
        case.assertEqual(closed.bytes_out, sum(sent.bytes for sent in seen.of("sent")))


class SecureRun(Run):
    """The same over TLS, where close_notify is what FIN is."""

    peer_kind = TlsPeer

    def secure(self, stream: Any) -> TLSConnection:  # type: ignore[override]
        return TLSConnection(CONTEXT, stream.layer.clock, stream)

    def say(self, data: bytes) -> None:
        self.peer.say(data)

    def say_end(self) -> None:
        self.peer.notify()

    def heard(self) -> bytearray:
        return self.peer.plain

    def finish(self, case: SynchronousTestCase) -> None:
        super().finish(case)
        if not self.broken_off:
            case.assertEqual((self.peer.error, self.peer.notified), (None, True))

"""Streams in memory: what protocols that log do, and the layer they stand behind."""

from __future__ import annotations

import itertools
from typing import Any

from twisted.internet import error
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import Closed
from twisted_lab.interfaces import Refusal
from twisted_lab.layer import YOUTH, Layer, StreamFactory
from twisted_lab.publishing import Publisher
from twisted_lab.testing import Collector, Network, Peer, Spy
from twisted_lab.wrapping import Stream

#: More than the memory between two ends and a transport's high-water mark hold together.
MUCH = bytes(range(256)) * 2048


def fail(spy: Spy) -> None:
    """An act that is a bug."""
    raise ValueError("a bug of the protocol's")


def echo(spy: Spy) -> None:
    """An act: send back what was read last."""
    spy.transport.write(spy.calls[-1])


def lose(spy: Spy) -> None:
    """An act: close."""
    spy.transport.loseConnection()


def abort(spy: Spy) -> None:
    """An act: reset."""
    spy.transport.abortConnection()


def half_close(spy: Spy) -> None:
    """An act: send FIN, read on."""
    spy.transport.loseWriteConnection()


class Log:
    """A policy with every hook; ``calls`` is what was called, with the host's key or the count.

    *wrong* names the hook that raises; *refuses* makes it a gate that says no.
    """

    def __init__(self, name: str = "", wrong: str = "", refuses: bool = False) -> None:
        self.name = name
        self.wrong = wrong
        self.refuses = refuses
        self.calls: list[Any] = []

    def _log(self, hook: str, *about: Any) -> None:
        self.calls.append((hook, *about) if about else hook)
        if hook == self.wrong:
            raise ValueError("a bug of the policy's")

    def admit(self, host: Any) -> Refusal | None:
        self._log("admit")
        return Refusal(self.name, f"{self.name} says no") if self.refuses else None

    def entered(self, host: Any) -> None:
        self._log("entered")

    def left(self, host: Any) -> None:
        self._log("left")

    def opened(self, stream: Any) -> None:
        self._log("opened")

    def received(self, stream: Any, count: int) -> None:
        self._log("received", count)

    def sent(self, stream: Any, count: int) -> None:
        self._log("sent", count)

    def check(self, stream: Any, now: float) -> float:
        self._log("check", now)
        return now + 1.0

    def closed(self, stream: Any) -> None:
        self._log("closed")


class BytesCase(SynchronousTestCase):
    """Says where bytes differ; unittest's own comparison of a MiB takes minutes."""

    def assert_bytes(self, seen: bytes, expected: bytes) -> None:
        if seen == expected:
            return
        same = next((at for at, pair in enumerate(zip(seen, expected)) if pair[0] != pair[1]), None)  # noqa: B905  # lengths differ
        at = min(len(seen), len(expected)) if same is None else same
        self.fail(
            f"{len(seen)} bytes, not {len(expected)}; from byte {at} on "
            f"{bytes(seen[at : at + 40])!r}, not {bytes(expected[at : at + 40])!r}"
        )

    def assert_saw(self, peer: Peer, data: bytes, end: str | None) -> None:
        """*peer* received exactly *data*, and its stream ended as *end* says."""
        self.assert_bytes(peer.received, data)
        self.assertEqual(peer.end, end)


class StreamCase(BytesCase):
    """``self.network``, ``self.seen`` (all events), ``self.layer``; :meth:`talk` to a protocol."""

    secure: Any = None

    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.seen = Collector()
        self.publisher = Publisher(lambda: round(self.clock.seconds() * 1e9))
        self.publisher.add(self.seen)

    def behind_layer(self, factory: Any, *policies: Any, **options: Any) -> StreamFactory:
        """*factory* behind a layer, ``self.layer``."""
        numbers = itertools.count(1)
        self.layer = Layer(
            "test",
            factory,
            self.clock,
            self.publisher,
            lambda: next(numbers),
            policies,
            **options,
        )
        return StreamFactory(self.layer, secure=self.secure)

    def talk(self, protocol: Protocol, *policies: Any, **options: Any) -> Peer:
        """A connected peer of *protocol*; ``self.stream`` is between them."""
        factory = self.behind_layer(Factory.forProtocol(lambda: protocol), *policies, **options)
        peer = self.network.connect(self.make_peer(), factory)
        (self.stream,) = self.layer.streams or [None]
        self.network.pump()
        return peer

    def make_peer(self) -> Peer:
        return Peer()

    stream: Stream

    def closed(self) -> Closed:
        """The one Closed event, after nothing of the stream is left anywhere."""
        self.network.advance(YOUTH)
        self.assertEqual(self.layer.streams, set())
        self.assertEqual(self.clock.calls, [])
        (closed,) = self.seen.of("closed")
        return closed

    def assert_ended(self, reason: str, spy: Spy, why: type = error.ConnectionDone) -> None:
        """One Closed event with *reason*, one ``connectionLost`` with *why*, nothing after it."""
        self.assertEqual(self.closed().reason, reason)
        self.assertEqual(spy.ends, [why])
        self.assertIs(spy.calls[-1], why)

"""Streams that we make, in memory."""

from __future__ import annotations

import itertools
from typing import Any

from twisted.internet.address import IPv4Address

from tests.streams import BytesCase
from twisted_lab.client.streams import Attempt
from twisted_lab.layer import Layer
from twisted_lab.publishing import Publisher
from twisted_lab.testing import Collector, Network, Peer

ADDRESS = IPv4Address("TCP", "127.0.0.1", 9000)


class FakeConsole:
    """What a talk shows, and what it asks of a console."""

    def __init__(self) -> None:
        self.shown = bytearray()
        self.calls: list[str] = []
        self.talker: Any = None

    def open(self, talker: Any) -> None:
        self.calls.append("open")
        self.talker = talker

    def joins(self, source: Any, sink: Any = None) -> None:
        if sink is not None:
            sink.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")

    def write(self, data: bytes) -> None:
        self.shown += data

    def close(self, gone: Any) -> None:
        self.calls.append("close")
        gone()


class ClientCase(BytesCase):
    """``self.network``, ``self.seen`` (all events); :meth:`connect` a protocol to a peer."""

    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.seen = Collector()
        self.publisher = Publisher(lambda: round(self.clock.seconds() * 1e9))
        self.publisher.add(self.seen)
        nobody: Any = None
        numbers = itertools.count(1)
        self.layer = Layer(
            "connect", nobody, self.clock, self.publisher, lambda: next(numbers), grace=5.0
        )

    def attempt(self, protocol: Any, kind: str = "tcp", trust: Any = None) -> Attempt:
        return Attempt(self.layer, protocol, kind, trust)

    def connect(self, protocol: Any, peer: Any = None) -> Any:
        """The peer that *protocol*, a client's, is connected to."""
        peer = Peer() if peer is None else peer
        self.network.pair(self.attempt(protocol).buildProtocol(ADDRESS), peer)
        self.network.pump()
        return peer

    def notes(self) -> list[str]:
        return [note.kind for note in self.seen.of("note")]

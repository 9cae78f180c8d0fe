"""Gates count who is in exactly, whoever says no and however it ends."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol

from tests.streams import Log, StreamCase
from twisted_lab.testing import Peer, Spy


class GateTests(StreamCase):
    def connect(self, *policies: Any, factory: Any = None, **options: Any) -> Peer:
        """Try to get in; afterwards nobody is."""
        factory = self.behind_layer(factory or Factory.forProtocol(Spy), *policies, **options)
        peer = self.network.connect(Peer(), factory, host="192.0.2.1")
        self.network.pump()
        return peer

    def test_in_and_out(self) -> None:
        """Who is let in is counted once, and uncounted once, however the connection ends."""
        for end in (Peer.fin, Peer.close, Peer.reset):
            log = Log()
            end(self.connect(log))
            self.network.pump()
            calls = [call for call in log.calls if call in ("admit", "entered", "left")]
            self.assertEqual(calls, ["admit", "entered", "left"])

    def test_refused_by_a_later_gate(self) -> None:
        """Who is refused was never in, also for the gates that had said yes."""
        first, second, third = Log("a"), Log("b", refuses=True), Log("c")
        peer = self.connect(first, second, third)
        self.assert_saw(peer, b"", "fin")
        self.assertEqual([log.calls for log in (first, second, third)], [["admit"], ["admit"], []])
        (refused,) = self.seen.events
        self.assertEqual(refused.event, "refused")
        self.assertEqual((refused.reason, refused.detail), ("b", "b says no"))  # type: ignore[attr-defined]
        self.assertEqual(self.layer.streams, set())

    def test_refused_where(self) -> None:
        """A refusal says who was turned away, and at which door."""
        factory = self.behind_layer(None, Log("gate", refuses=True))
        factory.local = "0.0.0.0:9000"
        self.assertIsNone(factory.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1234)))
        (refused,) = self.seen.of("refused")
        self.assertEqual((refused.peer, refused.local), ("192.0.2.7:1234", "0.0.0.0:9000"))

    def test_gate_that_raises(self) -> None:
        """A gate that raises is removed and lets everyone in; the others still stand."""
        bad, closed = Log("bad", wrong="admit"), Log("closed", refuses=True)
        self.connect(bad, closed)
        self.assertEqual(self.seen.names, ["note", "refused"])
        self.assertEqual(closed.calls, ["admit"])

    def test_spares_loopback(self) -> None:
        """A policy that spares loopback is not asked about it."""

        class Spares(Log):
            spares_loopback = True

        log = Spares("gate", refuses=True)
        factory = self.behind_layer(Factory.forProtocol(Spy), log)
        peers = [
            self.network.connect(Peer(), factory, host=host) for host in ("127.0.0.1", "192.0.2.1")
        ]
        self.network.pump()
        self.assertEqual([peer.end for peer in peers], [None, "fin"])
        self.assertEqual([call for call in log.calls if call == "admit"], ["admit"])
        self.layer.remove(log)
        self.assertIsNotNone(factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))

    def test_built_none(self) -> None:
        """When the protocol's own factory refuses, the connection is closed and uncounted."""

        class Refusing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        log = Log()
        peer = self.connect(log, factory=Refusing(), lines=True)
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(log.calls, ["admit", "entered", "left"])
        (refused,) = self.seen.events
        self.assertEqual(refused.reason, "protocol")  # type: ignore[attr-defined]

    def test_built_badly(self) -> None:
        """The same when it raises, which is noted."""

        class Bad(Factory):
            def buildProtocol(self, addr: object) -> Protocol:
                raise ValueError("a bug of the factory's")

        log = Log()
        peer = self.connect(log, factory=Bad())
        self.assert_saw(peer, b"", "fin")
        self.assertEqual(log.calls, ["admit", "entered", "left"])
        self.assertEqual(self.seen.names, ["note", "refused"])
        note = self.seen.of("note")[0]
        self.assertTrue(note.text.startswith("buildProtocol: ValueError: a bug of the factory's ("))
        self.assertEqual(self.flushLoggedErrors(), [])

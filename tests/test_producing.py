"""The two small producers: what each is told, it does, and no more often than it should."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from tests.streams import StreamCase
from twisted_lab.flow import UNPROVED
from twisted_lab.producing import Backpressure, PullAdapter
from twisted_lab.testing import Network, Spy


class Asked:
    """A pull producer that counts; *act* is done each time."""

    def __init__(self, act: Any = None) -> None:
        self.asked = 0
        self.stopped = 0
        self.act = act

    def resumeProducing(self) -> None:
        self.asked += 1
        if self.act:
            self.act()

    def stopProducing(self) -> None:
        self.stopped += 1


class PullAdapterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        self.producer = Asked()
        self.adapter = PullAdapter(self.producer, self.clock)

    def test_interface(self) -> None:
        """A pull producer becomes a push producer."""
        verifyClass(IPushProducer, PullAdapter)
        verifyObject(IPushProducer, self.adapter)

    def test_once_a_turn(self) -> None:
        """While there is room it is asked once a turn of the reactor."""
        self.adapter.resumeProducing()
        self.assertEqual(self.producer.asked, 0)
        for turn in (1, 2, 3):
            self.network.turn()
            self.assertEqual(self.producer.asked, turn)

    def test_resumed_twice(self) -> None:
        """To be resumed again changes nothing."""
        self.adapter.resumeProducing()
        self.adapter.resumeProducing()
        self.network.turn()
        self.assertEqual((self.producer.asked, len(self.clock.calls)), (1, 1))

    def test_paused(self) -> None:
        """When there is no room it is asked no more, until there is."""
        self.adapter.pauseProducing()
        self.adapter.resumeProducing()
        self.network.turn()
        self.adapter.pauseProducing()
        self.network.pump()
        self.assertEqual((self.producer.asked, self.clock.calls), (1, []))
        self.adapter.resumeProducing()
        self.network.turn()
        self.assertEqual(self.producer.asked, 2)

    def test_paused_while_asked(self) -> None:
        """The same when what it gave filled the output."""
        self.producer.act = self.adapter.pauseProducing
        self.adapter.resumeProducing()
        self.network.pump()
        self.assertEqual((self.producer.asked, self.clock.calls), (1, []))

    def test_raises(self) -> None:
        """An exception is told to who wants to know, or to the reactor."""

        def fail() -> None:
            raise ValueError("a bug of the producer's")

        self.producer.act = fail
        self.adapter.resumeProducing()
        self.assertRaises(ValueError, self.network.pump)
        told: list[Any] = []
        adapter = PullAdapter(self.producer, Clock(), lambda *about: told.append(about))
        adapter._ask()
        ((where, why),) = told
        self.assertEqual((where, str(why)), ("resumeProducing", "a bug of the producer's"))

    def test_stopped(self) -> None:
        """When the connection is gone the producer is told, and asked no more."""
        self.adapter.resumeProducing()
        self.adapter.stopProducing()
        self.network.pump()
        self.assertEqual((self.producer.asked, self.producer.stopped), (0, 1))


class BackpressureTests(StreamCase):
    def test_interface(self) -> None:
        """It is a push producer, and the one its stream registers once its buffer could fill."""
        self.talk(Spy())
        self.stream.write(bytes(UNPROVED))
        self.assertIsNone(self.stream.transport.producer)
        self.stream.write(b"1")
        verifyClass(IPushProducer, Backpressure)
        verifyObject(IPushProducer, self.stream.transport.producer)
        self.assertIsInstance(self.stream.transport.producer, Backpressure)

    def test_small_buffer(self) -> None:
        """A policy that makes the buffer smaller makes it fill sooner, also after it once did."""
        self.talk(Spy())
        self.stream.limit_reads(100)
        self.stream.write(bytes(100))
        self.assertIsNone(self.stream.transport.producer)
        self.stream.write(b"1")
        producer = self.stream.transport.producer
        self.assertIsInstance(producer, Backpressure)
        self.stream.limit_reads(50)
        self.stream.write(bytes(200))
        self.assertIs(self.stream.transport.producer, producer)

    def test_peer_that_reads(self) -> None:
        """While a peer takes what it is sent nothing is registered, however much that is."""
        peer = self.talk(Spy())
        for _ in range(500):
            self.stream.write(bytes(1024))
            self.network.pump()
        self.assertEqual(len(peer.received), 500 * 1024)
        self.assertIsNone(self.stream.transport.producer)

    def test_full_by_small_writes(self) -> None:
        """A peer that reads nothing stops its stream before 64 KiB and one write more wait."""
        peer = self.talk(Spy())
        peer.transport.pauseProducing()
        for _ in range(1000):
            if "paused" in self.seen.names:
                break
            self.stream.write(bytes(1024))
            self.network.pump()
        self.assertLessEqual(len(self.stream.transport.dataBuffer), 65536 + 1024)
        self.assertIn("paused", self.seen.names)

    def test_passes_on(self) -> None:
        """What it is told, the stream does; twice is as good as once."""
        spy = Spy()
        peer = self.talk(spy)
        backpressure = Backpressure(self.stream)
        for _ in "12":
            backpressure.pauseProducing()
        peer.send(b"x")
        self.network.pump()
        self.assertEqual(spy.received, b"")
        for _ in "12":
            backpressure.resumeProducing()
        self.network.pump()
        self.assertEqual(spy.received, b"x")
        self.assertEqual(
            self.seen.names, ["accepted", "paused", "paused", "resumed", "resumed", "received"]
        )

    def test_stop(self) -> None:
        """The end of the connection is the transport's to tell."""
        spy = Spy()
        self.talk(spy)
        Backpressure(self.stream).stopProducing()
        self.network.pump()
        self.assertEqual(spy.ends, [])

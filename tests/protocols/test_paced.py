"""Writing at a pace: few writes, waits between them, no faster than the peer reads."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.protocols.fakes import FakeStream, PlainTransport
from twisted_lab.protocols.paced import PacedWriter


class WaitTests(SynchronousTestCase):
    def waited(self, transport: PlainTransport) -> PlainTransport:
        """*transport*, through which something went and then a second."""
        clock, freed = Clock(), []
        writer = PacedWriter(transport, clock, lambda: freed.append(clock.seconds()))
        verifyObject(IPushProducer, writer)
        writer.gather(b"hello ")
        writer.gather(b"you")
        writer.wait(1.0)
        self.assertTrue(writer.busy and writer.waiting)
        clock.advance(1.0)
        self.assertEqual((freed, writer.busy), ([1.0], False))
        self.assertEqual(transport.written(), [b"hello you"])
        return transport

    def test_stream(self) -> None:
        """The time it waits is not the peer's silence: a stream counts it from the end."""
        stream = FakeStream()
        self.waited(stream)
        self.assertEqual(stream.touched, 1)

    def test_plain(self) -> None:
        """On a transport of Twisted's own, which counts no silence, it waits as well."""
        self.waited(PlainTransport())

"""What stands for events that are left out."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import DatagramSent, Event, Gap, LocalShutdown, Received, Sent
from twisted_lab.gaps import widened


def gap(*events: Event) -> Gap:
    """One for all *events*."""
    whole = None
    for event in events:
        whole = widened(whole, event, "overrun")
    assert whole is not None
    return whole


class WidenedTests(SynchronousTestCase):
    received = partial(Received, service="echo", connection="c1")

    def test_first(self) -> None:
        """The first event that is left out begins it: its time, its connection, its bytes."""
        one = gap(self.received(ns=5, bytes=10))
        self.assertEqual(one, Gap(5, "echo", 5, "overrun", "c1", 10, 0, 1))

    def test_more(self) -> None:
        """Each further one widens it; what moves no bytes is counted all the same."""
        sent, fin = Sent(7, "echo", "c1", 20), LocalShutdown(9, "echo", "c1")
        one = gap(self.received(ns=5, bytes=10), sent, fin)
        self.assertEqual(one, Gap(5, "echo", 9, "overrun", "c1", 10, 20, 3))

    def test_datagram(self) -> None:
        """Datagrams belong to no connection."""
        one = gap(DatagramSent(3, "echo", "127.0.0.1:5", "127.0.0.1:7", 4))
        self.assertEqual(one, Gap(3, "echo", 3, "overrun", None, 0, 4, 1))

    def test_gap(self) -> None:
        """A gap among them counts for as many events as it stands for, and lasts as long."""
        one = gap(self.received(ns=5, bytes=10), Gap(6, "echo", 8, "evicted", "c1", 1, 2, count=4))
        self.assertEqual(one, Gap(5, "echo", 8, "overrun", "c1", 11, 2, 5))

    def test_unknown(self) -> None:
        """Events that were never built cannot be counted: then the number is not known at all."""
        unwatched = Gap(6, "echo", 8, "unwatched", "c1", 100)
        one = gap(self.received(ns=5, bytes=10), unwatched, self.received(ns=9, bytes=1))
        self.assertEqual(one, Gap(5, "echo", 9, "overrun", "c1", 111, 0, None))

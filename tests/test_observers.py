"""A history is bounded, and tallies count what happened by service and reason."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramDropped,
    Event,
    Listening,
    Received,
    Refused,
)
from twisted_lab.observers import History, Tallies
from twisted_lab.publishing import Publisher


def accepted(connection: str, service: str = "echo") -> Accepted:
    return Accepted(1, service, connection, "10.0.0.1:5", "127.0.0.1:7", "tcp")


def closed(reason: CloseReason, service: str = "echo") -> Closed:
    return Closed(2, service, "c1", "10.0.0.1:5", "127.0.0.1:7", reason, 3, 3, 0.1)


class HistoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.publisher = Publisher()

    def watch(self, history: History, *events: Event) -> History:
        self.publisher.add(history.observe)
        for event in events:
            self.publisher.publish(event)
        return history

    def test_oldest_first(self) -> None:
        """The events are there in the order in which they happened."""
        events = [accepted("c1"), Received(2, "echo", "c1", 5), closed(CloseReason.IDLE)]
        self.assertEqual(list(self.watch(History(), *events)), events)

    def test_bounded(self) -> None:
        """Only the last ones are kept, however many there were."""
        events = [accepted(f"c{number}") for number in range(10)]
        history = self.watch(History(limit=3), *events)
        self.assertEqual(list(history), events[-3:])
        self.assertEqual(len(history), 3)

    def test_default_bound(self) -> None:
        """Without a limit of its own a history still has one."""
        history = self.watch(History(), *[accepted("c1")] * 10_001)
        self.assertEqual(len(history), 10_000)

    def test_of_one_connection(self) -> None:
        """The events of one connection can be had alone; a port's are nobody's."""
        listening = Listening(0, "echo", "127.0.0.1:7", "tcp")
        history = self.watch(History(), listening, accepted("c1"), accepted("c2"))
        self.assertEqual(history.of("c2"), [accepted("c2")])
        self.assertEqual(history.of("c3"), [])

    def test_two_histories(self) -> None:
        """Two histories observe side by side."""
        first, second = History(), History()
        self.watch(first)
        self.watch(second, accepted("c1"))
        self.assertEqual((len(first), len(second)), (1, 1))


class TalliesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tallies = Tallies()

    def test_events(self) -> None:
        """Every event is counted by service and name."""
        for event in (accepted("c1"), accepted("c2"), accepted("c3", "line")):
            self.tallies(event)
        self.assertEqual(self.tallies.events, {("echo", "accepted"): 2, ("line", "accepted"): 1})

    def test_reasons(self) -> None:
        """Ends, refusals and drops are counted by reason, each for as many as it stands for."""
        for event in (
            closed(CloseReason.IDLE),
            closed(CloseReason.IDLE),
            closed(CloseReason.RESET, "line"),
            Refused(1, "echo", "10.0.0.1:5", "127.0.0.1:7", "max-per-peer", count=7),
            DatagramDropped(1, "echo", "127.0.0.1:7", "kernel", count=2908),
            DatagramDropped(1, "echo", "127.0.0.1:7", "loop-port", "10.0.0.1:0", 1),
        ):
            self.tallies(event)
        self.assertEqual(self.tallies.closed, {("echo", "idle"): 2, ("line", "reset"): 1})
        self.assertEqual(self.tallies.refused, {("echo", "max-per-peer"): 7})
        self.assertEqual(self.tallies.dropped, {("echo", "kernel"): 2908, ("echo", "loop-port"): 1})

    def test_bounded(self) -> None:
        """Peers cannot make the tables grow: neither addresses nor connections are keys."""
        for number in range(1000):
            self.tallies(accepted(f"c{number}"))
            self.tallies(Refused(1, "echo", f"10.0.0.1:{number}", "127.0.0.1:7", "access"))
        self.assertEqual(len(self.tallies.events) + len(self.tallies.refused), 3)

"""A watched program as the page knows it."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.diagnosis import MISTAKES, Finding
from twisted_lab.events import (
    Accepted,
    Call,
    Called,
    Closed,
    CloseReason,
    Connected,
    DatagramReceived,
    DatagramSent,
    Listening,
    NotListening,
    Received,
    Sent,
)
from twisted_lab.publishing import Publisher
from twisted_lab.watch.subject import NotOurs, Watched

HERE, THERE = "127.0.0.1:1", "127.0.0.1:2"
CALL = Call("recv", "9", "5", None, 0.1, 1, 1, "s1", "/home/me/server.py", 12, "main")


class WatchedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0
        self.publisher = Publisher(lambda: self.now)
        self.watched = Watched(self.publisher, "server.py", ("python", "server.py"))
        self.publisher.add(self.watched)
        self.publish = self.publisher.publish

    def test_streams(self) -> None:
        """Open connections, the newest first, with what moved; a closed one is kept."""
        self.publish(Accepted(0, "server.py", "c1", THERE, HERE, "tcp"))
        self.publish(Connected(1, "server.py", "c2", HERE, "127.0.0.1:3", "tcp"))
        self.publish(Received(2, "server.py", "c1", 5, b"hello"))
        self.publish(Sent(3, "server.py", "c1", 2, b"ok"))
        self.now = 5_000_000_000
        second, first = self.watched.streams()
        self.assertEqual((first.id, first.bytes_in, first.bytes_out, first.age), ("c1", 5, 2, 5.0))
        self.assertEqual(second.id, "c2")
        end = Closed(4, "server.py", "c1", THERE, HERE, CloseReason.LOCAL, 5, 2, 1.0)
        self.publish(end)
        self.assertIsNone(self.watched.stream("c1"))
        self.assertEqual([one.id for one in self.watched.closed()], ["c1"])

    def test_pair(self) -> None:
        """A connection without a beginning, such as a socketpair()'s, is open too."""
        self.publish(Sent(3, "server.py", "c1", 2, b"ok"))
        (stream,) = self.watched.streams()
        self.assertEqual((stream.peer, stream.bytes_out), ("", 2))

    def test_other(self) -> None:
        """Where the program made both ends, each knows the other."""
        self.publish(Accepted(0, "server.py", "c1", THERE, HERE, "tcp"))
        self.assertIsNone(self.watched.other("c1"))
        self.publish(Connected(1, "server.py", "c2", HERE, THERE, "tcp"))
        self.assertEqual((self.watched.other("c1"), self.watched.other("c2")), ("c2", "c1"))
        self.assertIsNone(self.watched.other("c9"))

    def test_datagrams(self) -> None:
        """Datagram peers with their totals."""
        self.publish(DatagramReceived(0, "server.py", THERE, HERE, 5, b"hello"))
        self.publish(DatagramSent(1, "server.py", THERE, HERE, 2, b"ok"))
        ((kept, totals),) = self.watched.talks()
        self.assertEqual((kept.id, totals.datagrams_in, totals.bytes_out), ("d1", 1, 2))
        self.assertEqual(self.watched.talk("d1"), (kept, totals))

    def test_summary(self) -> None:
        """What there is to say of it: its ports, what moved, whether it runs."""
        self.publish(Listening(0, "server.py", HERE, "tcp", 5))
        self.publish(DatagramSent(1, "server.py", THERE, HERE, 2, b"ok"))
        (said,) = self.watched.summaries()
        self.assertEqual((said.kind, said.state, said.datagrams_out), ("program", "serving", 1))
        self.assertEqual([one.local for one in said.ports], [HERE])
        self.publish(NotListening(0, "server.py", HERE, "tcp"))
        self.watched.ended(3, [])
        (said,) = self.watched.summaries()
        self.assertEqual((said.state, said.ports), ("ended", ()))

    def test_findings(self) -> None:
        """Its mistakes, once it has ended, with their place."""
        event = Called(4, "server.py", "c1", call=CALL)
        self.watched.ended(1, [Finding(MISTAKES["starved"], "so long", (event,))])
        facts = self.watched.facts()
        self.assertEqual(facts["program"]["status"], 1)
        (finding,) = facts["findings"]
        self.assertEqual((finding["mistake"], finding["place"]), ("starved", "server.py:12"))
        json.dumps(facts)

    def test_not_ours(self) -> None:
        """Its connections are its own to close."""
        self.publish(Accepted(0, "server.py", "c1", THERE, HERE, "tcp"))
        (stream,) = self.watched.streams()
        for end in (self.watched.close, self.watched.reset):
            self.assertRaises(NotOurs, end, stream)
        self.assertIsInstance(self.watched.kernel(stream), str)

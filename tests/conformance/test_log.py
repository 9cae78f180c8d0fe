"""What is kept of the wire: bounded, the middle left out, and in words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.log import CONVERSATIONS, FIRST, LAST, Log
from twisted_lab.conformance.wirelog import lines
from twisted_lab.events import Connected, Gap, Received, Sent


class LogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0
        self.log = Log("echo", lambda: self.now)

    def test_long(self) -> None:
        """Of a long conversation the first and the last events are kept, and how many are not."""
        talk = self.log.begin("server", "us")
        for number in range(500):
            talk.add(Sent(number, "echo", "k1", 1, b"x"))
        self.assertEqual(len(talk.events), FIRST + 1 + LAST)
        gap = talk.events[FIRST]
        assert isinstance(gap, Gap)
        self.assertEqual(gap.count, 500 - FIRST - LAST)
        self.assertEqual(talk.events[-1].ns, 499)

    def test_many(self) -> None:
        """Of many conversations the last are kept."""
        for number in range(20):
            self.log.begin(str(number), "us")
        kept = [talk.peer for talk in self.log.conversations]
        self.assertEqual(kept, [str(n) for n in range(20 - CONVERSATIONS, 20)])

    def test_time(self) -> None:
        """Time begins with the log."""
        self.now = 5
        self.assertEqual(self.log.ns, 5)

    def test_words(self) -> None:
        """A line an event, escaped, from the first event on."""
        talk = self.log.begin("127.0.0.1:7", "127.0.0.1:5")
        talk.add(Connected(1_000_000, "echo", "k1", "127.0.0.1:7", "127.0.0.1:5", "tcp"))
        talk.add(Received(2_500_000, "echo", "k1", 5, b"\x1b[31m"))
        self.assertEqual(
            list(lines(talk)),
            [
                "        0  connected to 127.0.0.1:7 from 127.0.0.1:5 (tcp)",
                "   1.5 ms  recv() returned 5 bytes: \\x1b[31m",
            ],
        )
        long = self.log.begin("server", "us")
        for number in range(500):
            long.add(Sent(number, "echo", "k1", 1, None))
        self.assertIn(f"… {500 - FIRST - LAST} events more", "\n".join(lines(long)))

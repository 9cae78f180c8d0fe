"""Conversations of which both ends were recorded."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.album import Album
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    Sent,
)
from twisted_lab.pairing import Pair, pairs
from twisted_lab.playback import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = Run("0", NOON, 1_000_000)
SECOND = Run("0", NOON, 1_000_500)

CLIENT, SERVER = "127.0.0.1:1", "127.0.0.1:2"


def connected(id: str = "c1", here: str = CLIENT, there: str = SERVER, ns: int = 600) -> Event:
    return Connected(ns, "client.py", id, there, here, "tcp")


def accepted(id: str = "c1", here: str = SERVER, there: str = CLIENT, ns: int = 200) -> Event:
    return Accepted(ns, "echo", id, there, here, "tcp")


class PairTests(SynchronousTestCase):
    def pairs(self, *recorded: Run | Event) -> list[Pair]:
        return pairs(Album(recorded).chapters)

    def names(self, *recorded: Run | Event) -> list[tuple[str, str]]:
        found = self.pairs(*recorded)
        return [(one.left.service, one.right.service) for one in found]

    def test_pair(self) -> None:
        """Two recordings: who connected stands at the left, whichever was read first."""
        both = [("client.py", "echo")]
        self.assertEqual(self.names(FIRST, connected(), SECOND, accepted()), both)
        self.assertEqual(self.names(SECOND, accepted(), FIRST, connected()), both)

    def test_one_clock(self) -> None:
        """The ns of both are by the clock of the run that began first."""
        (pair,) = self.pairs(FIRST, connected(ns=600), SECOND, accepted(ns=200))
        left, right = pair.ends()
        self.assertEqual((left.events[0].ns, right.events[0].ns), (600, 700))

    def test_others(self) -> None:
        """Another port, or another time, is another conversation."""
        self.assertEqual(self.names(FIRST, connected(), accepted("c2", there="127.0.0.1:3")), [])
        late = Run("0", NOON, 9_000_000)
        closed = Closed(700, "client.py", "c1", SERVER, CLIENT, CloseReason.LOCAL, 0, 0, 0.0)
        self.assertEqual(self.names(FIRST, connected(), closed, late, accepted()), [])

    def test_each_once(self) -> None:
        """A port that was used twice: each end has one other."""
        sent = Sent(700, "client.py", "c1", 1)
        found = self.names(FIRST, connected(), sent, accepted("c2", ns=650), accepted("c3", ns=650))
        self.assertEqual(len(found), 1)

    def test_mapped(self) -> None:
        """An IPv4 client of an IPv6 socket is the same one."""
        mapped = accepted(here="[::ffff:127.0.0.1]:2", there="[::ffff:127.0.0.1]:1")
        self.assertEqual(self.names(FIRST, connected(), SECOND, mapped), [("client.py", "echo")])

    def test_datagrams(self) -> None:
        """A socket without a host of its own is known by its port."""
        sent = DatagramSent(600, "client.py", SERVER, "0.0.0.0:1", 1)
        came = DatagramReceived(650, "server.py", CLIENT, SERVER, 1)
        self.assertEqual(self.names(FIRST, came, sent), [("client.py", "server.py")])

    def test_roles(self) -> None:
        """Both ends in one program are told apart."""
        same = Accepted(650, "client.py", "c2", CLIENT, SERVER, "tcp")
        (pair,) = self.pairs(FIRST, connected(), same)
        names = [end.name for end in pair.ends()]
        self.assertEqual(names, ["client: client.py", "server: client.py"])

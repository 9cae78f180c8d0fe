"""One event a line."""

from __future__ import annotations

import io
import json
from typing import Any

from tests.live.case import FakeBenchTestCase
from tests.live.fake_bench import connection, entry
from twisted_lab.live import values
from twisted_lab.live.http_reading import Lost, Refused
from twisted_lab.live.plain import Lines, line


class LineTests(FakeBenchTestCase):
    def test_line(self) -> None:
        """A line has time, service, connection, event, size and what happened."""
        found = line(values.entry(entry(3, says="it came", ns=1_500_000_000)))
        self.assertEqual(
            found,
            '      1.500000  echo      c1     received               5 bytes  "hello" it came',
        )

    def test_peer(self) -> None:
        """What is of no connection has its peer."""
        found = line(values.entry(entry(3, "refused", connection="", peer="127.0.0.1:5")))
        self.assertIn("  127.0.0.1:5 refused ", found)

    def test_one_line(self) -> None:
        """Whatever a peer sends, it stays one line."""
        nasty = "a\nb\r\x1b[31m"
        self.assertEqual(len(line(values.entry(entry(says=nasty, peer=nasty))).splitlines()), 1)


class LinesTests(FakeBenchTestCase):
    """Its end is the end of patience with a bench that is gone."""

    def run_lines(self, *scripts: Any, **options: Any) -> tuple[str, str]:
        """What is printed while each of *scripts* plays on a stream of its own."""
        self.scripts = list(scripts)
        out, err = io.StringIO(), io.StringIO()
        lines = Lines(self.address, None, self.wait, out, err, **options)
        self.fake.on_stream = self.play
        lines.run()
        return out.getvalue(), err.getvalue()

    def play(self, stream: Any) -> None:
        """In the fake's thread, for each stream that is opened."""
        self.scripts.pop(0)(stream)
        stream.end()

    def wait(self, seconds: float) -> bool:
        return not self.scripts

    def test_events(self) -> None:
        """Each event is a line, and a bench that stops is told on stderr."""
        out, err = self.run_lines(
            lambda stream: (stream.send(entry(1), entry(2)), stream.finish("it stops"))
        )
        self.assertEqual(len(out.splitlines()), 2)
        self.assertEqual(err, "socketlab watch: it stops; trying again\n")

    def test_json(self) -> None:
        """As JSON each line is the event as the bench told it, in pure ASCII."""
        said = entry(1, says="grüße \x1b[31m", new={"later": [1]})
        out, _ = self.run_lines(lambda stream: stream.send(said), as_json=True)
        self.assertTrue(out.isascii())
        self.assertEqual([json.loads(one) for one in out.splitlines()], [said])

    def test_back_again(self) -> None:
        """A loss is told once, and so is that it is over."""
        _, err = self.run_lines(
            lambda stream: stream.send(entry(1)), lambda stream: stream.send(entry(2))
        )
        told = [text.partition(": ")[2] for text in err.splitlines()]
        self.assertEqual(len(told), 3)
        self.assertIn("it closed the connection; trying again", told[0])
        self.assertEqual(told[1], f"{self.fake.url} is there again")

    def test_anew(self) -> None:
        """A bench that was started anew is told of."""

        def restart(stream: Any) -> None:
            self.fake.documents["/api/bench"]["started"] = "2027-01-01T00:00:00+00:00"

        _, err = self.run_lines(restart, lambda stream: None)
        self.assertIn("is there again, and was started anew", err)

    def test_service(self) -> None:
        """The bench is asked for one service alone."""
        self.run_lines(lambda stream: None, service="line")
        self.assertEqual(self.fake.stream().query, {"service": "line"})

    def test_connection(self) -> None:
        """Of one connection what the bench kept comes first, and no event twice."""
        self.fake.story(connection(1), entry(1, says="one"), entry(2, says="two"), seq=2)
        out, _ = self.run_lines(
            lambda stream: stream.send(entry(2, says="two"), entry(3, says="three")),
            lambda stream: stream.send(entry(4, says="four")),
            conversation="c1",
        )
        self.assertEqual(
            [one.split()[-1] for one in out.splitlines()], ["one", "two", "three", "four"]
        )
        self.assertEqual(self.fake.stream().query, {"connection": "c1"})

    def test_unknown(self) -> None:
        """A connection that the bench does not know ends it."""
        self.assertRaises(Refused, self.run_lines, lambda stream: None, conversation="c9")

    def test_nobody(self) -> None:
        """So does a bench that is not there."""
        self.fake.__exit__()
        self.assertRaises(Lost, self.run_lines)

"""The log says each kind of event once a second at most, with a count, and nothing dangerous."""

from __future__ import annotations

import errno
import json
import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from twisted_lab import eventlog
from twisted_lab.errors import ConfigurationError
from twisted_lab.eventlog import KINDS, Log, LogFile, fields_of, json_line, text_line
from twisted_lab.events import (
    CATALOGUE,
    TRAFFIC,
    Accepted,
    Closed,
    CloseReason,
    DatagramDropped,
    Event,
    Listening,
    Note,
    NotListening,
    Received,
    Refused,
    TcpInfo,
)
from twisted_lab.publishing import Publisher

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

#: Case L10: CR, ESC, the C1 control CSI as a byte and as a character, LF.
L10 = "a\rb\x1b[31mc\udc9bd\x9be\nf\u202eg\u2028h"
L10_SHOWN = r"a\rb\x1b[31mc\x9bd"


def refused(number: int = 1, count: int = 1) -> Refused:
    return Refused(number, "echo", f"10.0.0.1:{number}", "127.0.0.1:7", "access", count=count)


def note(text: str, kind: str = "line-too-long") -> Note:
    return Note(1, "line", kind, text, "c1")


class LogTestCase(SynchronousTestCase):
    form: Callable[[dict[str, Any], datetime | None], str] = staticmethod(json_line)

    def setUp(self) -> None:
        self.clock = Clock()
        self.publisher = Publisher(lambda: 0)
        self.said: list[tuple[float, str]] = []
        self.full = False
        self.log = Log(self.write, self.clock, self.publisher, self.form, lambda: NOON)
        self.publisher.add(self.log, KINDS)

    def write(self, line: str) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.said.append((self.clock.seconds(), line))

    @property
    def lines(self) -> list[str]:
        return [line for _when, line in self.said]

    def told(self) -> dict[str, int]:
        """How many events of each kind the lines stand for."""
        counts: defaultdict[str, int] = defaultdict(int)
        for line in self.lines:
            said = json.loads(line)
            first = said.get("count", 1) if "service" in said else 0
            counts[said["event"]] += first + said.get("and_more", 0)
        return dict(counts)


class RateTests(LogTestCase):
    def test_first_at_once(self) -> None:
        """The first event of a kind is a line at once."""
        self.publisher.publish(refused())
        self.assertEqual(len(self.lines), 1)
        self.assertEqual(json.loads(self.lines[0])["peer"], "10.0.0.1:1")

    def test_one_a_second(self) -> None:
        """A thousand events of a kind in a second are one line, and then one with their count."""
        for number in range(1000):
            self.publisher.publish(refused(number))
        self.assertEqual(len(self.lines), 1)
        self.clock.pump([0.1] * 30)
        self.assertEqual(len(self.lines), 2)
        self.assertEqual(self.told(), {"refused": 1000})

    def test_kinds_apart(self) -> None:
        """A flood of one kind does not silence another."""
        for number in range(100):
            self.publisher.publish(refused(number))
            self.publisher.publish(note("too long"))
        self.assertEqual([json.loads(line)["event"] for line in self.lines], ["refused", "note"])

    def test_continuous_flood(self) -> None:
        """A flood that goes on is one line a second for as long as it goes on, none forgotten."""
        for number in range(1000):
            self.publisher.publish(refused(number))
            self.clock.advance(0.01)
        self.log.close()
        self.assertLessEqual(len(self.lines), 12)
        self.assertEqual(self.told(), {"refused": 1000})

    def test_quiet_again(self) -> None:
        """After a quiet second the next event is a line at once, with nothing added."""
        self.publisher.publish(refused(1))
        self.clock.advance(5)
        self.publisher.publish(refused(2))
        self.assertNotIn("and_more", json.loads(self.lines[1]))
        self.assertEqual(len(self.lines), 2)

    def test_just_after_the_count(self) -> None:
        """An event just after a line with a count waits its second too."""
        self.publisher.publish(refused(1))
        self.clock.advance(0.5)
        self.publisher.publish(refused(2))
        while len(self.said) < 2:
            self.clock.advance(0.1)
        self.clock.advance(0.05)
        self.publisher.publish(refused(3))
        self.clock.advance(5)
        self.assert_never_two_in_a_second()

    def assert_never_two_in_a_second(self) -> None:
        times = [when for when, line in self.said if json.loads(line)["event"] == "refused"]
        for before, after in pairwise(times):
            self.assertGreaterEqual(round(after - before, 6), 1.0, times)

    @given(st.lists(st.floats(0, 4), max_size=40))
    @hypothesis_settings(max_examples=100)
    def test_any_times(self, waits: list[float]) -> None:
        """Whenever they come, there are never two lines of a kind within a second, and each event
        is in one of them."""
        self.setUp()
        for wait in waits:
            self.clock.pump([wait / 3] * 3)
            self.publisher.publish(refused())
        self.clock.pump([0.25] * 20)
        self.assert_never_two_in_a_second()
        self.log.close()
        self.assertEqual(self.told(), {"refused": len(waits)} if waits else {})

    def test_counts_of_events(self) -> None:
        """An event that stands for many counts as many."""
        self.publisher.publish(refused(1, count=2))
        self.publisher.publish(DatagramDropped(1, "echo", "127.0.0.1:7", "kernel", count=2908))
        self.publisher.publish(DatagramDropped(1, "echo", "127.0.0.1:7", "rate", count=92))
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.told(), {"refused": 2, "datagram-dropped": 3000})

    def test_ports(self) -> None:
        """What we do ourselves a few times in a run is a line each."""
        for number in range(4):
            self.publisher.publish(Listening(1, "echo", f"127.0.0.1:{number}", "tcp", 5))
            self.publisher.publish(NotListening(1, "echo", f"127.0.0.1:{number}", "tcp"))
        self.assertEqual(len(self.lines), 8)

    def test_not_built(self) -> None:
        """While a kind has had its line nobody builds its events for the log."""
        self.publisher.publish(refused())
        self.assertNotIn("refused", self.publisher.wanted)
        self.clock.advance(1)
        self.assertIn("refused", self.publisher.wanted)

    def test_close(self) -> None:
        """At the end what was only counted is said, and no timer is left."""
        for number in range(10):
            self.publisher.publish(refused(number))
        self.log.close()
        self.assertEqual(self.told(), {"refused": 10})
        self.assertEqual(self.clock.calls, [])

    def test_kinds(self) -> None:
        """What comes once a message, and its flow, is not for a log; all else is."""
        flow = {"paused", "resumed", "peer-shutdown", "local-shutdown", "connected", "called"}
        self.assertEqual(set(KINDS) & set(CATALOGUE), set(CATALOGUE) - TRAFFIC - flow)


class FullDiskTests(LogTestCase):
    def test_counted(self) -> None:
        """A full disk loses lines, counts them, and costs nothing else."""
        self.full = True
        self.publisher.publish(refused())
        self.publisher.publish(note("too long"))
        self.assertEqual(self.log.lost, 2)
        self.assertTrue(self.publisher.active)

    def test_goes_on(self) -> None:
        """With room again the log goes on."""
        self.full = True
        self.publisher.publish(refused(1))
        self.full = False
        self.clock.advance(2)
        self.publisher.publish(refused(2))
        self.assertEqual(json.loads(self.lines[-1])["peer"], "10.0.0.1:2")

    def test_shown(self) -> None:
        """With room again the log says how many lines were lost."""
        self.full = True
        for _ in range(3):
            self.publisher.publish(refused())
            self.clock.advance(2)
        self.full = False
        self.publisher.publish(refused())
        self.clock.advance(2)
        self.log.close()
        self.assertTrue(any("lost" in line and "3" in line for line in self.lines), self.lines)


class TextTests(SynchronousTestCase):
    def line(self, event: Event, when: datetime | None = NOON) -> str:
        return text_line(fields_of(event), when)

    def test_example(self) -> None:
        """A line is the date, the service, the event, and its fields that say something."""
        info = TcpInfo("CLOSE", 1, 1, 1, 0, 0, 0, 0, 0, 0)
        closed = Closed(
            9,
            "echo",
            "c1",
            "10.0.0.1:5",
            "[::1]:7",
            CloseReason.IDLE,
            3,
            4,
            0.5,
            "idle for 60 s",
            info,
        )
        self.assertEqual(
            self.line(closed),
            "2026-03-01T12:00:00+00:00 echo closed connection=c1 peer=10.0.0.1:5 local=[::1]:7 "
            'reason=idle bytes_in=3 bytes_out=4 duration=0.5 detail="idle for 60 s"',
        )

    def test_undated(self) -> None:
        """Without a date the line begins with the service, for who dates it itself."""
        accepted = Accepted(1, "echo", "c1", "10.0.0.1:5", "127.0.0.1:7", "tcp")
        self.assertTrue(self.line(accepted, None).startswith("echo accepted connection=c1 "))

    def test_no_payload(self) -> None:
        """What a peer sent is not in the log, whatever the event."""
        self.assertNotIn("data", fields_of(Received(1, "echo", "c1", 3, b"abc")))

    def test_quoted(self) -> None:
        """A text with spaces or quotes is quoted, so that where it ends can be told."""
        line = self.line(note('say "hi" \\ there=1 connection=c2'))
        self.assertIn(r'text="say \"hi\" \\ there=1 connection=c2"', line)
        self.assertTrue(line.endswith(" connection=c1"), line)

    def test_hostile(self) -> None:
        """L10: CR, ESC, 0x9b, LF and bidi controls are shown escaped, on the one line."""
        line = self.line(note(L10))
        self.assertIn(L10_SHOWN, line)
        self.assert_safe(line)

    def test_hostile_everywhere(self) -> None:
        """The same in every field that is text."""
        for kind in CATALOGUE.values():
            fields = kind.__dataclass_fields__.values()
            texts = {f.name: L10 for f in fields if f.type in ("str", "str | None")}
            others = {f.name: 1 for f in fields if f.type in ("int", "float")}
            reason = {"reason": CloseReason.IDLE} if kind is Closed else {}
            texts.pop("event", None)
            event = kind(**(texts | others | reason))
            self.assert_safe(self.line(event))
            self.assert_safe(json_line(fields_of(event), NOON))

    def assert_safe(self, line: str) -> None:
        for character in line:
            self.assertNotIn(unicodedata.category(character), ("Cc", "Cf", "Cs", "Zl", "Zp"), line)

    def test_bounded(self) -> None:
        """A long text of a peer's is cut."""
        self.assertLess(len(self.line(note("x" * 100_000))), 400)


class JsonTests(SynchronousTestCase):
    def test_example(self) -> None:
        """A line is one JSON object with its time, its event and its fields."""
        line = json_line(fields_of(Listening(1, "echo", "127.0.0.1:7", "tcp", 4096)), NOON)
        self.assertEqual(
            json.loads(line),
            {
                "time": "2026-03-01T12:00:00.250+00:00",
                "event": "listening",
                "service": "echo",
                "local": "127.0.0.1:7",
                "transport": "tcp",
                "backlog": 4096,
            },
        )

    def test_hostile(self) -> None:
        """L10: a peer's text is escaped in the JSON too, for people read it."""
        line = json_line(fields_of(note(L10)), NOON)
        self.assertTrue(line.isascii() and line.isprintable(), line)
        self.assertTrue(json.loads(line)["text"].startswith(L10_SHOWN))

    def test_undated(self) -> None:
        """Without a date there is no time."""
        self.assertNotIn("time", json.loads(json_line(fields_of(note("x")), None)))


class LogFileTests(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "socketlab.log"

    def open(self) -> LogFile:
        opened = LogFile(str(self.path))
        self.addCleanup(opened.close)
        return opened

    def test_at_once(self) -> None:
        """A line is in the file when it is said."""
        opened = self.open()
        opened.write("one")
        opened.write("zwölf")
        self.assertEqual(self.path.read_text("utf-8"), "one\nzwölf\n")

    def test_mode(self) -> None:
        """Owner and group may read it, others not, rotated files included."""
        self.patch(eventlog, "ROTATE_BYTES", 100)
        before = os.umask(0o022)
        try:
            opened = self.open()
            for _ in range(100):
                opened.write("x" * 30)
        finally:
            os.umask(before)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in self.folder.iterdir()}
        self.assertEqual(modes, {0o640})

    def test_rotation(self) -> None:
        """However long it runs there are five files, of which the first is the newest."""
        self.patch(eventlog, "ROTATE_BYTES", 100)
        opened = self.open()
        for number in range(200):
            opened.write(f"line {number}")
        files = sorted(self.folder.iterdir())
        self.assertEqual(len(files), 5)
        self.assertLessEqual(sum(path.stat().st_size for path in files), 500)
        self.assertEqual(self.path.read_text().splitlines()[-1], "line 199")

    def test_on_disk(self) -> None:
        """R9: no more than 50 MB on disk."""
        kept = eventlog.ROTATED_KEPT + 1
        self.assertLessEqual(eventlog.ROTATE_BYTES * kept, 50_000_000)

    def test_reopen(self) -> None:
        """After somebody moved it the log goes on in a new file."""
        opened = self.open()
        opened.write("one")
        self.path.rename(self.folder / "moved")
        opened.write("two")
        opened.reopen()
        opened.write("three")
        self.assertEqual((self.folder / "moved").read_text(), "one\ntwo\n")
        self.assertEqual(self.path.read_text(), "three\n")

    def test_cannot(self) -> None:
        """A log that cannot be written is named with the reason, in one sentence."""
        missing = self.folder / "no" / "such.log"
        error = self.assertRaises(ConfigurationError, LogFile, str(missing))
        self.assertIn(f"'{missing}'", str(error))
        self.assertIn("No such file or directory", str(error))

    def test_full_disk(self) -> None:
        """On a full disk a line raises OSError, which the log counts."""
        opened = LogFile("/dev/full")
        self.addCleanup(opened.close)
        publisher = Publisher()
        log = Log(opened.write, Clock(), publisher)
        publisher.add(log)
        publisher.publish(refused())
        self.assertEqual(log.lost, 1)

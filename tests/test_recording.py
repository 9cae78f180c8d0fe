"""A recording is whole to its last line, whatever the disk does."""

from __future__ import annotations

import errno
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.folder import FolderTestCase
from twisted_lab import __version__
from twisted_lab.errors import ConfigurationError
from twisted_lab.events import Listening, Note, Received
from twisted_lab.playback import nanoseconds
from twisted_lab.publishing import Publisher
from twisted_lab.recording import QUEUE, JsonLines, Recorder

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
LISTENING = Listening(1, "echo", "127.0.0.1:9000", "tcp", 4096)

#: Seconds within which an event is in the file.
SOON = 0.2


def received(number: int, size: int = 10) -> Received:
    return Received(number, "echo", f"c{number}", size, bytes(size))


class Disk:
    """A ``write`` that takes *pieces* of so many bytes, then what *room* says, or is full."""

    def __init__(self, *pieces: int, room: int = 0) -> None:
        self.pieces = list(pieces)
        self.room = room
        self.calls = 0

    def write(self, fd: int, data: bytes) -> int:
        self.calls += 1
        room = self.pieces.pop(0) if self.pieces else self.room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data[:room])


class RecorderTestCase(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "recording.jsonl"
        self.clock = Clock()
        self.publisher = Publisher(lambda: round(self.clock.seconds() * 1e9), capture=64)

    def record(self, **more: Any) -> Recorder:
        form = JsonLines(self.publisher, lambda: nanoseconds(NOON))
        return Recorder(str(self.path), self.clock, self.publisher, form, **more)

    def lines(self, path: Path | None = None) -> list[dict[str, Any]]:
        """The lines of the file, of which each is whole and JSON."""
        text = (path or self.path).read_text("ascii")
        self.assertTrue(text.endswith("\n"), text[-80:])
        return [json.loads(line) for line in text.splitlines()]

    def numbers(self, path: Path | None = None) -> list[int]:
        """The ``ns`` of every event but notes, which :func:`received` numbers."""
        return [line["ns"] for line in self.lines(path) if line.get("event") == "received"]


class HeaderTests(RecorderTestCase):
    def test_header(self) -> None:
        """The first line says what the file is, from which version, since when, and how much of
        each message it keeps; it is there with the first event."""
        self.clock.advance(5)
        recorder = self.record()
        self.assertEqual(self.path.read_bytes(), b"")
        recorder(received(1))
        self.assertEqual(
            self.lines(),
            [
                {
                    "socketlab": 1,
                    "version": __version__,
                    "started": "2026-03-01T12:00:00.250000+00:00",
                    "ns": 5_000_000_000,
                    "capture": 64,
                }
            ],
        )

    def test_real_date(self) -> None:
        """Without a clock of its own the date is today's, with its offset from UTC."""
        before = datetime.now(UTC)
        recorder = Recorder(str(self.path), self.clock, self.publisher, JsonLines(self.publisher))
        recorder(LISTENING)
        recorder.close()
        started = datetime.fromisoformat(self.lines()[0]["started"])
        self.assertTrue(before <= started <= datetime.now(UTC))

    def test_appended(self) -> None:
        """A recording in a file that is there goes on after it, under a header of its own."""
        for _ in range(2):
            recorder = self.record()
            recorder(LISTENING)
            recorder.close()
        self.assertEqual(
            [line.get("event") for line in self.lines()], [None, "listening", None, "listening"]
        )


class EventTests(RecorderTestCase):
    def test_one_line_each(self) -> None:
        """Each event is one JSON line, in order, in the file within a fifth of a second."""
        recorder = self.record()
        for event in (LISTENING, received(2), received(3)):
            recorder(event)
        self.clock.advance(SOON)
        _header, *events = self.lines()
        self.assertEqual([event["ns"] for event in events], [1, 2, 3])
        self.assertEqual(
            events[0],
            {
                "event": "listening",
                "ns": 1,
                "service": "echo",
                "local": "127.0.0.1:9000",
                "transport": "tcp",
                "backlog": 4096,
            },
        )

    def test_gathered(self) -> None:
        """Few events are written together, many at once."""
        disk = Disk(room=2**20)
        recorder = self.record(write=disk.write)
        for number in range(100):
            recorder(received(number))
        self.assertEqual(disk.calls, 1)  # the header
        for number in range(100, 5000):
            recorder(received(number))
        self.assertGreater(len(self.lines()), 3000)
        self.clock.advance(SOON)
        self.assertEqual(self.numbers(), list(range(5000)))

    def test_close(self) -> None:
        """Closing writes what is left and leaves no timer."""
        recorder = self.record()
        recorder(received(1))
        recorder.close()
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.clock.calls, [])

    def test_idle_costs_nothing(self) -> None:
        """While nothing happens no timer runs and nothing is written."""
        disk = Disk(room=2**20)
        recorder = self.record(write=disk.write)
        recorder(received(1))
        self.clock.advance(SOON)
        self.clock.advance(60)
        self.assertEqual((disk.calls, self.clock.calls), (2, []))

    def test_after_the_end(self) -> None:
        """What comes after it was closed is dropped, and leaves no timer that tries for ever."""
        recorder = self.record()
        recorder.close()
        recorder(received(1))
        self.clock.pump([SOON] * 3)
        self.assertEqual(self.clock.calls, [])
        self.assertEqual(self.path.read_bytes(), b"")


class FileTests(RecorderTestCase):
    def test_somebody_elses(self) -> None:
        """A file another bench records to is refused, and stays as it is; later it is free."""
        recorder = self.record()
        recorder(received(1))
        self.refused(self.path, "another process is writing it")
        recorder.close()
        self.assertEqual(self.numbers(), [1])
        self.record().close()

    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode)

    def refused(self, path: Path | str, *words: str) -> None:
        error = self.assertRaises(
            ConfigurationError,
            Recorder,
            *(str(path), self.clock, self.publisher, JsonLines(self.publisher)),
        )
        sentence = str(error)
        self.assertEqual(len(sentence.splitlines()), 1)
        for word in words:
            self.assertIn(word, sentence)

    def test_private(self) -> None:
        """Only the owner can read a recording, whatever the umask."""
        for mask in (0o000, 0o022, 0o077):
            before = os.umask(mask)
            try:
                self.record().close()
            finally:
                os.umask(before)
            self.assertEqual(self.mode(), 0o600)
            self.path.unlink()

    def test_private_if_there(self) -> None:
        """A file of ours that others could read is made private before anything is recorded."""
        self.path.touch(0o644)
        self.path.chmod(0o644)
        self.record().close()
        self.assertEqual(self.mode(), 0o600)

    def test_symbolic_link(self) -> None:
        """A symbolic link is refused, and what it points to is not touched."""
        target = self.folder / "target"
        target.write_text("precious")
        self.path.symlink_to(target)
        self.refused(self.path, str(self.path))
        self.assertEqual(target.read_text(), "precious")

    def test_dangling_link(self) -> None:
        """A link to nothing is refused too, and nothing is made."""
        target = self.folder / "target"
        self.path.symlink_to(target)
        self.refused(self.path, str(self.path))
        self.assertFalse(target.exists())

    def test_named_with_reason(self) -> None:
        """What cannot be written is named, with the reason, in one sentence."""
        self.refused(self.folder, str(self.folder), "directory")
        missing = self.folder / "no" / "such"
        self.refused(missing, str(missing), "No such file")


class FullDiskTests(RecorderTestCase):
    def test_partial_write(self) -> None:
        """When the disk fills up in the middle of a line, that line is not in the file until it
        is there as a whole; nothing is there twice."""
        disk = Disk(2**20, 300, 7, 1)
        recorder = self.record(write=disk.write)
        for number in range(5):
            recorder(received(number))
        self.clock.advance(SOON)
        before = self.numbers()
        self.assertTrue(0 < len(before) < 5, before)
        disk.pieces, disk.room = [], 2**20
        self.clock.advance(SOON)
        self.assertEqual(self.numbers(), list(range(5)))
        self.assertEqual(recorder.lost, 0)

    def test_tried_again(self) -> None:
        """A full disk is tried again a few times a second, and never raises."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        recorder(received(1))
        self.clock.pump([SOON] * 50)
        self.assertLessEqual(disk.calls, 52)
        disk.room = 2**20
        self.clock.advance(SOON)
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.clock.calls, [])

    def fill(self, recorder: Recorder) -> int:
        """Record until something is lost; how many events were taken."""
        number = 0
        while not recorder.lost:
            recorder(received(number, 1000))
            number += 1
        return number - 1

    def test_bounded(self) -> None:
        """While the disk is full at most about 1 MiB waits; what comes on top is lost."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        self.fill(recorder)
        self.assertLess(len(recorder._queue), QUEUE + 4096)

    def test_cheap_when_full(self) -> None:
        """With the queue full an event costs no attempt to write."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        self.fill(recorder)
        calls = disk.calls
        for number in range(1000):
            recorder(received(number))
        self.assertEqual(disk.calls, calls)

    def test_cheap_while_filling(self) -> None:
        """Nor does an event while the queue fills: a full disk is not tried for each."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        taken = self.fill(recorder)
        self.assertLess(disk.calls, taken / 10)

    def test_counted_and_noted(self) -> None:
        """What was lost is counted, and noted in the recording once it can be written again."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        taken = self.fill(recorder)
        for number in range(9):
            recorder(received(number))
        self.assertEqual(recorder.lost, 10)
        disk.room = 2**20
        self.clock.advance(SOON)
        recorder(received(taken))
        self.clock.advance(SOON)
        self.assertEqual(self.numbers(), list(range(taken + 1)))
        (note,) = (line for line in self.lines() if line.get("event") == "note")
        self.assertEqual(note["kind"], "recording")
        self.assertIn("10 events lost", note["text"])

    def test_noted_once(self) -> None:
        """A loss is noted once, a second one with its own count."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        for _ in range(2):
            lost = recorder.lost
            while recorder.lost == lost:
                recorder(received(1, 1000))
            disk.room = 2**20
            self.clock.advance(SOON)
            for _ in range(3):
                recorder(received(2))
            self.clock.advance(SOON)
            disk.room = 0
        notes = [line["text"] for line in self.lines() if line.get("event") == "note"]
        self.assertEqual(len(notes), 2)
        for text in notes:
            self.assertIn("1 event", text)

    def test_noted_at_close(self) -> None:
        """A loss that no event follows is noted at the end."""
        disk = Disk(2**20)
        recorder = self.record(write=disk.write)
        self.fill(recorder)
        disk.room = 2**20
        self.clock.advance(SOON)
        recorder.close()
        self.assertEqual(self.lines()[-1]["event"], "note")

    def test_real_full_disk(self) -> None:
        """Closing a recording on a disk that is full to the end does not raise."""
        recorder = Recorder("/dev/full", self.clock, self.publisher, JsonLines(self.publisher))
        recorder(LISTENING)
        self.clock.advance(SOON)
        recorder.close()
        self.assertEqual(self.clock.calls, [])

    def test_whole_at_a_full_end(self) -> None:
        """A disk that is full to the end leaves no half line in the recording."""
        disk = Disk(2**20, 50)
        recorder = self.record(write=disk.write)
        recorder(received(1))
        recorder.close()
        self.assertEqual(len(self.lines()), 1)

    @given(st.lists(st.integers(0, 300), max_size=60))
    @hypothesis_settings(max_examples=50)
    def test_any_disk(self, pieces: list[int]) -> None:
        """However a disk takes its bytes, once it takes them all the file is whole."""
        self.path.unlink(missing_ok=True)
        disk = Disk(*pieces)
        recorder = self.record(write=disk.write)
        for number in range(20):
            recorder(received(number))
            self.clock.advance(SOON / 2)
        disk.pieces, disk.room = [], 2**20
        recorder.close()
        self.assertEqual(self.numbers(), list(range(20)))
        self.assertEqual(self.clock.calls, [])


class ReopenTests(RecorderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.moved = self.folder / "moved.jsonl"

    def test_rotation(self) -> None:
        """After a rotation the recording goes on in a new file, private, under a new header; both
        files are whole and nothing is missing between them."""
        recorder = self.record()
        recorder(received(1))
        self.path.rename(self.moved)
        recorder(received(2))
        recorder.reopen()
        recorder(received(3))
        recorder.close()
        self.assertEqual(self.numbers(self.moved), [1, 2])
        self.assertEqual(self.numbers(), [3])
        self.assertEqual(self.lines()[0]["socketlab"], 1)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_no_descriptor_lost(self) -> None:
        """Reopening again and again uses no more descriptors."""
        recorder = self.record()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            self.path.rename(self.moved)
            recorder.reopen()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        recorder.close()

    def test_not_moved(self) -> None:
        """A file that nobody moved is gone on with, under the header it has."""
        recorder = self.record()
        recorder(received(1))
        recorder.reopen()
        recorder(received(2))
        recorder.close()
        self.assertEqual([line.get("ns") for line in self.lines()], [0, 1, 2])

    def test_cannot(self) -> None:
        """When the new file cannot be opened the old one is still recorded to."""
        recorder = self.record()
        self.path.rename(self.moved)
        self.path.symlink_to(self.folder / "elsewhere")
        self.assertRaises(ConfigurationError, recorder.reopen)
        recorder(received(1))
        recorder.close()
        self.assertEqual(self.numbers(self.moved), [1])

    def test_full_disk(self) -> None:
        """A rotation in the middle of a line, because the disk was full, cuts no line in two."""
        disk = Disk(2**20, 50)
        recorder = self.record(write=disk.write)
        for number in range(3):
            recorder(received(number))
        self.clock.advance(SOON)  # 50 bytes of the first line are written
        self.path.rename(self.moved)
        recorder.reopen()
        disk.room = 2**20
        recorder.close()
        self.assertEqual(self.lines()[0]["socketlab"], 1)
        self.assertEqual(self.numbers(), [0, 1, 2])
        self.assertEqual(len(self.lines(self.moved)), 1)


class PublishedTests(RecorderTestCase):
    def test_as_observer(self) -> None:
        """A recorder that observes everything records everything."""
        recorder = self.record()
        self.publisher.add(recorder)
        self.publisher.publish(LISTENING)
        self.publisher.offer(Note, "echo", "kind", "text")
        recorder.close()
        self.assertEqual([line.get("event") for line in self.lines()], [None, "listening", "note"])

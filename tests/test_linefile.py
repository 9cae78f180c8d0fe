"""A file of lines holds whole lines only, and is rotated and reopened without losing one."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.folder import FolderTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.linefile import LineFile, open_to_append


class LineFileTestCase(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "lines"

    def open(
        self,
        rotate_bytes: int | None = None,
        kept: int = 0,
        write: Callable[[int, bytes], int] = os.write,
    ) -> LineFile:
        opened = LineFile(str(self.path), 0o640, rotate_bytes, kept, write)
        self.addCleanup(opened.close)
        return opened

    def old(self, number: int) -> Path:
        return self.folder / f"lines.{number}"

    def without_descriptors(self, act: Callable[[], object]) -> BaseException | None:
        """What *act* raises while no file can be opened."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            act()
        except Exception as error:
            return error
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return None


class CloseTests(LineFileTestCase):
    def test_twice(self) -> None:
        """To close it again is no error, and closes nothing of somebody else's."""
        lines = self.open()
        lines.close()
        lines.close()
        self.assertRaises(OSError, lines.append, b"x\n")


class OpenTests(LineFileTestCase):
    def refused(self, path: str, *words: str) -> None:
        sentence = str(self.assertRaises(ConfigurationError, open_to_append, path, 0o600))
        self.assertEqual(len(sentence.splitlines()), 1)
        for word in words:
            self.assertIn(word, sentence)

    def test_mode(self) -> None:
        """A file that is made has its mode, less what the umask takes."""
        before = os.umask(0o002)
        try:
            self.open()
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o640)

    def test_appends(self) -> None:
        """What was in the file stays."""
        self.path.write_text("old\n")
        self.assertEqual(self.open().append(b"new\n"), 4)
        self.assertEqual(self.path.read_text(), "old\nnew\n")

    def test_symbolic_link(self) -> None:
        """A symbolic link is refused, and nothing is made where it points."""
        self.path.symlink_to(self.folder / "target")
        self.refused(str(self.path), str(self.path))
        self.assertEqual(os.listdir(self.folder), ["lines"])

    def test_named_with_reason(self) -> None:
        """What cannot be written is named, with the reason, in one sentence, escaped."""
        self.refused(str(self.folder), str(self.folder), "directory")
        self.refused(str(self.folder / "no" / "such"), "/no/such'", "No such file")
        self.refused("", "''", "No such file")
        self.refused("a\0\n", r"'a\x00\n'")

    def test_device(self) -> None:
        """A device is written to as it is: its mode is the system's."""
        mode = os.stat("/dev/null").st_mode
        opened = LineFile("/dev/null", 0o600)
        opened.append(b"nothing\n")
        opened.close()
        self.assertEqual(os.stat("/dev/null").st_mode, mode)

    def test_pipe(self) -> None:
        """A pipe that nobody reads is full in the end; it does not hang."""
        os.mkfifo(self.path)
        opened = self.open()
        error = self.assertRaises(OSError, self.write_until_full, opened)
        self.assertEqual(error.errno, errno.EAGAIN)

    def write_until_full(self, opened: LineFile) -> None:
        while True:
            opened.append(b"line\n" * 1000)

    def test_not_inherited(self) -> None:
        """The descriptor is not passed on to other programs."""
        fd = open_to_append(str(self.path), 0o600)
        self.addCleanup(os.close, fd)
        self.assertFalse(os.get_inheritable(fd))


class ShortWriteTests(LineFileTestCase):
    def short(self, *pieces: int) -> Callable[[int, bytes], int]:
        room = list(pieces)
        return lambda fd, data: os.write(fd, data[: room.pop(0)] if room else data)

    def test_taken_back(self) -> None:
        """Of a write that was cut short only the whole lines stay."""
        opened = self.open(write=self.short(8))
        self.assertEqual(opened.append(b"one\ntwo\nthree\n"), 8)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")

    def test_half_a_line(self) -> None:
        """Half a line is no line, so nothing was written."""
        opened = self.open(write=self.short(10, 2))
        self.assertEqual(opened.append(b"one\ntwo\nthree\n"), 8)
        self.assertEqual(opened.append(b"three\n"), 0)
        self.assertEqual(opened.append(b"three\n"), 6)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\nthree\n")

    def test_truncated_by_another(self) -> None:
        """A file that somebody copied and emptied meanwhile gets no hole by it."""
        opened = self.open(write=self.short(1000, 2))
        opened.append(b"line\n" * 100)
        os.truncate(self.path, 0)
        self.assertEqual(opened.append(b"three\n"), 0)
        opened.append(b"four\n")
        self.assertEqual(self.path.read_bytes(), b"four\n")

    def test_pipe(self) -> None:
        """From a pipe nothing can be taken back: the count is of what is out."""
        os.mkfifo(self.path)
        fifo = self.open(write=self.short(5))
        self.assertEqual(fifo.append(b"one\ntwo\n"), 5)

    @given(
        st.lists(
            st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=20
        ),
        st.lists(st.integers(0, 20), max_size=20),
    )
    @hypothesis_settings(max_examples=50)
    def test_any_disk(self, lines: list[bytes], pieces: list[int]) -> None:
        """However short the writes, the file is always the whole lines that were counted."""
        self.path.unlink(missing_ok=True)
        opened = LineFile(str(self.path), 0o600, write=self.short(*pieces))
        counted = b""
        for line in lines:
            counted += line[: opened.append(line)]
            self.assertEqual(self.path.read_bytes(), counted)
        opened.close()


class RotationTests(LineFileTestCase):
    def test_rotated(self) -> None:
        """A file that would grow over its size becomes .1, the older ones move on, one goes."""
        opened = self.open(rotate_bytes=10, kept=2)
        for number in range(5):
            opened.append(b"number %d\n" % number)
        self.assertEqual(sorted(os.listdir(self.folder)), ["lines", "lines.1", "lines.2"])
        self.assertEqual(self.path.read_text(), "number 4\n")
        self.assertEqual(self.old(1).read_text(), "number 3\n")
        self.assertEqual(self.old(2).read_text(), "number 2\n")

    def test_mode(self) -> None:
        """Every file has the mode of the first."""
        opened = self.open(rotate_bytes=10, kept=3)
        before = os.umask(0)
        try:
            for _ in range(4):
                opened.append(b"123456\n")
        finally:
            os.umask(before)
        for name in os.listdir(self.folder):
            mode = stat.S_IMODE((self.folder / name).stat().st_mode)
            self.assertIn(mode, (0o640,), name)

    def test_never_over(self) -> None:
        """No file is larger than its size, unless a single line is."""
        opened = self.open(rotate_bytes=100, kept=50)
        for number in range(100):
            opened.append(b"x" * (number % 50) + b"\n")
        sizes = [path.stat().st_size for path in self.folder.iterdir()]
        self.assertLessEqual(max(sizes), 100)

    def test_long_line(self) -> None:
        """A line longer than a whole file is written all the same, and no empty file is made."""
        opened = self.open(rotate_bytes=5, kept=9)
        opened.append(b"longer than five\n")
        self.assertEqual(os.listdir(self.folder), ["lines"])

    def test_size_of_before(self) -> None:
        """What an earlier run wrote counts."""
        self.path.write_text("123456789\n")
        self.open(rotate_bytes=10, kept=1).append(b"new\n")
        self.assertEqual(self.old(1).read_text(), "123456789\n")

    def test_cannot_rotate(self) -> None:
        """When no new file can be opened the line goes to the old one, which is a full disk at
        most, and no older file is lost by trying again."""
        opened = self.open(rotate_bytes=10, kept=2)
        for number in range(3):
            opened.append(b"number %d\n" % number)
        before = self.everything()
        for number in (3, 4, 5):
            error = self.without_descriptors(lambda n=number: opened.append(b"number %d\n" % n))
            self.assertIsInstance(error, OSError | None)
        opened.append(b"number 6\n")
        kept = self.everything()
        self.assertIn("number 6\n", kept)
        self.assertLessEqual({"number 1\n", "number 2\n"} & before, kept)

    def test_name_taken(self) -> None:
        """When an older file's name is taken by a folder nothing is lost but the rotation: lines
        are written on, and no descriptor or stray file is left by each try."""
        opened = self.open(rotate_bytes=10, kept=2)
        self.old(1).mkdir()
        (self.old(1) / "file").touch()
        self.old(2).mkdir()
        (self.old(2) / "file").touch()
        opened.append(b"number 0\n")
        before = len(os.listdir("/proc/self/fd"))
        for number in range(1, 5):
            opened.append(b"number %d\n" % number)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual(self.path.read_text(), "".join(f"number {n}\n" for n in range(5)))
        self.assertEqual(sorted(os.listdir(self.folder)), ["lines", "lines.1", "lines.2"])

    def everything(self) -> set[str]:
        """Every line in every file."""
        return {
            line for path in self.folder.iterdir() for line in path.read_text().splitlines(True)
        }


class ReopenTests(LineFileTestCase):
    def test_moved(self) -> None:
        """After somebody moved the file a new one is begun, and nothing is lost between them."""
        opened = self.open()
        opened.append(b"one\n")
        self.path.rename(self.old(1))
        opened.append(b"two\n")
        opened.reopen()
        opened.append(b"three\n")
        self.assertEqual(self.old(1).read_text(), "one\ntwo\n")
        self.assertEqual(self.path.read_text(), "three\n")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode) & ~0o640, 0)

    def test_not_moved(self) -> None:
        """Reopening a file that nobody moved changes nothing."""
        opened = self.open()
        opened.append(b"one\n")
        opened.reopen()
        opened.append(b"two\n")
        self.assertEqual(self.path.read_text(), "one\ntwo\n")

    def test_cannot(self) -> None:
        """When the new file cannot be opened, a sentence says so and the old one is kept."""
        opened = self.open()
        self.path.rename(self.old(1))
        self.path.mkdir()
        self.assertRaises(ConfigurationError, opened.reopen)
        opened.append(b"on\n")
        self.assertEqual(self.old(1).read_text(), "on\n")

    def test_folder_changed(self) -> None:
        """A path is meant as it was said at the start, wherever the process went since."""
        here = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, here)
        opened = LineFile("lines", 0o600)
        self.addCleanup(opened.close)
        os.chdir("/")
        opened.reopen()
        opened.append(b"one\n")
        self.assertEqual(self.path.read_text(), "one\n")

    def test_descriptors(self) -> None:
        """Reopening again and again uses no more descriptors."""
        opened = self.open()
        before = len(os.listdir("/proc/self/fd"))
        for number in range(10):
            self.path.rename(self.folder / f"moved{number}")
            self.assertTrue(opened.reopen())
            self.assertFalse(opened.reopen())
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class ClosedTests(LineFileTestCase):
    def test_closed(self) -> None:
        """Once closed nothing is written, to whatever file has the same descriptor since."""
        opened = LineFile(str(self.path), 0o600)
        opened.close()
        other = os.open(self.folder / "other", os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, other)
        self.assertRaises(OSError, opened.append, b"a line\n")
        self.assertEqual((self.folder / "other").read_bytes(), b"")

    def test_reopened(self) -> None:
        """Nor does reopening it close that file."""
        opened = LineFile(str(self.path), 0o600)
        opened.close()
        other = os.open(self.folder / "other", os.O_RDWR | os.O_CREAT)
        with contextlib.suppress(OSError, ConfigurationError):
            opened.reopen()
        os.close(other)

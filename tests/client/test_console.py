"""stdin and stdout wait for each other, whatever they are, and leave no trace in the terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import sys
import tempfile
import termios
from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.client.console import Console
from twisted_lab.client.standard import fill_missing, same_place, unshared


class Hands(Clock):
    """A reactor whose turns the test takes: it reads and writes what there is."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[Any, None] = {}
        self.writers: dict[Any, None] = {}
        self.addReader = self.readers.setdefault
        self.addWriter = self.writers.setdefault
        self.removeReader = lambda one: self.readers.pop(one, None)
        self.removeWriter = lambda one: self.writers.pop(one, None)

    def read(self) -> None:
        for reader in select.select(tuple(self.readers), [], [], 0)[0]:
            if why := reader.doRead():
                self.removeReader(reader)
                reader.connectionLost(Failure(why))

    def write(self) -> None:
        for writer in tuple(self.writers):
            if why := writer.doWrite():
                self.removeWriter(writer)
                writer.connectionLost(Failure(why))


class Heard:
    """A talker that logs what it hears."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def typed(self, data: bytes) -> None:
        self.calls.append(data)

    def input_ended(self) -> None:
        self.calls.append("end")

    def nobody_reads(self) -> None:
        self.calls.append("deaf")


class Flow:
    """A producer and consumer that logs what it is told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.producer: Any = None

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer


class ConsoleCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Hands()
        self.heard = Heard()
        self.stdin, self.keyboard = self.pipe()
        self.screen, self.stdout = self.pipe()
        self.stderr = self.pipe()[1]

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self.shut, end)
        return ends

    def shut(self, fd: int) -> None:
        with contextlib.suppress(OSError):  # the test closed it
            os.close(fd)

    def open(self, stderr: int | None = None) -> Console:
        console = Console(
            self.reactor, self.stdin, self.stdout, self.stderr if stderr is None else stderr
        )
        console.open(self.heard)
        return console

    def shown(self) -> bytes:
        self.reactor.write()
        os.set_blocking(self.screen, False)
        try:
            return os.read(self.screen, 2**20)
        except BlockingIOError:
            return b""


class PipeTests(ConsoleCase):
    def test_typed(self) -> None:
        """What stands in stdin is heard, then its end."""
        self.open()
        os.write(self.keyboard, b"hello\n")
        self.reactor.read()
        os.close(self.keyboard)
        self.reactor.read()
        self.assertEqual(self.heard.calls, [b"hello\n", "end"])

    def test_written(self) -> None:
        """All that was written is there before it is said to be gone."""
        console, gone = self.open(), []
        console.write(b"one")
        console.close(lambda: gone.append(True))
        self.assertEqual(gone, [])
        self.assertEqual((self.shown(), gone), (b"one", [True]))
        self.assertEqual(self.heard.calls, [])

    def test_blocking(self) -> None:
        """At the end the pipes, which others may have too, block again if they did."""
        console, both = self.open(), (self.stdin, self.stdout)
        self.assertEqual([*map(os.get_blocking, both)], [False, False])
        console.close(lambda: None)
        self.shown()
        self.assertEqual([*map(os.get_blocking, both)], [True, True])

    def test_slow_stdout(self) -> None:
        """A slow stdout pauses what fills it, and lets it go on."""
        console, stream = self.open(), Flow()
        console.joins(stream)
        console.write(b"x" * 2**18)
        self.reactor.write()
        self.assertEqual(stream.calls, ["pause"])
        while self.shown():
            pass
        self.assertEqual(stream.calls, ["pause", "resume"])

    def test_slow_peer(self) -> None:
        """A slow peer pauses stdin, and lets it go on."""
        console, stream = self.open(), Flow()
        console.joins(Flow(), stream)
        os.write(self.keyboard, b"hello")
        stream.producer.pauseProducing()
        self.reactor.read()
        self.assertEqual(self.heard.calls, [])
        stream.producer.resumeProducing()
        self.reactor.read()
        self.assertEqual(self.heard.calls, [b"hello"])
        stream.producer.stopProducing()  # the stream is gone; stdout may have more to show
        console.write(b"last")
        self.assertEqual(self.shown(), b"last")

    def test_nobody_reads(self) -> None:
        """A stdout whose reader went is told once; what is written later is dropped."""
        console, stream, gone = self.open(), Flow(), []
        console.joins(stream)
        os.close(self.screen)
        console.write(b"x")
        self.reactor.write()
        self.assertEqual((self.heard.calls, stream.calls), (["deaf"], []))
        console.write(b"y")
        console.close(lambda: gone.append(True))
        self.assertEqual((gone, self.heard.calls), ([True], ["deaf"]))

    def test_never_opened(self) -> None:
        """A console that was never opened is gone at once."""
        gone: list[bool] = []
        Console(self.reactor, self.stdin, self.stdout, self.stderr).close(lambda: gone.append(True))
        self.assertEqual(gone, [True])


class TellTests(ConsoleCase):
    def test_elsewhere(self) -> None:
        """Where stderr is another place, stdout gets the bytes alone."""
        console = self.open()
        self.assertFalse(console.tell("event"))
        console.write(b"x")
        self.assertEqual(self.shown(), b"x")

    def test_same_place(self) -> None:
        """Where they are one place, each line told is a line of its own, in order."""
        console = self.open(stderr=self.stdout)
        console.write(b"half a line")
        self.assertTrue(console.tell("one"))
        self.assertTrue(console.tell("two"))
        console.write(b"whole\n")
        console.tell("three")
        self.assertEqual(self.shown(), b"half a line\none\ntwo\nwhole\nthree\n")

    def test_before(self) -> None:
        """Before it is opened nothing goes through it."""
        console = Console(self.reactor, self.stdin, self.stdout, self.stdout)
        self.assertFalse(console.tell("event"))

    def test_full(self) -> None:
        """While the output is full nothing is told, so nothing piles up; how much is told later."""
        console = self.open(stderr=self.stdout)
        console.joins(Flow())
        console.write(b"x" * 2**18)
        for _ in range(1000):
            self.assertTrue(console.tell("event"))
        shown = b""
        while piece := self.shown():
            shown += piece
        shown += self.shown()
        said = b"x\n(1,000 events not shown: the output was full)\n"
        self.assertEqual(shown[2**18 - 1 :], said)


class TerminalTests(ConsoleCase):
    def setUp(self) -> None:
        super().setUp()
        self.person, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.person)
        self.addCleanup(os.close, self.terminal)
        self.stdin = self.stdout = self.stderr = self.terminal

    def seen(self, count: int) -> bytes:
        """The next *count* bytes of what the person sees, or more."""
        seen = b""
        while len(seen) < count:
            seen += os.read(self.person, 100)
        return seen

    def test_never_non_blocking(self) -> None:
        """The terminal blocks as before: the shell and stderr share it."""
        self.open()
        self.assertTrue(os.get_blocking(self.terminal))

    def test_echo(self) -> None:
        """After a line that the person typed, what is told needs no line end before it."""
        console = self.open()
        console.write(b"name? ")
        self.reactor.write()
        self.assertEqual(self.seen(6), b"name? ")
        os.write(self.person, b"bob\n")
        self.reactor.read()
        console.tell("sent")
        self.reactor.write()
        self.assertEqual(self.heard.calls, [b"bob\n"])
        self.assertEqual(self.seen(11), b"bob\r\nsent\r\n")

    def test_settings(self) -> None:
        """It does not touch how the terminal is set."""
        before = termios.tcgetattr(self.terminal)
        self.open().close(lambda: None)
        self.reactor.write()
        self.assertEqual(termios.tcgetattr(self.terminal), before)


class StandardTests(ConsoleCase):
    def test_unshared(self) -> None:
        """A terminal is opened once more; a pipe, whose end would be missed, is not."""
        person, terminal = pty.openpty()
        again = unshared(terminal)
        for fd in (person, terminal, again):
            self.addCleanup(os.close, fd)
        self.assertNotEqual(again, terminal)
        self.assertTrue(same_place(again, terminal))
        self.assertEqual(unshared(self.stdin), self.stdin)

    def test_same_place(self) -> None:
        """Two descriptors of one pipe are the same place, two pipes are not."""
        self.assertTrue(same_place(self.stdin, self.keyboard))
        self.assertFalse(same_place(self.stdin, self.stdout))

    def test_fill_missing(self) -> None:
        """Where nothing is missing nothing is opened."""
        with tempfile.TemporaryFile() as file:
            expected = file.fileno()
        stderr = sys.stderr
        fill_missing()
        with tempfile.TemporaryFile() as file:
            self.assertEqual(file.fileno(), expected)
        self.assertIs(sys.stderr, stderr)

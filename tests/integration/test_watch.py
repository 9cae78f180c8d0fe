"""``socketlab watch`` on a real terminal, before a real bench."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, read_all, wait_for
from tests.integration.on_terminal import OnTerminal
from tests.live.fake_bench import FakeBench, connection, entry
from tests.programs import SOCKETLAB, run
from twisted_lab.child import PATIENCE


def url_of(bench: Child) -> str:
    """The address of its page, token and all, as it was printed."""
    found = re.search(r"(http://\S+#token=\S+)", bench.output)
    assert found is not None, bench.output
    return found[1]


class WatchingTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.bench = Child("--port", "0")
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__)
        self.url = url_of(self.bench)

    def watch(self, *options: str, width: int = 100, height: int = 30) -> OnTerminal:
        terminal = OnTerminal("watch", self.url, *options, width=width, height=height)
        self.addCleanup(terminal.__exit__)
        return terminal

    def connect(self, service: str = "echo") -> socket.socket:
        sock = self.bench.connect(service)
        self.addCleanup(sock.close)
        return sock

    def as_it_was(self, terminal: OnTerminal) -> None:
        self.assertEqual(terminal.trouble(), [])


class SeeingTests(WatchingTestCase):
    def test_session(self) -> None:
        """A connection appears with its events; Enter shows its ladder, q quits; all as it was."""
        terminal = self.watch()
        terminal.wait_for("none yet")
        sock = self.connect()
        sock.sendall(b"hello \x1b[31m")
        self.assertEqual(sock.recv(100), b"hello \x1b[31m")
        row = terminal.wait_for("▸ c1")
        self.assertIn("{}:{}".format(*sock.getsockname()), row)
        self.assertIn(" open ", row)
        terminal.wait_for('received               11 B "hello \\x1b[31m"')

        terminal.type("\r")
        terminal.wait_for("accepted ┈")
        self.assertIn("▶│ recv()", terminal.wait_for('─ 11 bytes "hello'))
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(sock), b"")
        self.assertIn("▶│ recv() = 0", terminal.wait_for("═ FIN ═"))
        terminal.wait_for("└")
        terminal.wait_for("tcp  closed peer-fin")

        terminal.type("\x1b")
        terminal.wait_for("▸ c1")
        self.assertIn("▸ c1", terminal.wait_for(" peer-fin "))
        terminal.type("q")
        self.assertEqual(terminal.ended(), 0)
        self.as_it_was(terminal)
        self.assertEqual(terminal.after.strip(), "")

    def test_keys(self) -> None:
        """Down, the filter, the service, pause and help do what the help says."""
        socks = [self.connect(), self.connect("line")]
        terminal = self.watch()
        terminal.wait_for("▸ c2")
        terminal.type("\x1b[B")
        terminal.wait_for("▸ c1")
        terminal.type("/line\r")
        terminal.wait_for("filter line")
        terminal.wait_for("▸ c2")
        terminal.type("\x7fss")
        terminal.wait_for("[line]")
        terminal.type("p")
        terminal.wait_for("PAUSED")
        terminal.type("?")
        terminal.wait_for("Page up, Page down")
        terminal.type("x\x03")
        self.assertEqual(terminal.ended(), 0)
        self.as_it_was(terminal)
        self.assertEqual(len(socks), 2)

    def test_reset(self) -> None:
        """r asks, and y resets the connection: its peer gets RST."""
        sock = self.connect()
        terminal = self.watch()
        terminal.wait_for("▸ c1")
        terminal.type("r")
        terminal.wait_for("reset c1? y/n")
        terminal.type("y")
        self.assertRaises(ConnectionResetError, sock.recv, 1)
        terminal.wait_for("the bench was told to reset c1")
        terminal.wait_for("aborted")

    def test_close(self) -> None:
        """c asks, and y closes the connection: its peer gets FIN."""
        sock = self.connect()
        terminal = self.watch("--connection", "c1")
        terminal.wait_for("accepted ┈")
        terminal.type("cy")
        self.assertEqual(sock.recv(1), b"")
        terminal.wait_for("closed")

    def test_no_token(self) -> None:
        """Without the token everything is shown, and nothing can be changed."""
        self.url = self.url.partition("#")[0]
        sock = self.connect()
        terminal = self.watch()
        terminal.wait_for("▸ c1")
        terminal.type("r")
        terminal.wait_for("needs the token")
        sock.sendall(b"x")
        self.assertEqual(sock.recv(1), b"x")

    def test_datagrams(self) -> None:
        """A datagram peer has its row and its ladder."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect(("127.0.0.1", self.bench.port("echo", "udp")))
            terminal = self.watch()
            terminal.wait_for("none yet")
            peer.send(b"ping")
            self.assertEqual(peer.recv(100), b"ping")
            terminal.wait_for("▸ d1")
            terminal.type("\r")
            self.assertIn("▶│ recvmsg()", terminal.wait_for('╌ 4 bytes "ping" ╌'))


class QuittingTests(WatchingTestCase):
    """In every case the terminal is left as it was found."""

    def test_signals(self) -> None:
        """Ctrl-C typed, and the signals that end programs; 0."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            terminal = self.watch()
            terminal.wait_for("none yet")
            self.assertFalse(termios.tcgetattr(terminal.theirs)[3] & termios.ECHO)
            self.assertEqual(terminal.stop(number), 0)
            self.as_it_was(terminal)
            self.assertNotIn("Traceback", terminal.wrote)

    def test_bench_killed(self) -> None:
        """A bench that dies is shown as lost with what is known of it; q still quits."""
        self.connect()
        terminal = self.watch()
        terminal.wait_for("▸ c1")
        self.bench.process.kill()
        terminal.wait_for("LOST")
        terminal.wait_for("▸ c1")
        terminal.type("q")
        self.assertEqual(terminal.ended(), 0)
        self.as_it_was(terminal)

    def test_bench_stopped(self) -> None:
        """A bench that stops says so before it goes."""
        terminal = self.watch(width=140)
        terminal.wait_for("none yet")
        self.bench.stop()
        terminal.wait_for("LOST")
        self.assertEqual(terminal.stop(), 0)
        self.as_it_was(terminal)

    def test_suspended(self) -> None:
        """Ctrl-Z gives the shell its terminal; when it goes on, the picture is there again."""
        terminal = self.watch()
        terminal.wait_for("none yet")
        terminal.type("\x1a")
        stat = Path(f"/proc/{terminal.process.pid}/stat")
        wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
        terminal.read_rest()
        self.as_it_was(terminal)
        terminal.wrote = ""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for("none yet")
        self.assertEqual(terminal.stop(), 0)

    def test_resized(self) -> None:
        """A window of another size is filled, down to one that shows next to nothing."""
        terminal = self.watch()
        for width, height in ((120, 40), (40, 20), (80, 24)):
            terminal.resize(width, height)
            terminal.wrote = ""
            terminal.wait_for("id     service")
            self.assertTrue(all(len(line) <= width for line in terminal.screen))
        terminal.resize(1, 1)
        terminal.type("q")
        self.assertEqual(terminal.ended(), 0)
        self.as_it_was(terminal)

    def test_bug(self) -> None:
        """A bug of ours is told after the terminal is as it was."""
        code = (
            "import sys; from twisted_lab.live import session; from twisted_lab.cli import main\n"
            "session.screen = lambda *given: 1 / 0\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        with OnTerminal("watch", self.url, command=(sys.executable, "-c", code)) as terminal:
            self.assertEqual(terminal.ended(), 1)
            self.as_it_was(terminal)
            self.assertIn("ZeroDivisionError", terminal.after)

    def test_thread(self) -> None:
        """So is one in a thread."""
        code = (
            "import sys; from twisted_lab.live import session; from twisted_lab.cli import main\n"
            "session.snapshot = lambda *given: 1 / 0\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        with OnTerminal("watch", self.url, command=(sys.executable, "-c", code)) as terminal:
            self.assertEqual(terminal.ended(), 1)
            self.as_it_was(terminal)
            self.assertIn("ZeroDivisionError", terminal.after)

    def test_terminal_gone(self) -> None:
        """A terminal that goes away ends it."""
        terminal = self.watch()
        terminal.wait_for("none yet")
        os.close(terminal.theirs)
        os.close(terminal.ours)
        terminal.process.wait(PATIENCE)
        terminal.ours, terminal.theirs = os.pipe()  # for the cleanup

    def test_no_bench(self) -> None:
        """Where no bench is, the terminal is not touched; 1 and a sentence."""
        self.bench.process.kill()
        self.bench.wait()
        terminal = self.watch()
        self.assertEqual(terminal.ended(), 1)
        self.as_it_was(terminal)
        self.assertNotIn("\x1b", terminal.wrote)
        self.assertRegex(terminal.wrote, r"socketlab watch: cannot reach http://127.0.0.1:\d+: ")


class PlainTests(WatchingTestCase):
    def lines(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*SOCKETLAB, "watch", self.url, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            self.addCleanup(stream.close)
        return process

    def test_lines(self) -> None:
        """In a pipe each event is a line, at once and without colour; SIGTERM ends it with 0."""
        self.connect()
        process = self.lines("--connection", "c1")
        assert process.stdout is not None
        line = process.stdout.readline()
        self.assertRegex(line, r"^ +\d+\.\d{6}  echo      c1     accepted ")
        self.assertNotIn("\x1b", line)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_json(self) -> None:
        """--json prints what the bench tells, each event on a line."""
        self.connect()
        process = self.lines("--connection", "c1", "--json")
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        self.assertEqual((said["event"], said["connection"]), ("accepted", "c1"))

    def test_reader_gone(self) -> None:
        """Whoever reads may go: no traceback, and 0, as with | head."""
        sock = self.connect()
        process = self.lines("--connection", "c1")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            sock.sendall(b"x")
            sock.recv(1)
        self.assertEqual(process.wait(1), 0)
        self.assertEqual(process.stderr.read(), "")

    def test_once(self) -> None:
        """--once prints the table and ends; with NO_COLOR and without."""
        self.connect()
        wait_for(lambda: "c1" in run(*SOCKETLAB, "watch", self.url, "--once").out)
        done = run(*SOCKETLAB, "watch", "--once", self.url)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertRegex(done.out, r"(?m)^c1 +echo +127\.0\.0\.1:\d+ +tcp +open ")
        self.assertNotIn("\x1b", done.out)

    def test_not_a_page(self) -> None:
        """The port of echo is no page, and the sentence says so; 1."""
        done = run(*SOCKETLAB, "watch", f"http://127.0.0.1:{self.bench.port()}")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("is not a page of socketlab: it does not speak HTTP", done.err)


class ColourTests(SynchronousTestCase):
    def test_no_color(self) -> None:
        """NO_COLOR is honoured on a terminal; so is one that can do nothing but lines."""
        with FakeBench() as fake:
            reset = connection(1, state="closed", reason="reset")
            fake.connections(reset)
            for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
                with OnTerminal("watch", fake.url, environment=environment) as terminal:
                    terminal.wait_for("reset")
                    found = re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.wrote)
                    self.assertEqual(found is not None, coloured)
            fake.on_stream = lambda stream: stream.send(entry(1))
            with OnTerminal("watch", fake.url, environment={"TERM": "dumb"}) as terminal:
                wait_for(lambda: terminal.read() or "received" in terminal.wrote)
                self.assertNotIn("\x1b", terminal.wrote)
                self.assertEqual(terminal.stop(), 0)


class LossTests(SynchronousTestCase):
    def test_anew(self) -> None:
        """A bench that goes and comes again is taken up, ladder and all; another run is told of."""
        with FakeBench() as fake, OnTerminal("watch", fake.url) as terminal:
            fake.story(connection(1), entry(1, data="Zmlyc3Q="), seq=1)
            terminal.wait_for("▸ c1")
            terminal.type("\r")
            terminal.wait_for('"first"')
            fake.__exit__()
            terminal.wait_for("LOST")
            terminal.wait_for('"first"')
            with FakeBench(port=fake.port) as again:
                again.documents["/api/bench"]["started"] = "2027-01-01T00:00:00+00:00"
                again.story(connection(1), entry(1, data="c2Vjb25k"), seq=1)
                terminal.wait_for("  live")
                terminal.wait_for("the bench was started anew")
                terminal.wait_for('"second"')
                again.stream(1).send(entry(2, data="dGhpcmQ="))
            terminal.type("q")
            self.assertEqual(terminal.ended(), 0)
            self.assertEqual(terminal.trouble(), [])

    def test_refused(self) -> None:
        """What the bench will not do is said in its words; so is a connection it does not know."""
        with FakeBench() as fake:
            fake.documents["/api/connections/c1/close"] = {"error": "it is closed already"}
            fake.statuses["/api/connections/c1/close"] = 409
            with OnTerminal("watch", f"{fake.url}/#token=x") as terminal:
                terminal.wait_for("▸ c1")
                terminal.type("cy")
                terminal.wait_for("c1 is not closed: it is closed already")
                del fake.documents["/api/connections/c1"]
                terminal.type("\r")
                terminal.wait_for("c1: there is no such thing")

    def test_old_counts(self) -> None:
        """Counts that cannot be had are called old, while the events go on."""
        with FakeBench() as fake, OnTerminal("watch", fake.url) as terminal:
            terminal.wait_for("▸ c1")
            fake.documents["/api/services"] = b"<html>"
            terminal.wait_for("OLD COUNTS")
            fake.stream().send(entry(7, says="it came"))
            terminal.wait_for("it came")


class BusyTests(SynchronousTestCase):
    def test_redraws(self) -> None:
        """At thousands of events a second it draws at most eight pictures, and keys still work."""
        with FakeBench() as fake, OnTerminal("watch", fake.url) as terminal:
            stream = fake.stream()
            terminal.wait_for("▸ c1")
            began, pictures, sent = time.monotonic(), terminal.wrote.count("\x1b[H"), 0
            while (seconds := time.monotonic() - began) < 3:
                while sent < seconds * 2000:
                    sent += 1
                    stream.send(entry(sent))
                terminal.read(0.01)
            drawn = terminal.wrote.count("\x1b[H") - pictures
            self.assertLessEqual(drawn, 8 * 3 + 2)
            self.assertGreater(drawn, 3)
            terminal.wait_for(f"{sent / 1000:.6f}"[:5])
            terminal.type("q")
            self.assertEqual(terminal.ended(), 0)
            self.assertEqual(terminal.trouble(), [])

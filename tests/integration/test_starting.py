"""Started as a person starts it: what is served, what is said when it cannot be, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from tests.integration.child import REACTOR, TWISTD, Child, read_all, wait_for
from tests.integration.recorded import ends, recorded
from tests.programs import SOCKETLAB
from twisted_lab.events import CATALOGUE
from twisted_lab.protocols import KINDS
from twisted_lab.transports.endpoints import loopback_interfaces

LOOPBACK = loopback_interfaces()

#: As a person types it: with a pidfile in the folder, and the log on the terminal.
PLAIN_TWISTD = (*TWISTD[:-1], "socketlab")

#: The three ways to start it; they are the same.
ROADS = {
    "twistd -n socketlab": PLAIN_TWISTD,
    "socketlab serve": (str(Path(sys.executable).with_name("socketlab")), "serve"),
    "python -m twisted_lab serve": (*SOCKETLAB, "serve"),
}

#: Seconds in which a daemon has started or has failed to.
PATIENCE = 30.0


def exchange(address: tuple[str, int] | str, data: bytes) -> bytes:
    """What comes back for *data* and FIN over TCP or, when *address* is a path, a UNIX socket."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address)
    else:
        sock = socket.create_connection(address, 10)
    with sock:
        sock.settimeout(10)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def ask(host: str, port: int, data: bytes, patience: float = 10) -> bytes:
    """The datagram that comes back for *data*, within *patience* seconds."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(patience)
        s.connect((host, port))
        s.send(data)
        return s.recv(2**16)


class StartingCase(FolderTestCase):
    def child(self, *arguments: str, road: tuple[str, ...] | None = None, **more: Any) -> Child:
        """A process that is ended at the end of the test, whatever it does."""
        child = Child(*arguments, started_by=road, **more)
        self.addCleanup(child.__exit__)
        return child

    def serving(self, *arguments: str, road: tuple[str, ...] | None = None, **more: Any) -> Child:
        """The same, once it serves."""
        child = self.child(*arguments, road=road, **more)
        child.wait_until_serving()
        return child

    def taken(self) -> int:
        """A TCP port of 127.0.0.1 that somebody else has."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return int(listener.getsockname()[1])

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Two sockets bound to neighbouring TCP ports of 127.0.0.1, lower first; close them."""
        for _ in range(100):
            lower, higher = socket.socket(), socket.socket()
            self.addCleanup(lower.close)
            self.addCleanup(higher.close)
            lower.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError, OverflowError):
                higher.bind(("127.0.0.1", lower.getsockname()[1] + 1))
                return lower, higher
        raise AssertionError("no two neighbouring ports are free")

    def left_behind(self, child: Child) -> list[str]:
        """The files in its folder that are neither its output nor a log."""
        return [name for name in os.listdir(child.folder) if name not in ("output", "twistd.log")]


class ServingTests(StartingCase):
    def test_bench(self) -> None:
        """By each of the three roads the bench serves echo on TCP and UDP, and line."""
        for road in ROADS.values():
            self.child("--port", "0", road=road)
        for child in self.children():
            child.wait_until_serving()
            for host in LOOPBACK:
                echo, line = child.port("echo", "tcp", host), child.port("line", "tcp", host)
                self.assertEqual(echo, child.port("echo", "udp", host))
                self.assertEqual(exchange((host, echo), b"hello"), b"hello")
                self.assertEqual(ask(host, echo, b"hello"), b"hello")
                self.assertEqual(exchange((host, line), b"/upper hello\n"), b"HELLO\n")

    def test_reactor(self) -> None:
        """socketlab serve takes the lean reactor, twistd the one it is told; each says which."""
        wanted = dict.fromkeys(ROADS, "lean") | {"twistd -n socketlab": REACTOR}
        for name, road in ROADS.items():
            child = self.serving("--port", "0", road=road)
            self.assertIn(f" ({wanted[name]}) serves:", child.output, name)

    def child(self, *arguments: str, **more: Any) -> Child:
        made = super().child(*arguments, **more)
        self.__dict__.setdefault("made", []).append(made)
        return made

    def children(self) -> list[Child]:
        return list(self.__dict__["made"])

    def test_said(self) -> None:
        """What is served is said on lines of their own, with no date in front."""
        child = self.serving("--port", "0", road=PLAIN_TWISTD)
        said = child.output[child.output.index("\nsocketlab ") + 1 :].splitlines()
        *said, page = said[: said.index("Stop with Ctrl-C.")]
        self.assertRegex(said[0], rf"^socketlab \d+\.\d+\.\d+ \({REACTOR}\) serves:$")
        self.assertRegex(page, r"^  page +http +open: http://127\.0\.0\.1:\d+/#token=[\w-]{43}$")
        for line in said[1:]:
            self.assertRegex(
                line, r"^  (echo|line) +(tcp|udp) +127\.0\.0\.1:\d+ .*try: (nc|telnet) "
            )

    def test_each_service(self) -> None:
        """Each service can be served alone, and then is all that is served."""
        for name in KINDS:
            self.child(name, "--port", "0")
        for child, kind in zip(self.children(), KINDS.values(), strict=True):
            child.wait_until_serving()
            for other in KINDS:
                for transport, served in (("tcp", kind.stream), ("udp", kind.datagram)):
                    expected = len(LOOPBACK) if other == kind.name and served else 0
                    self.assertEqual(len(child.addresses(other, transport)), expected)
            self.use(child, kind.name)

    def use(self, child: Child, name: str) -> None:
        """Talk to it; those that send back do, what others say is their own tests' affair."""
        host = LOOPBACK[0]
        sends_back = name in ("echo", "line", "datagram")
        if KINDS[name].stream:
            said = exchange((host, child.port(name)), b"hello\n")
            if sends_back or name == "discard":
                self.assertEqual(said, b"hello\n" if sends_back else b"")
        if sends_back and KINDS[name].datagram:
            self.assertEqual(ask(host, child.port(name, "udp"), b"hello\n"), b"hello\n")

    def test_listen(self) -> None:
        """--listen may be repeated, before and after the service's name: each is served."""
        child = self.serving(
            "--listen",
            "tcp:127.0.0.1:0",
            "echo",
            "--listen",
            "unix:s",
            "--listen",
            "udp:127.0.0.1:0",
            "--listen",
            "tls:127.0.0.1:0",
        )
        self.assertEqual(exchange(("127.0.0.1", child.port("echo", "tcp")), b"one"), b"one")
        self.assertEqual(exchange(str(child.folder / "s"), b"two"), b"two")
        self.assertEqual(ask("127.0.0.1", child.port("echo", "udp"), b"three"), b"three")
        self.assertEqual(child.addresses("echo", "unix"), ["unix:s"])
        self.assertRegex(child.output, "certificate SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\n")
        self.assertTrue(child.port("echo", "tls"))
        self.assertEqual(child.stop(), 0)
        self.assertEqual(self.left_behind(child), [])

    def test_quiet(self) -> None:
        """--quiet prints nothing, from the start to the end."""
        child = self.child("--quiet", "--port", "0")
        wait_for(lambda: "line listening" in child.log_text)
        self.assertEqual(child.stop(), 0)
        self.assertEqual(child.output, "")


class CannotTests(StartingCase):
    """What cannot be is one sentence, the last line, and nothing is left half-started."""

    def cannot(
        self,
        *arguments: str,
        usage: bool = False,
        roads: dict[str, tuple[str, ...]] = ROADS,
    ) -> None:
        """By each of *roads* the *arguments* fail, with :attr:`sentence` in the last line."""
        children = {road: self.child(*arguments, road=words) for road, words in roads.items()}
        for road, child in children.items():
            status = child.wait()
            lines = child.output.splitlines()
            self.assertIn(self.sentence, lines[-1], road)
            if usage:
                self.assertEqual(lines[:-1], [], road)  # no page of help before it
            self.assertNotIn("Traceback", child.output)
            self.assertEqual(status, 2 if usage and "twistd " not in road else 1, road)
            self.assertEqual(self.left_behind(child), [], road)

    def test_port_in_use(self) -> None:
        """A port in use is named; the UNIX socket, the other ports and the pidfile of the same
        start are gone."""
        number = self.taken()
        self.sentence = f"cannot listen on tcp 127.0.0.1:{number}: Address already in use"
        self.cannot("echo", "--listen", "unix:s", "--listen", f"tcp:127.0.0.1:{number}")

    def test_lines_port_in_use(self) -> None:
        """The bench serves nothing when only the port of line is in use."""
        lower, higher = self.pair()
        number = lower.getsockname()[1]
        lower.close()
        higher.listen()
        self.sentence = f"127.0.0.1:{number + 1}: Address already in use"
        for road, words in ROADS.items():  # one after the other, for they want the same ports
            options = "--port", str(number), "--interface", "127.0.0.1", "--listen", "unix:s"
            self.cannot(*options, roads={road: words})

    def test_options(self) -> None:
        """A bad value is named with its option; the status of socketlab is 2."""
        self.sentence = "--idle-timeout 'soon': expected a time such as 5s"
        self.cannot("--port", "0", "echo", "--idle-timeout", "soon", usage=True)

    def test_service(self) -> None:
        """So is a service that there is not."""
        self.sentence = "there is no service 'ecko'; there are echo, line,"
        self.cannot("ecko", usage=True)

    def test_certificate(self) -> None:
        """So is a certificate that is not there."""
        self.sentence = "there is no file '/no/such.pem'"
        self.cannot("echo", "--listen", "tls:0:privateKey=/no/such.pem", usage=True)

    def test_bad_certificate(self) -> None:
        """One that is not a certificate is named when it is read, before anything listens."""
        path = self.folder / "bad.pem"
        path.write_text("nothing of the kind")
        self.sentence = str(path)
        self.cannot("echo", "--listen", "unix:s", "--listen", f"tls:0:privateKey={path}")

    def test_files(self) -> None:
        """So is a file that cannot be written."""
        for option in ("--record", "--log"):
            self.sentence = "cannot write '/no/such/file': No such file or directory"
            self.cannot("echo", "--port", "0", option, "/no/such/file")

    def test_reflector(self) -> None:
        """UDP on every address, for everybody, is refused with the reason."""
        self.sentence = "would let anyone make this host send to a forged address"
        self.cannot("--port", "0", "--interface", "0.0.0.0")


class OpenToOthersTests(StartingCase):
    def check(self, *arguments: str) -> None:
        child = self.serving("echo", "--port", "0", "--interface", "0.0.0.0", *arguments)
        (said,) = re.findall("open to other machines, at: (.+)", child.output)
        for address in said.split():
            self.assertNotEqual(address, "0.0.0.0")
        number = child.port("echo", "tcp", "0.0.0.0")
        self.assertEqual(exchange(("127.0.0.1", number), b"hello"), b"hello")
        self.assertEqual(ask("127.0.0.1", number, b"hello"), b"hello")

    def test_everybody(self) -> None:
        """With --allow-reflector it opens, and says the address that others can use."""
        self.check("--allow-reflector")

    def test_somebody(self) -> None:
        """With --allow it opens too."""
        self.check("--allow", "127.0.0.0/8")


class SignalTests(StartingCase):
    def test_exit_status(self) -> None:
        """By each road SIGTERM and SIGINT end it with 0, and nothing is left behind."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        children = [
            (number, self.child("echo", "--port", "0", "--listen", "unix:s", road=road))
            for road in ROADS.values()
            for number in numbers
        ]
        for number, child in children:
            child.wait_until_serving()
            self.assertEqual(exchange(("127.0.0.1", child.port("echo")), b"x"), b"x")
            child.send_signal(number)
        for _number, child in children:
            self.assertEqual(child.wait(), 0)
            self.assertNotIn("Traceback", child.output)
            self.assertEqual(self.left_behind(child), [])

    def test_while_starting(self) -> None:
        """One that comes at any moment of the start ends it too, never with a traceback."""
        children = []
        for delay in range(12):
            child = self.child("--port", "0", road=PLAIN_TWISTD)
            time.sleep(delay * 0.1)  # the subject is time
            child.send_signal(signal.SIGTERM)
            children.append(child)
        for child in children:
            # Before any line of ours ran it is Python's own end.
            self.assertIn(child.wait(), (0, -signal.SIGTERM))
            self.assertNotIn("Traceback", child.output)
            if "serves:" in child.output:
                self.assertEqual(child.process.returncode, 0)

    def test_hang_up(self) -> None:
        """SIGHUP is one sentence in the log, and it lives."""
        child = self.serving("--port", "0")
        child.send_signal(signal.SIGHUP)
        wait_for(lambda: "SIGHUP" in child.log_text)
        self.assertEqual(exchange(("127.0.0.1", child.port()), b"alive"), b"alive")
        self.assertEqual(child.stop(), 0)
        self.assertEqual(child.log_text.count("SIGHUP"), 1)

    def test_many(self) -> None:
        """However many SIGTERMs come, to its very last moment, it ends with 0."""
        for _ in range(2):
            child = self.serving("--port", "0")
            while child.process.poll() is None:
                child.send_signal(signal.SIGTERM)
                time.sleep(0.01)  # not to wait for anything: one more every now and then
            self.assertEqual(child.wait(), 0)

    def test_second(self) -> None:
        """A second SIGTERM ends it at once, with 0, though a peer has not read; the recording
        has that end too."""
        child = self.serving("echo", "--port", "0", "--drain", "60s", "--record", "recording.jsonl")
        with child.connect() as sock:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.send(bytes(2**16))
            child.send_signal(signal.SIGTERM)
            wait_for(lambda: "stopping: " in child.log_text)
            child.send_signal(signal.SIGTERM)
            began = time.monotonic()
            self.assertEqual(child.wait(), 0)
            self.assertLess(time.monotonic() - began, 2)
        (closed,) = ends(child)
        self.assertEqual(closed["reason"], "drain")

    def test_reopen(self) -> None:
        """SIGUSR1, after the files were moved, begins new ones: --record, --log and twistd's own;
        every event is in one of the two, and all are whole."""
        child = self.serving(
            "echo", "--port", "0", "--record", "recording.jsonl", "--log", "events.log"
        )
        record, log = child.folder / "recording.jsonl", child.folder / "events.log"
        exchange(("127.0.0.1", child.port()), b"one")
        wait_for(lambda: '"closed"' in record.read_text() and " closed " in log.read_text())
        old_record, old_log = record.rename(f"{record}.old"), log.rename(f"{log}.old")
        child.send_signal(signal.SIGUSR1)
        wait_for(lambda: record.exists() and log.exists())
        exchange(("127.0.0.1", child.port()), b"two")
        self.assertEqual(child.stop(), 0)
        sizes = []
        for path in (old_record, record):
            header, *events = self.json_lines(path)
            self.assertEqual(header["socketlab"], 1)
            sizes.append([e["bytes_in"] for e in events if e["event"] == "closed"])
        self.assertEqual(sizes, [[3], [3]])
        self.assertIn("not-listening", log.read_text())
        self.assertNotIn("not-listening", old_log.read_text())
        self.assertTrue((child.folder / "twistd.log.1").exists())

    def json_lines(self, path: Path) -> list[dict[str, Any]]:
        text = path.read_text()
        self.assertTrue(text.endswith("\n"))
        return [json.loads(line) for line in text.splitlines()]

    def test_reopen_fails(self) -> None:
        """When a new file cannot be opened the log says so, and it lives."""
        child = self.serving("echo", "--port", "0", "--record", "recording.jsonl")
        record = child.folder / "recording.jsonl"
        record.rename(f"{record}.old")
        record.symlink_to("elsewhere")
        child.send_signal(signal.SIGUSR1)
        # By the same signal twistd rotates its own log.
        wait_for(lambda: any("could not reopen" in text for text in self.logs(child)))
        self.assertEqual(exchange(("127.0.0.1", child.port()), b"alive"), b"alive")
        self.assertEqual(child.stop(), 0)
        self.assertFalse((child.folder / "elsewhere").exists())

    def logs(self, child: Child) -> list[str]:
        """twistd's log, the part that was rotated too."""
        texts = []
        for path in child.folder.glob("twistd.log*"):
            with contextlib.suppress(FileNotFoundError):  # it was rotated since we found it
                texts.append(path.read_text())
        return texts


class LogTests(StartingCase):
    def lines(self, text: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in text.splitlines()]

    def test_json_file(self) -> None:
        """--log with --log-format json: each line is JSON, from the first port to the last."""
        child = self.serving("--port", "0", "--log", "events.log", "--log-format", "json")
        exchange(("127.0.0.1", child.port()), b"hello")
        self.assertEqual(child.stop(), 0)
        said = self.lines((child.folder / "events.log").read_text())
        names = [line["event"] for line in said]
        self.assertEqual((names[0], names[-1]), ("listening", "not-listening"))
        self.assertLessEqual({"accepted", "closed"}, set(names))
        self.assertLessEqual(set(names), set(CATALOGUE))

    def test_json_stderr(self) -> None:
        """Without --log the JSON lines are on stderr."""
        error = self.folder / "stderr"
        apart = f'exec "$0" "$@" 2>{error}'
        road = ("sh", "-c", apart, *TWISTD, "--logfile=twistd.log", "socketlab")
        child = self.serving("line", "--port", "0", "--log-format", "json", road=road)
        self.assertEqual(child.stop(), 0)
        names = [line["event"] for line in self.lines(error.read_text())]
        self.assertEqual(names, ["listening"] * len(LOOPBACK) + ["not-listening"] * len(LOOPBACK))

    def test_text_file(self) -> None:
        """--log alone: each line has its date, its service and its event."""
        child = self.serving("--port", "0", "--log", "events.log")
        exchange(("127.0.0.1", child.port()), b"hello")
        self.assertEqual(child.stop(), 0)
        for line in (child.folder / "events.log").read_text().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 (echo|line) [a-z-]+ ")


class RecordTests(StartingCase):
    def test_whole(self) -> None:
        """After SIGTERM the recording is whole: a header, then events in the order of their time,
        every connection with its end, every port closed."""
        child = self.serving("--port", "0", "--record", "recording.jsonl")
        for number in range(20):
            exchange(("127.0.0.1", child.port()), bytes(1000 * number))
        with child.connect() as still_open:
            still_open.sendall(b"x")
            still_open.recv(1)
            child.send_signal(signal.SIGTERM)
            self.assertEqual(read_all(still_open), b"")
        self.assertEqual(child.wait(), 0)
        text = (child.folder / "recording.jsonl").read_text()
        self.assertTrue(text.endswith("\n"))
        header, *events = [json.loads(line) for line in text.splitlines()]
        self.assertEqual((header["socketlab"], header["capture"]), (1, 256))
        times = [event["ns"] for event in events]
        self.assertEqual(times, sorted(times))
        self.assertEqual(len(ends(child)), 21)
        self.assertEqual(sum(e["bytes"] for e in recorded(child, "received")), 1000 * 190 + 1)
        self.assertEqual(
            sorted(e["local"] for e in recorded(child, "listening")),
            sorted(e["local"] for e in recorded(child, "not-listening")),
        )

    def test_private(self) -> None:
        """Nobody else can read it."""
        child = self.serving("echo", "--port", "0", "--record", "recording.jsonl")
        self.assertEqual((child.folder / "recording.jsonl").stat().st_mode & 0o777, 0o600)


class DaemonTests(StartingCase):
    """``twistd socketlab`` without -n: it goes into the background."""

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start it; the status and the words of the process that a person waits for."""
        twistd = [word for word in TWISTD if word not in ("-n", "--pidfile=")]
        process = subprocess.Popen(
            [*twistd, "--pidfile=pid", "--logfile=twistd.log", "socketlab", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.end)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"neither started nor failed within {PATIENCE:g} s")
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def pid(self) -> int | None:
        try:
            return int((self.folder / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def log(self) -> str:
        return (self.folder / "twistd.log").read_text()

    def end(self) -> None:
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda: self.pid is None, limit=10)

    def test_serves(self) -> None:
        """It serves, in the background, and SIGTERM ends it and removes its pidfile."""
        done = self.start("--port", "0", "--record", "recording.jsonl")
        self.assertEqual(done.returncode, 0, done)
        wait_for(lambda: "line listening" in self.log)
        (number,) = re.findall(r"echo listening local=127\.0\.0\.1:(\d+) transport=tcp", self.log)
        self.assertEqual(exchange(("127.0.0.1", int(number)), b"hello"), b"hello")
        self.end()
        self.assertIsNone(self.pid)
        text = (self.folder / "recording.jsonl").read_text()
        self.assertIn("not-listening", text.splitlines()[-1])
        self.assertNotIn("Traceback", self.log)

    def cannot(self, *arguments: str) -> str:
        """The last line of a start that fails and leaves nothing behind."""
        done = self.start(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertIsNone(self.pid)
        self.assertNotIn("Traceback", done.stdout + done.stderr)
        self.assertLessEqual(set(os.listdir(self.folder)), {"twistd.log"})
        return (done.stdout + done.stderr).splitlines()[-1]

    def test_port_in_use(self) -> None:
        """A port in use is said to who started it, before it goes into the background."""
        number = self.taken()
        line = self.cannot("echo", "--listen", "unix:s", "--listen", f"tcp:127.0.0.1:{number}")
        self.assertEqual(line, f"cannot listen on tcp 127.0.0.1:{number}: Address already in use")

    def test_own_port_in_use(self) -> None:
        """So is a port that two of its own services want."""
        lower, higher = self.pair()
        number = lower.getsockname()[1]
        lower.close()
        higher.close()
        line = self.cannot("--port", str(number), "--listen", f"tcp:127.0.0.1:{number + 1}")
        self.assertIn(f"127.0.0.1:{number + 1}", line)

    def test_bad_option(self) -> None:
        """So is a bad option."""
        self.assertIn("--port 'abc'", self.cannot("--port", "abc"))


class TogetherTests(SynchronousTestCase):
    def test_roads(self) -> None:
        """The console script is installed where this Python is."""
        self.assertTrue(os.access(ROADS["socketlab serve"][0], os.X_OK))

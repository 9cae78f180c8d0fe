"""The cases P01 to P04, P06, P08, P09, P11 and P12: the process itself, and figures R6, R8, R11."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.integration.child import TWISTD, Child, wait_for
from tests.integration.failing import CALLBACKS
from tests.integration.peers import (
    MIB,
    ROUNDS,
    best_of,
    exchange,
    meanwhile,
    missing,
    pattern,
    read_to_end,
    recorded,
    reset,
    round_trips,
    send_until_blocked,
    side_by_side,
)
from tests.integration.test_cases_stream import NO_COVERAGE, Case

#: twistd, with its log where :class:`Child` looks for it, whatever is in front of it.
_TWISTD = (*TWISTD, "--logfile=twistd.log", "socketlab")


class DescriptorTests(Case):
    """P01, R6: no descriptors left."""

    LIMIT = 64
    CLIENTS = 200

    def start_with_few(self) -> None:
        script = f'ulimit -n {self.LIMIT}; exec "$0" "$@"'
        started_by = "sh", "-c", script, *_TWISTD
        self.child = self.enterContext(Child("--port", "0", started_by=started_by))

    def test_echo(self) -> None:
        """P01, R6: with 64 descriptors and 200 clients some are served, the others closed at once;
        one line a second is logged for each kind of event, nothing spins, and within a second
        after they left the next one is served."""
        self.start_with_few()
        self.besiege("echo")

    def test_line(self) -> None:
        """P01, R6: the same on line, where others who are refused are told why and so stay on."""
        self.start_with_few()
        self.besiege("line")

    def test_none(self) -> None:
        """P01, R6: the same when the limit falls under what is open, so that accept() fails."""
        self.bench()
        round_trips(self.connect(), 1)
        self.limit(self.child.descriptors())
        self.besiege("echo", serves_some=False)

    def limit(self, count: int) -> None:
        _, hard = resource.prlimit(self.child.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.child.pid, resource.RLIMIT_NOFILE, (count, hard))

    def besiege(self, service: str, *, serves_some: bool = True) -> None:
        with contextlib.ExitStack() as stack:
            began = time.monotonic()
            socks = [stack.enter_context(self.child.connect(service)) for _ in range(self.CLIENTS)]
            self.assertLess(time.monotonic() - began, 2)
            kept = self._not_closed_within(1.0, socks)
            self.assertEqual(serves_some, bool(kept))
            self.assertLess(len(kept), self.LIMIT)
            for sock in kept:
                round_trips(sock, 1)
            before = self.child.cpu_seconds()
            time.sleep(1)
            self.assertLess(self.child.cpu_seconds() - before, 0.1)
        if not serves_some:
            self.limit(self.LIMIT)
        wait_for(partial(self._served, service), limit=1)
        self.assertEqual(self.child.stop(), 0)
        self.assertEqual(self._kinds_with_too_many_lines(), {})

    def _not_closed_within(self, seconds: float, socks: list[socket.socket]) -> list[socket.socket]:
        kept = set(socks)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for sock in select.select(list(kept), [], [], left)[0]:
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(sock.recv(1), b"")
                kept.remove(sock)
        return list(kept)

    def _served(self, service: str) -> bool:
        with contextlib.suppress(OSError), self.child.connect(service) as sock:
            sock.sendall(b"x\n")
            return sock.recv(2) == b"x\n"
        return False

    def _kinds_with_too_many_lines(self) -> dict[str, int]:
        """Kinds of log lines, by what is before their first number or name, and how many."""
        kinds: Counter[str] = Counter()
        first: dict[str, datetime] = {}
        last: dict[str, datetime] = {}
        for line in self.child.log_text.splitlines():
            when, _, said = line.partition(" ")
            kind = re.split(r"[\d=]", said.partition("] ")[2])[0]
            kinds[kind] += 1
            last[kind] = datetime.fromisoformat(when)
            first.setdefault(kind, last[kind])
        # What we do at start and at stop comes by the port.
        return {
            kind: count
            for kind, count in kinds.items()
            if "listening" not in kind
            and "Port" not in kind
            and "Factory starting" not in kind
            and count > (last[kind] - first[kind]).total_seconds() + 2
        }


class StopTests(Case):
    """P02, P03, R8: the end in order."""

    def test_slow_readers(self) -> None:
        """P02, R8: at SIGTERM ten slow readers get every byte they were owed; new ones are turned
        away at once, and it exits with 0 in 6 s."""
        self.bench()
        socks = [self.connect() for _ in range(10)]
        for sock in socks:
            # Kernel buffers of megabytes would leave the bench nothing to lose.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        sent = side_by_side(*(partial(send_until_blocked, sock, 4 * MIB, 0.2) for sock in socks))
        self.child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        *answers, refused_after, status = side_by_side(
            *(
                partial(self._read_slowly, sock, sent)
                for sock, sent in zip(socks, sent, strict=True)
            ),
            self._seconds_until_refused,
            self.child.wait,
        )
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual(status, 0)
        self.assertLess(refused_after, 0.2)
        lost = [count - len(answer) for count, answer in zip(sent, answers, strict=True)]
        self.assertEqual(sum(lost), 0, f"lost {lost} of {sent}")
        for count, answer in zip(sent, answers, strict=True):
            self.assertTrue(answer == pattern(count))

    def _read_slowly(self, sock: socket.socket, count: int) -> bytes:
        """Everything to the end, spread over a second: a fifth of what the drain allows."""
        answer, began = bytearray(), time.monotonic()
        while piece := sock.recv(max(1, count // 100)):
            answer += piece
            time.sleep(max(0, began + len(answer) / count - time.monotonic()))
        return bytes(answer)

    def _seconds_until_refused(self) -> float:
        began = time.monotonic()
        while time.monotonic() < began + 5:
            try:
                self.child.connect(timeout=1).close()
            except ConnectionResetError:  # the kernel had queued it when the port was closed
                pass
            except ConnectionRefusedError:
                return time.monotonic() - began
        return 5.0

    def test_never_ends(self) -> None:
        """P03, R8: one that never reads, an idle one and one that talks for ever do not keep it
        over 6 s; status 0."""
        self.assertLess(best_of(ROUNDS, 6, self._seconds_to_stop), 6)

    def _seconds_to_stop(self) -> float:
        self.bench()
        self.connect()
        send_until_blocked(self.connect(), 64 * MIB, 0.2)
        talker = self.connect()
        with meanwhile(lambda: round_trips(talker, 1)):
            began = time.monotonic()
            self.assertEqual(self.child.stop(), 0)
            return time.monotonic() - began

    def test_second_signal(self) -> None:
        """A second SIGTERM does not wait for anybody; the status is 0 all the same."""
        self.bench()
        send_until_blocked(self.connect(), 64 * MIB, 0.2)
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        wait_for(lambda: "stopping" in self.child.log_text)
        self.assertEqual(self.child.stop(), 0)
        self.assertLess(time.monotonic() - began, 2)


class SignalTests(Case):
    def test_hang_up_and_reopen(self) -> None:
        """P04: SIGHUP is one sentence in the log; SIGUSR1 makes every file anew; neither ends a
        connection, and no event is lost between the files."""
        self.bench("--log", "own.log", "--record", "events")
        folder = self.child.folder
        sock = self.connect()
        round_trips(sock, 1)
        self.child.send_signal(signal.SIGHUP)
        wait_for(lambda: "SIGHUP" in self.child.log_text)
        round_trips(sock, 1)
        names = "own.log", "events"
        for name in names:
            (folder / name).rename(folder / f"{name}.old")
        self.child.send_signal(signal.SIGUSR1)
        for name in names:
            wait_for((folder / name).exists, lambda name=name: f"no new {name}")
        round_trips(sock, 1)
        self.assertEqual(exchange(self.connect("line"), b"after\n"), b"after\n")
        sock.close()
        self.assertEqual(self.child.stop(), 0)
        self.assertIn("closed", (folder / "own.log").read_text())
        self.assertEqual(len(recorded(folder / "events.old", "received")), 2)
        self.assertEqual(len(recorded(folder / "events", "received")), 2)

    def test_just_started(self) -> None:
        """P04: from the moment it says what it serves, no signal kills it."""
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM) * 2:
            child = Child("--port", "0")
            self.addCleanup(child.__exit__)
            while "Stop with" not in child.output and child.process.poll() is None:
                time.sleep(0.0005)  # not wait_for(): this is about the first millisecond
            child.send_signal(number)
            if number != signal.SIGTERM:
                with contextlib.suppress(ConnectionError), child.connect() as sock:
                    round_trips(sock, 1)
                child.send_signal(signal.SIGTERM)
            self.assertEqual(child.wait(), 0, signal.Signals(number).name)


class PortInUseTests(Case):
    """P06: a port in use is one sentence, and status 1."""

    def start_on_taken_port(self, *before: str) -> subprocess.CompletedProcess[str]:
        taken = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.port = taken.getsockname()[1]
        self.cwd = self.folder()
        command = [arg for arg in TWISTD if not arg.startswith("-") or arg == "-c"]
        return subprocess.run(
            [*command, *before, "socketlab", "echo", "--port", str(self.port)],
            cwd=self.cwd,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def assert_said_once(self, result: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(result.returncode, 1)
        said = result.stderr.splitlines()[-1]
        self.assertEqual(
            said, f"cannot listen on tcp 127.0.0.1:{self.port}: Address already in use"
        )
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse((self.cwd / "pid").exists())

    def test_in_front(self) -> None:
        """P06: with -n, logging to a file, the sentence is all that stderr has."""
        result = self.start_on_taken_port("-n", "--pidfile=pid", "--logfile=log")
        self.assert_said_once(result)
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_to_the_terminal(self) -> None:
        """P06: with -n alone, the sentence is the last line."""
        self.assert_said_once(self.start_on_taken_port("-n", "--pidfile=pid"))

    def test_daemon(self) -> None:
        """P06: as a daemon, the person who started it has sentence and status; none is left."""
        result = self.start_on_taken_port("--pidfile=pid", "--logfile=log")
        self.assert_said_once(result)
        self.assertEqual(len(result.stderr.splitlines()), 1)


class CallbackTests(Case):
    """P08: a protocol that fails."""

    def setUp(self) -> None:
        started_by = sys.executable, "-m", "tests.integration.failing", *TWISTD[3:]
        self.child = self.enterContext(
            Child(
                *("--port", "0", "--record", "events"),
                started_by=(*started_by, "--logfile=twistd.log", "socketlab", "failing"),
                environment={"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )
        self.neighbour = self.connect_from("127.0.0.1", "failing")
        round_trips(self.neighbour, 1)

    def provoke(self, callback: str) -> None:
        """Bring a connection of its own to *callback*, and see it closed within 5 s."""
        source = next(host for host, name in CALLBACKS.items() if name == callback)
        sock = self.connect_from(source, "failing")
        with contextlib.suppress(ConnectionError):
            if callback == "pauseProducing":
                send_until_blocked(sock, 64 * MIB, 0.1)
            elif callback == "connectionLost":
                reset(sock)
                return
            elif callback == "writeConnectionLost":
                sock.sendall(b"half\n")
            elif callback == "readConnectionLost":
                sock.shutdown(socket.SHUT_WR)
            elif callback == "dataReceived":
                sock.sendall(b"data\n")
            sock.settimeout(5)
            read_to_end(sock)

    def test_each(self) -> None:
        """P08: an exception in any callback closes that connection, is noted and counted; others
        live."""
        before = self.child.descriptors()
        for callback in CALLBACKS.values():
            self.provoke(callback)
            round_trips(self.neighbour, 1)
        self.assert_descriptors(before, 5)
        record = self.child.folder / "events"
        wait_for(lambda: len(recorded(record, "closed")) == len(CALLBACKS) - 1)
        notes = [e["text"] for e in recorded(record, "note") if e["kind"] == "exception"]
        for callback in CALLBACKS.values():
            found = [text for text in notes if f"CarelessError: {callback}" in text]
            self.assertNotEqual(found, [], f"{callback}: {notes}")
        # The reason names who ended first; nobody was before these callbacks, but for FIN and RST.
        reasons = Counter(e["reason"] for e in recorded(record, "closed"))
        self.assertEqual(reasons, {"error": 3, "peer-fin": 1, "local": 1, "reset": 1})

    def test_datagram(self) -> None:
        """P08: an exception for a datagram is noted; the next datagram is answered."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect(("127.0.0.1", self.child.port("failing", "udp")))
            sock.send(b"fail")
            sock.send(b"next")
            self.assertEqual(sock.recv(99), b"next")
        record = self.child.folder / "events"
        wait_for(lambda: [e for e in recorded(record, "note") if e["kind"] == "exception"])


class FullDiskTests(Case):
    """P09: a disk that is full: a small tmpfs."""

    def disk(self, size: str) -> Path:
        """A mounted disk of *size*; the test is skipped where none can be mounted."""
        folder = self.folder()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            raise missing("program mount") from None
        if done.returncode:
            raise missing(f"right to mount a tmpfs: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", str(folder)], check=True)
        return folder

    def fill(self, disk: Path) -> Path:
        """Take what is left of *disk*."""
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
        return filler

    def test_recording(self) -> None:
        """P09: the recording's disk is full: it serves on, and says how many events it lost once
        there is room; no line is cut in two."""
        disk = self.disk("4m")
        self.bench("--record", str(disk / "events"), "--capture", "1024")
        filler = self.fill(disk)
        sock = self.connect()
        round_trips(sock, 1000, bytes(1000))  # 2 MiB of events, and 1 MiB of memory for them
        self.assertEqual([], recorded(disk / "events", "closed"))
        filler.unlink()
        wait_for(lambda: (disk / "events").stat().st_size > MIB)
        sock.close()
        wait_for(lambda: recorded(disk / "events", "note"))
        self.assertEqual(self.child.stop(), 0)
        events = recorded(disk / "events")
        lost = [e["text"] for e in events if e["event"] == "note"]
        self.assertEqual(len(lost), 1, lost)
        kept = [e["event"] for e in events if e["event"] in ("received", "sent")]
        count = int(lost[0].removesuffix(" events lost: file not writable"))
        self.assertEqual(len(kept) + count, 2000)

    def test_recording_at_the_end(self) -> None:
        """P09: a disk still full when it is made anew, and at the end: each file is whole."""
        disk = self.disk("64k")
        self.bench("--record", str(disk / "events"))
        with self.child.connect() as sock:
            round_trips(sock, 500, bytes(100))
        (disk / "events").rename(disk / "old")
        self.child.send_signal(signal.SIGUSR1)
        wait_for((disk / "events").exists)
        old = shutil.copy(disk / "old", self.folder())
        (disk / "old").unlink()
        self.assert_alive()
        self.assertEqual(self.child.stop(), 0)
        for file in (Path(old), disk / "events"):
            header, *events = file.read_bytes().splitlines(keepends=True)
            self.assertIn(b'{"socketlab":', header)
            for event in events:
                self.assertTrue(event.startswith(b'{"event":'), event)
                self.assertTrue(event.endswith(b"}\n"), event)

    def test_log(self) -> None:
        """P09: the log's disk is full: it serves on; once there is room the loss is said, and no
        line is cut in two."""
        disk = self.disk("64k")
        # 46 bytes are left to write in the page that it has, so the first line will not fit.
        (disk / "log").write_text("{}" + " " * 4047 + "\n")
        filler = self.fill(disk)
        self.bench("--log", str(disk / "log"), "--log-format", "json")
        self.assert_alive()
        filler.unlink()
        self.assertEqual(self.child.stop(), 0)
        said = (disk / "log").read_text()
        for line in said.splitlines():
            json.loads(line)
        self.assertIn("lost", said)

    def test_twistd_log(self) -> None:
        """P09: twistd's log cannot be written at all: it serves on, and spins not."""
        self.child = self.enterContext(
            Child("--port", "0", started_by=(*TWISTD, "--logfile=/dev/full", "socketlab"))
        )
        for _ in range(20):
            self.assert_alive()
        before = self.child.cpu_seconds()
        time.sleep(0.5)
        self.assertLess(self.child.cpu_seconds() - before, 0.1)
        self.assertEqual(self.child.stop(), 0)


class ChurnTests(Case):
    environment = NO_COVERAGE

    def test_small_share(self) -> None:
        """P11, R11: 2,000 connections, half of them reset, cost no descriptor and less than 2 MB,
        after 500 to warm up (100,000 in the soak)."""
        self.bench()
        churn(self.child, 500)
        before = self.child.descriptors(), self.child.rss()
        churn(self.child, 2000)
        self.assert_descriptors(before[0], 5)
        self.assertLess(self.child.rss() - before[1], 2_000_000)


def churn(child: Child, count: int) -> None:
    """*count* connections one after the other, each served; every second one ends with RST."""
    address = "127.0.0.1", child.port()
    for number in range(count):
        with socket.create_connection(address, 5) as sock:
            sock.sendall(b"churn")
            if number % 2:
                reset(sock)  # before or after the answer, as it comes
            elif sock.recv(5) != b"churn":
                raise AssertionError("not served")


class ClockTests(Case):
    """P12, R10: the wall clock is not what we time by."""

    def test_steps(self) -> None:
        """P12, R10: a step of the clock by an hour, either way, moves a 2 s idle timer by less
        than 100 ms.

        The time is the recording's, from the last byte to the end, so that what a busy machine
        does to this process does not count. What it does to the child may: three connections at
        once and up to three rounds, of which the best counts. A timer that follows the wall clock
        is an hour late, or a second early, in each.
        """
        library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not library:
            raise missing("libfaketime (Debian: faketime)")
        stepped = partial(self._stepped, library[0])

        def measure() -> float:
            return max(side_by_side(partial(stepped, "+3600"), partial(stepped, "-3600")))

        self.assertLessEqual(best_of(ROUNDS, 0.1, measure), 0.1)

    def _stepped(self, library: str, step: str) -> float:
        """How many seconds *step* moved the ends of three connections that were idle meanwhile."""
        folder = self.folder()
        clock = folder / "clock"
        clock.write_text("+0")
        child = self.enterContext(
            Child(
                *("--port", "0", "--idle-timeout", "2s", "--record", "events"),
                environment={
                    "LD_PRELOAD": library,
                    "FAKETIME_TIMESTAMP_FILE": str(clock),
                    "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                },
            )
        )
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(child.connect()) for _ in range(3)]
            asker = stack.enter_context(child.connect("line"))
            for sock in socks:
                round_trips(sock, 1)
            before = self._time(asker)
            (folder / "new").write_text(step)
            (folder / "new").rename(clock)  # never seen half written
            stepped = (self._time(asker) - before).total_seconds()
            self.assertLess(abs(stepped - int(step)), 60)
            for sock in socks:
                self.assertEqual(read_to_end(sock), b"")
            record = child.folder / "events"
            wait_for(lambda: len(self._ends(record)) == 3)
        sent = {e["connection"]: e["ns"] for e in recorded(record, "sent")}
        ends = self._ends(record)
        return min(abs((e["ns"] - sent[e["connection"]]) / 1e9 - 2) for e in ends)

    def _ends(self, record: Path) -> list[dict[str, Any]]:
        return [e for e in recorded(record, "closed") if e["service"] == "echo"]

    def _time(self, sock: socket.socket) -> datetime:
        sock.sendall(b"/time\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += sock.recv(99)
        return datetime.fromisoformat(answer.decode().strip())

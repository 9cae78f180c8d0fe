"""The cases S01 to S17 of a stream service, and the figures R2 to R6, over real sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, shared, wait_for
from tests.integration.peers import (
    MIB,
    ROUNDS,
    all_descriptors,
    best_of,
    connect_at_once,
    exchange,
    meanwhile,
    p99,
    pattern,
    read_exactly,
    read_to_end,
    recorded,
    reset,
    round_trips,
    seconds_until_end,
    send_and_fin,
    send_until_blocked,
    side_by_side,
)

#: Coverage is not measured in a child whose speed or size is: it costs half as much again.
NO_COVERAGE = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}


class Case(SynchronousTestCase):
    #: Added to a child's own.
    environment: ClassVar[dict[str, str]] = {}

    def bench(self, *options: str) -> Child:
        """A bench of its own for this test."""
        return self.start("--port", "0", *options)

    def any_bench(self) -> Child:
        """The bench that other tests talk to, too: for who asks, and looks at answers alone."""
        self.child = shared("--port", "0")
        return self.child

    def start(self, *arguments: str) -> Child:
        """A child of its own for this test."""
        self.child: Child = self.enterContext(Child(*arguments, environment=self.environment))
        return self.child

    def connect(self, service: str = "echo") -> socket.socket:
        sock: socket.socket = self.enterContext(self.child.connect(service))
        return sock

    def connect_from(self, source: str, service: str) -> socket.socket:
        address = "127.0.0.1", self.child.port(service)
        sock = socket.create_connection(address, 20, source_address=(source, 0))
        return self.enterContext(sock)

    def folder(self) -> Path:
        """A new folder, empty, and gone at the end."""
        return Path(self.enterContext(tempfile.TemporaryDirectory(prefix="socketlab-test-")))

    def assert_alive(self, service: str = "echo") -> None:
        with self.child.connect(service) as sock:
            self.assertEqual(exchange(sock, b"alive\n"), b"alive\n")

    def assert_descriptors(self, count: int, seconds: float) -> None:
        began = time.monotonic()
        wait_for(
            lambda: self.child.descriptors() <= count,
            lambda: f"{self.child.descriptors()} open, not {count}, after {seconds} s",
            seconds,
        )
        self.assertLessEqual(time.monotonic() - began, seconds)


class WholeTests(Case):
    """What comes back is what was sent."""

    def test_random(self) -> None:
        """S01: 1 MiB of random bytes comes back exact."""
        self.any_bench()
        data = os.urandom(MIB)
        self.assertEqual(exchange(self.connect(), data), data)

    def test_data_and_fin(self) -> None:
        """S02: 10 bytes and FIN at once are answered whole, 40 times of 40, then FIN comes."""
        self.any_bench()
        for number in range(40):
            with self.child.connect() as sock:
                send_and_fin(sock, b"0123456789", one_segment=number % 2 == 0)
                self.assertEqual(read_to_end(sock), b"0123456789")

    def test_late_reader(self) -> None:
        """S03: 8 MiB and FIN come back whole to three readers that begin half a second late."""
        self.any_bench()
        data = os.urandom(8 * MIB)
        late = [partial(exchange, self.connect(), data, 0.5) for _ in range(3)]
        for answer in side_by_side(*late):
            self.assertTrue(answer == data, f"{len(answer)} of {len(data)} bytes came back")

    def test_one_byte_segments(self) -> None:
        """S08: 1,000 segments of one byte come back exact."""
        self.any_bench()
        sock = self.connect()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = os.urandom(1000)
        for byte in data:
            sock.send(bytes((byte,)))
        self.assertEqual(read_exactly(sock, 1000), data)

    def test_half_closes(self) -> None:
        """R3: not a byte is lost in 1,000 half-closes (10,000 in the soak)."""
        self.any_bench()
        self.assertEqual(half_closes(self.child, 1000), 0)


def half_closes(child: Child, count: int) -> int:
    """How many bytes are lost when *count* clients send and end at once, one after the other."""
    lost = 0
    for number in range(count):
        data = b"%010d" % number * (1 + number % 97)
        with child.connect() as sock:
            send_and_fin(sock, data, one_segment=number % 2 == 0)
            answer = read_to_end(sock)
        lost += len(data) if not data.startswith(answer) else len(data) - len(answer)
    return lost


class NeverReadsTests(Case):
    """A peer that sends and does not read."""

    environment = NO_COVERAGE

    def test_blocked(self) -> None:
        """S04, R2: it is blocked below 32 MiB and costs us less than 1 MiB; and is not alone.

        What is between is the kernel's: its buffers on both sides.
        """
        self.bench()
        self.assert_alive()
        before = self.child.rss()
        sock = self.connect()
        sent = send_until_blocked(sock, 64 * MIB)
        self.assertLess(sent, 32 * MIB)
        self.assertLessEqual(self.child.rss() - before, MIB)
        self.assert_alive()

    def test_then_reads(self) -> None:
        """S05: when it reads after all, every byte it could send comes back."""
        self.bench()
        sock = self.connect()
        sent = send_until_blocked(sock, 64 * MIB)
        sock.shutdown(socket.SHUT_WR)
        answer = read_to_end(sock)
        self.assertTrue(answer == pattern(sent), f"{len(answer)} of {sent} bytes came back")

    def test_many(self) -> None:
        """R2: 1,000 of them cost 128 MiB of memory at most, with what the page keeps of them."""
        self.enterContext(all_descriptors())
        self.bench()
        self.assertLessEqual(never_readers(self.child, 1000), 128 * MIB)


def never_readers(child: Child, count: int, patience: float = 0.5) -> int:
    """By how many bytes *count* peers that never read make *child* grow.

    They send until none of them could for *patience* seconds.
    """
    address = "127.0.0.1", child.port()
    before = child.rss()
    with contextlib.ExitStack() as stack:
        socks = [socket.socket() for _ in range(count)]
        for sock in socks:
            stack.callback(reset, sock)
            # Small windows: a thousand of them would fill the kernel's memory for TCP.
            for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, buffer, 2**16)
            sock.connect(address)
            sock.setblocking(False)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if sum(map(_push, socks)):
                until = time.monotonic() + patience
            else:
                time.sleep(0.02)
        return child.rss() - before


def _push(sock: socket.socket) -> int:
    with contextlib.suppress(BlockingIOError):
        return sock.send(bytes(2**16))
    return 0


class ResetTests(Case):
    """Peers that go without a word."""

    def test_mid_stream(self) -> None:
        """S06: after 50 resets in mid-stream it lives, and has the descriptors back in 2 s."""
        self.bench()
        self.assert_alive()
        before = self.child.descriptors()
        socks = [self.child.connect() for _ in range(50)]
        for sock in socks:
            sock.sendall(bytes(2**16))
        for sock in socks:
            reset(sock)
        self.assert_descriptors(before, 2)
        self.assert_alive()

    def test_before_accept(self) -> None:
        """S07: 200 that close at once, 50 reset before accept(): it lives, with no traceback."""
        self.bench()
        for _ in range(200):
            self.child.connect().close()
        self.child.send_signal(signal.SIGSTOP)
        for _ in range(50):
            reset(self.child.connect())
        self.child.send_signal(signal.SIGCONT)
        self.assert_alive()
        self.assertNotIn("Traceback", self.child.log_text)


class CrowdTests(Case):
    """Many at once, and what a quiet one notices of them."""

    environment = NO_COVERAGE

    def test_at_once(self) -> None:
        """S09, R6: 400 connects at once: each is served within 500 ms, and the p99 within 50 ms.

        On a machine that is busy with other things the p99 may take longer; then what the bench
        itself computed for all of them must be within 50 ms: what the last would have waited for
        alone. The best round counts; a backlog that is full shows as 1 s in each.
        """
        self.bench()
        self.assertLessEqual(best_of(ROUNDS, 1.0, self._at_once), 1.0)

    def _at_once(self) -> float:
        """How much of what it may take it took."""
        before = self.child.cpu_clock()
        served = connect_at_once(("127.0.0.1", self.child.port()), 400)
        computed = self.child.cpu_clock() - before
        return max(min(p99(served), computed) / 0.05, max(served) / 0.5)

    def test_idle_beside(self) -> None:
        """S10: beside 200 idle connections a new one is served within 100 ms (best round)."""
        self.bench()
        for _ in range(200):
            self.connect()

        def measure() -> float:
            began = time.perf_counter()
            with self.child.connect() as sock:
                round_trips(sock, 1)
            return time.perf_counter() - began

        self.assertLessEqual(best_of(ROUNDS, 0.1, measure), 0.1)

    def test_greedy_neighbour(self) -> None:
        """S11: beside a greedy client a quiet one has its p99 under 50 ms (best round)."""
        self.bench()
        greedy, quiet = self.connect(), self.connect()

        def gorge() -> None:
            greedy.sendall(bytes(MIB // 4))
            read_exactly(greedy, MIB // 4)

        with meanwhile(gorge):
            took = best_of(ROUNDS, 0.05, lambda: p99(round_trips(quiet, 200)))
        self.assertLessEqual(took, 0.05)

    def test_liveness(self) -> None:
        """R4: beside never-readers, greed and resets a timer is 50 ms late at most, p99 100 ms.

        The timer is the line service's ``/delay``, in the same process; its lateness is what a
        client sees, so more than the server's own. The best of three rounds.
        """
        self.bench()
        for _ in range(3):
            send_until_blocked(self.connect(), 64 * MIB, 0.1)
        greedy, quiet, timed = self.connect(), self.connect(), self.connect("line")

        def attack() -> None:
            greedy.sendall(bytes(MIB // 4))
            doomed = self.child.connect()
            doomed.sendall(bytes(2**16))
            read_exactly(greedy, MIB // 4)
            reset(doomed)

        def lateness() -> float:
            return max(self._delay(timed, 0.05) for _ in range(10)) - 0.05

        with meanwhile(attack):
            late, slow = side_by_side(
                lambda: best_of(ROUNDS, 0.05, lateness),
                lambda: best_of(ROUNDS, 0.1, lambda: p99(round_trips(quiet, 200))),
            )
        self.assertLessEqual(late, 0.05)
        self.assertLessEqual(slow, 0.1)

    def _delay(self, sock: socket.socket, seconds: float) -> float:
        began = time.perf_counter()
        sock.sendall(b"/delay %f now\n" % seconds)
        self.assertEqual(read_exactly(sock, 4), b"now\n")
        return time.perf_counter() - began


class TimeTests(Case):
    """No connection stays for nothing. R5 is their bound: idle and grace."""

    def test_idle(self) -> None:
        """S12: an idle connection is closed when its time is up; a person on line is told so."""
        self.bench("--idle-timeout", "1s")
        echo, line = self.connect(), self.connect("line")
        began = time.monotonic()
        self.assertEqual(
            side_by_side(partial(read_to_end, echo), partial(read_to_end, line)),
            [b"", b"idle for 1 s, closing\r\n"],
        )
        took = time.monotonic() - began
        self.assertGreater(took, 0.9)
        self.assertLess(took, 2)

    def test_never_reads_and_idle(self) -> None:
        """S13: one that sent 4 MiB and reads nothing is gone after idle and grace, as stalled."""
        self.bench("--idle-timeout", "1s", "--record", "events")
        self.assert_alive()
        before = self.child.descriptors()
        sock = self.connect()
        send_until_blocked(sock, 4 * MIB)
        self.assert_descriptors(before, 1 + 5)
        record = self.child.folder / "events"
        wait_for(lambda: len(recorded(record, "closed")) == 2)
        self.assertEqual([e["reason"] for e in recorded(record, "closed")], ["peer-fin", "stalled"])

    def test_a_byte_now_and_then(self) -> None:
        """S14: with a minimum rate a dribbler is closed, told why on line; a fast one is not."""
        self.bench("--min-rate", "100/s", "--record", "events")
        slow, slow_line, fast = self.connect(), self.connect("line"), self.connect()
        began = time.monotonic()
        until = began + 20

        def dribble(sock: socket.socket) -> bytes:
            """What came back until the end; a byte is sent four times a second."""
            sock.settimeout(0.25)
            answer = b""
            while time.monotonic() < until:
                try:
                    sock.send(b"\n")
                    while piece := sock.recv(2**16):
                        answer += piece
                    return answer
                except TimeoutError:
                    continue
            raise AssertionError("never closed")

        ended, told = side_by_side(partial(dribble, slow), partial(dribble, slow_line))
        self.assertLess(time.monotonic() - began, 12)
        self.assertEqual(ended.strip(b"\n"), b"")
        self.assertIn(b"slower than 100 bytes/s", told)
        round_trips(fast, 1)
        record = self.child.folder / "events"
        wait_for(lambda: len(recorded(record, "closed")) == 2)
        self.assertEqual({e["reason"] for e in recorded(record, "closed")}, {"slow"})


class LimitTests(Case):
    """Limits, and what the refused are told."""

    def test_per_peer(self) -> None:
        """S15: of 10 from one peer 5 are served, the others told why; another peer is served."""
        self.bench("--max-per-peer", "5", "--record", "events")
        lines = [self.connect("line") for _ in range(10)]
        for sock in lines:
            sock.sendall(b"hello\n")
        answers = [sock.makefile("rb").readline() for sock in lines]
        self.assertEqual(answers[:5], [b"hello\n"] * 5)
        self.assertEqual(answers[5:], [b"too many connections from 127.0.0.1 (limit 5)\r\n"] * 5)
        self.assertEqual(len(round_trips(self.connect_from("127.0.0.2", "line"), 1)), 1)

    def test_per_peer_on_echo(self) -> None:
        """S15: echo says nothing to the refused, who would take it for an echo; the record does."""
        self.bench("--max-per-peer", "2", "--record", "events")
        served = [self.connect() for _ in range(2)]
        for _ in range(3):
            self.assertEqual(read_to_end(self.connect()), b"")
        self.assertEqual(len(round_trips(self.connect_from("127.0.0.2", "echo"), 1)), 1)
        for sock in served:
            round_trips(sock, 1)
        record = self.child.folder / "events"
        wait_for(lambda: sum(e["count"] for e in recorded(record, "refused")) == 3)
        self.assertEqual({e["reason"] for e in recorded(record, "refused")}, {"max-per-peer"})

    def test_throughput(self) -> None:
        """S16: under 100 kB/s a greedy client has that within 10 % over 2 s and no burst over twice
        it; a quiet neighbour's p99 stays under 50 ms (best of three rounds)."""
        self.bench("--throughput", "100000/s")
        greedy, quiet = self.connect(), self.connect()
        arrivals: list[tuple[float, int]] = []

        def gorge() -> None:
            greedy.setblocking(False)
            began = time.monotonic()
            while (now := time.monotonic()) < began + 2.0:
                with contextlib.suppress(BlockingIOError):
                    greedy.send(bytes(2**16))
                with contextlib.suppress(BlockingIOError):
                    arrivals.append((now - began, len(greedy.recv(2**20))))
                time.sleep(0.005)

        def measure() -> float:
            return p99(round_trips(quiet, 100))

        _, took = side_by_side(gorge, lambda: best_of(ROUNDS, 0.05, measure))
        total = sum(count for _, count in arrivals)
        self.assertLess(abs(total - 200_000), 20_000, f"{total} bytes in 2 s")
        for at, _ in arrivals:
            second = sum(count for when, count in arrivals if at <= when < at + 1)
            self.assertLessEqual(second, 200_000)
        self.assertLessEqual(took, 0.05)


class ReplyAndCloseTests(Case):
    """S17: a last word arrives whole and ends with FIN, though much we never asked for came in."""

    UNREAD = bytes(20_000)

    def last_words(self, data: bytes) -> bytes:
        """What comes until FIN, when *data* is sent in pieces the service has time to see.

        Raises ConnectionResetError if an RST overtakes the reply.
        """
        with self.child.connect("line") as sock:
            for start in range(0, len(data), 4000):
                sock.sendall(data[start : start + 4000])
                round_trips(self.neighbour, 1)
            return read_to_end(sock)

    def serve(self, *options: str) -> None:
        self.bench(*options)
        self.neighbour = self.connect_from("127.0.0.2", "echo")

    def test_line_too_long(self) -> None:
        """S17: 20 kB without an end, then 20 kB more: the reply is whole, no RST, 20 of 20."""
        self.serve()
        for _ in range(20):
            answer = self.last_words(self.UNREAD + self.UNREAD)
            self.assertEqual(answer, b"line too long (limit 16384)\r\n")

    def test_quit(self) -> None:
        """S17: 20 kB after /quit: the reply is whole, and no RST is seen, 20 times of 20."""
        self.serve()
        for _ in range(20):
            self.assertEqual(self.last_words(b"/quit\r\n" + self.UNREAD), b"bye\r\n")

    def test_refused(self) -> None:
        """S17: 20 kB from one who is refused: the reason is whole, no RST is seen, 20 times."""
        self.serve("--deny", "127.0.0.1")
        for _ in range(20):
            self.assertEqual(
                self.last_words(self.UNREAD), b"connections from 127.0.0.1 are not allowed here\r\n"
            )

    def test_still_sending(self) -> None:
        """S17: one that goes on sending reads the reply all the same, and is cut off in the end."""
        self.bench()
        sock = self.connect("line")
        sock.sendall(b"/quit\r\n")
        self.assertEqual(read_to_end(sock), b"bye\r\n")
        began = time.monotonic()
        with self.assertRaises(ConnectionError):
            while time.monotonic() < began + 10:
                sock.sendall(b"more\n")
                time.sleep(0.05)
        self.assertLess(time.monotonic() - began, 5)
        self.assertLess(seconds_until_end(sock), 1)

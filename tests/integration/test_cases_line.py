"""The cases L01 to L10 of the line service, over real sockets."""

from __future__ import annotations

import base64
import json
import re
import socket
import time

from tests.integration.child import wait_for
from tests.integration.peers import (
    exchange,
    read_exactly,
    read_to_end,
    recorded,
    round_trips,
    send_and_fin,
)
from tests.integration.test_cases_stream import Case

#: What no log, recording or terminal of ours may get raw: C0 but LF, DEL, C1, separators, bidi.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffd]")


class LineCase(Case):
    def connect(self, service: str = "line") -> socket.socket:
        return super().connect(service)

    def assert_alive(self, service: str = "line") -> None:
        super().assert_alive(service)


class LineTests(LineCase):
    def test_cut_anywhere(self) -> None:
        """L01: lines cut at any byte have the same answer.

        Between the halves another connection has its answer, so they are two reads.
        """
        self.any_bench()
        lines = b"hello\r\n/upper w\xc3\xb6rld\n\r\r\n"
        whole = exchange(self.connect(), lines)
        self.assertEqual(whole, b"hello\r\nW\xc3\x96RLD\n\r\r\n")
        between = self.connect()
        for cut in range(1, len(lines)):
            with self.child.connect("line") as sock:
                sock.sendall(lines[:cut])
                round_trips(between, 1)
                send_and_fin(sock, lines[cut:])
                self.assertEqual(read_to_end(sock), whole, f"cut at {cut}")

    def test_line_and_fin(self) -> None:
        """L02: a line and FIN at once are answered, 40 times of 40."""
        self.any_bench()
        for number in range(40):
            with self.child.connect("line") as sock:
                send_and_fin(sock, b"hello\r\n", one_segment=number % 2 == 0)
                self.assertEqual(read_to_end(sock), b"hello\r\n")

    def test_line_feed_only(self) -> None:
        """L03: LF alone ends a line, and its answer; the connection stays open."""
        self.any_bench()
        sock = self.connect()
        sock.sendall(b"one\ntwo\n")
        self.assertEqual(read_exactly(sock, 8), b"one\ntwo\n")
        round_trips(sock, 1)

    def test_any_byte(self) -> None:
        """L04: NUL and 8-bit bytes come back unchanged: every byte but LF, which ends the line."""
        self.any_bench()
        line = bytes(byte for byte in range(256) if byte != 0x0A) + b"\n"
        self.assertEqual(exchange(self.connect(), line), line)

    def test_without_end(self) -> None:
        """L05: 1 MB without an end: earlier lines are answered, then it is closed; others live."""
        self.any_bench()
        sock = self.connect()
        answer = exchange(sock, b"first\nsecond\n" + b"x" * 1_000_000)
        self.assertEqual(answer, b"first\nsecond\nline too long (limit 16384)\n")
        self.assert_alive()

    def test_too_long(self) -> None:
        """L06: a line of the limit comes back; one byte more is told why, then comes FIN."""
        self.bench("--max-line", "100")
        sock = self.connect()
        sock.sendall(b"x" * 100 + b"\r\n" + b"x" * 101)
        expected = b"x" * 100 + b"\r\nline too long (limit 100)\r\n"
        self.assertEqual(read_to_end(sock), expected)

    def test_last_line_without_end(self) -> None:
        """L07: a last line that only FIN ends is answered, as it came."""
        self.any_bench()
        for number in range(20):
            with self.child.connect("line") as sock:
                send_and_fin(sock, b"one\r\ntwo", one_segment=number % 2 == 0)
                self.assertEqual(read_to_end(sock), b"one\r\ntwo")

    def test_many_in_one_write(self) -> None:
        """L08: 20,000 lines in one write are all answered."""
        self.any_bench()
        lines = b"".join(b"line %d\r\n" % number for number in range(20_000))
        self.assertTrue(exchange(self.connect(), lines) == lines)

    def test_never_finished(self) -> None:
        """L09: a line that comes one byte at a time and never ends has the idle time-out in all."""
        self.bench("--idle-timeout", "1s", "--record", "events")

        def dribble(sock: socket.socket) -> tuple[float, bytes]:
            """How long it may, and what it was told."""
            began = time.monotonic()
            sock.settimeout(0.1)
            while time.monotonic() < began + 10:
                sock.send(b"x")
                try:
                    return time.monotonic() - began, read_to_end(sock)
                except TimeoutError:
                    continue
            raise AssertionError("never closed")

        patient = self.connect()
        took, told = dribble(self.connect())
        self.assertGreater(took, 0.9)
        self.assertLess(took, 2)
        self.assertEqual(told, b"line not finished for 1 s, closing\r\n")
        self.assertEqual(read_to_end(patient), b"idle for 1 s, closing\r\n")
        record = self.child.folder / "events"
        wait_for(lambda: len(recorded(record, "closed")) == 2)
        self.assertEqual({e["reason"] for e in recorded(record, "closed")}, {"idle"})


class EscapingTests(LineCase):
    """L10: what a peer sends cannot write to our terminal, our log or our recording."""

    #: CR, ESC, BEL, backspace, DEL, C1 (as a byte, and in UTF-8), line separator, bidi; and what
    #: they look like when they are shown.
    EVIL = b"\r\x1b[31m\x07\x08\x7f\x9b2J\xc2\x9b" + "\u2028\u202e\u2066".encode()
    SHOWN = r"\r\x1b[31m\x07\x08\x7f\x9b2J\u009b\u2028\u202e\u2066"

    def attack(self, *options: str) -> None:
        """An unknown command and an over-long line of the worst bytes; then the bench stops."""
        self.bench("--record", "events", *options)
        answer = exchange(self.connect(), b"/" + self.EVIL + b"\n").decode()
        self.assertEqual(answer, f"unknown command /{self.SHOWN}; try /help\n")
        answer = exchange(self.connect(), self.EVIL * 1000)
        self.assertEqual(answer, b"line too long (limit 16384)\r\n")
        self.assertEqual(self.child.stop(), 0)

    def lines_of(self, name: str) -> list[str]:
        """The lines of the file *name*, none of which holds what could write to a terminal."""
        text = (self.child.folder / name).read_bytes().decode(errors="replace")
        self.assertEqual(UNSAFE.findall(text), [])
        return text.splitlines()

    def assert_shown_once(self, texts: list[str]) -> None:
        # What was escaped for the reply is escaped once more: each backslash is two.
        shown = [text for text in texts if self.SHOWN in text.replace(r"\\", "\\")]
        self.assertEqual(len(shown), 1, texts)

    def test_text_log(self) -> None:
        """L10: twistd's log shows it escaped, each event on one line."""
        self.attack()
        lines = self.lines_of("twistd.log")
        for line in lines:
            self.assertRegex(line, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d")
        self.assert_shown_once(lines)

    def test_own_log(self) -> None:
        """L10: so does a log of our own."""
        self.attack("--log", "own.log")
        self.assert_shown_once(self.lines_of("own.log"))

    def test_json_log(self) -> None:
        """L10: so does the JSON log: each line one object, in ASCII, whose text is escaped, too."""
        self.attack("--log", "own.log", "--log-format", "json")
        said = [json.loads(line) for line in self.lines_of("own.log")]
        self.assert_shown_once([event.get("text", "") for event in said])

    def test_recording(self) -> None:
        """L10: the recording is ASCII, a line an event, and keeps every byte as base64."""
        self.attack()
        said = [json.loads(line) for line in self.lines_of("events")]
        data = [base64.b64decode(e["data"]) for e in said if e.get("event") == "received"]
        self.assertIn(b"/" + self.EVIL + b"\n", data)

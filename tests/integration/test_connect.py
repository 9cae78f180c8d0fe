"""socketlab connect to our own bench, and to nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import shared
from tests.integration.connecting import (
    BOUND,
    INTERRUPTED,
    MUCH,
    PATIENCE,
    connect,
    connecting,
    feed,
    free_port,
    in_thread,
    program,
    rss,
    scratch,
)


class BenchTests(SynchronousTestCase):
    """Our own bench."""

    def setUp(self) -> None:
        self.bench = shared("--port", "0", "--listen", "unix:socket", "--no-page")

    def test_bytes_alone(self) -> None:
        """`printf hi | socketlab connect PORT` gives the echo's bytes on stdout, nothing else."""
        done = connect(self.bench.port(), typed=b"hi")
        self.assertEqual((done.status, done.out), (0, b"hi"))

    def test_events(self) -> None:
        """What happened stands on stderr, in order, each with its time."""
        port = self.bench.port()
        done = connect(port, typed=b"hi")
        said = [re.sub(r"^\[ *[\d.]+ (µs|ms|s)\] ", "", line) for line in done.err.splitlines()]
        self.assertEqual(said[0], f"connect() to 127.0.0.1:{port}")
        self.assertRegex(said[1], rf"^connected to 127\.0\.0\.1:{port} from \S+ \(tcp\) in ")
        self.assertEqual(said[2:4], ["sent 2 bytes", "sent FIN: shutdown(SHUT_WR)"])
        self.assertEqual(said[4], "recv() returned 2 bytes")
        self.assertRegex(said[5], "^closed, we ended it first .*2 bytes sent, 2 bytes received in ")

    def test_quiet(self) -> None:
        """--quiet shows no events."""
        done = connect(self.bench.port(), "--quiet", typed=b"hi")
        self.assertEqual((done.status, done.out, done.err), (0, b"hi", ""))

    def test_endpoints(self) -> None:
        """A name, IPv6 in brackets and a UNIX socket are endpoints, too."""
        port = self.bench.port()
        path = self.bench.folder / "socket"
        for endpoint in (
            f"localhost:{port}",
            f"tcp:127.0.0.1:{port}",
            f"[::1]:{port}",
            f"unix:{path}",
        ):
            done = connect(endpoint, "--quiet", typed=b"hi")
            self.assertEqual((done.status, done.out, done.err), (0, b"hi", ""), endpoint)

    def test_five_mib(self) -> None:
        """5 MiB through a pipe come back exactly, over TCP and over a UNIX socket."""
        for endpoint in (self.bench.port(), f"unix:{self.bench.folder / 'socket'}"):
            done = connect(endpoint, "--quiet", typed=MUCH)
            self.assertTrue(done.out == MUCH, len(done.out))
            self.assertEqual((done.status, done.err), (0, ""))

    def test_files(self) -> None:
        """Plain files, which epoll refuses, are as good as pipes, for stdin and stdout."""
        with scratch() as folder:
            given, taken = Path(folder, "in"), Path(folder, "out")
            given.write_bytes(MUCH)
            with given.open("rb") as stdin, taken.open("wb") as stdout:
                done = connect(self.bench.port(), typed=None, stdin=stdin, stdout=stdout)
            self.assertEqual(done.status, 0, done.err)
            self.assertTrue(taken.read_bytes() == MUCH)

    def test_no_input(self) -> None:
        """/dev/null, and no stdin at all, are an input that is at its end."""
        done = connect(self.bench.port(), typed=None, stdin=subprocess.DEVNULL)
        self.assertEqual((done.status, done.out), (0, b""))
        done = connect(self.bench.port(), typed=None, preexec_fn=lambda: os.close(0))
        self.assertEqual((done.status, done.out), (0, b""))

    def test_head(self) -> None:
        """`| head` gets what it asked for, and the end of the pipe is no error."""
        with connecting(self.bench.port(), "--quiet") as client:
            feeder = in_thread(lambda: feed(client.stdin, MUCH))
            first = client.stdout.read(5)
            client.stdout.close()
            self.assertEqual((first, client.wait(PATIENCE)), (MUCH[:5], 0))
            feeder.join(PATIENCE)

    def test_full_disk(self) -> None:
        """A stdout that takes no more is an error, and is named."""
        with open("/dev/full", "wb") as full:
            done = connect(self.bench.port(), typed=b"hi", stdout=full)
        self.assertEqual(done.status, 1)
        self.assertIn("stdout takes no more: what came after is lost", done.sentence)

    def test_hex(self) -> None:
        """--hex reads hex and shows hex; what is none is named, and is an error in a pipe."""
        done = connect(self.bench.port(), "--hex", typed=b"68 69 0a\n")
        self.assertEqual((done.status, done.out), (0, b"0000  68 69 0a" + b" " * 41 + b"hi.\n"))
        done = connect(self.bench.port(), "--hex", typed=b"zz\n")
        self.assertEqual((done.status, done.out), (1, b""))
        self.assertIn("'zz' is not hex, and was not sent", done.err)

    def test_crlf(self) -> None:
        """--crlf ends each line with CR LF."""
        done = connect(self.bench.port(), "--crlf", "--quiet", typed=b"a\nb\r\nc")
        self.assertEqual(done.out, b"a\r\nb\r\nc")

    def test_reset(self) -> None:
        """RST after our FIN is seen, named with the endpoint, and no success."""
        port = self.bench.port("line")
        done = connect(port, typed=b"/reset\n")
        self.assertEqual(done.status, 1)
        said = "the peer sent RST after the FIN: what was on its way is lost"
        self.assertEqual(done.sentence, f"socketlab connect: tcp 127.0.0.1:{port}: {said}")

    def test_source(self) -> None:
        """--source is where the peer sees us come from, with a port or without."""
        line = self.bench.port("line")
        done = connect(line, "--source", "127.0.0.77", "--quiet", typed=b"/who\n")
        self.assertIn(b"you are 127.0.0.77:", done.out)
        port = free_port()
        done = connect(line, "--source", f"127.0.0.1:{port}", "--quiet", typed=b"/who\n")
        self.assertIn(f"you are 127.0.0.1:{port},".encode(), done.out)

    def test_source_family(self) -> None:
        """An address of the other family than --source is not tried; one we have not is named."""
        port = self.bench.port("line")
        done = connect(port, "--source", "::1", typed=b"/who\n")
        self.assertNotIn("127.0.0.1", done.err)
        self.assertIn(b"you are [::1]:", done.out)
        done = connect(f"127.0.0.1:{port}", "--source", "::1")
        self.assertIn("no address of the family of --source ::1", done.sentence)
        done = connect(port, "--source", "192.0.2.1")
        self.assertEqual(done.status, 1)
        self.assertIn("Cannot assign requested address", done.sentence)

    def test_recording(self) -> None:
        """--json and --record write every event as JSON lines, --pcapng as packets."""
        with scratch() as folder:
            lines, packets = Path(folder, "lines"), Path(folder, "packets")
            for option in ("--json", "--record"):
                connect(
                    self.bench.port(), "--quiet", option, lines, "--pcapng", packets, typed=b"hi"
                )
                header, *events = map(json.loads, lines.read_text().splitlines())
                self.assertEqual(header["socketlab"], 1)
                names = [event["event"] for event in events if event["event"] != "note"]
                self.assertEqual(names[:3], ["connected", "sent", "local-shutdown"])
                self.assertEqual(names[-2:], ["received", "closed"])
                (connected,) = [event for event in events if event["event"] == "connected"]
                self.assertGreater(connected["duration"], 0)
                lines.unlink()
            reader = [program("tshark"), "-r", str(packets), "-q", "-z", "follow,tcp,raw,0"]
            said = subprocess.run(reader, capture_output=True, check=True).stdout
            self.assertEqual(said.count(b"6869"), 2)  # there and back
            done = connect(self.bench.port(), "--record", "/nowhere/x")
            self.assertEqual(done.status, 1)
            self.assertIn("/nowhere/x", done.sentence)

    def test_slow_stdout(self) -> None:
        """A peer that floods a pipe nobody reads is paused: memory stays bounded."""
        with connecting(self.bench.port(), "--quiet") as client:
            in_thread(lambda: feed(client.stdin, MUCH))
            client.stdout.read(1)
            before, most = rss(client.pid), 0
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                most = max(most, rss(client.pid) - before)
                time.sleep(0.05)
            self.assertLess(most, BOUND)
            self.assertTrue(client.stdout.read(len(MUCH) - 1) == MUCH[1:])

    def test_datagrams(self) -> None:
        """Each line is one datagram, of any size; the wait for answers is said."""
        large = b"x" * 60_000
        done = connect(f"udp:127.0.0.1:{self.bench.port('echo', 'udp')}", typed=b"one\n" + large)
        self.assertEqual((done.status, done.out), (0, b"one" + large), done.err)
        self.assertIn("recvfrom() returned one datagram of 60,000 bytes", done.err)
        self.assertIn("end of input: waiting 1 s for answers", done.err)

    def test_datagrams_hex(self) -> None:
        """--hex is for datagrams, too; one that is too large is named, and not sent."""
        endpoint = f"udp:[::1]:{self.bench.port('echo', 'udp', '::1')}"
        done = connect(endpoint, "--hex", typed=b"68 69\n")
        self.assertEqual((done.status, done.out[:11]), (0, b"0000  68 69"))
        done = connect(endpoint, typed=b"x" * 70_000)
        self.assertEqual((done.status, done.out), (1, b""))
        self.assertIn("a line of more than 65,507 bytes was not sent", done.err)

    def test_nobody_listens(self) -> None:
        """A UDP port where nobody listens is named as soon as ICMP says so."""
        done = connect(f"udp:127.0.0.1:{free_port()}", typed=b"one\n")
        self.assertEqual(done.status, 1)
        self.assertIn("nobody listens there (ICMP port unreachable)", done.sentence)

    def test_interrupted(self) -> None:
        """SIGINT and SIGTERM end it in order, with the shell's statuses."""
        for number, status in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 143)):
            with connecting(self.bench.port()) as client:
                said = b""
                while b"connected" not in said:
                    said = client.stderr.readline()
                client.send_signal(number)
                rest = client.stderr.read()
                self.assertEqual(client.wait(PATIENCE), status)
                self.assertIn(b"closed, we ended it first (FIN)", rest)


class UnreachableTests(SynchronousTestCase):
    def test_refused(self) -> None:
        """A port nobody listens on: both addresses are tried, and the sentence names each."""
        port = free_port()
        done = connect(port)
        self.assertEqual((done.status, done.out), (1, b""))
        for where in (f"127.0.0.1:{port}", f"[::1]:{port}"):
            self.assertIn(f"{where}: Connection refused", done.sentence)

    def test_unresolvable(self) -> None:
        """A name that leads nowhere is named."""
        done = connect("nosuch.invalid:7")
        self.assertEqual(done.status, 1)
        self.assertIn("cannot look up 'nosuch.invalid': ", done.sentence)

    def test_no_socket(self) -> None:
        """So is a UNIX socket that is not there."""
        done = connect("unix:/nowhere")
        self.assertEqual(done.status, 1)
        self.assertIn("unix:/nowhere: No such file or directory", done.sentence)

    def test_usage(self) -> None:
        """A wrong command line is one sentence, and 2."""
        for words in ((), ("host",), ("7", "--hxe"), ("7", "--sni", "x")):
            done = connect(*words)
            self.assertEqual((done.status, done.out, done.err.count("\n")), (2, b"", 1))
        self.assertEqual(connect("--help").status, 0)

    def test_cafile(self) -> None:
        """A --cafile that is none is named before anything is sent."""
        done = connect("tls:127.0.0.1:7", "--cafile", "/nowhere")
        self.assertEqual((done.status, done.err.count("\n")), (1, 1))
        self.assertIn("cannot read '/nowhere'", done.sentence)

"""Many services from one file: started as a person starts them, and read again by SIGHUP."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.integration.child import Child, read_all, wait_for
from tests.integration.test_starting import ROADS, StartingCase, ask, exchange

EXAMPLE = Path(__file__).parents[2] / "examples" / "services.toml"

ECHO = '[[service]]\nkind = "echo"\nname = "my-echo"\nport = 0\n'
LINE = '[[service]]\nkind = "line"\nport = 0\n'

#: A context for certificates made on the spot.
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE


class ConfigCase(StartingCase):
    def write(self, text: str) -> str:
        """The file, with its absolute name."""
        path = self.folder / "services.toml"
        path.write_text(text)
        return str(path)

    def hang_up(self, child: Child, text: str, sentences: int = 1) -> list[str]:
        """The sentences, so many, that are said when the file becomes *text* and a SIGHUP comes."""
        self.write(text)
        before = len(child.log_text)

        def said() -> list[str]:
            return re.findall(r"\[socketlab#info\] (.*reload.*)\n", child.log_text[before:])

        child.send_signal(signal.SIGHUP)
        wait_for(lambda: len(said()) >= sentences, lambda: child.log_text)
        return said()


class StartTests(ConfigCase):
    def test_example(self) -> None:
        """By each road the example serves what it says (on free ports, for this once)."""
        text = re.sub(r"\b9\d\d\d\b(?=[\"\n])", "0", EXAMPLE.read_text())
        file = self.write(text)
        children = [self.child("--config", file, road=road) for road in ROADS.values()]
        for child in children:
            child.wait_until_serving()
            echo = child.port("echo")
            self.assertEqual(exchange(("127.0.0.1", echo), b"hello"), b"hello")
            self.assertEqual(ask("127.0.0.1", child.port("echo", "udp"), b"hello"), b"hello")
            line = ("127.0.0.1", child.port("line"))
            self.assertEqual(exchange(line, b"/upper a\n"), b"A\n")
            self.assertIn(b"limit 4096", exchange(line, b"x" * 5000 + b"\n"))
            plain = ("127.0.0.1", child.port("echo-tls"))
            self.assertEqual(exchange(plain, b"plain"), b"plain")
            self.assertEqual(self.over_tls(child.port("echo-tls", "tls")), b"secret")
            slow = ("127.0.0.1", child.port("slow-discard"))
            self.assertEqual(exchange(slow, b"hello"), b"")
            asked = ask("127.0.0.1", child.port("datagrams", "udp"), b"hello")
            self.assertEqual(asked, b"hello")
            self.assertEqual(child.stop(), 0)
            self.assertEqual(self.left_behind(child), [])

    def over_tls(self, port: int) -> bytes:
        """What comes back for ``secret``."""
        plain = socket.create_connection(("127.0.0.1", port), 10)
        with UNVERIFIED.wrap_socket(plain) as sock:
            sock.sendall(b"secret")
            return sock.recv(100)

    def test_relative(self) -> None:
        """The paths in a file are its neighbours; those of the command line are ours."""
        (self.folder / "sub").mkdir()
        file = self.folder / "sub" / "services.toml"
        file.write_text(
            'record = "not-this.jsonl"\nlog = "events.log"\n'
            + LINE.replace("port = 0", 'listen = "unix:s"')
        )
        child = self.serving("--config", str(file), "--record", "this.jsonl")
        self.assertEqual(exchange(str(self.folder / "sub" / "s"), b"hello\n"), b"hello\n")
        self.assertEqual(child.stop(), 0)
        self.assertEqual(set(os.listdir(file.parent)), {"services.toml", "events.log"})
        self.assertTrue((child.folder / "this.jsonl").exists())
        self.assertIn(" line closed ", (file.parent / "events.log").read_text())

    def test_names(self) -> None:
        """In events and in the log a service has the name the file gives it."""
        child = self.serving("--config", self.write(ECHO), "--record", "r.jsonl")
        exchange(("127.0.0.1", child.port("my-echo")), b"hello")
        self.assertEqual(child.stop(), 0)
        self.assertNotIn('"service": "echo"', (child.folder / "r.jsonl").read_text())
        self.assertIn("my-echo closed", child.log_text)

    def test_cannot(self) -> None:
        """By each road a file that is wrong is one sentence, the last line; the status is 1, and
        nothing is left."""
        taken = self.taken()
        # All roads for the first; for the others, which cannot differ by it, one each.
        roads = itertools.chain([ROADS.values()], itertools.cycle([r] for r in ROADS.values()))
        for text, sentence in {
            LINE + 'idle_timeout = "5 parsecs"': "line 4, [[service]] 1 (line): idle_timeout = ",
            LINE + "idle_timout = 5": "did you mean idle_timeout?",
            "= 1": "is not TOML: Invalid statement (at line 1, column 1)",
            "": "has no service in it",
            'record = "r"\n' + ECHO + LINE + ECHO: "is called 'my-echo' already",
            LINE + f'[[service]]\nkind = "echo"\nlisten = ["unix:s", "tcp:127.0.0.1:{taken}"]': (
                f"cannot listen on tcp 127.0.0.1:{taken}: Address already in use"
            ),
        }.items():
            for road in next(roads):
                child = self.child("--config", self.write(text), road=road)
                self.assertEqual(child.wait(), 1)
                self.assertIn(sentence, child.output.splitlines()[-1])
                self.assertNotIn("Traceback", child.output)
                self.assertEqual(self.left_behind(child), [])
            self.assertEqual(os.listdir(self.folder), ["services.toml"])

    def test_cannot_read(self) -> None:
        """A file that is not there, and one beside a service's name, are one sentence each."""
        for road, words in ROADS.items():
            unread = self.child("--config", "none.toml", road=words)
            beside = self.child("--config", "none.toml", "echo", road=words)
            self.assertEqual(unread.wait(), 1)
            said = unread.output.splitlines()[-1]
            self.assertTrue(said.endswith("cannot read none.toml: No such file or directory"), said)
            self.assertEqual(beside.wait(), 1 if "twistd " in road else 2)
            self.assertIn("'echo' beside it is one too many", beside.output.splitlines()[-1])


class HangUpTests(ConfigCase):
    def test_change(self) -> None:
        """SIGHUP applies what changed, says it, and drops no session."""
        child = self.serving("--config", self.write('idle_timeout = "60s"\n' + ECHO + LINE))
        with child.connect("line") as sock:
            sock.sendall(b"one\n")
            self.assertEqual(sock.recv(100), b"one\n")
            said = self.hang_up(child, 'idle_timeout = "30s"\n' + ECHO + LINE + "max_line = 3\n", 3)
            file = self.folder / "services.toml"
            self.assertEqual(
                said,
                [
                    f"reloaded {file}: my-echo: idle_timeout 60 s -> 30 s",
                    f"reloaded {file}: line: idle_timeout 60 s -> 30 s",
                    f"reloaded {file}: line: max_line 16384 bytes -> 3 bytes",
                ],
            )
            sock.sendall(b"two and more\n")
            self.assertEqual(sock.recv(100), b"two and more\n")
            said = exchange(("127.0.0.1", child.port("line")), b"three\n")
            self.assertIn(b"limit 3", said)
        self.assertEqual(child.stop(), 0)

    def test_wrong(self) -> None:
        """A file that is wrong then is one sentence, and it serves on as it was."""
        child = self.serving("--config", self.write(ECHO + "max_connections = 1\n"))
        with child.connect("my-echo") as sock:
            (said,) = self.hang_up(child, ECHO + 'max_connections = "many"\n')
            self.assertIn("line 5, [[service]] 1 (my-echo): max_connections = ", said)
            self.assertIn("everything stays as it was", said)
            self.assertEqual(exchange(("127.0.0.1", child.port("my-echo")), b""), b"")
            sock.sendall(b"alive")
            self.assertEqual(sock.recv(100), b"alive")
        self.assertNotIn("Traceback", child.log_text)

    def test_idle(self) -> None:
        """Who is idle already is held to a shorter time-out from now on."""
        child = self.serving("--config", self.write(LINE), "--record", "r.jsonl")
        with child.connect("line") as sock:
            sock.sendall(b"one\n")
            self.assertEqual(sock.recv(100), b"one\n")
            self.hang_up(child, LINE + 'idle_timeout = "300ms"\n')
            self.assertEqual(read_all(sock), b"idle for 0.3 s, closing\r\n")

    def test_datagrams(self) -> None:
        """The rate of datagrams changes while the port is open."""
        child = self.serving("--config", self.write(ECHO))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", child.port("my-echo", "udp")))
            self.assertEqual(self.answers(sock, b"a"), 20)
            self.hang_up(child, ECHO + 'datagram_rate = "1/s"\n')
            self.assertIn(self.answers(sock, b"b"), (1, 2, 3))
            self.hang_up(child, ECHO + 'deny = "127.0.0.1"\n')
            self.assertEqual(self.answers(sock, b"c"), 0)
            self.hang_up(child, ECHO)
            self.assertEqual(self.answers(sock, b"d"), 20)

    def answers(self, sock: socket.socket, mark: bytes) -> int:
        """How many of twenty datagrams are answered."""
        for _ in range(20):
            sock.send(mark)
        sock.settimeout(1)
        count = 0
        with contextlib.suppress(TimeoutError):
            while count < 20:
                count += sock.recv(100) == mark
        return count


class LoadTests(ConfigCase):
    #: Sessions at once, half of them over TLS, each with turns of so many bytes until all files
    #: were read so many times.
    SESSIONS = 12
    TURN = 65_536
    ROUNDS = 4

    ECHO = ECHO + 'listen = "tls:127.0.0.1:0"\n'

    def files(self) -> Iterator[str]:
        """Files that tighten and loosen every limit there is, wide enough for the sessions."""
        yield from (
            self.ECHO + "max_connections = 12\nmax_per_peer = 12\nidle_timeout = 20\n",
            self.ECHO + 'accept_rate = "100/s"\nlifetime = "1h"\nmin_rate = "1B/s"\n',
            self.ECHO + 'throughput = "50MB/s"\nmax_bytes = "1GB"\nhandshake_timeout = 9\n',
            "wrong",
            self.ECHO + 'throughput = "20MB/s"\nmax_per_peer = 100\n',
            'drain = 1\nallow = ["127.0.0.0/8"]\n' + self.ECHO,
            self.ECHO,
        )

    def test_load(self) -> None:
        """However often it is read again, under load every session lives and every byte comes
        back; afterwards exactly as many may enter as may."""
        child = self.serving("--config", self.write(self.ECHO))
        self.failures: list[BaseException] = []
        self.enough = threading.Event()
        socks = [self.connect(child, number % 2 == 0) for number in range(self.SESSIONS)]
        threads = [threading.Thread(target=self.talk, args=(sock,)) for sock in socks]
        for thread in threads:
            thread.start()
        try:
            for text in [*self.files()] * self.ROUNDS:
                self.hang_up(child, text)
        finally:
            self.enough.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.failures, [])
        self.check_counts(child, socks)
        self.assertNotIn("was removed", child.log_text)
        self.assertNotIn("Traceback", child.log_text)

    def connect(self, child: Child, secure: bool) -> socket.socket:
        """A session, which is closed at the end of the test whatever happens."""
        number = child.port("my-echo", "tls" if secure else "tcp")
        sock = socket.create_connection(("127.0.0.1", number), 20)
        sock = UNVERIFIED.wrap_socket(sock) if secure else sock
        self.addCleanup(sock.close)
        return sock

    def talk(self, sock: socket.socket) -> None:
        data = random.Random(sock.fileno()).randbytes(self.TURN)
        try:
            for turn in itertools.count():
                if self.enough.is_set() and turn:
                    return
                sock.sendall(data)
                back = b""
                while len(back) < self.TURN and (piece := sock.recv(2**16)):
                    back += piece
                assert back == data, f"{len(back)} of {self.TURN} in turn {turn}"
        except BaseException as error:
            self.failures.append(error)

    def check_counts(self, child: Child, socks: list[socket.socket]) -> None:
        """With a limit of one more than are open, one enters, and a second does not."""
        limits = f"max_connections = {self.SESSIONS + 1}\nmax_per_peer = {self.SESSIONS + 1}\n"
        self.hang_up(child, self.ECHO + limits)
        wait_for(lambda: f"max_per_peer default -> {self.SESSIONS + 1}" in child.log_text)
        for _ in range(2):
            with self.entered(child) as one_more:
                self.assertTrue(self.answers(one_more))
                with child.connect("my-echo") as another:
                    self.assertFalse(self.answers(another))
        for sock in socks:
            self.assertTrue(self.answers(sock))
            sock.close()

    def entered(self, child: Child) -> socket.socket:
        """A connection that was let in, as soon as whoever left before is gone."""
        while not self.answers(sock := child.connect("my-echo")):
            sock.close()
        return sock

    def answers(self, sock: socket.socket) -> bool:
        """Whether it is echoed to; False if it was closed."""
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"echo")
            return sock.recv(10) == b"echo"
        return False

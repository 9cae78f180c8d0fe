"""Every example runs, with real clients."""

from __future__ import annotations

import os
import re
import socket
from functools import partial
from pathlib import Path

from tests.folder import FolderTestCase
from tests.integration.child import TWISTD, Child, read_all, wait_for
from tests.integration.peers import (
    MIB,
    pattern,
    read_to_end,
    recorded,
    reset,
    send_and_fin,
    send_until_blocked,
    side_by_side,
)

ROOT = Path(__file__).parents[2]


class ExampleCase(FolderTestCase):
    def run_example(self, what: str, *options: str, **environment: str) -> Child:
        """``run examples.WHAT``, serving."""
        words = ("run", f"examples.{what}", "--port", "0", "--record", "run.jsonl", *options)
        child = Child(*words, environment={"PYTHONPATH": str(ROOT), **environment})
        self.addCleanup(child.__exit__)
        child.wait_until_serving()
        return child

    def client(self, port: int) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(sock.close)
        return sock


class ShoutTests(ExampleCase):
    def test_shout(self) -> None:
        """shout.py answers in capitals, also after a FIN."""
        client = self.client(self.run_example("shout:Shout").port("Shout"))
        client.sendall(b"hello\nworld\n")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(client), b"HELLO\nWORLD\n")

    def test_in_python(self) -> None:
        """shout_service.py is the same under twistd -y, with its limits and its drain."""
        child = Child(
            "-y",
            str(ROOT / "examples" / "shout_service.py"),
            started_by=(*TWISTD, "--logfile=-"),
            environment={"PYTHONPATH": str(ROOT), "PORT": "0"},
        )
        self.addCleanup(child.__exit__)
        listening = re.compile(r"Shout listening local=127\.0\.0\.1:(\d+)")
        wait_for(lambda: listening.search(child.output), lambda: child.output)
        client = self.client(int(listening.findall(child.output)[0]))
        client.sendall(b"hello\n")
        self.assertEqual(client.recv(100), b"HELLO\n")
        child.stop()
        self.assertEqual(client.recv(100), b"")
        self.assertIn("reason=drain", child.output)


class ChatTests(ExampleCase):
    def join(self, port: int, name: str) -> socket.socket:
        client = self.client(port)
        client.sendall(f"{name}\n".encode())
        self.hears(client, f"* {name} came")
        return client

    def hears(self, client: socket.socket, said: str) -> None:
        """*client* is told *said*, whatever else."""
        heard = b""
        while said.encode() not in heard:
            piece = client.recv(4096)
            self.assertTrue(piece, heard)
            heard += piece

    def test_talk(self) -> None:
        """In chat.py everybody hears everybody, who came and who left, and nobody can write to a
        terminal."""
        port = self.run_example("chat:Room").port("Room")
        anna, bert = self.join(port, "anna"), self.join(port, "bert")
        self.hears(anna, "* bert came; here are anna, bert")
        bert.sendall(b"\x1b[31mhello\r\n")
        for one in (anna, bert):
            self.hears(one, "bert: [31mhello\n")
        reset(bert)
        self.hears(anna, "* bert left")

    def test_bounds(self) -> None:
        """A name once only; a full room; a line too long ends who sent it."""
        port = self.run_example("chat:Room").port("Room")
        anna = self.join(port, "anna")
        other = self.client(port)
        other.sendall(b"anna\n")
        self.hears(other, "* another name, please")
        for number in range(49):
            self.join(port, f"guest{number}")
        other.sendall(b"bert\n")
        self.hears(other, "* the room is full")
        anna.sendall(b"x" * 2000)
        self.hears(anna, "* that line is too long")
        read_to_end(anna)

    def test_deaf(self) -> None:
        """Who does not read costs a bounded memory, hinders nobody, and is told what it missed."""
        port = self.run_example("chat:Room").port("Room")
        anna, deaf = self.join(port, "anna"), self.join(port, "deaf")
        line = b"x" * 900 + b"\n"
        for _ in range(16000):  # 14 MB, and the kernel holds less than 10
            anna.sendall(line)
            self.hears(anna, "\n")
        self.hears(deaf, "* you missed ")


class MissingTests(ExampleCase):
    def test_missing(self) -> None:
        """missing.py tells each sender which of its datagrams are missing, late ones not."""
        port = self.run_example("missing:Missing").port("Missing", "udp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", port))
            said = []
            for number in (1, 2, 5, 3, 5, 10**6):
                client.send(b"%d" % number + b" " * 40)
                said.append(client.recv(100))
        self.assertEqual(
            said,
            [
                b"1 missing 0",
                b"2 missing 0",
                b"5 missing 2",
                b"3 missing 1",
                b"5 missing 1",
                b"1000000 missing 0",
            ],
        )


class ProxyTests(ExampleCase):
    def setUp(self) -> None:
        super().setUp()
        self.upstream = Child("echo", "--port", "0", "--record", "run.jsonl")
        self.addCleanup(self.upstream.__exit__)
        self.upstream.wait_until_serving()
        endpoint = f"tcp:127.0.0.1:{self.upstream.port()}"
        self.proxy = self.run_example("proxy:Proxy", UPSTREAM=endpoint)
        self.port = self.proxy.port("Proxy")

    def test_half_close(self) -> None:
        """Through proxy.py a FIN keeps what is still to come, 5 bytes or 8 MiB, every time."""
        for data in [b"hello"] * 20 + [os.urandom(8 * MIB)]:
            client = self.client(self.port)
            _, answer = side_by_side(
                partial(send_and_fin, client, data), partial(read_to_end, client)
            )
            self.assertTrue(answer == data, f"{len(answer)} of {len(data)}")
            client.close()

    def test_back_pressure(self) -> None:
        """A client that does not read stops the client from sending, not the proxy's memory; then
        it gets all."""
        client = self.client(self.port)
        before = self.proxy.rss()
        sent = send_until_blocked(client, 64 * MIB)
        self.assertLess(sent, 32 * MIB)
        self.assertLess(self.proxy.rss() - before, 4 * MIB)
        client.shutdown(socket.SHUT_WR)
        self.assertTrue(read_all(client) == pattern(sent))

    def test_reset(self) -> None:
        """A reset reaches the other side as a reset."""
        client = self.client(self.port)
        client.sendall(b"hello")
        self.assertEqual(client.recv(5), b"hello")
        reset(client)
        recording = self.upstream.folder / "run.jsonl"
        wait_for(lambda: recorded(recording, "closed"))
        self.assertEqual([end["reason"] for end in recorded(recording, "closed")], ["reset"])

    def test_nobody(self) -> None:
        """With nobody upstream a client is reset, not left waiting."""
        self.upstream.stop()
        with self.assertRaises(ConnectionResetError):  # at once, so perhaps of the connect already
            self.client(self.port).recv(1)

    def test_no_upstream(self) -> None:
        """Without UPSTREAM it says what to set."""
        with self.assertRaisesRegex(AssertionError, "set UPSTREAM to an endpoint"):
            self.run_example("proxy:Proxy", UPSTREAM="")

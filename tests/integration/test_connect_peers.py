"""socketlab connect to peers in the test's own hands, in pipes and at a terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.connecting import (
    BOUND,
    INTERRUPTED,
    MUCH,
    PATIENCE,
    AtTerminal,
    Peer,
    connect,
    connecting,
    feed,
    in_thread,
    rss,
)
from tests.integration.peers import MIB, read_to_end, reset, send_until_blocked


class PeerTests(SynchronousTestCase):
    """Peers in the test's own hands."""

    def test_late_answer(self) -> None:
        """After our FIN we read on for as long as the peer has something to say."""
        with Peer() as peer, connecting(peer.port, "--quiet") as client:
            client.stdin.write(b"question")
            client.stdin.close()
            sock = peer.accept()
            self.assertEqual(read_to_end(sock), b"question")
            sock.sendall(b"answer")
            self.assertEqual(client.stdout.read(6), b"answer")
            self.assertIsNone(client.poll())
            sock.close()
            self.assertEqual(client.wait(PATIENCE), 0)

    def test_reset(self) -> None:
        """RST while both directions live is named, with the endpoint."""
        with Peer() as peer, connecting(peer.port) as client:
            sock = peer.accept()
            sock.sendall(b"x")
            self.assertEqual(client.stdout.read(1), b"x")
            reset(sock)
            said = client.stderr.read().decode()
            self.assertEqual(client.wait(PATIENCE), 1)
        self.assertIn("closed, the peer reset it (RST)", said)
        last = f"tcp 127.0.0.1:{peer.port}: the peer reset it (RST): what was on its way is lost"
        self.assertTrue(said.endswith(f"socketlab connect: {last}\n"), said)

    def test_slow_peer(self) -> None:
        """A peer that does not read pauses stdin: memory stays bounded, nothing is lost."""
        with Peer() as peer, connecting(peer.port) as client:
            sock = peer.accept()
            block = os.urandom(2**16)
            before = rss(client.pid)
            os.set_blocking(client.stdin.fileno(), False)
            written, quiet = 0, 0
            while quiet < 50 and written < 64 * MIB:
                try:
                    written += os.write(client.stdin.fileno(), block)
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    time.sleep(0.02)
            self.assertLess(written, 32 * MIB)
            self.assertLess(rss(client.pid) - before, BOUND)
            said = b""
            while b"send() would block: the peer does not read" not in said:
                said = client.stderr.readline()
            in_thread(client.stderr.read)
            client.stdin.close()
            self.assertEqual(len(read_to_end(sock)), written)
            sock.close()
            self.assertEqual(client.wait(PATIENCE), 0)

    def test_interrupted_stuck(self) -> None:
        """With both sides stuck one signal ends it after a grace, a second one at once."""
        both = (signal.SIGINT, signal.SIGTERM)
        for signals, least, most in ((both[:1], 4, 30), (both, 0, 4)):
            with Peer() as peer, connecting(peer.port, "--quiet") as client:
                sock = peer.accept()
                in_thread(lambda: feed(client.stdin, MUCH * 4))
                send_until_blocked(sock, 64 * MIB)
                began = time.monotonic()
                for number in signals:
                    client.send_signal(number)
                self.assertEqual(client.wait(PATIENCE), INTERRUPTED)
                self.assertTrue(least < time.monotonic() - began < most)

    def test_fin_first(self) -> None:
        """A peer that sends its FIN at once still gets all of a file."""
        with Peer() as peer:
            got: list[bytes] = []

            def serve() -> None:
                sock = peer.accept()
                sock.shutdown(socket.SHUT_WR)
                got.append(read_to_end(sock))

            server = in_thread(serve)
            done = connect(peer.port, "--quiet", typed=MUCH)
            server.join(PATIENCE)
            self.assertEqual((done.status, done.err), (0, ""))
            self.assertTrue(got[0] == MUCH, len(got[0]))

    def test_fin_and_gone(self) -> None:
        """A peer that is gone before all was sent is no success."""
        with Peer() as peer, connecting(peer.port, "--quiet") as client:
            peer.accept().close()
            _, said = client.communicate(MUCH, PATIENCE)
            self.assertEqual(client.returncode, 1)
            self.assertIn(b"the peer sent RST after the FIN", said)


class TerminalTests(SynchronousTestCase):
    """At a terminal."""

    def test_hostile(self) -> None:
        """Nothing the peer sends is done by the terminal; all of it can be read."""
        hostile = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\x00\r!\n".encode() + b"\xff\n"
        with Peer() as peer, AtTerminal(peer.port, "--quiet") as terminal:
            sock = peer.accept()
            sock.sendall(hostile)
            terminal.wait_for(b"xff")
            sock.close()
            self.assertEqual(terminal.wait(), 0)
        shown = rb"\x1b[2J\x1b]0;title\x07\u009b31m\u202egnp.exe\x00\r!" + b"\r\n\\xff\r\n"
        self.assertEqual(terminal.seen, shown)

    def test_session(self) -> None:
        """What is typed is sent with Enter, text and events keep their order, Ctrl-D sends FIN."""
        with Peer() as peer, AtTerminal(peer.port, env={**os.environ, "NO_COLOR": "1"}) as terminal:
            sock = peer.accept()
            sock.sendall(b"name? ")
            terminal.wait_for(b"name? ")
            terminal.type(b"bob")
            terminal.type(b"\n")
            self.assertEqual(sock.recv(100), b"bob\n")
            sock.sendall(b"half a line")
            terminal.wait_for(b"half a line")
            terminal.type(b"\x04")
            self.assertEqual(sock.recv(100), b"")
            sock.close()
            self.assertEqual(terminal.wait(), 0)
        lines = [re.sub(rb"^\[.*?\] ", b"", line) for line in terminal.seen.split(b"\r\n")]
        self.assertEqual(
            lines[2:-2],
            [
                b"recv() returned 6 bytes",
                b"name? bob",
                b"sent 4 bytes",
                b"recv() returned 11 bytes",
                b"half a line",
                b"sent FIN: shutdown(SHUT_WR)",
            ],
        )
        self.assertTrue(lines[-2].startswith(b"closed, we ended it first (FIN)"), lines)

    def test_peer_ends(self) -> None:
        """The peer's FIN ends it though nothing was typed; with --stay it does not."""
        with Peer() as peer, AtTerminal(peer.port) as terminal:
            peer.accept().close()
            self.assertEqual(terminal.wait(), 0)
        with Peer() as peer, AtTerminal(peer.port, "--stay") as terminal:
            sock = peer.accept()
            sock.shutdown(socket.SHUT_WR)
            terminal.wait_for(b"the peer sent FIN")
            terminal.type(b"still here\n\x04")
            self.assertEqual(read_to_end(sock), b"still here\n")
            sock.close()
            self.assertEqual(terminal.wait(), 0)

    def test_interrupted(self) -> None:
        """Ctrl-C ends it in order, with 130, and the terminal is as it was."""
        with Peer() as peer, AtTerminal(peer.port) as terminal:
            sock = peer.accept()
            terminal.wait_for(b"connected to")
            terminal.type(b"\x03")
            self.assertEqual(sock.recv(100), b"")
            self.assertEqual(terminal.wait(), INTERRUPTED)
            self.assertTrue(os.get_blocking(terminal.terminal))
        self.assertIn(b"closed, we ended it first (FIN)", terminal.seen)

    def test_interrupted_connecting(self) -> None:
        """Ctrl-C ends it while a connection is still being made."""
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            with AtTerminal(f"127.0.0.1:{full.getsockname()[1]}") as terminal:
                terminal.wait_for(b"connect() to")
                terminal.type(b"\x03")
                self.assertEqual(terminal.wait(), INTERRUPTED)
            self.assertNotIn(b"connected", terminal.seen)
            for one in waiting:
                one.close()

    def test_slow_terminal(self) -> None:
        """A flood at a terminal that nobody looks at is paused, and comes whole and in order."""
        with Peer() as peer, AtTerminal(peer.port) as terminal:
            sock = peer.accept()
            lines = b"".join(b"%07d %s\n" % (number, b"x" * 56) for number in range(200_000))
            sender = in_thread(lambda: sock.sendall(lines))
            time.sleep(0.5)  # its subject is a terminal that is not looked at for a while
            self.assertTrue(sender.is_alive())
            terminal.wait_for(b"0199999 x")
            sock.close()
            self.assertEqual(terminal.wait(), 0)
        told = (
            rb"^(\x1b\[2m)?(\[ *[\d.]+ (ms|s)\] .*|\([\d,]+ events? not shown: .*\))(\x1b\[22m)?\r$"
        )
        text = re.sub(told, b"", terminal.seen, flags=re.MULTILINE)
        self.assertTrue(re.sub(rb"[\r\n]", b"", text) == lines.replace(b"\n", b""))
        self.assertNotIn(b"failed and was removed", terminal.seen)

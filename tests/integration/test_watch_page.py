"""The page of a watched program, asked from outside while it runs and after its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from urllib.request import urlopen

from tests.folder import FolderTestCase
from tests.programs import PATIENCE, SOCKETLAB

#: It waits for a line before it ends, so that it can be asked for while it runs.
PROGRAM = """\
import socket
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"one")
client.sendall(b"two")
server.recv(100)
print("ready", flush=True)
input()
server.sendall(b"never read")
client.close()
"""


class WatchPageTests(FolderTestCase):
    timeout = 100

    def setUp(self) -> None:
        super().setUp()
        program = self.folder / "program.py"
        program.write_text(PROGRAM)
        words = (*SOCKETLAB, "watch", "--quiet", "--page", "0", "--", sys.executable, str(program))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.running = stack.enter_context(subprocess.Popen(words, text=True, **pipes))  # type: ignore[call-overload]
        stack.callback(self.running.kill)
        said = self.running.stderr.readline()
        self.address = said.split()[3].partition("#")[0]
        self.assertEqual(self.running.stdout.readline(), "ready\n")

    def ask(self, path: str) -> bytes:
        with urlopen(self.address + path, timeout=PATIENCE) as answer:
            found: bytes = answer.read()
        return found

    def until(self, path: str, wanted: str) -> dict[str, object]:
        """What *path* answers once *wanted* stands in it; the next look takes some ms."""
        for _ in range(500):
            if wanted in (said := self.ask(path).decode()):
                found: dict[str, object] = json.loads(said)
                return found
        raise AssertionError(f"{path} never said {wanted}: {said}")

    def test_page(self) -> None:
        """Its connections, their events with the lines, the picture of both ends; its mistakes."""
        self.assertIn(b"<title>socketlab</title>", self.ask(""))
        self.until("api/connections", '"open":2')
        first = self.until("api/connections/c1", '"says"')
        self.assertEqual(first["connection"]["other"], "c2")  # type: ignore[index]
        events = first["events"]
        assert isinstance(events, list)
        self.assertEqual(events[0]["place"], "program.py:3")
        self.assertEqual(events[0]["called"]["name"], "connect")
        both = self.ask("api/connections/c1.svg?scale=both").decode()
        self.assertEqual(both.count('class="join bytes'), 2)
        self.running.stdin.write("\n")
        self.running.stdin.flush()
        found = self.until("api/bench", "closed-unread")
        self.assertEqual(found["program"]["status"], 0)  # type: ignore[index]
        self.running.send_signal(signal.SIGINT)
        self.assertEqual(self.running.wait(PATIENCE), 0)

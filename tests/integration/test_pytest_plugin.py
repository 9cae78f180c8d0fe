"""The pytest fixture ``socketlab``, in runs of pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.folder import FolderTestCase
from tests.own_page import block

#: Seconds after which a run of pytest is a failure.
PATIENCE = 120

_PROTO = """
from twisted.protocols.basic import LineReceiver

class Shout(LineReceiver):
    delimiter = b"\\n"
    def lineReceived(self, line):
        self.sendLine(line.upper())
"""

_GOOD = """
import socket, sys
import pytest

def ask(server, data):
    with socket.create_connection(("127.0.0.1", server), 10) as client:
        client.sendall(data)
        return client.recv(100)

def test_echo(socketlab):
    server = socketlab.serve("echo", max_connections=2, listen=["tcp:127.0.0.1:0"])
    assert ask(server, b"hello") == b"hello"
    closed = server.wait_for("closed", reason="peer-fin", timeout=5)
    assert closed.bytes_in == 5
    assert server.stop() == 0
    assert server.events()[-1].event == "not-listening"

def test_own(socketlab):
    assert ask(socketlab.serve("proto:Shout"), b"hello\\n") == b"HELLO\\n"

@pytest.fixture(scope="session")
def shared(socketlab_session):
    return socketlab_session.serve("echo")

@pytest.mark.parametrize("number", range(3))
def test_session(shared, number):
    assert ask(shared, b"%d" % number) == b"%d" % number

def test_no_reactor(socketlab):
    socketlab.serve("discard")
    assert "twisted.internet.reactor" not in sys.modules
"""

_FAILING = """
import os, socket

import pytest

def test_unknown(socketlab):
    socketlab.serve("echo", max_conections=2)

def test_value(socketlab):
    socketlab.serve("echo", port="abc")

def test_service(socketlab):
    socketlab.serve("proto:Nope")

def test_event(socketlab):
    server = socketlab.serve("echo")
    with socket.create_connection(server.address, 10) as client:
        client.sendall(b"\\x1b[31mred")
    server.wait_for("closed", reason="idle", timeout=0.1)

def test_dies(socketlab):
    server = socketlab.serve("echo")
    os.kill(server.pid, 9)
    with pytest.raises(AssertionError):
        server.wait_for("closed")  # until it has ended
"""


class PluginTests(FolderTestCase):
    def pytest(self, text: str, *arguments: str) -> tuple[int, str]:
        """Exit status and output of pytest over a file that says *text*."""
        (self.folder / "proto.py").write_text(_PROTO)
        (self.folder / "test_it.py").write_text(text)
        (self.folder / "pytest.ini").write_text("[pytest]\n")
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_CORE"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def test_good(self) -> None:
        """A test gets its server, its events and its end; one's own protocol is found; a server
        of the session serves every test; no reactor is imported."""
        status, said = self.pytest(_GOOD)
        self.assertEqual(status, 0, said)
        self.assertIn("6 passed", said)

    def test_workers(self) -> None:
        """So it is with pytest-xdist."""
        status, said = self.pytest(_GOOD, "-n", "2")
        self.assertEqual(status, 0, said)

    def test_failing(self) -> None:
        """What is wrong is one sentence; a failure's report shows what the server saw, escaped; a
        server that dies is told of."""
        status, said = self.pytest(_FAILING, "--color=no")
        self.assertEqual(status, 1)
        for expected in (
            "Failed: no option 'max_conections'; did you mean max_connections?",
            "Failed: --port 'abc': expected a port number from 0 to 65535",
            "Failed: 'proto:Nope': no 'Nope' in proto",
            "AssertionError: no event closed reason=idle within 0.1 s",
            "- socketlab <Server echo ('127.0.0.1', ",
            r"data=\x1b[31mred",
            "ended by itself, with status -9",
        ):
            self.assertIn(expected, said)
        self.assertNotIn("\x1b", said)
        self.assertIn("test_it.py:19: AssertionError", said)

    def test_stopped(self) -> None:
        """Nothing is left running when the run is over."""
        status, said = self.pytest(
            "import pathlib\ndef test_it(socketlab):\n"
            "    pathlib.Path('pid').write_text(str(socketlab.serve('echo').pid))\n"
        )
        self.assertEqual(status, 0, said)
        self.assertFalse(Path(f"/proc/{(self.folder / 'pid').read_text()}").exists())

    def test_page(self) -> None:
        """What docs/own.md shows of a test is a test that passes."""
        (self.folder / "examples").symlink_to(Path(__file__).parents[2] / "examples")
        status, said = self.pytest("import socket\n" + block("def test_shouts"))
        self.assertEqual(status, 0, said)

    def test_unused(self) -> None:
        """A run that does not ask for it imports nothing of Twisted's."""
        status, said = self.pytest(
            "import sys\ndef test_it():\n"
            "    assert not [name for name in sys.modules if name.split('.')[0] == 'twisted']\n"
        )
        self.assertEqual(status, 0, said)

"""A server that is watched while it is checked: what clients saw, and the line."""

from __future__ import annotations

import json
import sys

from tests.folder import FolderTestCase
from tests.programs import SOCKETLAB, run

#: It answers after four bytes, and closes whatever else there is.
SERVER = """\
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = listener.accept()
    with conn:
        conn.sendall(conn.recv(4))
"""


class CheckWatchTests(FolderTestCase):
    timeout = 100

    def test_mistake(self) -> None:
        """The checker tells what it saw, and watching the line that did it."""
        server = self.folder / "server.py"
        server.write_text(SERVER)
        spawn = f"{sys.executable} {server} {{port}}"
        words = ("check", "echo", "--spawn", spawn, "--watch", "--only", "H01", "--json", "-")
        done = run(*SOCKETLAB, *words)
        (report,) = json.loads(done.out)["servers"]
        self.assertEqual(done.status, 1)
        self.assertEqual([one["verdict"] for one in report["cases"]], ["failed"])
        found = {(one["mistake"], one["place"]) for one in report["diagnoses"]}
        self.assertIn(("closed-unread", "server.py:5"), found)
        self.assertIn("closed with unread data", done.err)

    def test_usage(self) -> None:
        """There is nothing to watch of a server that runs somewhere."""
        done = run(*SOCKETLAB, "check", "echo", "127.0.0.1:7", "--watch")
        said = "socketlab check: --watch: a server is watched that --spawn starts"
        self.assertEqual((done.status, done.last_line), (2, said))

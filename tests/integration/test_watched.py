"""A watched program behaves as without us, and whatever ends it, its calls are recorded."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.folder import FolderTestCase
from tests.integration.watched import Watched, watched
from tests.programs import SOCKETLAB, run
from twisted_lab.events import (
    Accepted,
    Called,
    Closed,
    CloseReason,
    Connected,
    Note,
    Received,
    Sent,
)

TALK = """\
import os, signal, socket, sys
one, two = socket.socketpair()
one.sendall(b"hello")
two.recv(100)
"""


class WatchedTestCase(FolderTestCase):
    def program(self, text: str) -> tuple[str, str]:
        file = self.folder / "program.py"
        file.write_text(text)
        return sys.executable, str(file)

    def watched(self, text: str) -> Watched:
        return watched(*self.program(text))


class AsWithoutTests(WatchedTestCase):
    def same(self, text: str) -> None:
        """Output, errors and exit status are those of the program alone."""
        program = self.program(text)
        alone, seen = run(*program), watched(*program)
        self.assertEqual(seen.ended, alone)

    def test_output(self) -> None:
        """What it prints, and its status."""
        self.same(TALK + "print('out'); print('err', file=sys.stderr); sys.exit(3)")

    def test_traceback(self) -> None:
        """A traceback has no line of ours: at the end, in a thread, and where it is caught."""
        self.same("import socket\n\ndef f():\n    socket.socket().recv(1)\n\nf()\n")
        self.same(
            "import socket, threading\n"
            "thread = threading.Thread(target=lambda: socket.socket().recv(1), name='t')\n"
            "thread.start()\nthread.join()\n"
        )
        self.same(
            "import socket, traceback\ntry:\n    socket.socket().bind(('127.0.0.1', -1))\n"
            "except OverflowError:\n    traceback.print_exc()\n"
        )

    def test_descriptors(self) -> None:
        """Its sockets have the descriptors they would have."""
        self.same("import socket\nprint([socket.socket().fileno() for _ in range(3)])")

    def test_signal(self) -> None:
        """Ended by a signal: 128 and its number."""
        seen = self.watched(TALK + "os.kill(os.getpid(), signal.SIGTERM)")
        self.assertEqual(seen.ended.status, 128 + 15)

    def test_own_sitecustomize(self) -> None:
        """A sitecustomize of its own runs, too."""
        (self.folder / "own").mkdir()
        (self.folder / "own" / "sitecustomize.py").write_text("print('mine')\n")
        words = (*SOCKETLAB, "watch", "--quiet", "--", sys.executable, "-c", "print('program')")
        done = run("env", f"PYTHONPATH={self.folder / 'own'}", *words)
        # Once in socketlab itself, which is a Python, too.
        self.assertEqual((done.status, done.out, done.err), (0, "mine\nmine\nprogram\n", ""))

    def test_nothing_stays(self) -> None:
        """No file of ours is left."""
        with tempfile.TemporaryDirectory() as folder:
            words = (*SOCKETLAB, "watch", "--quiet", "--", sys.executable, "-c", TALK)
            subprocess.run(words, env={"TMPDIR": folder}, check=True, timeout=60)
            self.assertEqual(list(Path(folder).iterdir()), [])


class EndTests(WatchedTestCase):
    def check(self, end: str) -> list[str]:
        seen = self.watched(TALK + end)
        names = [one.call.name for one in seen.events if one.call is not None]
        self.assertEqual(names[:3], ["socketpair", "sendall", "recv"])
        return names

    def test_crash(self) -> None:
        """An exception nobody catches."""
        self.check("raise ValueError('oh no')")

    def test_exit(self) -> None:
        """os._exit() asks nobody."""
        self.check("os._exit(1)")

    def test_kill(self) -> None:
        """Nor does kill -9."""
        self.check("os.kill(os.getpid(), signal.SIGKILL)")

    def test_fork(self) -> None:
        """A child's calls are recorded as its own, of the same sockets."""
        seen = self.watched(
            TALK + "pid = os.fork()\none.sendall(b'again')\nif pid: os.waitpid(pid, 0)\n"
        )
        sent = [one for one in seen.events if isinstance(one, Sent)]
        self.assertEqual([one.bytes for one in sent], [5, 5, 5])
        calls = [one.call for one in sent if one.call is not None]
        self.assertEqual(len({call.process for call in calls}), 2)
        self.assertEqual(len({call.socket for call in calls}), 1)


class MeaningTests(WatchedTestCase):
    def test_both_ends(self) -> None:
        """A client and its server: who connected, accepted, sent, reset, at which line."""
        seen = self.watched(
            "import socket\n"
            "listener = socket.create_server(('127.0.0.1', 0))\n"
            "client = socket.create_connection(listener.getsockname())\n"
            "server, _ = listener.accept()\n"
            "server.sendall(b'unread')\n"
            "client.close()\n"
            "try:\n    server.recv(10)\nexcept ConnectionResetError:\n    server.close()\n"
        )
        (connected,) = (one for one in seen.events if isinstance(one, Connected))
        (accepted,) = (one for one in seen.events if isinstance(one, Accepted))
        self.assertEqual((connected.peer, connected.local), (accepted.local, accepted.peer))
        assert accepted.call is not None
        self.assertEqual(accepted.call.line, 4)
        reasons = {one.connection: one.reason for one in seen.events if isinstance(one, Closed)}
        self.assertEqual(reasons[connected.connection], CloseReason.ABORTED)
        self.assertEqual(reasons[accepted.connection], CloseReason.RESET)

    def test_errors(self) -> None:
        """What fails has its errno by its name."""
        seen = self.watched("import socket\nsocket.socket().connect_ex(('127.0.0.1', 1))\n")
        errors = [one.call.error for one in seen.events if isinstance(one, Called) and one.call]
        self.assertIn("ECONNREFUSED", errors)
        seen = self.watched("import socket\nsocket.getaddrinfo('no such name', 1)\n")
        self.assertEqual([one.call.error for one in seen.events if one.call], ["EAI_NONAME"])

    def test_ancillary_room(self) -> None:
        """recvmsg() has room for ancillary data before its flags: it is no MSG_PEEK."""
        seen = self.watched(
            "import socket\n"
            "one, other = socket.socketpair()\n"
            "one.sendall(b'hello')\n"
            "other.recvmsg(3, 2)\n"
            "other.recvmsg(3, 0, socket.MSG_PEEK)\n"
        )
        received = [one.bytes for one in seen.events if isinstance(one, Received)]
        self.assertEqual(received, [3])

    def test_other_waits(self) -> None:
        """A wait for pipes and files is no call of a socket; one for a socket is, as before."""
        seen = self.watched(
            "import select, socket, subprocess\n"
            "subprocess.run(['true'], capture_output=True)\n"
            "select.select([], [], [], 0.001)\n"
            "one, other = socket.socketpair()\n"
            "poller = select.epoll()\n"
            "poller.register(one, select.EPOLLOUT)\n"
            "poller.poll(1)\n"
            "poller.unregister(one)\n"
            "poller.poll(0)\n"
            "select.select([], [other], [], 1)\n"
        )
        names = [one.call.name for one in seen.events if one.call]
        self.assertEqual(
            [name for name in names if name in ("poll", "epoll_wait", "select")],
            ["epoll_wait", "select"],
        )

    def test_no_python(self) -> None:
        """Of what is no Python, but was to be watched as one, it is said that nothing was seen."""
        seen = watched("/bin/true", options=("--quiet", "--by", "hook"))
        self.assertEqual(seen.ended.status, 0)
        (note,) = seen.events
        assert isinstance(note, Note)
        self.assertIn("nothing was seen", note.text)

    def test_no_calls(self) -> None:
        """Of a program that called no socket, that is said."""
        for program in (("/bin/true",), (sys.executable, "-c", "pass")):
            (note,) = watched(*program).events
            assert isinstance(note, Note)
            self.assertEqual(note.text, "it made no call of a socket")

    def test_no_program(self) -> None:
        """A program that is not there is one sentence, and 1; no words are 2."""
        done = run(*SOCKETLAB, "watch", "--", "/nope")
        self.assertEqual(
            (done.status, done.err), (1, "socketlab watch: '/nope': No such file or directory\n")
        )
        self.assertEqual(run(*SOCKETLAB, "watch", "--").status, 2)

"""Programs that are not Python's, watched through strace."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.folder import FolderTestCase
from tests.integration.watched import FOLDER, Watched, watched
from tests.programs import SOCKETLAB, run
from twisted_lab.events import Accepted, Closed, CloseReason, Connected, Note, Received, Sent

OTHERS = FOLDER / "others"

#: A line of strace -y about a socket, its name and its result.
_ON_SOCKET = re.compile(r"(\w+)\((?:\d+<socket:|AF_).*\)\s+= (\d+)")

#: What libc's send() and recv() are (send(2)), and the calls whose result is a count.
_NAMES = {"sendto": "send", "recvfrom": "recv"}
_COUNTS = _NAMES | {"read": "read", "write": "write"}


class TracedTestCase(FolderTestCase):
    def built(self, *compiler: str) -> str:
        done = run(*compiler)
        self.assertEqual(done.status, 0, done.err)
        return str(self.folder / "program")

    def c(self, source: str | Path, *options: str) -> str:
        """The program of the C file, or of its text."""
        if isinstance(source, str):
            text, source = source, self.folder / "program.c"
            source.write_text(text)
        return self.built("gcc", *options, "-o", str(self.folder / "program"), str(source))

    def check_echo(self, seen: Watched, status: int = 0) -> None:
        """The six bytes went to and fro, once, and both ends were closed."""
        self.assertEqual(
            (seen.ended.status, seen.ended.out, seen.ended.err), (status, "hello\n", "")
        )
        (accepted,) = (one for one in seen.events if isinstance(one, Accepted))
        (connected,) = (one for one in seen.events if isinstance(one, Connected))
        self.assertEqual((connected.peer, connected.local), (accepted.local, accepted.peer))
        for end in (accepted.connection, connected.connection):
            of = [one for one in seen.events if getattr(one, "connection", None) == end]
            self.assertEqual(sum(one.bytes for one in of if isinstance(one, Received)), 6)
            self.assertEqual(sum(one.bytes for one in of if isinstance(one, Sent)), 6)
            self.assertEqual(of[-1].event, "closed")


class LanguageTests(TracedTestCase):
    def test_c(self) -> None:
        """C, two processes; compiled with -g each call has its line."""
        source = OTHERS / "echo.c"
        seen = watched(self.c(source, "-g"))
        self.check_echo(seen, 3)
        lines = source.read_text().splitlines()
        for event in seen.events:
            if event.call is not None:
                assert event.call.line is not None
                self.assertEqual(event.call.file, str(source))
                self.assertIn(f"{event.call.name}(", lines[event.call.line - 1])

    def test_no_pie(self) -> None:
        """Also where the program is not to be moved in memory."""
        seen = watched(self.c(OTHERS / "echo.c", "-g", "-no-pie"))
        self.assertEqual({one.call.function for one in seen.events if one.call}, {"main"})

    def test_plain_c(self) -> None:
        """Without -g there are no lines, and all else is the same."""
        seen = watched(self.c(OTHERS / "echo.c"))
        self.check_echo(seen, 3)
        self.assertEqual({one.call.line for one in seen.events if one.call}, {None})

    def test_go(self) -> None:
        """Go: threads, non-blocking, bytes that splice() moves unseen."""
        self.check_echo(
            watched(
                self.built(
                    "go", "build", "-o", str(self.folder / "program"), str(OTHERS / "echo.go")
                )
            )
        )

    def test_java(self) -> None:
        """Java: a virtual machine with a dozen threads."""
        self.built("javac", "-d", str(self.folder), str(OTHERS / "Echo.java"))
        self.check_echo(watched("java", "-cp", str(self.folder), "Echo"))

    def test_python(self) -> None:
        """Python too, when it is asked for."""
        right = str(FOLDER / "right" / "socketserver_fork.py")
        seen = watched(sys.executable, right, options=("--quiet", "--by", "strace"))
        self.assertEqual(sum(isinstance(one, Accepted) for one in seen.events), 3)


class TruthTests(TracedTestCase):
    def test_sequence(self) -> None:
        """Of each process the calls, their order and their results are what strace prints."""
        program = self.c(OTHERS / "echo.c")
        log = self.folder / "log"
        run("strace", "-ff", "-y", "-e", "trace=network,read,write,close", "-o", str(log), program)
        printed = sorted(
            [
                (_NAMES.get(found[1], found[1]), found[2] if found[1] in _COUNTS else "")
                for line in file.read_text().splitlines()
                if (found := _ON_SOCKET.match(line))
            ]
            for file in self.folder.glob("log.*")
        )
        calls = [one.call for one in watched(program).events if one.call is not None]
        recorded = sorted(
            [
                (one.name, (one.result or "") if one.name in _COUNTS.values() else "")
                for one in calls
                if one.process == process
            ]
            for process in {one.process for one in calls}
        )
        self.assertEqual(recorded, printed)
        self.assertEqual(sum(map(len, recorded)), 15)


class AsWithoutTests(TracedTestCase):
    def test_signal(self) -> None:
        """Ended by a signal: 128 and its number; what it held was closed by that."""
        program = self.c(
            "#include <signal.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"
            "int main(void) { int fd[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, fd);"
            ' write(fd[0], "hello", 5); return raise(SIGKILL); }\n'
        )
        seen = watched(program)
        self.assertEqual(seen.ended.status, 128 + 9)
        (sent,) = (one for one in seen.events if isinstance(one, Sent))
        self.assertEqual(sent.data, b"hello")
        (closed,) = (one for one in seen.events if isinstance(one, Closed))
        self.assertEqual((closed.connection, closed.call), (sent.connection, None))

    def test_goes_on(self) -> None:
        """A child that goes on is let go of, and said."""
        program = self.c(
            "#include <stdio.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"
            "int main(void) { int fd[2]; char c; socketpair(AF_UNIX, SOCK_STREAM, 0, fd);"
            " if (fork()) return 0; close(fd[1]); setsid(); fclose(stdout); fclose(stderr);"
            " pause(); return read(fd[0], &c, 1); }\n"
        )
        seen = watched(program)
        self.assertEqual(seen.ended.status, 0)
        notes = [one.text for one in seen.events if isinstance(one, Note)]
        self.assertEqual(len(notes), 1, notes)
        words = notes[0].split()
        self.assertEqual(words[2:], "goes on, and is watched no more".split())
        os.kill(int(words[1]), 9)

    def test_reset(self) -> None:
        """SO_LINGER with no second makes close() an RST."""
        program = self.c(
            "#include <netinet/in.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"
            "int main(void) {\n"
            " struct sockaddr_in a = {.sin_family = AF_INET};\n"
            " a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
            " socklen_t size = sizeof a; struct linger none = {1, 0};\n"
            " int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);\n"
            " bind(l, (void *)&a, size); listen(l, 1); getsockname(l, (void *)&a, &size);\n"
            " connect(c, (void *)&a, size);\n"
            " setsockopt(c, SOL_SOCKET, SO_LINGER, &none, sizeof none);\n"
            " return close(c);\n}\n"
        )
        (closed,) = (one for one in watched(program).events if isinstance(one, Closed))
        self.assertEqual(closed.reason, CloseReason.ABORTED)

    def test_no_strace(self) -> None:
        """Without strace there is one sentence, which says where to get it."""
        words = (*SOCKETLAB, "watch", "--", "/bin/true")
        done = run("env", f"PATH={self.folder}", *words)
        self.assertEqual(
            (done.status, done.err),
            (
                1,
                "socketlab watch: '/bin/true' is no Python, and is watched through strace, which is"
                " not installed: apt-get install strace\n",
            ),
        )

    def test_wrong(self) -> None:
        """What sees the calls is one of two."""
        done = run(*SOCKETLAB, "watch", "--by", "dtrace", "--", "/bin/true")
        self.assertEqual(
            (done.status, done.last_line),
            (2, "socketlab watch: --by 'dtrace': expected hook or strace"),
        )

"""``socketlab check`` as a person, a CI system and a test suite use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

from tests.folder import FolderTestCase
from tests.programs import SOCKETLAB, run
from twisted_lab import conformance

ECHO = str(resources.files(conformance) / "servers" / "plain" / "echo.py")
RIGHT = f"{sys.executable} {ECHO} {{port}}"
WRONG = f"{sys.executable} {Path(__file__).parents[1] / 'mutants' / 'drops_the_last.py'} {{port}}"
FAST = ("--slow", "0.2")


class CommandTests(FolderTestCase):
    def test_right(self) -> None:
        """A server without a failure: rows, the sum and 0; in a pipe people read on stderr."""
        done = run(*SOCKETLAB, "check", "echo", "--spawn", RIGHT, "--only", "S01,H01")
        self.assertEqual((done.status, done.out), (0, ""), done.err)
        self.assertIn("S01  ok             A request, a reply: 64 bytes came back", done.err)
        self.assertRegex(done.err, r"2 ok; [0-9.]+ s, seed [0-9]+")

    def test_wrong(self) -> None:
        """A failure is 1; JSON on stdout is JSON alone, JUnit and HTML go to their files."""
        junit, page = self.folder / "x.xml", self.folder / "x.html"
        done = run(
            *(*SOCKETLAB, "check", "echo", "--spawn", WRONG, "--only", "S01,S04", *FAST),
            *("--json", "-", "--junit-xml", str(junit), "--html", str(page), "--seed", "5"),
        )
        self.assertEqual(done.status, 1)
        (server,) = json.loads(done.out)["servers"]
        self.assertEqual([case["verdict"] for case in server["cases"]], ["failed", "skipped"])
        self.assertEqual(server["seed"], 5)
        self.assertIn("<failure", junit.read_text())
        self.assertIn("the reply is wrong", page.read_text())

    def test_many(self) -> None:
        """A list becomes a matrix; one that does not start is told of, and the others go on."""
        entries = self.folder / "class.toml"
        entries.write_text(
            f'[servers]\nalice = {{ spawn = "{RIGHT}" }}\nbob = {{ spawn = "{WRONG}" }}\n'
            'carol = { spawn = "/nope {port}" }\ndave = { spawn = "false {port}" }\n'
            'eve = "tcp:127.0.0.1:{port}"\n'
        )
        done = run(*SOCKETLAB, "check", "echo", "--many", str(entries), "--only", "S01", *FAST)
        self.assertEqual(done.status, 1, done.err)
        for said in (
            "alice: 1 ok",
            "bob: 1 failed",
            "--spawn '/nope {port}': No such file or directory",
            "the server ended before it listened: exit status 1",
            "'tcp:127.0.0.1:{port}': {port} is for --spawn",
        ):
            self.assertIn(said, done.err)
        self.assertRegex(done.err.splitlines()[-2], "failed .* 0 .* 1 .*not there.*not there")

    def test_last_words(self) -> None:
        """What a server wrote before it ended is shown, escaped."""
        spawn = f"{sys.executable} -c \"raise SystemExit('oh \\x1b[31m no')\" {{port}}"
        done = run(*SOCKETLAB, "check", "echo", "--spawn", spawn)
        self.assertEqual(done.status, 1)
        self.assertIn("exit status 1: oh \\x1b[31m no", done.err)
        self.assertNotIn("\x1b", done.err)

    def test_repeat(self) -> None:
        """Several runs are one report."""
        words = ("check", "echo", "--spawn", WRONG, "--only", "S01", "--repeat", "2", *FAST)
        done = run(*SOCKETLAB, *words, "--quiet")
        self.assertEqual(done.status, 1)
        self.assertIn("1 failed", done.err)

    def test_interrupted(self) -> None:
        """Ctrl-C ends it with 130 and one line, and the server with it."""
        # Who runs the tests in the background has SIGINT ignored, and so have the children.
        words = ("env", "--default-signal=INT", *SOCKETLAB, "check", "echo", "--spawn", RIGHT)
        words = (*words, "--only", "S01,N06", "--json", "-")
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder
        ) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            self.assertIn(b"S01  ok", line)
            (server,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, said)
        self.assertIn(b"socketlab check: interrupted", said)
        self.assertFalse(os.path.exists(f"/proc/{server}"))


class SuiteTests(FolderTestCase):
    def pytest(self, text: str) -> tuple[int, str]:
        (self.folder / "test_it.py").write_text(text)
        (self.folder / "pytest.ini").write_text("[pytest]\n")
        words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no")
        done = run(*words, cwd=str(self.folder))
        return done.status, done.out

    def test_fixture(self) -> None:
        """The fixture passes a right server, and fails a wrong one with its sentences alone."""
        status, said = self.pytest(
            "def test_right(socketlab_check):\n"
            f"    socketlab_check('echo', spawn={RIGHT!r}, only='S01')\n"
            "def test_wrong(socketlab_check):\n"
            f"    socketlab_check('echo', spawn={WRONG!r}, only='S01', slow=0.2)\n"
            "def test_option(socketlab_check):\n"
            "    socketlab_check('echo')\n"
        )
        self.assertEqual(status, 1)
        self.assertIn("1 passed", said)
        self.assertIn("S01 failed: the reply is wrong: ", said)
        self.assertIn("expected an endpoint, or spawn", said)
        self.assertNotIn("Traceback", said)

    def test_parametrized(self) -> None:
        """What docs/check.md shows: a test for each case."""
        status, said = self.pytest(
            "import pytest\nfrom twisted_lab.conformance import case_ids, check\n"
            "@pytest.mark.parametrize('case', case_ids('echo')[:3])\n"
            "def test_case(case):\n"
            f"    check('echo', spawn={RIGHT!r}, only=case).raise_if_failed()\n"
        )
        self.assertEqual(status, 0, said)
        self.assertIn("3 passed", said)

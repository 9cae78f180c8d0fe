"""The console command ``socketlab``: its exit status, and one sentence for what is wrong."""

from __future__ import annotations

import contextlib
import io
from importlib.metadata import entry_points

from twisted.trial.unittest import SynchronousTestCase

from tests.programs import SOCKETLAB, Ended, run
from twisted_lab import __version__
from twisted_lab.cli import USAGE, main
from twisted_lab.protocols import KINDS
from twisted_lab.settings import OPTIONS


def call(*arguments: str) -> Ended:
    """``socketlab ARGUMENTS…`` in this process, as far as it needs no reactor."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    return Ended(status, out.getvalue(), err.getvalue())


class MainTests(SynchronousTestCase):
    def test_version(self) -> None:
        """--version says it on stdout; 0."""
        self.assertEqual(call("--version"), Ended(0, f"socketlab {__version__}\n", ""))

    def test_help(self) -> None:
        """--help, -h and help say the commands on stdout; 0."""
        for word in ("--help", "-h", "help"):
            self.assertEqual(call(word), Ended(0, USAGE, ""))
        self.assertIn("socketlab serve", USAGE)

    def test_nothing(self) -> None:
        """Without a command the usage is on stderr, and a sentence last; 2."""
        done = call()
        self.assertEqual((done.status, done.out), (2, ""))
        self.assertEqual(done.last_line, "socketlab: no command given")
        self.assertTrue(done.err.startswith(USAGE))

    def test_unknown(self) -> None:
        """A command that there is not is named, with those that there are; 2."""
        done = call("sevre", "--port", "7")
        self.assertEqual((done.status, done.out), (2, ""))
        said = (
            "socketlab: no command 'sevre'; there are: serve, watch, connect, check, export, study"
        )
        self.assertEqual(done.last_line, said)

    def test_hostile(self) -> None:
        """A word cannot write to the terminal."""
        self.assertTrue(call("\x1b[31m\u202e").last_line.isprintable())
        words = "export", "x", "--pcapng", "y", "--connection", "\x1b"
        self.assertTrue(call(*words).last_line.isprintable())

    def test_script(self) -> None:
        """The console script is this function."""
        (script,) = entry_points(group="console_scripts", name="socketlab")
        self.assertIs(script.load(), main)


class ServeUsageTests(SynchronousTestCase):
    def wrong(self, *arguments: str) -> str:
        """The one line on stderr of a command line that is wrong; 2."""
        done = call("serve", *arguments)
        self.assertEqual((done.status, done.out), (2, ""))
        (line,) = done.err.splitlines()
        self.assertTrue(line.startswith("socketlab serve: "), line)
        return line

    def test_value(self) -> None:
        """A bad value is named with its option."""
        self.assertIn("--port 'abc': ", self.wrong("--port", "abc"))
        self.assertIn("--max-line 'long': ", self.wrong("line", "--max-line", "long"))

    def test_words(self) -> None:
        """An option, a service or a word that there is not is named."""
        self.assertIn("--prt", self.wrong("--prt"))
        self.assertIn("ecko", self.wrong("ecko"))
        self.assertIn("'9000'", self.wrong("echo", "9000"))

    def test_endpoint(self) -> None:
        """A bad endpoint is named, and so is a file in it that is not there."""
        self.assertIn("'tcp:x'", self.wrong("--listen", "tcp:x"))
        self.assertIn("/no/such.pem", self.wrong("--listen", "tls:0:privateKey=/no/such.pem"))

    def test_help(self) -> None:
        """serve --help names every option and service on stdout; 0."""
        done = call("serve", "--help")
        self.assertEqual((done.status, done.err), (0, ""))
        for name in (*(f"--{option.name}" for option in OPTIONS), *KINDS):
            self.assertIn(name, done.out)

    def test_version(self) -> None:
        """serve --version is ours; 0."""
        self.assertEqual(call("serve", "--version"), Ended(0, f"socketlab {__version__}\n", ""))


class ServeTests(SynchronousTestCase):
    """What is found out only when it starts; in a process of its own, for it takes the reactor."""

    def cannot(self, *arguments: str) -> str:
        """The last line on stderr of a start that fails; 1, and nothing on stdout."""
        done = run(*SOCKETLAB, "serve", *arguments)
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertNotIn("Traceback", done.err)
        return done.last_line

    def test_files(self) -> None:
        """A file that cannot be written or read is named; 1."""
        for option in ("--record", "--log"):
            line = self.cannot("line", "--port", "0", option, "/no/such/file")
            self.assertEqual(
                line, "socketlab serve: cannot write '/no/such/file': No such file or directory"
            )
        line = self.cannot("line", "--listen", "tls:0", "--client-ca", "/no/such.pem")
        self.assertIn("'/no/such.pem'", line)

    def test_address(self) -> None:
        """An address that this machine has not is named; 1."""
        line = self.cannot("line", "--port", "0", "--interface", "192.0.2.7")
        self.assertTrue(
            line.startswith("socketlab serve: cannot listen on tcp 192.0.2.7:0: "), line
        )

    def test_reflector(self) -> None:
        """UDP for everybody is refused, with the reason and the way out; 1."""
        line = self.cannot("--port", "0", "--interface", "0.0.0.0")
        self.assertIn("forged address", line)
        self.assertIn("--allow-reflector", line)

    def test_last_port(self) -> None:
        """A port that leaves none for line is named; 1."""
        self.assertIn("65535", self.cannot("--port", "65535"))

    def test_module(self) -> None:
        """``python -m twisted_lab`` is the same command."""
        self.assertEqual(run(*SOCKETLAB, "--version").out, f"socketlab {__version__}\n")
        self.assertEqual(run(*SOCKETLAB, "sevre").status, 2)

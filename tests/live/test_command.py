"""The command line of ``socketlab watch``, and its exit status."""

from __future__ import annotations

import contextlib
import io
import socket

import trustme
from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from tests.live.case import FakeBenchTestCase
from tests.programs import Ended
from twisted_lab import __version__
from twisted_lab.cli import main
from twisted_lab.live.address import USUAL
from twisted_lab.live.command import Options


def call(*arguments: str) -> Ended:
    """``socketlab watch ARGUMENTS…`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["watch", *arguments])
    return Ended(status, out.getvalue(), err.getvalue())


class UsageTests(FolderTestCase):
    def wrong(self, *arguments: str) -> str:
        """The one sentence for a command line that is wrong; 2."""
        done = call(*arguments)
        self.assertEqual((done.status, done.out), (2, ""))
        (line,) = done.err.splitlines()
        return line.removeprefix("socketlab watch: ")

    def test_words(self) -> None:
        """What is wrong is named."""
        for arguments, said in {
            ("--prt",): "--prt",
            ("http://a:1", "http://b:1"): "expected one URL, not 2",
            ("ftp://a",): "'ftp://a': expected an address that begins with http:// or https://",
            ("--connection", "x1"): "--connection 'x1': expected an id such as c5 or d3",
            ("--connection", "c1", "--service", "echo"): "leave out --service",
            ("--connection", "c1", "--once", "--json"): "leave out --json",
            ("--insecure",): "--insecure is for https, and http://127.0.0.1:9002 is not",
            ("--cafile", "x"): "--cafile is for https",
            ("https://a:1", "--insecure", "--cafile", "x"): "expected one of them",
            ("https://a:1", "--cafile", "/no/such.pem"): "'/no/such.pem': No such file",
        }.items():
            self.assertIn(said, self.wrong(*arguments))

    def test_cafile(self) -> None:
        """A file without a certificate is named, one with one is taken."""
        path = self.folder / "ca.pem"
        path.write_text("nothing")
        self.assertIn(f"'{path}': ", self.wrong("https://a:1", "--cafile", str(path)))
        trustme.CA().cert_pem.write_to_path(str(path))
        options = Options()
        options.parseOptions(["https://a:1", "--cafile", str(path)])
        self.assertIsNotNone(options.tls)

    def test_hostile(self) -> None:
        """A word cannot write to the terminal."""
        for words in (
            ("http://\x1b[31m\u202e",),
            ("--connection", "\x1b"),
            ("--\x1b",),
            ("https://a:1", "--cafile", "\x1b"),
        ):
            self.assertTrue(self.wrong(*words).isprintable())
        self.assertIn(r"'http://a\\b': ", self.wrong("http://a\\b"))

    def test_order(self) -> None:
        """The URL may stand before, between and after the options, or not at all."""
        for at in range(3):
            words = ["--once", "--json"]
            words.insert(at, "http://[::1]:7")
            options = Options()
            options.parseOptions(words)
            self.assertEqual((str(options.address), options["json"]), ("http://[::1]:7", 1))
        options = Options()
        options.parseOptions([])
        self.assertEqual(str(options.address), USUAL)

    def test_help(self) -> None:
        """--help and --version say what they should; 0."""
        done = call("--help")
        self.assertEqual((done.status, done.err), (0, ""))
        for name in ("--service", "--connection", "--once", "--json", "--cafile", "--insecure"):
            self.assertIn(name, done.out)
        self.assertEqual(call("--version"), Ended(0, f"socketlab {__version__}\n", ""))


class NobodyTests(SynchronousTestCase):
    def test_nobody(self) -> None:
        """Where no bench is, one sentence names the address, and never the token; 1."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            for options in ((), ("--once",), ("--json",), ("--service", "echo")):
                done = call(f"{url}/#token=s3cret", *options)
                said = f"socketlab watch: cannot reach {url}: Connection refused\n"
                self.assertEqual(done, Ended(1, "", said))


class ShowingTests(FakeBenchTestCase):
    def test_once(self) -> None:
        """--once prints the tables; 0."""
        done = call(self.fake.url, "--once")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertIn("127.0.0.1:50001", done.out)

    def test_service(self) -> None:
        """A service that is not served there is named, with those that are; 1."""
        done = call(self.fake.url, "--service", "ecko", "--once")
        self.assertEqual(done.status, 1)
        self.assertIn("--service 'ecko': not served there; did you mean echo?", done.err)

    def test_unknown(self) -> None:
        """A connection that the bench does not know is named in its words; 1."""
        done = call(self.fake.url, "--connection", "c9", "--once")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertEqual(done.err, "socketlab watch: there is no such thing\n")

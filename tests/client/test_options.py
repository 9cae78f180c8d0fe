"""The words after ``socketlab connect``, and what does not go together."""

from __future__ import annotations

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.test_cli import call
from twisted_lab.client.options import ConnectOptions
from twisted_lab.targets import Target


def parse(*words: str) -> ConnectOptions:
    options = ConnectOptions()
    options.parseOptions(words)
    return options


class ConnectOptionsTests(SynchronousTestCase):
    def wrong(self, *words: str) -> str:
        """The sentence for a command line that is wrong."""
        return str(self.assertRaises(UsageError, parse, *words))

    def test_order(self) -> None:
        """The endpoint stands before or after the options."""
        for words in (("7", "--crlf", "--quiet"), ("--crlf", "--quiet", "7")):
            options = parse(*words)
            self.assertEqual(options.target.port, 7)
            self.assertTrue(options["crlf"] and options["quiet"])

    def test_endpoint(self) -> None:
        """One endpoint, no more, no less, and one that can be."""
        self.assertEqual(self.wrong(), "expected the endpoint to connect to")
        self.assertEqual(self.wrong("7", "8"), "expected one endpoint, not 2")
        self.assertIn("'host' is wrong", self.wrong("host"))

    def test_hostile(self) -> None:
        """What is wrong is escaped once, so that it can be told from what was meant."""
        self.assertIn(r"the endpoint 'a\\\x1b' is wrong", call("connect", "a\\\x1b").err)
        self.assertIn(r"--source '\\':", call("connect", "7", "--source", "\\").err)

    def test_long(self) -> None:
        """A number of thousands of digits is no port."""
        said = self.wrong("7", "--source", "127.0.0.1:" + "1" * 5000)
        self.assertTrue(said.endswith("expected ADDRESS or ADDRESS:PORT"))

    def test_tls(self) -> None:
        """--tls makes a TCP endpoint TLS, and is for nothing else."""
        self.assertEqual(parse("h:7", "--tls").target, Target("tls", ("h",), 7))
        self.assertEqual(parse("tls:h:7", "--tls").target.kind, "tls")
        self.assertEqual(self.wrong("udp:h:7", "--tls"), "--tls: there is no TLS over udp here")

    def test_tls_only(self) -> None:
        """What is about certificates needs TLS."""
        for words in (("--insecure",), ("--cafile", "f"), ("--sni", "n")):
            self.assertIn("is for TLS", self.wrong("7", *words))
            parse("7", "--tls", *words)

    def test_contradictions(self) -> None:
        """Of two options that contradict each other neither wins."""
        said = "--cafile: with --insecure nothing is verified"
        self.assertEqual(self.wrong("tls:h:7", "--insecure", "--cafile", "f"), said)
        self.assertIn("--crlf: with --hex", self.wrong("7", "--hex", "--crlf"))
        self.assertEqual(
            self.wrong("7", "--record", "a", "--json", "b"), "--json 'b': --record is the same"
        )

    def test_json(self) -> None:
        """--json is --record."""
        self.assertEqual(parse("7", "--json", "f")["record"], "f")

    def test_source(self) -> None:
        """Our own address, with a port or without."""
        for text, source in (
            ("127.0.0.2", ("127.0.0.2", 0)),
            ("127.0.0.2:99", ("127.0.0.2", 99)),
            ("::1", ("::1", 0)),
            ("[::1]", ("::1", 0)),
            ("[::1]:99", ("::1", 99)),
        ):
            self.assertEqual(parse("7", "--source", text).source, source)
        self.assertIsNone(parse("7").source)

    def test_wrong_source(self) -> None:
        """What is no address is named; a UNIX socket has none."""
        for text in ("", "host", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", ":7", "::1:x"):
            self.assertIn("expected ADDRESS or ADDRESS:PORT", self.wrong("7", "--source", text))
        self.assertIn("a UNIX socket has none", self.wrong("unix:/s", "--source", "::1"))

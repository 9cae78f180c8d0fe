"""The options as words of Python."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.errors import ConfigurationError
from twisted_lab.keywords import arguments_of, settings_of, texts_of
from twisted_lab.settings import OPTIONS, Settings
from twisted_lab.tap import Options
from twisted_lab.transports.endpoints import TcpListen

WORDS = {
    "port": 0,
    "max_connections": 2,
    "idle_timeout": "200ms",
    "min_rate": 1.5e3,
    "listen": ["tcp:127.0.0.1:7", "tcp:127.0.0.1:8"],
    "allow": "10.0.0.0/8",
    "record": Path("run.jsonl"),
    "pcapng": Path("run.pcapng"),
    "allow_reflector": True,
    "quiet": False,
    "log": None,
}


class KeywordTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Numbers, texts, paths, lists and flags mean what they mean on the command line."""
        found = settings_of(WORDS)
        self.assertEqual((found.port, found.max_connections, found.idle_timeout), (0, 2, 0.2))
        self.assertEqual(found.listen, (TcpListen("127.0.0.1", 7), TcpListen("127.0.0.1", 8)))
        self.assertEqual((found.record, found.allow_reflector), ("run.jsonl", True))

    def test_command_line(self) -> None:
        """As a command line they mean the same."""
        options = Options()
        options.parseOptions(["echo", *arguments_of(WORDS)])
        self.assertEqual(options.settings, settings_of(WORDS))

    def test_nothing(self) -> None:
        """None, and False for a flag, are as if not given."""
        self.assertEqual(settings_of({o.field: None for o in OPTIONS}), Settings())
        self.assertEqual(texts_of({"quiet": False}), {})

    def test_unknown(self) -> None:
        """A word that is no option is named, with the nearest that is one."""
        error = self.assertRaises(ConfigurationError, texts_of, {"max_conections": 2})
        self.assertEqual(str(error), "no option 'max_conections'; did you mean max_connections?")
        error = self.assertRaises(ConfigurationError, texts_of, {"zzz": 2})
        self.assertIn("there are port, listen, ", str(error))

    def test_wrong_type(self) -> None:
        """A value that cannot be an option's text is named."""
        for words, said in (
            ({"port": True}, "port=True: expected a text or a number"),
            ({"port": [1, 2]}, "port=[1, 2]: expected a text or a number"),
            ({"quiet": "yes"}, "quiet='yes': expected True or False"),
            ({"listen": [b"7"]}, "listen=b'7': expected a text or a number"),
            ({"port": "abc"}, "--port 'abc': expected a port number from 0 to 65535"),
        ):
            self.assertEqual(str(self.assertRaises(ConfigurationError, settings_of, words)), said)

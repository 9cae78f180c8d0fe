"""A list of servers is read, or one sentence says what is wrong with it."""

from __future__ import annotations

from tests.folder import FolderTestCase
from twisted_lab.conformance.many import Entry, read_entries
from twisted_lab.errors import ConfigurationError


class ManyTests(FolderTestCase):
    def read(self, text: str) -> list[Entry]:
        (self.folder / "class.toml").write_text(text)
        return read_entries(str(self.folder / "class.toml"))

    def test_read(self) -> None:
        """An endpoint, or a command with or without one."""
        entries = self.read(
            '[servers]\na = "tcp:127.0.0.1:7"\nb = { spawn = "b {port}" }\n'
            'c = { spawn = "c {port}", endpoint = "udp:127.0.0.1:{port}" }\n'
        )
        self.assertEqual(
            entries,
            [
                Entry("a", "tcp:127.0.0.1:7"),
                Entry("b", "", "b {port}"),
                Entry("c", "udp:127.0.0.1:{port}", "c {port}"),
            ],
        )

    def test_wrong(self) -> None:
        """What is wrong is said in one sentence."""
        for text, said in (
            ("", "expected a table 'servers' with a server or more"),
            ("x = 1", "there is no key 'x', only the table 'servers'"),
            ("servers = 1", "expected a table 'servers'"),
            ("[servers]\na = 1", "a = 1: expected an endpoint, or a table with 'spawn'"),
            ("[servers]\na = {}", "a = {}: expected an endpoint"),
            (
                "[servers]\na = { spwan = 'x' }",
                "a: there is no key 'spwan', only endpoint, spawn",
            ),
            ("[servers]\na = { spawn = 1 }", "a: spawn = 1: expected a text"),
            ("[", "Invalid"),
        ):
            wrong = self.assertRaises(ConfigurationError, self.read, text)
            self.assertIn(said, str(wrong))
        wrong = self.assertRaises(ConfigurationError, read_entries, "/nope")
        self.assertEqual(str(wrong), "cannot read '/nope': No such file or directory")

"""A TOML file as values, and the lines on which they stand; what is no TOML is one sentence."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.toml_text import LARGEST, TomlText, as_toml, number_text, read_toml

SERVICES = '''\
port = 1
text = """
[[service]]
port = 2
"""
list = [
  "port",
  # port = 3
]

[[service]]
kind = "echo"
"port" = 4

# [[service]]
  [[ service ]]
allow = [
  "10.0.0.0/8",
]
port = 5
'''


def text_of(text: str) -> TomlText:
    return TomlText("services.toml", text, tomllib.loads(text))


class LineTests(SynchronousTestCase):
    def test_key(self) -> None:
        """A key's line is the one in its own table, not one that only looks like it."""
        text = text_of(SERVICES)
        self.assertEqual([text.line_of("port", "service", n) for n in (0, 1, 2)], [1, 13, 20])
        self.assertEqual(text.line_of("allow", "service", 2), 17)

    def test_header(self) -> None:
        """A table's line is that of its header, not of one in a text or a comment."""
        text = text_of(SERVICES)
        self.assertEqual([text.header_of("service", n) for n in (1, 2)], [11, 16])

    def test_not_there(self) -> None:
        """What is not there, or not on a line of its own, has no line."""
        text = text_of(SERVICES)
        self.assertIsNone(text.line_of("allow", "service", 1))
        self.assertIsNone(text.header_of("service", 3))
        inline = text_of('service = [{kind = "echo", port = 1}]')
        self.assertIsNone(inline.line_of("port", "service", 1))
        self.assertIsNone(inline.header_of("service", 1))

    def test_table_of_another_name(self) -> None:
        """A table whose name is wrong is found by it."""
        for text in ('[[servce]]\nkind = "echo"', "[servce]", "servce.kind = 1"):
            self.assertEqual(text_of("\n\n" + text).line_of("servce", "service", 0), 3)

    def test_not_an_array(self) -> None:
        """An array that is no array of tables is no reason to fail."""
        self.assertEqual(text_of("service = 1\nport = 2").line_of("port", "service", 0), 2)

    @given(st.lists(st.sampled_from(["a", "b", "long one"]), max_size=6, unique=True), st.data())
    def test_right(self, keys: list[str], data: st.DataObject) -> None:
        """Whatever stands between, the line found is the line written."""
        between = st.sampled_from(["", "# a = 1", 'x%d = """\na = 1\n[[service]]\n"""', "\n"])
        lines: list[str] = []
        written: dict[tuple[int, str], int] = {}
        for number in range(3):
            lines += ["[[service]]"] if number else []
            for key in keys:
                filler = data.draw(between).replace("%d", f"{len(lines)}")
                lines += [*filler.split("\n"), f'"{key}" = {number}']
                written[number, key] = len(lines)
        text = text_of("\n".join(lines))
        for (number, key), line in written.items():
            self.assertEqual(text.line_of(key, "service", number), line)


class ReadTests(FolderTestCase):
    def read(self, content: bytes) -> TomlText:
        path = self.folder / "services.toml"
        path.write_bytes(content)
        return read_toml("services.toml", str(path))

    def refused(self, content: bytes) -> str:
        sentence = str(self.assertRaises(ConfigurationError, self.read, content))
        self.assertTrue(sentence.isprintable(), ascii(sentence))
        self.assertLess(len(sentence), 400)
        return sentence

    def test_read(self) -> None:
        """A file is its values; its lines may end in CRLF."""
        text = self.read(b'a = 1\r\nb = "\xc3\xbc"\r\n')
        self.assertEqual((text.values, text.line_of("b", "service", 0)), ({"a": 1, "b": "ü"}, 2))

    def test_syntax(self) -> None:
        """What is not TOML is said with its line and column."""
        self.assertEqual(
            self.refused(b"a = 1\nb = = 2\n"),
            "services.toml is not TOML: Invalid value (at line 2, column 5)",
        )
        self.assertIn("(at end of document)", self.refused(b"a ="))
        self.assertIn("Cannot overwrite a value (at line 2,", self.refused(b"a = 1\na = 2\n"))

    def test_not_text(self) -> None:
        """Bytes that are not UTF-8 are said, with their line."""
        self.assertEqual(
            self.refused(b"a = 1\nb = '\xff'\n"), "services.toml, line 2: the text is not UTF-8"
        )
        for content in (
            b"\x00",
            b"\x1b[31m",
            b"a = '\x1b[31m'",
            bytes(range(128)),
            b"\xef\xbb\xbf",
        ):
            self.assertIn("services.toml", self.refused(content))

    def test_extremes(self) -> None:
        """Arrays too deep, numbers too long and files too large are refused, not suffered."""
        self.assertIn("too deep", self.refused(b"a = " + b"[" * 10_000 + b"]" * 10_000))
        self.assertIn("not TOML", self.refused(b"a = " + b"9" * 10_000))
        self.assertIn("longer than 256 KiB", self.refused(b"#" * (LARGEST + 1)))

    def test_unreadable(self) -> None:
        """A file that is not there, or is a folder, is said with the reason."""
        for path, why in {
            str(self.folder): "Is a directory",
            str(self.folder / "none"): "No such file or directory",
            "a\0b": "embedded null byte",
        }.items():
            error = self.assertRaises(ConfigurationError, read_toml, "a\x1bb.toml", path)
            self.assertEqual(str(error), f"cannot read a\\x1bb.toml: {why}")


class ShownTests(SynchronousTestCase):
    def test_values(self) -> None:
        """A value is shown about as it was written, on one line that cannot hurt a terminal."""
        for value, shown in {
            "5 parsecs": '"5 parsecs"',
            "\x1b\n": '"\\x1b\\n"',
            True: "true",
            5: "5",
            0.25: "0.25",
        }.items():
            self.assertEqual(as_toml(value), shown)
        self.assertEqual(as_toml(["a", 1, [2], {}]), '["a", 1, […], {…}]')
        self.assertEqual(as_toml({"a": 1}), "a table")
        for value in ("x" * 10**6, [1] * 10**6, 2**20_000, 1e300):
            self.assertLess(len(as_toml(value)), 320)

    def test_numbers(self) -> None:
        """A number is written as options take it: no exponent."""
        self.assertEqual(
            [number_text(n) for n in (30, -1, 0.5, 1e-7, 1e22, 1.5e4)],
            ["30", "-1", "0.5", "0.0000001", "10000000000000000000000", "15000.0"],
        )

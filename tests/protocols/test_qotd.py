"""Quotes: ours, somebody's own file, and which one is said."""

from __future__ import annotations

import os
from random import Random

from tests.folder import FolderTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.protocols.qotd import MOST, QUOTES, quote, read_quotes


class OursTests(FolderTestCase):
    def test_each(self) -> None:
        """RFC 865: printing ASCII, space, CR and LF, and less than 512 characters."""
        self.assertGreater(len(QUOTES), 3)
        for one in QUOTES:
            self.assertLess(len(one), 512)
            self.assertEqual(one[-2:], b"\r\n")
            for line in one.split(b"\r\n"):
                self.assertRegex(line.decode("ascii"), r"\A[ -~]*\Z")


class FileTests(FolderTestCase):
    def read(self, content: bytes) -> tuple[bytes, ...]:
        path = self.folder / "quotes"
        path.write_bytes(content)
        return read_quotes(str(path))

    def refused(self, content: bytes) -> str:
        with self.assertRaises(ConfigurationError) as caught:
            self.read(content)
        return str(caught.exception)

    def test_separated(self) -> None:
        """A line of one % is between two quotes; each ends in CR LF, whatever the file has."""
        for content in (b"a\nb\n%\nc", b"a\r\nb\r\n%\r\nc\r\n", b"%\na\nb\n%\n\n%\nc\n%\n"):
            self.assertEqual(self.read(content), (b"a\r\nb\r\n", b"c\r\n"))

    def test_kept(self) -> None:
        """A % within a line, empty lines within a quote and other scripts are as they are."""
        self.assertEqual(
            self.read("100 %\n\n% of ß\n".encode()), ("100 %\r\n\r\n% of ß\r\n".encode(),)
        )

    def test_longest(self) -> None:
        """511 bytes with their end are the most; the sentence says which quote is longer."""
        self.assertEqual(len(self.read(b"x" * 509)[0]), MOST)
        self.assertIn("quote 2 has 512 bytes, and 511 are", self.refused(b"a\n%\n" + b"x" * 510))

    def test_unusable(self) -> None:
        """No file, no text, no quote: one sentence that names the file."""
        self.assertIn("there is no quote in it", self.refused(b"%\n\n%\n"))
        self.assertIn("not UTF-8", self.refused(b"\xff"))
        for path in (str(self.folder / "none"), str(self.folder), "a\0b", os.devnull):
            with self.assertRaises(ConfigurationError) as caught:
                read_quotes(path)
            self.assertIn(path.replace("\0", "\\x00"), str(caught.exception))


class QuoteTests(FolderTestCase):
    def test_chance(self) -> None:
        """Every quote has its day."""
        said = {quote(QUOTES, Random(seed)) for seed in range(200)}
        self.assertEqual(said, set(QUOTES))

    def test_fitting(self) -> None:
        """Where there is little room one is said that fits, if any does."""
        quotes = (b"a long one\r\n", b"short\r\n")
        self.assertEqual({quote(quotes, Random(seed), 7) for seed in range(50)}, {quotes[1]})
        self.assertEqual({quote(quotes, Random(seed), 6) for seed in range(50)}, set(quotes))

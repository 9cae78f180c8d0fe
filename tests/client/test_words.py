"""What is typed goes out as it was meant; what comes cannot write to the terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.client.words import (
    Hex,
    Lines,
    Raw,
    Readable,
    ReadableDatagrams,
    Text,
    as_typed,
    from_hex,
    with_crlf,
)

CHUNKS = st.lists(st.binary(max_size=12))


class ReadableTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Lines, tabs and letters of any language stay what they are; CR LF is a line end."""
        self.assertEqual(Readable()("one\r\ntwo\tcafé\n".encode()), "one\ntwo\tcafé\n".encode())

    def test_hostile(self) -> None:
        """Escape sequences, bidirectional controls, NUL, C1 and a lone CR are shown, not done."""
        shown = Readable()("\x1b[2J\x00\u202e\x9b\rX".encode())
        self.assertEqual(shown, rb"\x1b[2J\x00\u202e\u009b\rX")

    def test_not_utf8(self) -> None:
        """A byte that is no UTF-8 is shown as a byte."""
        self.assertEqual(Readable()(b"\xff."), rb"\xff.")

    def test_cut(self) -> None:
        """A letter, or a CR LF, that is cut between two reads is shown as one."""
        shown = Readable()
        self.assertEqual(shown(b"caf\xc3"), b"caf")
        self.assertEqual(shown(b"\xa9\r"), "é".encode())
        self.assertEqual(shown(b"\n"), b"\n")

    def test_end(self) -> None:
        """Half a letter, or a CR, at the end of all is shown then."""
        shown = Readable()
        shown(b"\xc3")
        self.assertEqual(shown.end(), rb"\xc3")
        shown(b"\r")
        self.assertEqual((shown.end(), shown.end()), (rb"\r", b""))

    @given(CHUNKS)
    def test_any(self, chunks: list[bytes]) -> None:
        """Whatever comes, in whatever pieces: tabs and line ends are all that controls it."""
        shown = Readable()
        text = b"".join([*map(shown, chunks), shown.end()]).decode()
        controls = {letter for letter in text if unicodedata.category(letter) == "Cc"}
        self.assertLessEqual(controls, {"\n", "\t"})

    @given(CHUNKS)
    def test_pieces(self, chunks: list[bytes]) -> None:
        """It does not matter how the bytes are cut."""
        one, many = Readable(), Readable()
        whole = one(b"".join(chunks)) + one.end()
        self.assertEqual(b"".join([*map(many, chunks), many.end()]), whole)


class OtherShownTests(SynchronousTestCase):
    def test_raw(self) -> None:
        """Where stdout is no terminal the bytes are untouched."""
        self.assertEqual((Raw()(b"\x1b\xff"), Raw().end()), (b"\x1b\xff", b""))

    def test_hex(self) -> None:
        """Hex counts on from one read to the next."""
        shown = Hex()
        self.assertEqual(shown(b"hi\n"), b"0000  68 69 0a" + b" " * 41 + b"hi.\n")
        self.assertTrue(shown(b"x").startswith(b"0003  78"))
        self.assertEqual(shown.end(), b"")

    def test_datagrams(self) -> None:
        """Each datagram is on lines of its own, with a line end of its own or without."""
        shown = ReadableDatagrams()
        self.assertEqual((shown(b"one"), shown(b"two\n"), shown(b"")), (b"one\n", b"two\n", b"\n"))
        self.assertEqual((shown(b"\xc3"), shown.end()), (b"\\xc3\n", b""))


class TextTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """What is typed is sent at once, whether or not its line is whole."""
        self.assertEqual((Text().read(b"a\nb"), Text().end()), ([b"a\nb"], []))

    def test_crlf(self) -> None:
        """Each line ends with CR LF, once, wherever the reads are cut."""
        typed = Text(crlf=True)
        read = [typed.read(data) for data in (b"a\nb\r\nc\r", b"\n", b"d\n\n", b"e")]
        self.assertEqual(read, [[b"a\r\nb\r\nc\r"], [b"\n"], [b"d\r\n\r\n"], [b"e"]])
        self.assertEqual((typed.end(), typed.refused), ([], []))

    def test_long(self) -> None:
        """A line of any length has one line end, at its end."""
        typed = Text(crlf=True)
        sent = [typed.read(b"a" * 70_000), typed.read(b"b\n")]
        self.assertEqual(sent, [[b"a" * 70_000], [b"b\r\n"]])


class LinesTests(SynchronousTestCase):
    def test_hex(self) -> None:
        """Hex is read with or without spaces, from a line that comes in pieces."""
        typed = Lines(from_hex)
        self.assertEqual(typed.read(b"68 6"), [])
        self.assertEqual(typed.read(b"9\r\n0aFF\n"), [b"hi", b"\n\xff"])
        self.assertEqual(typed.refused, [])

    def test_no_hex(self) -> None:
        """What is no hex is refused by name, and cannot write to the terminal."""
        typed = Lines(from_hex)
        self.assertEqual(typed.read(b"6\nzz\x1b\n68\n"), [b"h"])
        wrong = ["'6' is not hex, and was not sent", r"'zz\x1b' is not hex, and was not sent"]
        self.assertEqual(typed.refused, wrong)

    def test_end(self) -> None:
        """The last line needs no end; without one there is nothing left."""
        typed = Lines(as_typed)
        self.assertEqual(typed.read(b"one\ntwo"), [b"one"])
        self.assertEqual((typed.end(), typed.end()), ([b"two"], []))

    def test_empty(self) -> None:
        """An empty line is an empty message."""
        self.assertEqual(Lines(as_typed).read(b"\n\r\n"), [b"", b""])

    def test_crlf(self) -> None:
        """CR LF after each message, when asked for."""
        self.assertEqual(Lines(with_crlf).read(b"one\n"), [b"one\r\n"])

    def test_longest(self) -> None:
        """A line of the longest length is sent, whatever its end; one byte more is refused."""
        typed = Lines(as_typed, 4)
        self.assertEqual(typed.read(b"1234\n1234\r\n"), [b"1234", b"1234"])
        self.assertEqual(typed.read(b"12345\nnext\n"), [b"next"])
        self.assertEqual(typed.refused, ["a line of more than 4 bytes was not sent"])

    def test_bounded(self) -> None:
        """Of a line without end little is kept, and it is refused once; what follows is sent."""
        typed = Lines(as_typed, 4)
        for _ in range(1000):
            self.assertEqual(typed.read(b"12345678"), [])
            self.assertLess(len(typed._rest), 16)
        self.assertEqual(typed.read(b"\nnext\n"), [b"next"])
        self.assertEqual(len(typed.refused), 1)
        typed.read(b"123456")
        self.assertEqual((typed.end(), len(typed.refused)), ([], 2))

"""What a peer says is shown on one line, without a character that acts on a screen."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.escaping import SHOWN_BYTES, escape

#: ISO 6429 controls, C0 and C1; UAX #9's explicit and implicit bidirectional controls; UAX #14's
#: mandatory breaks. Taken from the Unicode database and the annexes, not from the code under test.
BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

texts = st.text(st.characters(), max_size=60)
#: As texts, but mostly of what is dangerous.
nasty = st.text(
    st.one_of(
        st.sampled_from("\\x0123…\"' =" + "".join(BIDIRECTIONAL)),
        st.characters(categories=["Cc", "Cs", "Cf", "Zl", "Zp"]),
    ),
    max_size=30,
)

_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|([nrt]))")


def unescaped(shown: str) -> bytes:
    """The bytes that *shown* stands for, by the two rules of the module and nothing else."""
    pieces, at = [], 0
    for match in _ESCAPE.finditer(shown):
        pieces.append(shown[at : match.start()].encode())
        byte, unit, short = match.groups()
        if byte is not None:
            pieces.append(bytes([int(byte, 16)]))
        elif unit is not None:
            pieces.append(chr(int(unit, 16)).encode("utf-8", "surrogatepass"))
        else:
            pieces.append({"n": b"\n", "r": b"\r", "t": b"\t"}.get(short, b"\\"))
        at = match.end()
    return b"".join([*pieces, shown[at:].encode()])


class SafetyTests(SynchronousTestCase):
    def check(self, shown: str) -> None:
        self.assertEqual(len(shown.splitlines() or [""]), 1, ascii(shown))
        for character in shown:
            self.assertNotIn(unicodedata.category(character), ("Cc", "Cs", "Zl", "Zp"), shown)
            self.assertNotIn(character, BIDIRECTIONAL, shown)
        shown.encode("utf-8")

    @given(st.one_of(texts, nasty))
    @example("one\r\ntwo\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    @example("\x1b]0;title\x07\x9b31m\x7f")
    @example("\ud800\udfff\udc9b")
    def test_text(self, text: str) -> None:
        """Whatever the text, it is one line without controls, bidi controls or surrogates."""
        self.check(escape(text))

    @given(st.binary(max_size=60))
    @example(b"\x9b31m")
    @example("\u202e\u2028\x9b".encode())
    def test_bytes(self, data: bytes) -> None:
        """Whatever the bytes, they are one line without controls, bidi controls or surrogates."""
        self.check(escape(data))

    def test_invisible(self) -> None:
        """What cannot be seen is shown: zero-width characters and the byte order mark."""
        self.assertEqual(escape("a\u200bb\u2060c\ufeffd"), r"a\u200bb\u2060c\ufeffd")


class MeaningTests(SynchronousTestCase):
    @given(
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E).filter(lambda c: c != "\\"))
    )
    def test_plain(self, text: str) -> None:
        """Plain ASCII is shown as it is."""
        self.assertEqual(escape(text, 10_000), text)

    def test_readable(self) -> None:
        """Letters of every script, combining marks and emoji stay readable."""
        self.assertEqual(
            escape("naïve Ελληνικά עברית 日本語 e\u0301 🙂"),
            "naïve Ελληνικά עברית 日本語 e\u0301 🙂",
        )

    def test_examples(self) -> None:
        """Controls and bytes that are not UTF-8 become \\xNN, a backslash becomes two."""
        self.assertEqual(escape(b"a\r\n\x1b[31m\x9b\\x41\xff"), r"a\r\n\x1b[31m\x9b\\x41\xff")
        self.assertEqual(escape("\u2028\u202e"), r"\u2028\u202e")

    @given(st.binary(max_size=60))
    @example(b"\x80")
    @example(b"\xc2\x80")
    @example(b"\\x80")
    def test_bytes_can_be_told(self, data: bytes) -> None:
        """From what is shown one can tell which bytes were meant: no two look the same."""
        self.assertEqual(unescaped(escape(data, 10_000)), data)

    def test_c1_and_byte(self) -> None:
        """The byte 0x9b and the character U+009B do not look the same."""
        self.assertNotEqual(escape(b"\x9b"), escape("\x9b".encode()))


class CutTests(SynchronousTestCase):
    def test_cut(self) -> None:
        """A long text is cut, and an ellipsis says so."""
        self.assertEqual(escape("x" * 1000), "x" * SHOWN_BYTES + "…")
        self.assertEqual(escape(b"abc", 2), "ab…")
        self.assertEqual(escape(b"ab", 2), "ab")

    def test_cut_inside_a_character(self) -> None:
        """Bytes cut inside a character of UTF-8 are shown as the bytes they are."""
        self.assertEqual(escape("é".encode(), 1), r"\xc3…")

    @given(st.one_of(texts, st.binary(max_size=60)), st.integers(0, 10))
    def test_bounded(self, text: str | bytes, limit: int) -> None:
        """No peer makes a shown field longer than six times its limit and the ellipsis."""
        self.assertLessEqual(len(escape(text, limit)), 6 * limit + 1)

"""Typed bytes become keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.live.keys import Keys


class KeyTests(SynchronousTestCase):
    def test_named(self) -> None:
        """Keys have names; letters are themselves."""
        found = Keys().feed(b"q\r\n\t\x7f\x08\x03\xc3\xbc")
        names = ["q", "enter", "enter", "tab", "backspace", "backspace", "ctrl-c", "ü"]
        self.assertEqual(found, names)

    def test_cursor(self) -> None:
        """Cursor keys are known in both modes of a terminal, and the keypad above them."""
        found = Keys().feed(b"\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[1;5A\x1b[200~x")
        self.assertEqual(found, ["up", "down", "page-up", "page-down", "home", "end", "x"])

    def test_cut(self) -> None:
        """A sequence that comes in pieces is one key."""
        keys = Keys()
        self.assertEqual([keys.feed(bytes([byte])) for byte in b"\x1b[A"], [[], [], ["up"]])
        self.assertFalse(keys.waiting)

    def test_escape(self) -> None:
        """Escape alone is known by what does not follow."""
        keys = Keys()
        self.assertEqual(keys.feed(b"\x1b"), [])
        self.assertTrue(keys.waiting)
        self.assertEqual(keys.flush(), ["escape"])
        self.assertEqual(keys.flush(), [])
        self.assertEqual(keys.feed(b"\x1bq"), ["escape", "q"])

    @given(st.lists(st.binary(max_size=20)))
    def test_anything(self, pieces: list[bytes]) -> None:
        """Whatever is typed, what waits is bounded, and what comes is printable or has a name."""
        keys = Keys()
        for piece in pieces:
            for key in keys.feed(piece):
                self.assertTrue(key.isprintable() and key)
        self.assertLess(len(keys.flush()), 2)
        self.assertEqual(keys.feed(b"\x1b" + b"[0" * 1000)[-1:], ["0"])

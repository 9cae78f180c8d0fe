"""Terminals without UTF-8 get lines of ASCII."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.live.glyphs import ASCII, UNICODE, Glyphs, glyphs_for


class GlyphTests(SynchronousTestCase):
    def test_encoding(self) -> None:
        """Lines are drawn with what the terminal can show."""
        self.assertIs(glyphs_for("utf-8"), UNICODE)
        for encoding in ("latin-1", "ascii", "no-such-encoding"):
            self.assertIs(glyphs_for(encoding), ASCII)

    def test_different(self) -> None:
        """Data, FIN, RST, datagrams and accepts, and the states of a side, all look different."""
        strokes = "data fin rst rare datagram".split()
        sides = "life ended paused missing".split()
        for glyphs in (UNICODE, ASCII):
            for names in (strokes, sides, ["right", "left", "dropped"], ["pause", "resume"]):
                self.assertEqual(len({getattr(glyphs, name) for name in names}), len(names))

    def test_one_cell(self) -> None:
        """Each is one character; those of ASCII are ASCII."""
        for glyphs in (UNICODE, ASCII):
            every = [getattr(glyphs, name) for name in Glyphs.__slots__]
            self.assertEqual({len(one) for one in every}, {1})
        self.assertTrue(all(getattr(ASCII, name).isascii() for name in Glyphs.__slots__))

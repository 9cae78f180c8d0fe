"""What a line is, and that the reads it came in change nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.protocols.framing import Line, LineFramer

LIMIT = 4

#: Short pieces of what matters, so that limits and endings meet often.
inputs = st.lists(
    st.sampled_from([b"a", b"abc", b"abcd", b"abcde", b"\r", b"\n", b"\r\n", b"\0", b"\xff"]),
    max_size=12,
).map(b"".join)


def read(*reads: bytes, limit: int = LIMIT, fin: bool = True) -> tuple[list[Line], bool]:
    """The lines of *reads*, up to and including the one FIN ends, and whether one is too long."""
    framer = LineFramer(limit)
    lines = [line for data in reads for line in framer.feed(data)]
    if fin and (last := framer.finish()):
        lines.append(last)
    return lines, framer.too_long


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


class LineTests(SynchronousTestCase):
    def test_lf_and_crlf(self) -> None:
        """LF and CRLF end a line; each line keeps its own ending."""
        self.assertEqual(
            read(b"a\nb\r\n\n\r\n"),
            ([Line(b"a", b"\n"), Line(b"b", b"\r\n"), Line(b"", b"\n"), Line(b"", b"\r\n")], False),
        )

    def test_bare_cr_is_data(self) -> None:
        """A CR that no LF follows is data; of two before LF the first is."""
        self.assertEqual(
            read(b"a\rb\r\r\n\r"),
            ([Line(b"a\rb\r", b"\r\n"), Line(b"\r", b"")], False),
        )

    def test_any_byte_is_data(self) -> None:
        """NUL, eight-bit bytes and broken UTF-8 are content like any other."""
        odd = bytes(set(range(256)) - {10, 13})
        self.assertEqual(read(odd + b"\n", limit=256), ([Line(odd, b"\n")], False))

    def test_fin_ends_the_last_line(self) -> None:
        """What no terminator ended is a line with an empty ending; nothing is no line."""
        self.assertEqual(read(b"a\nb"), ([Line(b"a", b"\n"), Line(b"b", b"")], False))
        self.assertEqual(read(b"a\n"), ([Line(b"a", b"\n")], False))
        self.assertEqual(read(), ([], False))

    def test_unfinished(self) -> None:
        """The framer knows whether a line has begun."""
        framer = LineFramer()
        seen = []
        for data in (b"a", b"\n", b"b\nc", b"\r", b"\n"):
            framer.feed(data)
            seen.append(framer.unfinished)
        self.assertEqual(seen, [True, False, True, True, False])


class LimitTests(SynchronousTestCase):
    def test_exactly_the_limit(self) -> None:
        """The terminator is not counted."""
        self.assertEqual(read(b"abcd\n"), ([Line(b"abcd", b"\n")], False))
        self.assertEqual(read(b"abcd\r\n"), ([Line(b"abcd", b"\r\n")], False))
        self.assertEqual(read(b"abcd"), ([Line(b"abcd", b"")], False))

    def test_one_too_many(self) -> None:
        """It is noticed without waiting for the end of the line."""
        self.assertEqual(read(b"abcde\n"), ([], True))
        self.assertEqual(read(b"abcde", fin=False), ([], True))

    def test_cr_at_the_limit(self) -> None:
        """A CR after the last allowed byte may still become CRLF; anything else decides it."""
        self.assertEqual(read(b"abcd\r", fin=False), ([], False))
        self.assertEqual(read(b"abcd\r", b"\n"), ([Line(b"abcd", b"\r\n")], False))
        self.assertEqual(read(b"abcd\r", b"x", fin=False), ([], True))
        self.assertEqual(read(b"abcd\r", b"\r", fin=False), ([], True))
        self.assertEqual(read(b"abcd\r"), ([], True))

    def test_earlier_lines_are_delivered(self) -> None:
        """The lines before the long one count, the ones after it do not."""
        self.assertEqual(read(b"a\nabcde\nb\n", b"c\n"), ([Line(b"a", b"\n")], True))

    def test_nothing_is_kept(self) -> None:
        """After the verdict no byte is held."""
        framer = LineFramer(LIMIT)
        framer.feed(b"abcdef")
        framer.feed(b"x" * 1000)
        self.assertFalse(framer.unfinished)
        self.assertIsNone(framer.finish())


class SplitTests(SynchronousTestCase):
    @given(inputs, st.lists(st.integers(0, 200), max_size=6), st.booleans())
    def test_reads_do_not_matter(self, data: bytes, places: list[int], fin: bool) -> None:
        """However the input is cut into reads: the same lines, the same verdict."""
        self.assertEqual(read(*cut(data, places), fin=fin), read(data, fin=fin))

    @given(inputs)
    def test_nothing_is_lost(self, data: bytes) -> None:
        """Without a limit in the way, the lines put together are the input."""
        lines, _ = read(data, limit=len(data))
        self.assertEqual(b"".join(line.content + line.ending for line in lines), data)

    def test_one_byte_at_a_time(self) -> None:
        """A line of the full length may come byte by byte."""
        content = b"x" * 16384
        reads = [bytes((byte,)) for byte in content + b"\r\n"]
        self.assertEqual(read(*reads, limit=16384), ([Line(content, b"\r\n")], False))

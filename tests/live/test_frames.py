"""Server-sent events come apart, however they were cut on the way."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.live.frames import LIMIT, Frame, Frames, TooLong

STREAM = (
    b": ok\n\nid: 5\nevent: received\ndata: {}\n\n: alive\n\ndata:a\r\ndata: b\r\n\r\nevent: x\n\n"
)
FRAMES = [Frame("received", "{}", "5"), Frame("message", "a\nb")]


class FrameTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Events come with name, data and id; comments and events without data do not."""
        self.assertEqual(Frames().feed(STREAM), FRAMES)

    def test_cut(self) -> None:
        """The same comes of it byte by byte."""
        frames = Frames()
        found = [frame for byte in STREAM for frame in frames.feed(bytes([byte]))]
        self.assertEqual(found, FRAMES)

    def test_not_utf_8(self) -> None:
        """Bytes that are not UTF-8 are replaced."""
        (frame,) = Frames().feed(b"data: \xff\n\n")
        self.assertEqual(frame.data, "\N{REPLACEMENT CHARACTER}")

    def test_bounded(self) -> None:
        """An event without end is refused, in one line or in many."""
        self.assertRaises(TooLong, Frames().feed, b"data: " + b"x" * LIMIT)
        self.assertRaises(TooLong, Frames().feed, b"data: 0123456789\n" * (LIMIT // 10 + 1))

    def test_not_summed(self) -> None:
        """Many events are no long event."""
        frames = Frames()
        for _ in range(3):
            self.assertEqual(len(frames.feed(b"data: " + b"x" * (LIMIT // 2) + b"\n\n")), 1)

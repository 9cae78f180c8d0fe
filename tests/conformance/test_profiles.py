"""A profile judges what a server said, and knows nothing of sockets."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.profiles import PROFILES, line, octets, text


def says(profile: str, seen: bytes, asked: bytes = b"") -> tuple[bool, str]:
    judged = PROFILES[profile].judge(asked, 1, seen)
    return judged.whole, judged.wrong


class EchoTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """What was asked comes back; a beginning of it is not whole yet, and not wrong."""
        self.assertEqual(says("echo", b"abc", b"abc"), (True, ""))
        self.assertEqual(says("echo", b"ab", b"abc"), (False, ""))
        self.assertEqual(says("echo", b"", b"abc"), (False, ""))

    def test_changed(self) -> None:
        """The first byte that differs is named."""
        self.assertEqual(
            says("echo", b"aXc", b"abc"), (False, "byte 1 came back as 0x58, not 0x62")
        )

    def test_more(self) -> None:
        """Bytes that nobody had sent are wrong."""
        self.assertIn("1 bytes came back that nobody had sent", says("echo", b"abcd", b"abc")[1])

    @given(st.binary(max_size=50), st.binary(max_size=50))
    def test_any(self, asked: bytes, seen: bytes) -> None:
        """Right is what is equal, open what may become so, and all else is wrong."""
        whole, wrong = says("echo", seen, asked)
        self.assertEqual(whole and not wrong, seen == asked)
        self.assertEqual(not whole and not wrong, asked.startswith(seen) and seen != asked)


class SmallTests(SynchronousTestCase):
    def test_discard(self) -> None:
        """Not a byte may come."""
        self.assertEqual(says("discard", b"", b"x"), (True, ""))
        self.assertEqual(says("discard", b"x", b"x"), (True, "it said b'x'"))

    def test_chargen(self) -> None:
        """72 characters of the ring and CRLF, each line begun one later, begun anywhere, cut."""
        ring = bytes(range(32, 127)) * 3
        lines = b"".join(ring[n : n + 72] + b"\r\n" for n in range(5, 200))[:-30]
        self.assertEqual(says("chargen", lines), (True, ""))
        self.assertIn("line 2 is", says("chargen", ring[:72] + b"\r\n" + ring[:72])[1])
        self.assertIn("line 1 is", says("chargen", ring[:80])[1])

    def test_daytime(self) -> None:
        """One line of ASCII with a digit."""
        self.assertEqual(says("daytime", b"Sun Nov 22 2026 10:00:00\r\n"), (True, ""))
        self.assertEqual(says("daytime", b""), (False, ""))
        self.assertIn("no digit", says("daytime", b"now\r\n")[1])
        self.assertIn("not ASCII", says("daytime", "1 Mär 2026".encode())[1])

    def test_qotd(self) -> None:
        """At most 512 characters."""
        self.assertEqual(says("qotd", b"x" * 512), (True, ""))
        self.assertIn("513 characters", says("qotd", b"x" * 513)[1])

    def test_time(self) -> None:
        """Four bytes, network order, from 1900; what is wrong with others is said."""
        now = int(time.time())
        right = (now + 2_208_988_800) % 2**32
        self.assertEqual(says("time", right.to_bytes(4, "big")), (True, ""))
        self.assertEqual(says("time", b"abc"), (False, ""))
        self.assertIn("8 bytes", says("time", bytes(8))[1])
        self.assertIn("from 1970", says("time", now.to_bytes(4, "big"))[1])
        late = (right + 4000) % 2**32
        self.assertRegex(says("time", late.to_bytes(4, "big"))[1], "it is (4,000|3,999) s off")
        self.assertIn("off", says("time", right.to_bytes(4, "little"))[1])


class RequestTests(SynchronousTestCase):
    def test_sizes(self) -> None:
        """Requests have the size that was asked for; a line ends in CRLF."""
        for size in (3, 10, 1000):
            self.assertEqual([len(octets(size)), len(text(size)), len(line(size))], [size] * 3)
        self.assertEqual(set(octets(1000)), set(range(256)))
        self.assertTrue(line(1000).endswith(b"\r\n"))
        self.assertEqual(line(1000).count(b"\n"), 1)
        self.assertFalse(line(1000).startswith(b"/"))

"""The four bytes of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.protocols.time import time


class TimeTests(SynchronousTestCase):
    def test_examples(self) -> None:
        """The examples of RFC 868, as far as 32 bits without a sign go."""
        for seconds, date in (
            (2_208_988_800, datetime(1970, 1, 1, tzinfo=UTC)),
            (2_398_291_200, datetime(1976, 1, 1, tzinfo=UTC)),
            (2_524_521_600, datetime(1980, 1, 1, tzinfo=UTC)),
            (2_629_584_000, datetime(1983, 5, 1, tzinfo=UTC)),
        ):
            self.assertEqual(int.from_bytes(time(date), "big"), seconds)

    def test_bytes(self) -> None:
        """Four bytes, the most significant first; a part of a second does not count."""
        self.assertEqual(time(datetime(1900, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)), b"\0\0\0\1")
        self.assertEqual(time(datetime(1900, 1, 1, 0, 4, 16, tzinfo=UTC)), b"\0\0\1\0")

    def test_2036(self) -> None:
        """After the last of the 32-bit numbers, on 7 February 2036, it begins at 0 again."""
        last = datetime(2036, 2, 7, 6, 28, 15, tzinfo=UTC)
        self.assertEqual(time(last), b"\xff\xff\xff\xff")
        self.assertEqual(time(last + timedelta(seconds=1)), b"\0\0\0\0")

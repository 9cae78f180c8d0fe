"""The line of daytime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.protocols.daytime import daytime


class DaytimeTests(SynchronousTestCase):
    def test_line(self) -> None:
        """Weekday, month, day, year, time and zone, as RFC 867 has it, in one line."""
        pacific = timezone(timedelta(hours=-8), "PST")
        then = datetime(1982, 2, 22, 17, 37, 43, 999_999, tzinfo=pacific)
        # RFC 867 calls this day a Tuesday; it was a Monday.
        self.assertEqual(daytime(then), b"Monday, February 22, 1982 17:37:43-PST\r\n")

    def test_utc(self) -> None:
        """Days and hours are as short as they are; seconds have two digits."""
        self.assertEqual(
            daytime(datetime(2026, 3, 1, 7, 5, 9, tzinfo=UTC)),
            b"Sunday, March 1, 2026 07:05:09-UTC\r\n",
        )

"""Numbers as people read them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.live.amounts import duration, moment, rate, size


class AmountTests(SynchronousTestCase):
    def test_size(self) -> None:
        """Sizes are exact while they are few, then have three digits and a unit."""
        for count, text in {
            0: "0 B",
            9_999: "9,999 B",
            10_000: "9.8 KiB",
            102_399: "100 KiB",
            1_023_000: "999 KiB",
            1_023_900: "1.0 MiB",
            1_048_576: "1.0 MiB",
            2**63: "8.0 EiB",
        }.items():
            self.assertEqual(size(count), text)

    def test_rate(self) -> None:
        """Nothing is said where nothing moves."""
        self.assertEqual([rate(0), rate(0.4), rate(12288)], ["", "", "12.0 KiB/s"])

    def test_duration(self) -> None:
        """Times go from microseconds to hours."""
        for seconds, text in {
            0: "0 µs",
            0.0005: "500 µs",
            0.0009996: "1 ms",
            0.9996: "1.0 s",
            0.25: "250 ms",
            5.24: "5.2 s",
            59.97: "1 min 0 s",
            3600: "1 h 0 min",
        }.items():
            self.assertEqual(duration(seconds), text)

    def test_moment(self) -> None:
        """A moment is seconds since the start."""
        self.assertEqual([moment(1_500_000_001), moment(1_500_000_001, 3)], ["1.500000", "1.500"])

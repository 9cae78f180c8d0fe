"""Sizes, times, rates, counts and networks as people write them; anything else is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab import units

READERS: tuple[Callable[[str], Any], ...] = (
    units.size,
    units.seconds,
    units.seconds_or_none,
    units.count_of_bytes,
    units.byte_rate,
    units.rate,
    units.count,
    units.port,
    units.network,
)

#: Digits that are no ASCII digits, numbers that overflow, and other slips.
SLIPS = (
    "",
    " ",
    "-1",
    "+1",
    "1e3",
    "0x10",
    "1_000",
    "٣",
    "\N{FULLWIDTH DIGIT FIVE}",
    "½",
    "nan",
    "inf",
    "1,5",
    "1.",
    "--",
)


class UnitsTestCase(SynchronousTestCase):
    def same(self, read: Callable[[str], Any], expected: dict[str, Any]) -> None:
        self.assertEqual({text: read(text) for text in expected}, expected)

    def refused(self, read: Callable[[str], Any], *texts: str) -> None:
        for text in texts:
            error = self.assertRaises(ValueError, read, text)
            self.assertRegex(str(error), r"^(expected|unknown unit) .+$", text)


class SizeTests(UnitsTestCase):
    def test_good(self) -> None:
        """KiB is 1024 bytes and kB 1000, a bare number is bytes, spaces do not matter."""
        self.same(
            units.size,
            {
                "0": 0,
                "65536": 65536,
                "64KiB": 65536,
                "64 kib": 65536,
                " 1MiB ": 2**20,
                "1GiB": 2**30,
                "64kB": 64_000,
                "1.5MB": 1_500_000,
                "2GB": 2 * 10**9,
                "7B": 7,
                ".5kB": 500,
            },
        )

    def test_bad(self) -> None:
        """Half bytes, unknown units and numbers no memory holds are refused."""
        self.refused(units.size, *SLIPS, "1.5", "64k", "64Kb/s", "1TB", "9" * 30, "KiB")

    def test_endless(self) -> None:
        """A number of hundreds of digits is refused as any other that is too large."""
        self.refused(units.size, "9" * 400)
        self.refused(units.byte_rate, "9" * 400)

    def test_in_memory(self) -> None:
        """What is kept in memory is from 1 byte to 16 MiB."""
        self.same(units.count_of_bytes, {"1": 1, "16MiB": 2**24})
        self.refused(units.count_of_bytes, "0", "16777217", "1GiB", "x")


class TimeTests(UnitsTestCase):
    def test_good(self) -> None:
        """A bare number is seconds; ms, us, min (or m) and h are known."""
        self.same(
            units.seconds,
            {
                "5": 5.0,
                "5s": 5.0,
                "200ms": 0.2,
                "500us": 0.0005,
                "10min": 600.0,
                "10m": 600.0,
                "1.5h": 5400.0,
                "0.25": 0.25,
            },
        )

    def test_bad(self) -> None:
        """No time at all, more than a year and unknown units are refused."""
        self.refused(units.seconds, *SLIPS, "0", "0s", "9000h", "9" * 400, "5d", "5 seconds", "s")

    def test_none(self) -> None:
        """Where no time at all makes sense, 0 is that."""
        self.same(units.seconds_or_none, {"0": 0.0, "0s": 0.0, " 0 ": 0.0, "2s": 2.0})
        self.refused(units.seconds_or_none, "-1", "x", "1y")

    def test_none_in_other_words(self) -> None:
        """0 is 0 in every unit and with every number of decimals."""
        self.same(units.seconds_or_none, {"0ms": 0.0, "0.0": 0.0, "0min": 0.0})


class RateTests(UnitsTestCase):
    def test_bytes(self) -> None:
        """A rate of bytes is a size a second; the /s may be left out."""
        self.same(
            units.byte_rate,
            {"100kB/s": 100_000.0, "64KiB/s": 65536.0, "1000": 1000.0, " 1B/s ": 1.0},
        )
        self.refused(units.byte_rate, *SLIPS, "0", "0/s", "1kB/min", "1kB/s/s", "0.5/s")

    def test_events(self) -> None:
        """A rate of events is a number a second, also a fraction."""
        self.same(units.rate, {"50/s": 50.0, "50": 50.0, "0.5/s": 0.5, " 2 /s": 2.0})
        self.refused(units.rate, *SLIPS, "0", "0/s", "50/min", "5kB/s", "9" * 400)


class CountTests(UnitsTestCase):
    def test_count(self) -> None:
        """A count is a whole number from 1."""
        self.same(units.count, {"1": 1, " 42 ": 42, "999999999": 999_999_999})
        self.refused(units.count, *SLIPS, "0", "1.5", "1000000000", "one")

    def test_port(self) -> None:
        """A port is from 0 to 65535."""
        self.same(units.port, {"0": 0, "9000": 9000, "65535": 65535})
        self.refused(units.port, *SLIPS, "65536", "99999", "100000", "http")


class NetworkTests(UnitsTestCase):
    def test_good(self) -> None:
        """A network is in CIDR notation, or one address, or an address inside it."""
        self.same(
            units.network,
            {
                "10.0.0.0/8": ip_network("10.0.0.0/8"),
                "10.1.2.3/8": ip_network("10.0.0.0/8"),
                "192.0.2.7": ip_network("192.0.2.7/32"),
                "::1": ip_network("::1/128"),
                " 2001:db8::/32 ": ip_network("2001:db8::/32"),
                "0.0.0.0/0": ip_network("0.0.0.0/0"),
            },
        )

    def test_bad(self) -> None:
        """Names, ports, empty texts and impossible prefixes are refused."""
        self.refused(
            units.network, "", "localhost", "10.0.0.0/33", "::/129", "10.0.0", "10.0.0.1:80", "1"
        )


class AnyTextTests(UnitsTestCase):
    @given(st.sampled_from(READERS), st.text(st.characters(), max_size=30))
    @example(units.size, "9" * 400 + "GiB")
    @example(units.byte_rate, "9" * 400)
    @example(units.rate, "9" * 5000)
    @example(units.seconds, "." + "9" * 5000)
    @example(units.count, "0\x1f")
    @example(units.port, "0\x1f")
    def test_read_or_refused(self, read: Callable[[str], Any], text: str) -> None:
        """Whatever the text, it is a value or one sentence, never anything else."""
        try:
            read(text)
        except ValueError as error:
            self.assertRegex(str(error), r"^(expected|unknown unit) [^\n]+$")

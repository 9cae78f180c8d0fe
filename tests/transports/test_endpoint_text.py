"""An endpoint string is cut where Twisted cuts it, and every argument is read or refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import endpoints
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.endpoint_text import addresses_of, number_of, read


class CuttingTests(SynchronousTestCase):
    @given(st.text(r"\:=ab1/ ", max_size=30))
    def test_as_twisted(self, tail: str) -> None:
        """Without brackets a string has the arguments and the keys that Twisted finds in it."""
        text = "p:" + tail
        try:
            request = read(text)
        except ConfigurationError as error:
            self.assertRegex(str(error), "ends in a backslash|is there twice")
            return
        positional, keys = endpoints._parse(text)  # type: ignore[no-untyped-call]
        self.assertEqual([request.prefix, *request.positional], positional)
        self.assertEqual(request.keys, keys)

    def test_brackets(self) -> None:
        """Colons need no backslash in an argument that is in brackets as a whole."""
        request = read("p:[::1]:7:a=[b:c]")
        self.assertEqual(request.positional, ["[::1]", "7"])
        self.assertEqual(request.keys, {"a": "[b:c]"})

    def test_brackets_inside(self) -> None:
        """A bracket in the midst of an argument is a character like any other."""
        self.assertEqual(read("p:/a[b:c]").positional, ["/a[b", "c]"])
        self.assertEqual(read("p:[a]b:c").positional, ["[a]b", "c"])


class ReadingTests(SynchronousTestCase):
    @given(st.integers())
    def test_numbers(self, number: int) -> None:
        """A number is read back as itself, unless no option could be so long."""
        if abs(number) < 10**18:
            self.assertEqual(number_of(str(number)), number)

    def test_no_numbers(self) -> None:
        """What Python takes for a number, but no person would, is none."""
        for text in ("", "+1", " 1", "1_0", "0x1", "1.0", "1\n", "\u0661", "--1"):
            self.assertIsNone(number_of(text), text)

    def test_number_without_end(self) -> None:
        """A number too long for Python to read is refused as out of range."""
        self.assertEqual(number_of("1" * 10_000), -1)

    def test_hosts(self) -> None:
        """A numeric address is brought to its shortest form, with or without brackets."""
        self.assertEqual(addresses_of("0:0::1"), ("::1",))
        self.assertEqual(addresses_of("[fe80::1%eth0]"), ("fe80::1%eth0",))
        self.assertEqual(addresses_of("192.0.2.1"), ("192.0.2.1",))

    def test_no_hosts(self) -> None:
        """A name, half an address, a network and a scope that is none are no hosts."""
        for text in ("", "example.com", "127.1", "::1/64", "*", "[]", "fe80::1%a\nb", "1"):
            self.assertEqual(addresses_of(text), (), text)

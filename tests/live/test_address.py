"""Where a bench's page is: what is taken, and the sentence for what is not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.errors import ConfigurationError
from twisted_lab.live.address import USUAL, Address, read_address


class AddressTests(SynchronousTestCase):
    def test_printed(self) -> None:
        """The address a bench prints brings its token, and is shown without it."""
        found = read_address("http://127.0.0.1:9002/#token=ab_C-1")
        self.assertEqual(found, Address("http", "127.0.0.1", 9002, "ab_C-1"))
        self.assertEqual(str(found), "http://127.0.0.1:9002")

    def test_others(self) -> None:
        """IPv6, a name, https, no port and no slash are all fine."""
        self.assertEqual(str(read_address("http://[::1]:7/")), "http://[::1]:7")
        self.assertEqual(read_address("https://lab.example"), Address("https", "lab.example", 443))
        self.assertEqual(read_address(USUAL).port, 9002)

    def test_wrong(self) -> None:
        """What is no address of a bench is named, with what would be right."""
        for text, why in {
            "127.0.0.1:9002": "begins with http:// or https://",
            "ftp://127.0.0.1": "begins with http:// or https://",
            "http://": "expected a host and a port",
            "http://127.0.0.1:0": "expected a host and a port",
            "http://127.0.0.1:99999": "http://127.0.0.1:9002",
            "http://[::1": "http://127.0.0.1:9002",
            "http://127.0.0.1:9/api/": "nothing may stand between",
            "http://127.0.0.1:9/?token=x": "nothing may stand between",
            "http://127.0.0.1:9/#x": "token= and the token",
            "http://127.0.0.1:9/#token=": "token= and the token",
            "http://127.0.0.1:9/#token=a%0d%0ab": "token= and the token",
            "http://b\u00fccher:9": "printable ASCII",
            "http://a\x1b[31m:9": "printable ASCII",
            "http://a b:9": "expected a host and a port",
        }.items():
            error = str(self.assertRaises(ConfigurationError, read_address, text))
            self.assertIn(why, error)
            self.assertTrue(error.isprintable())

    def test_secrets(self) -> None:
        """Neither a token nor a password is repeated in the sentence."""
        for text in ("http://u:s3cret@127.0.0.1:9", "http://127.0.0.1:0/#token=s3cret"):
            error = str(self.assertRaises(ConfigurationError, read_address, text))
            self.assertNotIn("s3cret", error)

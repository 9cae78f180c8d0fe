"""Whose certificates are believed; what cannot be is said before anything is sent.

How the handshake goes is in ``test_streams.py``.
"""

from __future__ import annotations

import os

import trustme
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.client.trust import Trust, is_address, verifying
from twisted_lab.errors import ConfigurationError


class TrustTests(SynchronousTestCase):
    def file(self, data: bytes) -> str:
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(data)
        return path

    def wrong(self, name: str, cafile: str | None) -> str:
        """The sentence for what cannot be."""
        error = str(self.assertRaises(ConfigurationError, verifying, name, cafile))
        self.assertTrue(error.isprintable())
        return error

    def test_names(self) -> None:
        """A name that can be nobody's is named, whether or not it would be verified."""
        for name in ("a..b", "", "." * 3, "x" * 70, "\udcff"):
            self.assertIn("is no host's name", self.wrong(name, None))
            self.assertRaises(ConfigurationError, Trust, name, None)

    def test_addresses(self) -> None:
        """An IP address is one, with a scope or without; a name is none."""
        found = [is_address(name) for name in ("::1", "fe80::1%lo", "127.0.0.1", "a.example", "1")]
        self.assertEqual(found, [True, True, True, False, False])

    def test_cafile(self) -> None:
        """One file may hold many authorities, and words between them."""
        pems = [trustme.CA().cert_pem.bytes() for _ in range(2)]
        verifying("a.example", self.file(b"one\n" + pems[0] + b"two\n" + pems[1]))

    def test_no_cafile(self) -> None:
        """A file that is not there, or has no certificate, is named."""
        self.assertIn("cannot read '/nowhere\\x1b': No such file", self.wrong("a", "/nowhere\x1b"))
        self.assertIn("cannot read '", self.wrong("a", os.getcwd()))
        self.assertIn("has no certificate in it", self.wrong("a", self.file(b"hello")))
        none = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        self.assertIn("has a certificate that is none", self.wrong("a", self.file(none)))

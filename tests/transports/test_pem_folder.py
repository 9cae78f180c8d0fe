"""A client that names a host is shown that host's certificate, from a folder of PEM files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from tests.transports.test_certificates import MADE, key_pem
from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.pem_folder import Names, Served, load_folder

CA = trustme.CA()


def put(folder: Path, file: str, *names: str) -> None:
    """A file in *folder* with a new key and a certificate for *names*."""
    CA.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(folder / file))


def put_with(file: Path, *extensions: x509.ExtensionType) -> None:
    """A key of ours in *file*, and a certificate with these *extensions* alone."""
    name, now = x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, MADE.private_key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    made = builder.sign(MADE.private_key, SHA256())  # type: ignore[arg-type]  # it is EC
    file.write_bytes(key_pem(MADE.private_key) + made.public_bytes(Encoding.PEM))


class LoadTests(FolderTestCase):
    def refused(self, *words: str) -> None:
        sentence = str(self.assertRaises(ConfigurationError, load_folder, str(self.folder)))
        self.assertEqual(len(sentence.splitlines()), 1)
        for word in words:
            self.assertIn(word, sentence)

    def test_order(self) -> None:
        """Every *.pem is loaded, by name; what is called otherwise is not looked at."""
        put(self.folder, "b.example.pem", "b.example")
        put(self.folder, "a.example.pem", "www.a.example")
        (self.folder / "README").write_text("not a certificate")
        found = [one.names for one in load_folder(str(self.folder))]
        self.assertEqual(found, [("a.example", "www.a.example"), ("b.example",)])

    def test_default(self) -> None:
        """DEFAULT.pem comes first, and is for the names in its certificate."""
        put(self.folder, "A.example.pem", "a.example")
        put(self.folder, "DEFAULT.pem", "z.example")
        found = [one.names for one in load_folder(str(self.folder))]
        self.assertEqual(found, [("z.example",), ("a.example",)])

    def test_no_names(self) -> None:
        """A certificate for addresses alone is for the host its file is called after."""
        put(self.folder, "a.example.pem", "127.0.0.1")
        self.assertEqual([one.names for one in load_folder(str(self.folder))], [("a.example",)])

    def test_no_alternative_names(self) -> None:
        """So is a certificate without alternative names."""
        put_with(self.folder / "a.example.pem")
        self.assertEqual([one.names for one in load_folder(str(self.folder))], [("a.example",)])

    def test_unreadable_names(self) -> None:
        """A certificate whose alternative names are not what they should be is named."""
        oid = x509.SubjectAlternativeName.oid
        put_with(self.folder / "a.example.pem", x509.UnrecognizedExtension(oid, b"no names"))
        self.refused(f"'{self.folder}/a.example.pem'", "its names cannot be read")

    def test_bad_file(self) -> None:
        """A file that cannot be used is named, also beside good ones."""
        put(self.folder, "a.example.pem", "a.example")
        (self.folder / "b.example.pem").write_text("no key in here")
        self.refused(f"'{self.folder}/b.example.pem'", "no private key")

    def test_key_alone(self) -> None:
        """A key without its certificate is no good file."""
        (self.folder / "a.example.pem").write_bytes(key_pem(MADE.private_key))
        self.refused("a.example.pem", "no certificate")

    def test_empty(self) -> None:
        """A folder without a *.pem is named."""
        self.refused(f"'{self.folder}'", "HOST.pem")

    def test_no_folder(self) -> None:
        """A folder that is not there is named; so is one that cannot be."""
        self.folder = self.folder / "none"
        self.refused(f"'{self.folder}'", "No such file")
        self.folder = Path("\0")
        self.refused("cannot be read")


def served(*wanted: tuple[str | None, tuple[str, ...]]) -> Names:
    return Names([Served(MADE, host, names) for host, names in wanted])


class NamesTests(SynchronousTestCase):
    def test_file_name(self) -> None:
        """The file called after the host is its certificate, whatever others claim."""
        names = served(("a.example", ("b.example",)), ("b.example", ()))
        self.assertEqual([names.find(b"a.example"), names.find(b"b.example")], [0, 1])

    def test_default_claims_less(self) -> None:
        """A file called after a host comes before a default whose certificate names it."""
        names = served((None, ("b.example",)), ("b.example", ()))
        self.assertEqual(names.find(b"b.example"), 1)

    def test_certificate_name(self) -> None:
        """A host no file is called after gets the first certificate that names it."""
        names = served(("x", ()), ("y", ("b.example",)), ("z", ("b.example",)))
        self.assertEqual(names.find(b"b.example"), 1)

    def test_wildcard(self) -> None:
        """A wildcard stands for one label, in a certificate or a file's name."""
        names = served(("x", ()), ("y", ("*.b.example",)), ("*.c.example", ()), ("w.b.example", ()))
        self.assertEqual(names.find(b"v.b.example"), 1)
        self.assertEqual(names.find(b"v.c.example"), 2)
        self.assertEqual(names.find(b"w.b.example"), 3)
        self.assertEqual(names.find(b"u.v.b.example"), 0)
        self.assertEqual(names.find(b"b.example"), 0)

    def test_case(self) -> None:
        """Names are the same in capitals."""
        self.assertEqual(served(("x", ()), ("a.example", ())).find(b"A.Example"), 1)

    @given(st.none() | st.binary(max_size=300))
    def test_anything(self, asked: bytes | None) -> None:
        """Whoever names no host, or an unknown one, in whatever bytes, gets the first."""
        self.assertEqual(served(("x.example", ("*.y.example",)), ("z.example", ())).find(asked), 0)

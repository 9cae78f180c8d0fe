"""A certificate made or loaded is one that clients accept, and a bad file is named."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import ssl
import subprocess
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from unittest import skipIf

import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import example, given
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.certificates import (
    CLOCK_SKEW,
    LIFETIME,
    Credentials,
    PrivateKey,
    fingerprint,
    load_credentials,
    make_certificate,
    server_context,
)

MADE = make_certificate()

#: How a version begins in X.509 (RFC 5280 4.1): an explicit tag 0 with the integer 2 in it.
VERSION_3 = b"\xa0\x03\x02\x01\x02"


def certificate_pem(credentials: Credentials) -> str:
    return credentials.certificate.public_bytes(Encoding.PEM).decode()


def key_pem(
    key: PrivateKey | x25519.X25519PrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def rewrap(der: bytes) -> bytes:
    """*der* as a certificate in PEM, whatever it is."""
    return ssl.DER_cert_to_PEM_cert(bytes(der)).encode()


class PythonClient:
    """A client of Python's ssl module, in memory."""

    def __init__(
        self,
        context: ssl.SSLContext,
        name: str = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name, session=session)

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done on this side."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def give(self, server: SSL.Connection) -> None:
        """What is to be sent reaches *server*."""
        if data := self._out.read():
            server.bio_write(data)

    def take(self, server: SSL.Connection) -> None:
        """What *server* has to send is received."""
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._in.write(server.bio_read(2**16))


def shake(context: SSL.Context, client: PythonClient) -> SSL.Connection:
    """The server's side of a whole handshake with *client*; raises what either side raises."""
    server = SSL.Connection(context, None)
    server.set_accept_state()
    for _ in range(6):
        done = client.handshake()
        client.give(server)
        try:
            server.do_handshake()
        except SSL.WantReadError:
            done = False
        client.take(server)
        if done:
            return server
    raise AssertionError("the handshake does not end")


def converse(client: SSL.Connection, server: SSL.Connection) -> None:
    """Carry the bytes of two OpenSSL connections until neither has more to say."""
    silent = 0
    for one, other in cycle(((client, server), (server, client))):
        for act in (one.do_handshake, partial(one.recv, 1)):
            with contextlib.suppress(SSL.WantReadError):
                act()
        try:
            other.bio_write(one.bio_read(2**16))
            silent = 0
        except SSL.WantReadError:
            silent += 1
        if silent == 2:
            return


def client_context(cafile_text: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=cafile_text)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class FilesTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.count = 0

    def file(self, *parts: bytes) -> str:
        self.count += 1
        path = self.folder / f"{self.count}.pem"
        path.write_bytes(b"".join(parts))
        return str(path)


class MakingTests(FilesTestCase):
    def test_accepted(self) -> None:
        """A client that trusts the certificate accepts it for localhost, 127.0.0.1 and ::1."""
        for name in ("localhost", "127.0.0.1", "::1"):
            client = PythonClient(client_context(certificate_pem(MADE)), name)
            shake(server_context(MADE), client)
            self.assertEqual(client.tls.version(), "TLSv1.3")

    def test_wrong_name(self) -> None:
        """The same client refuses it for any other name."""
        client = PythonClient(client_context(certificate_pem(MADE)), "example.com")
        error = self.assertRaises(ssl.SSLCertVerificationError, shake, server_context(MADE), client)
        self.assertIn("example.com", str(error))

    def test_stranger(self) -> None:
        """A client that trusts another such certificate refuses this one."""
        client = PythonClient(client_context(certificate_pem(make_certificate())))
        self.assertRaises(ssl.SSLCertVerificationError, shake, server_context(MADE), client)

    def test_names(self) -> None:
        """The names and addresses asked for are in the certificate."""
        made = make_certificate(names=("bench.example",), ips=("192.0.2.1",))
        for name in ("bench.example", "192.0.2.1"):
            shake(server_context(made), PythonClient(client_context(certificate_pem(made)), name))

    def test_time(self) -> None:
        """It is good for its lifetime, and for clients whose clock is behind ours."""
        now = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
        certificate = make_certificate(now=now).certificate
        self.assertEqual(certificate.not_valid_before_utc, now - CLOCK_SKEW)
        self.assertEqual(certificate.not_valid_after_utc, now + LIFETIME)
        self.assertTrue(timedelta(days=30) <= LIFETIME <= timedelta(days=90))

    def test_fingerprint(self) -> None:
        """The fingerprint is the SHA-256 of the certificate, in pairs of upper-case digits."""
        digest = hashlib.sha256(MADE.certificate.public_bytes(Encoding.DER)).hexdigest()
        self.assertEqual(fingerprint(MADE).replace(":", "").lower(), digest)
        self.assertRegex(fingerprint(MADE), r"\A[0-9A-F]{2}(:[0-9A-F]{2}){31}\Z")

    @skipIf(shutil.which("openssl") is None, "there is no openssl command")
    def test_openssl(self) -> None:
        """The openssl command verifies the certificate, and prints the same fingerprint."""
        path = self.file(certificate_pem(MADE).encode())
        verify = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", path, path]
        subprocess.run(verify, check=True, capture_output=True)
        show = ["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"]
        shown = subprocess.run(show, check=True, capture_output=True, text=True).stdout
        self.assertEqual(shown.strip().partition("=")[2], fingerprint(MADE))


class LoadingTests(FilesTestCase):
    def refused(self, key: str, certificate: str, *words: str) -> None:
        sentence = str(self.assertRaises(ConfigurationError, load_credentials, key, certificate))
        for word in words:
            self.assertIn(word, sentence)

    def made(self) -> tuple[str, str]:
        key = self.file(key_pem(MADE.private_key))
        return key, self.file(certificate_pem(MADE).encode())

    def test_two_files(self) -> None:
        """A key and its certificate are loaded from two files."""
        self.assertEqual(fingerprint(load_credentials(*self.made())), fingerprint(MADE))

    def test_one_file(self) -> None:
        """A key and its certificate may be in one file, in any order."""
        key, certificate = (Path(path).read_bytes() for path in self.made())
        for path in (self.file(key, certificate), self.file(certificate, key)):
            self.assertEqual(fingerprint(load_credentials(path, path)), fingerprint(MADE))

    def test_chain(self) -> None:
        """Further certificates in the file are sent, so a client that has the root is content."""
        root = trustme.CA()
        leaf = root.create_child_ca().issue_cert("localhost")
        pems = [blob.bytes() for blob in leaf.cert_chain_pems]
        self.assertEqual(len(pems), 2)
        key = self.file(leaf.private_key_pem.bytes())
        trusting = ssl.create_default_context(cadata=root.cert_pem.bytes().decode())

        whole = load_credentials(key, self.file(*pems))
        self.assertEqual(len(whole.chain), 1)
        shake(server_context(whole), PythonClient(trusting))

        alone = load_credentials(key, self.file(pems[0]))
        error = self.assertRaises(
            ssl.SSLCertVerificationError, shake, server_context(alone), PythonClient(trusting)
        )
        self.assertIn("issuer", str(error))

    def test_missing(self) -> None:
        """A file that is not there is named."""
        key, certificate = self.made()
        self.refused("/no/key", certificate, "private key", "'/no/key'", "No such file")
        self.refused(key, "/no/cert", "certificate", "'/no/cert'", "No such file")

    def test_unreadable(self) -> None:
        """A folder, and a name no file can have, are named too, on one line."""
        key, certificate = self.made()
        self.refused("/", certificate, "'/'", "Is a directory")
        self.refused(key, "a\n\0b", r"'a\n\x00b'")
        self.refused("\ud800", certificate, r"'\ud800'")

    def test_no_pem(self) -> None:
        """A file without what we look for in it is named."""
        key, certificate = self.made()
        self.refused(certificate, certificate, certificate, "no private key in it")
        self.refused(key, key, key, "no certificate in it")
        empty = self.file()
        self.refused(empty, certificate, empty, "no private key in it")

    def test_encrypted(self) -> None:
        """A key that wants a password is refused, and nobody is asked for one."""
        _, certificate = self.made()
        secret = BestAvailableEncryption(b"secret")
        key = self.file(key_pem(MADE.private_key, secret))
        self.refused(key, certificate, key, "encrypted")

    def test_no_match(self) -> None:
        """A key of another certificate is refused, naming both files."""
        _, certificate = self.made()
        for other in (
            ec.generate_private_key(ec.SECP256R1()),
            rsa.generate_private_key(65537, 2048),
        ):
            key = self.file(key_pem(other))
            self.refused(key, certificate, key, certificate, "the key is not the certificate's")

    def test_useless_key(self) -> None:
        """A key that can only agree on secrets cannot be a server's."""
        _, certificate = self.made()
        key = self.file(key_pem(x25519.X25519PrivateKey.generate()))
        self.refused(key, certificate, key, "of a kind")

    @given(st.data())
    def test_broken(self, data: st.DataObject) -> None:
        """A file with a broken byte, as PEM or below it, loads or is refused in one sentence."""
        key, der = key_pem(MADE.private_key), MADE.certificate.public_bytes(Encoding.DER)
        pem = certificate_pem(MADE).encode()
        for before, whole, remade in ((b"", key + pem, bytes), (key, der, rewrap)):
            broken = bytearray(whole)
            at = data.draw(st.integers(0, len(broken) - 1))
            broken[at] = data.draw(st.integers(0, 255))
            path = self.file(before, remade(broken))
            with warnings.catch_warnings():
                # cryptography warns of what it reads now and will not read one day.
                warnings.simplefilter("ignore", CryptographyDeprecationWarning)
                self.loads_or_names(path)

    def loads_or_names(self, path: str) -> None:
        try:
            server_context(load_credentials(path, path), path)
        except ConfigurationError as error:
            self.assertIn(path, str(error))

    @given(st.binary())
    @example(MADE.certificate.public_bytes(Encoding.DER).replace(VERSION_3, VERSION_3[:-1] + b"\1"))
    def test_no_certificate(self, der: bytes) -> None:
        """What is PEM and no certificate, or of a version there is not, is refused."""
        path = self.file(key_pem(MADE.private_key), rewrap(der))
        self.refused(path, path, path)


class ContextTests(SynchronousTestCase):
    def test_old_versions(self) -> None:
        """TLS 1.0 and 1.1 are refused by us, not by the client."""
        client = ssl.create_default_context(cadata=certificate_pem(MADE))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            client.minimum_version = ssl.TLSVersion.TLSv1
            client.maximum_version = ssl.TLSVersion.TLSv1_1
        client.set_ciphers("ALL:@SECLEVEL=0")  # or the client would not even offer them
        error = self.assertRaises(SSL.Error, shake, server_context(MADE), PythonClient(client))
        self.assertIn("unsupported protocol", str(error))

    def test_tls_1_2(self) -> None:
        """TLS 1.2 is accepted."""
        context = client_context(certificate_pem(MADE))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        server = shake(server_context(MADE), PythonClient(context))
        self.assertEqual(server.get_protocol_version_name(), "TLSv1.2")

    def test_no_resumption(self) -> None:
        """No session is resumed, for none is kept."""
        ours = server_context(MADE)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(certificate_pem(MADE))
            context.maximum_version = version
            first = PythonClient(context)
            server = shake(ours, first)
            server.send(b"x")
            first.take(server)
            self.assertEqual(first.tls.read(), b"x")
            again = PythonClient(context, session=first.tls.session)
            shake(ours, again)
            self.assertFalse(again.tls.session_reused)

    def test_no_renegotiation(self) -> None:
        """A TLS 1.2 client that wants to negotiate again is refused."""
        theirs = SSL.Context(SSL.TLS_METHOD)
        theirs.set_max_proto_version(SSL.TLS1_2_VERSION)
        client, server = SSL.Connection(theirs, None), SSL.Connection(server_context(MADE), None)
        client.set_connect_state()
        server.set_accept_state()
        converse(client, server)
        self.assertTrue(client.renegotiate())
        error = self.assertRaises(SSL.Error, converse, client, server)
        self.assertIn("no renegotiation", str(error))


class ClientCertificateTests(FilesTestCase):
    def test_required(self) -> None:
        """With a client CA a client without a certificate is refused."""
        ca = self.file(trustme.CA().cert_pem.bytes())
        self.assertIn("certificate", self.outcome(ca, None))

    def test_accepted(self) -> None:
        """A client's certificate of any CA in the file is accepted."""
        first, second = trustme.CA(), trustme.CA()
        ca = self.file(first.cert_pem.bytes(), second.cert_pem.bytes())
        for issuer in (first, second):
            self.assertEqual(self.outcome(ca, issuer.issue_cert("me@example.com")), "")

    def test_stranger(self) -> None:
        """A client's certificate of another CA is refused."""
        ca = self.file(trustme.CA().cert_pem.bytes())
        self.assertIn("certificate", self.outcome(ca, trustme.CA().issue_cert("me@example.com")))

    def test_intermediate(self) -> None:
        """An intermediate CA in the file is trusted without its root."""
        intermediate = trustme.CA().create_child_ca()
        ca = self.file(intermediate.cert_pem.bytes())
        self.assertEqual(self.outcome(ca, intermediate.issue_cert("me@example.com")), "")

    def outcome(self, ca: str, certificate: trustme.LeafCert | None) -> str:
        """Why the server refuses a client with *certificate*; nothing when it does not."""
        context = client_context(certificate_pem(MADE))
        if certificate is not None:
            certificate.configure_cert(context)
        try:
            shake(server_context(MADE, ca), PythonClient(context))
        except SSL.Error as error:
            return str(error)
        return ""

    def test_files(self) -> None:
        """A client CA file that is missing, or has no certificate, is named."""
        for path, why in (("/no/ca", "No such file"), (self.file(), "no certificate in it")):
            error = self.assertRaises(ConfigurationError, server_context, MADE, path)
            self.assertIn(f"'{path}'", str(error))
            self.assertIn(why, str(error))

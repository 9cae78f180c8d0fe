"""Each listener has the certificate it was given, and each client is shown its host's."""

from __future__ import annotations

import ssl

import trustme
from OpenSSL import SSL

from tests.folder import FolderTestCase
from tests.transports.test_certificates import PythonClient, shake
from tests.transports.test_pem_folder import CA, put
from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.endpoints import TlsListen
from twisted_lab.transports.keyring import Keyring


def trusting(ca: trustme.CA, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's context that believes *ca* alone."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class KeyringTestCase(FolderTestCase):
    def listen(self, port: int = 443) -> TlsListen:
        return TlsListen("127.0.0.1", port, folder=str(self.folder))


class KeyringTests(KeyringTestCase):
    def test_once(self) -> None:
        """Two listeners that name the same files share what was read; others do not."""
        keyring = Keyring()
        made = keyring.context(TlsListen("127.0.0.1", 1))
        self.assertIs(made, keyring.context(TlsListen("::1", 2)))
        put(self.folder, "a.example.pem", "a.example")
        self.assertIsNot(made, keyring.context(self.listen()))
        self.assertIs(keyring.context(self.listen(1)), keyring.context(self.listen(2)))

    def test_chain_file(self) -> None:
        """A client that trusts the root alone accepts a certificate whose chain is a third file."""
        root = trustme.CA()
        above = root.create_child_ca()
        leaf = above.issue_cert("a.example")
        key, certificate, chain = (self.folder / name for name in ("key", "certificate", "chain"))
        leaf.private_key_pem.write_to_path(str(key))
        leaf.cert_chain_pems[0].write_to_path(str(certificate))
        above.cert_pem.write_to_path(str(chain))
        listen = TlsListen("::1", 1, str(key), str(certificate), chain=str(chain))
        shake(Keyring().context(listen), PythonClient(trusting(root), "a.example"))
        alone = TlsListen("::1", 1, str(key), str(certificate))
        without = Keyring().context(alone)
        stranger = PythonClient(trusting(root), "a.example")
        self.assertRaises(ssl.SSLCertVerificationError, shake, without, stranger)
        chain.write_text("nothing")
        error = self.assertRaises(ConfigurationError, Keyring().context, listen)
        self.assertIn(f"'{chain}'", str(error))


class FolderTests(KeyringTestCase):
    def setUp(self) -> None:
        super().setUp()
        for host in ("a.example", "b.example"):
            put(self.folder, f"{host}.pem", host, f"*.{host}")

    def shake(self, name: str, context: ssl.SSLContext, ca: str | None = None) -> SSL.Connection:
        return shake(Keyring(ca).context(self.listen()), PythonClient(context, name))

    def test_named(self) -> None:
        """A client that names a host gets a certificate it believes, over TLS 1.2 and 1.3."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for host in ("a.example", "b.example", "www.b.example"):
                server = self.shake(host, trusting(CA, version))
                self.assertEqual(server.get_servername(), host.encode())

    def test_unknown(self) -> None:
        """Who names an unknown host gets the first certificate, and sees that it is another's."""
        stranger = trusting(CA)
        self.assertRaises(ssl.SSLCertVerificationError, self.shake, "c.example", stranger)
        context = trusting(CA)
        context.check_hostname = False
        client = PythonClient(context, "c.example")
        shake(Keyring().context(self.listen()), client)
        self.assertIn(("DNS", "a.example"), client.tls.getpeercert()["subjectAltName"])

    def test_client_certificate(self) -> None:
        """With a client CA every host of the folder asks for the client's certificate."""
        issuer = trustme.CA()
        ca = self.folder / "ca"
        issuer.cert_pem.write_to_path(str(ca))
        for host in ("a.example", "b.example"):
            self.assertRaises(SSL.Error, self.shake, host, trusting(CA), str(ca))
            context = trusting(CA)
            issuer.issue_cert("me@example.com").configure_cert(context)
            self.assertTrue(self.shake(host, context, str(ca)).get_peer_certificate())

    def test_shown(self) -> None:
        """Each certificate of a folder is shown with its names."""
        shown = Keyring().shown(self.listen())
        self.assertEqual(
            [one.names for one in shown],
            [("a.example", "*.a.example"), ("b.example", "*.b.example")],
        )

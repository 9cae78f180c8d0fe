"""Endpoint strings whose paths are relative to a folder."""

from __future__ import annotations

from tests.folder import FolderTestCase
from twisted_lab.transports.endpoint_paths import from_folder
from twisted_lab.transports.endpoints import TlsListen, UnixListen, parse_listen


class FromFolderTests(FolderTestCase):
    def test_unchanged(self) -> None:
        """What names no relative path comes back as it is, also what is no endpoint at all."""
        for text in (
            "9000",
            "tcp:[::1]:9000",
            "tcp:9000:interface=0.0.0.0",
            "tls:9443",
            "tls:localhost:9443",
            "unix:/tmp/s:mode=660",
            "tls:9443:privateKey=/etc/key.pem",
            "unix:",
            "",
            "tcp:\\",
            "no such thing",
        ):
            self.assertEqual(from_folder(text, str(self.folder)), text)

    def test_unix(self) -> None:
        """The path of a UNIX socket, whatever stands in it; its other arguments stay."""
        for text, path in {
            "unix:s:mode=660": "s",
            "unix:a\\:b\\=c\\\\:mode=660": "a:b=c\\",
        }.items():
            (listen,) = parse_listen(from_folder(text, str(self.folder)))
            self.assertEqual(listen, UnixListen(str(self.folder / path), 0o660))

    def test_keys(self) -> None:
        """The files of a certificate and its key; the host in brackets stays what it is."""
        for name in ("key.pem", "cert.pem"):
            (self.folder / name).touch()
        text = "tls:[::1]:9443:privateKey=key.pem:certKey=cert.pem:backlog=7"
        key, certificate = str(self.folder / "key.pem"), str(self.folder / "cert.pem")
        expected = TlsListen("::1", 9443, key, certificate, 7)
        self.assertEqual(parse_listen(from_folder(text, str(self.folder))), (expected,))

    def test_folder_of_certificates(self) -> None:
        """A folder of PEM files, where there is one, behind haproxy: and systemd: too."""
        (self.folder / "certs").mkdir()
        folder = str(self.folder)
        self.assertEqual(from_folder("tls:certs:443", folder), f"tls:{folder}/certs:443")
        self.assertEqual(from_folder("haproxy:unix:s", folder), f"haproxy:unix:{folder}/s")
        self.assertEqual(
            from_folder("systemd:0:tls:certs", folder), f"systemd:0:tls:{folder}/certs"
        )
        self.assertEqual(from_folder("systemd:unix:tls", folder), "systemd:unix:tls")
        self.assertEqual(from_folder("tls:none:443", folder), "tls:none:443")

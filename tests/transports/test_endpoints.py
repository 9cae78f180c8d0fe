"""An endpoint string asks for what it says, on loopback unless it says more, or is refused."""

from __future__ import annotations

import sys
import tempfile
import unicodedata
from dataclasses import replace
from pathlib import Path
from unittest import skipIf

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import twisted.plugins
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.transports.endpoints import (
    ForeignListen,
    Listen,
    SystemdListen,
    TcpListen,
    TlsListen,
    UdpListen,
    UnixListen,
    loopback_interfaces,
    parse_listen,
)

LOOPBACK = loopback_interfaces()

#: Each form of the grammar once: what the mutations start from.
VALID = (
    "9000",
    "tcp:9000",
    r"tcp:9000:interface=\:\::backlog=128",
    "tcp:[::1]:7",
    r"tcp:\:\:1:7",
    "tcp:localhost:7",
    "tcp6:[::1]:7",
    "udp:53:interface=192.0.2.1",
    "udp:[2001:db8::1]:53",
    "tls:9443",
    "tls:127.0.0.1:9443:backlog=5",
    "tls:/:443",
    "unix:/run/echo:mode=660:lockfile=0",
    "tls:/",
    f"ssl:443:privateKey={sys.executable}",
    "haproxy:tcp:9000",
    "systemd:domain=INET:index=0",
    "systemd:web:tls",
    "stdio:",
)


def tcp(port: int, *interfaces: str, backlog: int | None = None) -> tuple[TcpListen, ...]:
    return tuple(TcpListen(interface, port, backlog) for interface in interfaces)


class FolderTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name


class TcpTests(SynchronousTestCase):
    def test_loopback(self) -> None:
        """A bare number, tcp: without an interface and localhost are loopback, IPv4 and IPv6."""
        for text in ("9000", "tcp:9000", "tcp:localhost:9000", "tcp:9000:interface=localhost"):
            self.assertEqual(parse_listen(text), tcp(9000, *LOOPBACK), text)

    def test_interface(self) -> None:
        """A host is a key or stands before the port, in brackets or with backslashes."""
        for text in (
            r"tcp:7:interface=\:\:1",
            "tcp:7:interface=[::1]",
            "tcp:[::1]:7",
            r"tcp:\:\:1:7",
            "tcp6:[::1]:7",
        ):
            self.assertEqual(parse_listen(text), tcp(7, "::1"), text)
        self.assertEqual(parse_listen("tcp:7:interface=0.0.0.0"), tcp(7, "0.0.0.0"))

    def test_backlog(self) -> None:
        """The backlog is a number of connections."""
        self.assertEqual(parse_listen("tcp:[::]:0:backlog=5"), tcp(0, "::", backlog=5))

    @skipIf("::1" not in LOOPBACK, "this machine has no ::1")
    def test_tcp6(self) -> None:
        """tcp6: is IPv6 loopback, unlike Twisted's, which is every address."""
        self.assertEqual(parse_listen("tcp6:7"), tcp(7, "::1"))


class UdpTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """udp: takes a port, a host and a port, or an interface as a key."""
        both = tuple(UdpListen(interface, 53) for interface in LOOPBACK)
        self.assertEqual(parse_listen("udp:53"), both)
        self.assertEqual(parse_listen("udp:192.0.2.1:53"), (UdpListen("192.0.2.1", 53),))
        self.assertEqual(parse_listen("udp:53:interface=[::]"), (UdpListen("::", 53),))


class TlsTests(FolderTestCase):
    def test_made_on_the_spot(self) -> None:
        """tls: with a port and no files asks for a certificate made on the spot."""
        both = tuple(TlsListen(interface, 9443) for interface in LOOPBACK)
        self.assertEqual(parse_listen("tls:9443"), both)
        self.assertEqual(parse_listen("tls:localhost:9443"), both)
        one = (TlsListen("127.0.0.1", 9443, backlog=7),)
        self.assertEqual(parse_listen("tls:9443:interface=127.0.0.1:backlog=7"), one)

    def test_files(self) -> None:
        """The certificate is in the private key's file unless certKey= says where."""
        key, certificate = f"{self.folder}/key.pem", f"{self.folder}/cert.pem"
        Path(key).touch()
        Path(certificate).touch()
        (listen,) = parse_listen(f"tls:[::1]:1:privateKey={key}")
        self.assertEqual(listen, TlsListen("::1", 1, key, key))
        (listen,) = parse_listen(f"tls:[::1]:1:privateKey={key}:certKey={certificate}")
        self.assertEqual(listen, TlsListen("::1", 1, key, certificate))

    def test_chain(self) -> None:
        """extraCertChain= is a third file, of what leads from the certificate to a root."""
        key, chain = f"{self.folder}/key.pem", f"{self.folder}/chain.pem"
        Path(key).touch()
        Path(chain).touch()
        for prefix in ("tls", "ssl"):
            (listen,) = parse_listen(f"{prefix}:[::1]:1:privateKey={key}:extraCertChain={chain}")
            self.assertEqual(listen, TlsListen("::1", 1, key, key, chain=chain))

    def test_ssl(self) -> None:
        """ssl: is Twisted's older form: loopback unless told, and the same files by keys."""
        key, certificate = f"{self.folder}/key.pem", f"{self.folder}/cert.pem"
        Path(key).touch()
        Path(certificate).touch()
        files = f"privateKey={key}:certKey={certificate}"
        found = parse_listen(f"ssl:443:{files}")
        self.assertEqual(found, tuple(TlsListen(one, 443, key, certificate) for one in LOOPBACK))
        found = parse_listen(f"ssl:443:{files}:interface=192.0.2.1:backlog=9")
        self.assertEqual(found, (TlsListen("192.0.2.1", 443, key, certificate, 9),))

    def test_folder(self) -> None:
        """A folder before the port has a file for each host; the port is 443 by default."""
        both = tuple(TlsListen(one, 44, folder=self.folder) for one in LOOPBACK)
        self.assertEqual(parse_listen(f"tls:{self.folder}:44"), both)
        self.assertEqual({one.port for one in parse_listen(f"tls:{self.folder}")}, {443})  # type: ignore[union-attr]
        found = parse_listen(f"tls:{self.folder}:44:interface=0.0.0.0:backlog=3")
        self.assertEqual(found, (TlsListen("0.0.0.0", 44, backlog=3, folder=self.folder),))


class UnixTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """unix: takes a path, an octal mode, a backlog and a lockfile, with Twisted's defaults."""
        self.assertEqual(parse_listen("unix:/run/a"), (UnixListen("/run/a"),))
        expected = (UnixListen("/run/a:b", 0o660, 9, lockfile=False),)
        self.assertEqual(parse_listen(r"unix:/run/a\:b:mode=660:backlog=9:lockfile=0"), expected)


class SystemdTests(FolderTestCase):
    def found(self, text: str) -> SystemdListen:
        (listen,) = parse_listen(text)
        assert isinstance(listen, SystemdListen)
        self.assertEqual(listen.text, text)
        return listen

    def test_twisteds(self) -> None:
        """A passed socket is named by name= or index=, with its family, as in Twisted."""
        by_name = self.found("systemd:domain=INET:name=web")
        self.assertEqual((by_name.name, by_name.index, by_name.domain), ("web", None, "INET"))
        by_index = self.found("systemd:domain=UNIX:index=2")
        self.assertEqual((by_index.name, by_index.index, by_index.domain), (None, 2, "UNIX"))

    def test_short(self) -> None:
        """A name or a number alone is enough; a name of digits is said by name=."""
        for text, name, index in (
            ("systemd:web", "web", None),
            ("systemd:0", None, 0),
            ("systemd:name=0", "0", None),
            (r"systemd:my\:socket", "my:socket", None),
        ):
            listen = self.found(text)
            self.assertEqual((listen.name, listen.index, listen.domain), (name, index, None))

    def test_tls(self) -> None:
        """TLS over it is said after it, with a certificate made on the spot, files or a folder."""
        self.assertIsNone(self.found("systemd:web").secure)
        self.assertEqual(self.found("systemd:web:tls").secure, TlsListen("", 0))
        self.assertEqual(self.found("systemd:name=web:tls").secure, TlsListen("", 0))
        key = sys.executable
        expected = TlsListen("", 0, key, key)
        self.assertEqual(self.found(f"systemd:web:tls:privateKey={key}").secure, expected)
        expected = TlsListen("", 0, folder=self.folder)
        self.assertEqual(self.found(f"systemd:0:tls:{self.folder}").secure, expected)


class HaproxyTests(FolderTestCase):
    def test_each(self) -> None:
        """haproxy: before tcp, tcp6, tls or unix is the same sockets, with a PROXY header first."""
        for text in (
            "tcp:9000",
            "tcp:[::1]:9000",
            "tcp:9000:interface=0.0.0.0:backlog=3",
            "tcp6:[::1]:9000",
            "tls:9443",
            "tls:127.0.0.1:9443",
            "unix:/run/a:mode=660",
        ):
            plain = parse_listen(text)
            expected = tuple(replace(one, proxy=True) for one in plain)  # type: ignore[call-arg]
            self.assertEqual(parse_listen(f"haproxy:{text}"), expected)
            self.assertNotIn(True, [one.proxy for one in plain])  # type: ignore[union-attr]

    def test_keys(self) -> None:
        """A certificate of one's own goes with it."""
        key = f"{self.folder}/key.pem"
        Path(key).touch()
        (listen,) = parse_listen(f"haproxy:tls:[::1]:1:privateKey={key}")
        self.assertEqual(listen, TlsListen("::1", 1, key, key, proxy=True))


class ForeignTests(FolderTestCase):
    def test_left_alone(self) -> None:
        """stdio: goes to Twisted as it is."""
        self.assertEqual(parse_listen("stdio:"), (ForeignListen("stdio:"),))

    def test_third_party(self) -> None:
        """An installed Twisted plugin makes its prefix known, and gets the string untouched."""
        Path(self.folder, "socketlab_test_carrier.py").write_text(
            "from twisted.internet.endpoints import _StandardIOParser\n"
            "class Carrier(_StandardIOParser):\n"
            "    prefix = 'Carrier'\n"
            "carrier = Carrier()\n"
        )
        twisted.plugins.__path__.append(self.folder)
        self.addCleanup(sys.modules.pop, "twisted.plugins.socketlab_test_carrier", None)
        self.addCleanup(twisted.plugins.__path__.remove, self.folder)
        text = r"carrier:[pigeon:x=\:"
        self.assertEqual(parse_listen(text), (ForeignListen(text),))


class RefusalTests(SynchronousTestCase):
    def refused(self, text: str, *words: str) -> None:
        sentence = str(self.assertRaises(ConfigurationError, parse_listen, text))
        self.assertIn(f"'{escape(text)}'", sentence)
        for word in words:
            self.assertIn(word, sentence)

    def test_empty(self) -> None:
        """Nothing at all is refused with an example."""
        self.refused("", "empty", "tcp:9000")

    def test_haproxy(self) -> None:
        """What cannot stand after haproxy: is named."""
        for inner in (
            "",
            "udp:9000",
            "9000",
            "haproxy:tcp:9000",
            "systemd:web",
            "stdio:",
            "nonsense",
        ):
            name = inner.partition(":")[0]
            self.refused(f"haproxy:{inner}", f"'{name}' cannot stand after 'haproxy:'", "tcp")
        self.refused("haproxy", "'' cannot stand")
        self.refused("haproxy:tcp", "no port", "'haproxy:tcp:9000'")
        self.refused("haproxy:tcp:x", "'x' is not a number")
        self.refused("haproxy:tcp:9000:mode=660", "'mode'")

    def test_prefix(self) -> None:
        """An unknown prefix is named beside the known ones."""
        self.refused("http:80", "'http'", "tcp, tcp6, tls, udp, unix")
        self.refused("TCP:80", "'TCP'")
        self.refused("a=b:80", "'a=b'")

    def test_prefix_missing(self) -> None:
        """A host or a port where the prefix should be is told what is missing."""
        self.refused("localhost:80", "tcp:", "before 'localhost'")
        self.refused("[::1]:80", "tcp:", "before '[::1]'")
        self.refused("80:backlog=5", "tcp:", "before '80'")

    def test_port(self) -> None:
        """A port is there, is a number and is one of 0 to 65535."""
        self.refused("tcp", "no port", "'tcp:9000'")
        self.refused("udp:", "no port", "'udp:9000'")
        self.refused("tls:localhost", "no port")
        self.refused("tcp:[::1]", "no port")
        self.refused("tcp:http", "port 'http' is not a number")
        for port in ("65536", "-1", "9" * 5000):
            self.refused(f"tcp:{port}", "between 0 and 65535")
            self.refused(port, "between 0 and 65535")

    def test_arguments(self) -> None:
        """More arguments than there are places for are too many."""
        self.refused("tcp:::1:7", "too many", "brackets")
        self.refused("tcp:9000:127.0.0.1", "too many")
        self.refused("unix:/a:b", "one path")

    def test_interface(self) -> None:
        """An interface is an IP address or localhost, and is said once."""
        self.refused("tcp:example.com:80", "'example.com'", "IP address")
        self.refused("udp:80:interface=eth0", "'eth0'")
        self.refused("tcp:80:interface=", "''")
        self.refused("tls:/no/such/folder:443", "'/no/such/folder'", "folder")
        self.refused("tcp:localhost:80:interface=[::]", "twice")
        self.refused("tcp6:127.0.0.1:80", "IPv6")

    def test_brackets(self) -> None:
        """A bracket without its partner is named."""
        for text in ("tcp:[::1:7", "tcp:::1]:7", "udp:[::1]x:7", "tls:[:1"):
            self.refused(text, "bracket")

    def test_keys(self) -> None:
        """A key is known, and there once."""
        self.refused("tcp:80:mode=660", "'mode'", "interface, backlog")
        self.refused("udp:80:backlog=5", "'backlog'", "interface")
        self.refused("tcp:80:backlog=5:backlog=5", "'backlog'", "twice")
        self.refused("tcp:80:backlog=many", "'many'")
        self.refused(f"tcp:80:backlog={2**31}", "2147483647")

    def test_backslash(self) -> None:
        """A backslash at the end escapes nothing."""
        self.refused("unix:/a\\", "backslash")

    def test_unix(self) -> None:
        """A path that no socket can have, and a mode that is none, are refused at once."""
        self.refused("unix:", "path")
        self.refused("unix", "path")
        self.refused("unix:\0abstract", "path")
        self.refused("unix:\ud800", "path")
        self.refused("unix:" + "é" * 54, "108 bytes", "107")
        for mode in ("999", "1777", "rw", "", "-1"):
            self.refused(f"unix:/a:mode={mode}", f"'{mode}'", "octal")
        self.refused("unix:/a:lockfile=yes", "'yes'")

    def test_files(self) -> None:
        """A key or certificate file that is not there is named."""
        self.refused("tls:1:privateKey=/no/key", "'/no/key'")
        self.refused(f"tls:1:privateKey={sys.executable}:certKey=/no/cert", "'/no/cert'")
        self.refused("tls:1:certKey=/no/cert", "privateKey=")
        self.refused("tls:1:privateKey=\0", "no file")
        self.refused("tls:1:extraCertChain=/no/chain", "privateKey=")
        self.refused(f"tls:1:privateKey={sys.executable}:extraCertChain=/no/chain", "'/no/chain'")
        self.refused("ssl:1", "'server.pem'")
        self.refused("ssl:1:certKey=/no/cert", "'server.pem'")

    def test_folder(self) -> None:
        """A folder of PEM files goes with a port, an interface and a backlog alone."""
        self.refused("tls:/:1:privateKey=/no/key", "'privateKey'", "interface, backlog")
        self.refused("tls:/:http", "'http'")
        self.refused("tls:/:/:1", "'/'")

    def test_systemd(self) -> None:
        """A passed socket is named once and completely."""
        for text in ("systemd", "systemd:", "systemd:name=", "systemd:name=a:index=0"):
            self.refused(text, "one socket", "'systemd:web'")
        self.refused("systemd:domain=INET", "one socket")
        self.refused("systemd:web:domain=IPX", "'IPX'", "INET, INET6, UNIX")
        self.refused("systemd:index=first", "'first'")
        self.refused("systemd:-1", "between 0 and")
        self.refused("systemd:web:ssl", "'tls'")
        self.refused(f"systemd:web:privateKey={sys.executable}", "'tls'")
        self.refused("systemd:web:tls:/no/folder", "'/no/folder'")
        self.refused(f"systemd:web:tls:/:privateKey={sys.executable}", "beside")
        self.refused("systemd:web:interface=0.0.0.0", "'interface'")

    def test_ssl(self) -> None:
        """What ssl: cannot have here is said, and why."""
        self.refused(f"ssl:1:privateKey={sys.executable}:sslmethod=SSLv3_METHOD", "TLS 1.2")
        self.refused(f"ssl:1:privateKey={sys.executable}:dhParameters=dh.pem", "elliptic")


def mutations(texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    """*texts*, each with a few characters put in, taken out or replaced."""
    edit = st.tuples(
        st.integers(0, 60), st.integers(0, 3), st.text(max_size=2) | st.text("\\:=[]0-", max_size=2)
    )

    def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
        for at, gone, put in edits:
            text = text[:at] + put + text[at + gone :]
        return text

    return st.builds(edited, st.sampled_from(texts), st.lists(edit, max_size=4))


class AnyTextTests(SynchronousTestCase):
    def holds(self, text: str) -> None:
        try:
            found = parse_listen(text)
        except ConfigurationError as error:
            sentence = str(error)
            self.assertIn(escape(text), sentence)
            self.assertNotIn("Cc", {unicodedata.category(character) for character in sentence})
        else:
            self.assertTrue(found)
            self.assertTrue(all(isinstance(one, Listen) for one in found))

    # The first unknown prefix loads Twisted's plugins, which takes as long as it takes.
    @settings(deadline=None)
    @given(st.text() | st.text(st.characters(min_codepoint=0, max_codepoint=0x9F)))
    def test_any_text(self, text: str) -> None:
        """Whatever the text, there are values, or one sentence safe to show that names it."""
        self.holds(text)

    @settings(deadline=None)
    @given(mutations(VALID))
    def test_almost_right(self, text: str) -> None:
        """The same for what was right but for a few characters."""
        self.holds(text)

    def test_right(self) -> None:
        """What the mutations start from is right."""
        for text in VALID:
            self.assertTrue(parse_listen(text), text)

    @given(st.sampled_from(("tcp:", "tls:", "udp:", "")), st.integers(0, 65535))
    def test_loopback(self, prefix: str, port: int) -> None:
        """No port is open beyond loopback unless the string names an interface."""
        found = parse_listen(f"{prefix}{port}")
        self.assertEqual(
            [(one.interface, one.port) for one in found], [(i, port) for i in LOOPBACK]
        )  # type: ignore[union-attr]

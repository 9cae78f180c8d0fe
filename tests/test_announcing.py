"""Who starts it is told what is served, where, and one line to try it with."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.folder import FolderTestCase
from tests.transports.test_certificates import MADE, certificate_pem, key_pem
from twisted_lab import __version__, announcing
from twisted_lab.announcing import own_addresses
from twisted_lab.protocols import KINDS
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService, OpenPort
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.transports.certificates import fingerprint
from twisted_lab.transports.endpoints import Listen, TcpListen, TlsListen, UdpListen, UnixListen


class EPollReactor:
    """Known by its name alone."""


def announcement(services: list[LabService], reactor: object | None = None) -> str:
    return announcing.announcement(services, reactor or EPollReactor())


class FakePort:
    """A port that listens at *address*, so it says."""

    def __init__(self, address: IAddress) -> None:
        self._address = address

    def getHost(self) -> IAddress:
        return self._address


def ip(interface: str, port: int, kind: Any = "TCP") -> IAddress:
    return (IPv6Address if ":" in interface else IPv4Address)(kind, interface, port)


def service(name: str, *listens: Listen) -> LabService:
    """The service *name* as if it listened on *listens*."""
    made = LabService(KINDS[name], Settings(), Shared(Clock(), Publisher()), listens)
    for listen in listens:
        if isinstance(listen, UnixListen):
            address: IAddress = UNIXAddress(listen.path.encode())
        else:
            kind = "UDP" if isinstance(listen, UdpListen) else "TCP"
            address = ip(listen.interface, listen.port, kind)
        made.ports.append(OpenPort(listen, FakePort(address)))
    return made


def bench() -> list[LabService]:
    both = "127.0.0.1", "::1"
    return [
        service(
            "echo",
            *(TcpListen(one, 9000) for one in both),
            *(UdpListen(one, 9000) for one in both),
        ),
        service("line", *(TcpListen(one, 9001) for one in both)),
    ]


class AsyncioSelectorReactor:
    """Known by its name alone."""


class ReactorTests(SynchronousTestCase):
    def test_word(self) -> None:
        """The first line says which reactor runs, as --reactor names it."""
        for reactor, word in ((EPollReactor(), "epoll"), (AsyncioSelectorReactor(), "asyncio")):
            said = announcement(bench(), reactor).splitlines()[0]
            self.assertEqual(said, f"socketlab {__version__} ({word}) serves:")


class BenchTests(SynchronousTestCase):
    def test_bench(self) -> None:
        """The bench says each service on one line a transport, with its addresses and a try."""
        self.assertEqual(
            [re.sub("  +", "  ", line) for line in announcement(bench()).splitlines()],
            [
                f"socketlab {__version__} (epoll) serves:",
                "  echo  tcp  127.0.0.1:9000  [::1]:9000  try: nc 127.0.0.1 9000",
                "  echo  udp  127.0.0.1:9000  [::1]:9000  try: nc -u 127.0.0.1 9000",
                "  line  tcp  127.0.0.1:9001  [::1]:9001  try: telnet 127.0.0.1 9001",
                "Stop with Ctrl-C.",
            ],
        )

    def test_columns(self) -> None:
        """The columns of the usual lines stand under each other."""
        lines = announcement(bench()).splitlines()[1:-1]
        self.assertEqual(len({line.index("try:") for line in lines}), 1)
        self.assertEqual(len({line.index("127") for line in lines}), 1)

    def test_not_for_others(self) -> None:
        """On loopback nothing is said of other machines."""
        self.assertNotIn("other machines", announcement(bench()))


class FakePage:
    """A page that is open on *listen*."""

    address = "https://127.0.0.1:9443/#token=x"

    def __init__(self, *listens: Listen) -> None:
        self.service = service("discard", *listens)


class PageTests(SynchronousTestCase):
    def test_loopback(self) -> None:
        """A page says the address to open, last, and no more."""
        page = FakePage(TcpListen("127.0.0.1", 9002))
        said = announcing.announcement(bench(), EPollReactor(), page).splitlines()
        shown = f"  page     https  open: {page.address}"
        self.assertEqual(said[-2:], [shown, "Stop with Ctrl-C."])

    def test_beyond(self) -> None:
        """One that others can open says its certificate, and by which addresses they can."""
        page = FakePage(TlsListen("192.0.2.7", 9443))
        said = announcing.announcement(bench(), EPollReactor(), page)
        (shown,) = page.service.keyring.shown(TlsListen("::1", 1))
        self.assertIn(f"certificate SHA-256 {shown.fingerprint}\n", said)
        self.assertIn("open to other machines, at: 192.0.2.7\n", said)


class TransportTests(FolderTestCase):
    def test_unix(self) -> None:
        """A UNIX socket is tried by its path."""
        said = announcement([service("echo", UnixListen("/tmp/s"))])
        self.assertIn("unix:/tmp/s", said)
        self.assertIn("try: nc -U /tmp/s\n", said)

    def test_abstract(self) -> None:
        """A UNIX socket without a file, as systemd may pass one, is tried by its name."""
        said = announcement([service("echo", UnixListen("\0bench"))])
        self.assertIn("try: socat - ABSTRACT-CONNECT:bench\n", said)

    def test_tls(self) -> None:
        """Over TLS the certificate's SHA-256 is said, as OpenSSL prints it."""
        made = service("echo", TlsListen("127.0.0.1", 9443), TlsListen("::1", 9443))
        said = announcement([made])
        self.assertIn("try: openssl s_client -quiet -connect 127.0.0.1:9443\n", said)
        (found,) = re.findall("SHA-256 ([0-9A-F:]+)", said)
        (shown,) = made.keyring.shown(TlsListen("127.0.0.1", 1))
        self.assertEqual(found, shown.fingerprint)
        self.assertEqual(len(found), 95)

    def test_tls_ipv6(self) -> None:
        """An IPv6 host is in brackets where OpenSSL wants it so."""
        said = announcement([service("echo", TlsListen("::1", 9443))])
        self.assertIn("-connect [::1]:9443\n", said)

    def test_proxied(self) -> None:
        """A port that expects PROXY headers says so, and what to try begins with one."""
        listens = TcpListen("127.0.0.1", 9000), TcpListen("127.0.0.1", 9010, proxy=True)
        tcp, proxied = announcement([service("echo", *listens)]).splitlines()[1:3]
        self.assertIn("tcp  127.0.0.1:9000 ", tcp)
        self.assertIn("haproxy:tcp 127.0.0.1:9010 ", proxied)
        self.assertIn(r"try: (printf 'PROXY UNKNOWN\r\n'; cat) | nc 127.0.0.1 9010", proxied)
        said = announcement([service("echo", UnixListen("/tmp/s", proxy=True))])
        self.assertIn("haproxy:unix unix:/tmp/s ", said)
        self.assertIn("cat) | nc -U /tmp/s\n", said)

    def test_proxied_tls(self) -> None:
        """Over TLS it is the line for a haproxy; the certificate is said as ever."""
        said = announcement([service("echo", TlsListen("0.0.0.0", 9443, proxy=True))])
        self.assertIn("haproxy: server bench 127.0.0.1:9443 send-proxy-v2 ssl verify none\n", said)
        self.assertIn("SHA-256", said)

    def test_every_certificate(self) -> None:
        """Each certificate in use is said, a given one beside one made on the spot."""
        pem = self.folder / "server.pem"
        pem.write_bytes(key_pem(MADE.private_key) + certificate_pem(MADE).encode())
        given = TlsListen("127.0.0.1", 9444, str(pem), str(pem))
        said = announcement([service("echo", TlsListen("127.0.0.1", 9443), given)])
        found = re.findall("SHA-256 ([0-9A-F:]+)", said)
        self.assertIn(fingerprint(MADE), found)
        self.assertEqual(len(found), 2)

    def test_folder(self) -> None:
        """Of a folder each certificate is said, with the names it is for."""
        for host in ("a.example", "b.example"):
            pem = key_pem(MADE.private_key) + certificate_pem(MADE).encode()
            (self.folder / f"{host}.pem").write_bytes(pem)
        listen = TlsListen("127.0.0.1", 9443, folder=str(self.folder))
        said = announcement([service("echo", listen)])
        found = re.findall("SHA-256 ([0-9A-F:]+) for (.+)", said)
        expected = [(fingerprint(MADE), f"{host}.example localhost") for host in "ab"]
        self.assertEqual(found, expected)

    def test_long_addresses(self) -> None:
        """Addresses longer than their column are still apart from the try."""
        listen = TcpListen("2001:db8:1111:2222:3333:4444:5555:6666", 65535)
        self.assertIn("]:65535  try: nc 2001:db8:", announcement([service("echo", listen)]))

    def test_every_kind(self) -> None:
        """Every service says a line to try for each form it has."""
        for kind in KINDS.values():
            listens = [TcpListen("127.0.0.1", 7)] if kind.stream else []
            more = [UdpListen("127.0.0.1", 7)] if kind.datagram else []
            said = announcement([service(kind.name, *listens, *more)])
            self.assertEqual(said.count("try: "), len(listens) + len(more))
            self.assertNotIn("{", said)


class OpenToOthersTests(SynchronousTestCase):
    def test_wildcard(self) -> None:
        """On every address it says the one others can use, not the wildcard."""
        said = announcement([service("line", TcpListen("0.0.0.0", 9001))])
        self.assertIn("try: telnet 127.0.0.1 9001", said)
        (line,) = re.findall("  open to other machines, at: (.+)", said)
        self.assertNotIn("0.0.0.0", line)
        self.assertEqual(line.split(), sorted(own_addresses(with_ipv6=False)))

    def test_wildcard_ipv6(self) -> None:
        """The same for the IPv6 wildcard."""
        said = announcement([service("line", TcpListen("::", 9001))])
        self.assertIn("try: telnet ::1 9001", said)
        self.assertIn("open to other machines", said)

    def test_address(self) -> None:
        """An address that is not loopback is the one others can use."""
        said = announcement([service("line", TcpListen("192.0.2.7", 9001))])
        self.assertIn("open to other machines, at: 192.0.2.7\n", said)
        self.assertIn("try: telnet 192.0.2.7 9001", said)

    def test_loopback(self) -> None:
        """All of 127.0.0.0/8 is loopback."""
        for interface in ("127.0.0.1", "127.8.9.10", "::1"):
            said = announcement([service("line", TcpListen(interface, 9001))])
            self.assertNotIn("other machines", said)


class OwnAddressesTests(SynchronousTestCase):
    def test_real(self) -> None:
        """They are addresses of this machine, or its name where it has no way out."""
        for with_ipv6 in (False, True):
            for found in own_addresses(with_ipv6):
                if found == socket.gethostname():
                    continue
                self.assertFalse(ipaddress.ip_address(found.partition("%")[0]).is_unspecified)
                family = socket.AF_INET6 if ":" in found else socket.AF_INET
                with socket.socket(family) as sock:
                    sock.bind((found, 0))

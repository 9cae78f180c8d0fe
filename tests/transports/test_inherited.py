"""A socket systemd passed is what it would be had we opened it; anything else is one sentence."""

from __future__ import annotations

import os
import socket

from tests.folder import FolderTestCase
from twisted_lab.errors import ConfigurationError
from twisted_lab.transports.endpoints import (
    Listen,
    TcpListen,
    TlsListen,
    UdpListen,
    UnixListen,
    parse_listen,
)
from twisted_lab.transports.inherited import Inherited, environment_at_start

#: Where passed descriptors begin in these tests: nobody has as many.
FIRST = 700


class PassedTestCase(FolderTestCase):
    """Passes sockets to ``self.inherited`` as systemd passes them to a process."""

    def setUp(self) -> None:
        super().setUp()
        self.environ = {"LISTEN_PID": "42", "PATH": "/bin"}
        self.inherited = Inherited(lambda: dict(self.environ), self.environ, lambda: 42, FIRST)
        self.count = 0

    def pass_(self, passed: socket.socket | int) -> int:
        """Pass a socket, or any descriptor; the number it has now."""
        number = FIRST + self.count
        os.dup2(passed if isinstance(passed, int) else passed.fileno(), number)
        self.addCleanup(self.close, number)
        self.count += 1
        self.environ["LISTEN_PID"] = "42"
        self.environ["LISTEN_FDS"] = str(self.count)
        if isinstance(passed, socket.socket):
            passed.close()
        return number

    def close(self, number: int) -> None:
        try:
            os.close(number)
        except OSError:
            return

    def stream(self, host: str = "127.0.0.1") -> tuple[int, int]:
        """Pass a listening TCP socket: its port and its number."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.create_server((host, 0), family=family)
        return opened.getsockname()[1], self.pass_(opened)

    def datagrams(self) -> tuple[int, int]:
        """Pass a UDP socket: its port and its number."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1], self.pass_(opened)

    def resolve(self, *texts: str) -> tuple[Listen, ...]:
        return self.inherited.resolve([one for text in texts for one in parse_listen(text)])

    def refused(self, text: str, *words: str) -> None:
        sentence = str(self.assertRaises(ConfigurationError, self.resolve, text))
        self.assertEqual(len(sentence.splitlines()), 1)
        for word in (f"'{text}'", *words):
            self.assertIn(word, sentence)


class KindTests(PassedTestCase):
    def test_tcp(self) -> None:
        """A listening TCP socket is TCP on its own address."""
        port, number = self.stream()
        expected = (TcpListen("127.0.0.1", port, descriptor=number),)
        self.assertEqual(self.resolve("systemd:domain=INET:index=0"), expected)

    def test_udp(self) -> None:
        """A UDP socket is datagrams, with nothing more said."""
        port, number = self.datagrams()
        self.assertEqual(self.resolve("systemd:0"), (UdpListen("127.0.0.1", port, number),))

    def test_unix(self) -> None:
        """A UNIX stream socket has its path; an abstract one has it after a NUL (unix(7))."""
        for path in (f"{self.folder}/s", f"\0{self.folder}"):
            opened = socket.socket(socket.AF_UNIX)
            opened.bind(path)
            opened.listen()
            number = self.pass_(opened)
            (found,) = self.resolve(f"systemd:domain=UNIX:index={number - FIRST}")
            self.assertEqual(found, UnixListen(path, descriptor=number))

    def test_name(self) -> None:
        """A name is every socket called so, streams and datagrams; domain= chooses among them."""
        (one, four), (two, five), (three, six) = self.stream(), self.stream("::1"), self.datagrams()
        self.stream()
        self.environ["LISTEN_FDNAMES"] = "echo:echo:echo:other"
        v4, v6 = (
            TcpListen("127.0.0.1", one, descriptor=four),
            TcpListen("::1", two, descriptor=five),
        )
        udp = UdpListen("127.0.0.1", three, six)
        self.assertEqual(self.resolve("systemd:domain=INET6:name=echo"), (v6,))
        self.environ["LISTEN_PID"], self.environ["LISTEN_FDS"] = "42", "4"
        self.environ["LISTEN_FDNAMES"] = "echo:other:echo:other"
        self.assertEqual(self.resolve("systemd:echo"), (v4, udp))

    def test_tls(self) -> None:
        """TLS goes over a passed TCP socket."""
        port, number = self.stream()
        expected = (TlsListen("127.0.0.1", port, descriptor=number),)
        self.assertEqual(self.resolve("systemd:0:tls"), expected)

    def test_others_stay(self) -> None:
        """An endpoint that is not systemd: stays as it is, and nothing is read for it."""
        one = TcpListen("127.0.0.1", 7)
        self.assertEqual(Inherited(lambda: self.fail("read")).resolve([one]), (one,))


class OnceTests(PassedTestCase):
    def test_environment(self) -> None:
        """The variables are gone once they are read, so no child believes they are for it."""
        self.stream()
        self.environ["LISTEN_FDNAMES"] = "web"
        self.resolve("systemd:web")
        self.assertEqual(self.environ, {"PATH": "/bin"})

    def test_not_inherited(self) -> None:
        """No child gets a socket that was passed to us."""
        _port, number = self.stream()
        self.assertTrue(os.get_inheritable(number))
        self.resolve("systemd:0")
        self.assertFalse(os.get_inheritable(number))

    def test_twice(self) -> None:
        """Two endpoints cannot have the same socket."""
        self.stream()
        texts = ("systemd:0", "systemd:name=unknown")
        listens = [one for text in texts for one in parse_listen(text)]
        read = dict(self.environ)
        inherited = Inherited(lambda: read, self.environ, lambda: 42, FIRST)
        error = self.assertRaises(ConfigurationError, inherited.resolve, listens)
        self.assertIn("'systemd:name=unknown'", str(error))
        self.assertIn("taken", str(error))

    def test_given_up(self) -> None:
        """A socket that is given up is closed, and its number means it no more."""
        _port, number = self.stream()
        self.resolve("systemd:0")
        self.assertTrue(self.inherited.holds(number))
        self.inherited.give_up(number)
        self.assertFalse(self.inherited.holds(number))
        self.assertRaises(OSError, os.fstat, number)

    def test_real_environment(self) -> None:
        """The environment is the one this process was started with, and what it has since."""
        found = environment_at_start()
        self.assertEqual(found["PATH"], os.environ["PATH"])


class RefusalTests(PassedTestCase):
    def test_not_started_by_systemd(self) -> None:
        """Without LISTEN_PID or LISTEN_FDS nobody passed a socket."""
        self.refused("systemd:web", "LISTEN_FDS is not set")
        del self.environ["LISTEN_PID"]
        self.refused("systemd:web", "LISTEN_PID is not set")

    def test_other_process(self) -> None:
        """Sockets passed to another process are not ours, and both are named."""
        self.stream()
        self.environ["LISTEN_PID"] = "41"
        self.refused("systemd:0", "41", "42", "LISTEN_PID", "exec")

    def test_numbers(self) -> None:
        """A number of sockets that is none, or that nobody can have, is named."""
        for count in ("", "two", "0", "-1", "9" * 30, "99999999"):
            self.environ["LISTEN_FDS"] = count
            self.refused("systemd:0", f"LISTEN_FDS '{count}'")

    def test_no_such(self) -> None:
        """A name or a place that no socket has is named beside those there are."""
        self.stream()
        self.environ["LISTEN_FDNAMES"] = "web"
        self.refused("systemd:mail", "'mail'", "'web'")
        self.environ |= {"LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
        self.refused("systemd:1", "no socket 1", "only 1")

    def test_names(self) -> None:
        """As many names as sockets, or none at all."""
        self.stream()
        self.environ["LISTEN_FDNAMES"] = "web:mail"
        self.refused("systemd:web", "'web:mail'", "LISTEN_FDS 1")

    def test_family(self) -> None:
        """A socket of another family than asked for is told which it has."""
        self.stream()
        self.refused("systemd:domain=INET6:index=0", "INET,", "not INET6")

    def test_connection(self) -> None:
        """A connection, which Accept=yes passes, is no listener."""
        one, other = socket.socketpair()
        self.addCleanup(other.close)
        self.pass_(one)
        self.refused("systemd:0", "Accept=no")

    def test_other_kinds(self) -> None:
        """A kind of socket that is not served is named."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.bind(f"{self.folder}/d")
        self.pass_(opened)
        self.refused("systemd:0", "AF_UNIX SOCK_DGRAM")

    def test_other_families(self) -> None:
        """So is a kind of address that is not served."""
        self.pass_(socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM))
        self.refused("systemd:0", "AF_NETLINK SOCK_DGRAM, and only TCP, UDP and UNIX")

    def test_tls_over_datagrams(self) -> None:
        """TLS goes over TCP alone."""
        self.datagrams()
        self.refused("systemd:0:tls", "not TCP")

    def test_no_socket(self) -> None:
        """A descriptor that is closed, or is not of a socket, is named."""
        with open(os.devnull) as file:
            self.pass_(file.fileno())
        self.refused("systemd:0", f"descriptor {FIRST} is not a socket")
        self.environ |= {"LISTEN_PID": "42", "LISTEN_FDS": "2"}
        self.refused("systemd:1", f"descriptor {FIRST + 1} is not open")

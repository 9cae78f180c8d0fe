"""What there is to try fits the service and its transport. (They are run in tests/integration.)"""

from __future__ import annotations

import codeop
import itertools
import os
import tempfile

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.protocols import KINDS, Dialogue, Kind
from twisted_lab.transports.endpoints import (
    UNIX_PATH_BYTES,
    TcpListen,
    TlsListen,
    UdpListen,
    UnixListen,
)
from twisted_lab.trying import Target, Try, line, target_of, tries

TARGETS = [Target("udp", dialogue, "127.0.0.1", 7, datagram=True) for dialogue in Dialogue] + [
    Target(
        "tcp",
        dialogue,
        "127.0.0.1",
        7,
        path,
        proxied=proxied,
        fingerprint=fingerprint,
        asks_certificate=fingerprint is not None,
    )
    for dialogue, path, proxied, fingerprint in itertools.product(
        Dialogue, (None, b"/s", b"\0s"), (False, True), (None, "AB:CD")
    )
    if path is None or fingerprint is None
]


def of(target: Target, language: str) -> list[Try]:
    return [one for one in tries(target) if one.language == language]


class EveryTargetTests(SynchronousTestCase):
    def test_titles(self) -> None:
        """Each has a title of its own, and a language the page knows."""
        for target in TARGETS:
            found = tries(target)
            self.assertEqual(len({one.title for one in found}), len(found))
            self.assertLessEqual({one.language for one in found}, {"sh", "python", "c", "haproxy"})

    def test_lines(self) -> None:
        """What goes into a shell is one line, and the best of them is the line at the start."""
        for target in TARGETS:
            for one in (*of(target, "sh"), *of(target, "haproxy")):
                self.assertTrue(one.text.isprintable(), one.text)
            first = tries(target)[0]
            self.assertIn(first.text, line(target) or "")

    def test_python(self) -> None:
        """There is always a client in Python, of 22 lines at most."""
        for target in TARGETS:
            (one,) = of(target, "python")
            compile(one.text, one.title, "exec")
            self.assertLessEqual(one.text.count("\n"), 22)

    def test_python_pasted(self) -> None:
        """It can be pasted into a Python that runs, where a blank line ends a block."""
        for target in TARGETS:
            (one,) = of(target, "python")
            pending: list[str] = []
            for text in [*one.text.splitlines(), ""]:
                pending.append(text)
                if codeop.compile_command("\n".join(pending)) is not None:
                    pending.clear()
            self.assertEqual(pending, [])

    def test_c(self) -> None:
        """There is one in C wherever no library is needed, of 40 lines at most."""
        for target in TARGETS:
            found = of(target, "c")
            self.assertEqual(len(found), 0 if target.secure else 1)
            for one in found:
                self.assertTrue(one.text.startswith("/* cc try.c -o try && ./try */\n"))
                self.assertLessEqual(one.text.count("\n"), 40)
                self.assertLessEqual(max(map(len, one.text.splitlines())), 100)

    def test_proxied(self) -> None:
        """Behind a balancer each says a PROXY header, or has haproxy say it."""
        for target in TARGETS:
            for one in tries(target):
                says = "PROXY UNKNOWN" in one.text or "send-proxy" in one.text
                self.assertEqual(says, target.proxied, one)


class TargetTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Each of our services says how one talks to it; of a stranger's nobody knows."""
        for kind in KINDS.values():
            self.assertIsNot(kind.dialogue, Dialogue.OWN)
        self.assertIs(Kind("mine", "does").dialogue, Dialogue.OWN)

    def test_wildcards(self) -> None:
        """Every address of the machine is tried at loopback."""
        for interface, kind, host in (
            ("0.0.0.0", IPv4Address, "127.0.0.1"),
            ("::", IPv6Address, "::1"),
            ("192.0.2.7", IPv4Address, "192.0.2.7"),
        ):
            listen = TcpListen(interface, 0)
            target = target_of(KINDS["echo"], listen, kind("TCP", interface, 9000))
            self.assertEqual((target.host, target.port), (host, 9000))

    def test_transports(self) -> None:
        """What was asked for decides over what one talks."""
        echo, address = KINDS["echo"], IPv4Address("TCP", "127.0.0.1", 1)
        tls = target_of(echo, TlsListen("127.0.0.1", 1), address, "AB", True)
        self.assertEqual((tls.secure, tls.asks_certificate), (True, True))
        tcp = target_of(echo, TcpListen("127.0.0.1", 1, proxy=True), address, "AB", True)
        self.assertEqual((tcp.secure, tcp.asks_certificate, tcp.proxied), (False, False, True))
        self.assertEqual(tcp.transport, "haproxy:tcp")
        self.assertTrue(target_of(echo, UdpListen("127.0.0.1", 1), address).datagram)

    def test_paths(self) -> None:
        """The path is that of the endpoint, byte for byte."""
        listen = UnixListen("/tmp/\udcff")
        target = target_of(KINDS["echo"], listen, UNIXAddress(b"/tmp/\xff"))
        self.assertEqual((target.path, target.abstract), (b"/tmp/\xff", False))

    def test_relative_paths(self) -> None:
        """A path from the folder of the bench works in any, if a socket's address is as long."""

        def path(text: str) -> bytes | None:
            return target_of(KINDS["echo"], UnixListen(text), UNIXAddress(b"s")).path

        here = os.getcwdb()
        self.assertEqual(path("-s"), here + b"/-s")
        self.assertEqual(path("\0s"), b"\0s")
        long = "n" * (UNIX_PATH_BYTES - len(here) - 1)
        self.assertEqual(path(long), here + b"/" + long.encode())
        self.assertEqual(path(f"{long}n"), b"./" + long.encode() + b"n")

    def test_no_folder(self) -> None:
        """In a folder that is gone a path stays as it was asked for."""
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
        target = target_of(KINDS["echo"], UnixListen("s"), UNIXAddress(b"s"))
        self.assertEqual(target.path, b"./s")

    def test_no_line(self) -> None:
        """A path that ends in a line feed fits no line; it has a client in Python and one in C."""
        target = Target("unix", Dialogue.ECHO, path=b"/tmp/s\n")
        self.assertIsNone(line(target))
        self.assertEqual([one.language for one in tries(target)], ["python", "c"])

    def test_line_of_haproxy(self) -> None:
        """At the start a line for haproxy.cfg says so."""
        target = Target("haproxy:tls", Dialogue.ECHO, "::1", 1, proxied=True, fingerprint="AB")
        self.assertEqual(
            line(target), "haproxy: server bench [::1]:1 send-proxy-v2 ssl verify none"
        )

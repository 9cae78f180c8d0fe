"""What a person may write as an endpoint, and the addresses it leads to."""

from __future__ import annotations

import socket
import threading
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab import targets as module
from twisted_lab.errors import ConfigurationError
from twisted_lab.targets import Target, addresses, look_up, parse_target


class ParseTests(SynchronousTestCase):
    def wrong(self, text: str) -> str:
        """The sentence for an endpoint that is none."""
        return str(self.assertRaises(ConfigurationError, parse_target, text))

    def test_port(self) -> None:
        """A bare number is a TCP port on this machine, IPv4 first."""
        self.assertEqual(parse_target("7"), Target("tcp", ("127.0.0.1", "::1"), 7))

    def test_host(self) -> None:
        """HOST:PORT is TCP; an IPv6 address stands in brackets."""
        self.assertEqual(parse_target("example.org:80"), Target("tcp", ("example.org",), 80))
        self.assertEqual(parse_target("[::1]:7"), Target("tcp", ("::1",), 7))

    def test_prefixes(self) -> None:
        """tcp:, tls:, udp: and unix: say over what; Twisted's older words are known."""
        self.assertEqual(parse_target("tcp:[::1]:7"), Target("tcp", ("::1",), 7))
        self.assertEqual(parse_target(r"tcp:\:\:1:7"), Target("tcp", ("::1",), 7))
        self.assertEqual(parse_target("tls:a.example:443"), Target("tls", ("a.example",), 443))
        self.assertEqual(parse_target("ssl:a.example:443"), Target("tls", ("a.example",), 443))
        self.assertEqual(parse_target("udp:[::1]:7"), Target("udp", ("::1",), 7))
        self.assertEqual(parse_target("udp:7"), Target("udp", ("127.0.0.1", "::1"), 7))
        self.assertEqual(parse_target("unix:/run/s"), Target("unix", path="/run/s"))

    def test_shown(self) -> None:
        """It is shown as one says it, and cannot write to the terminal."""
        self.assertEqual(str(parse_target("tcp:[::1]:7")), "tcp [::1]:7")
        self.assertEqual(str(parse_target("unix:/\x1b")), r"unix:/\x1b")

    def test_wrong(self) -> None:
        """What is none is named, in one sentence without control characters."""
        for text in ("", "host", "tcp:", "udp:host:", "unix:", "tcp:a:b:c", "x:7:timeout=3"):
            self.assertIn("is wrong: ", self.wrong(text))
        self.assertIn("'70000' is no port: expected 1 to 65535", self.wrong("70000"))
        self.assertIn("'0' is no port", self.wrong("tcp:host:0"))
        self.assertTrue(self.wrong("tcp:\x1b[31m").isprintable())


class AddressesTests(SynchronousTestCase):
    def test_numeric(self) -> None:
        """A numeric address is itself, and both loopback ones of a bare port are tried."""
        self.assertEqual(addresses(parse_target("7")), [("127.0.0.1", 7), ("::1", 7)])

    def test_families(self) -> None:
        """A name's addresses of both families come in the system's order, each once."""
        answers = [
            (socket.AF_INET6, 1, 6, "", ("2001:db8::1", 7, 0, 0)),
            (socket.AF_INET, 1, 6, "", ("192.0.2.1", 7)),
            (socket.AF_INET, 1, 6, "", ("192.0.2.1", 7)),
        ]
        self.patch(module.socket, "getaddrinfo", lambda *a, **k: answers)
        self.assertEqual(
            addresses(Target("tcp", ("h",), 7)), [("2001:db8::1", 7), ("192.0.2.1", 7)]
        )

    def test_nowhere(self) -> None:
        """A name that leads nowhere, or that can be none, is named."""
        for name in ("nosuch.invalid", "a..b", "x" * 70, "a\0b", "\udcff.example"):
            error = self.assertRaises(ConfigurationError, addresses, Target("tcp", (name,), 7))
            self.assertIn("cannot look up '", str(error))
            self.assertTrue(str(error).isprintable())


class LookUpTests(SynchronousTestCase):
    def look_up(self, addresses: Any) -> Any:
        """What comes of it, once its thread has told the reactor."""
        told = threading.Event()
        calls: list[Any] = []

        class Reactor:
            def callFromThread(self, *call: Any) -> None:
                calls.append(call)
                told.set()

        done = look_up(Reactor(), Target("tcp", ("h",), 7), addresses)
        self.assertTrue(told.wait(20))
        self.assertNoResult(done)  # nothing is called in the thread itself
        (function, *arguments), *_ = calls
        function(*arguments)
        return done

    def test_found(self) -> None:
        """The addresses come from a thread, on the reactor's own."""
        self.assertEqual(self.successResultOf(self.look_up(lambda _: [("::1", 7)])), [("::1", 7)])

    def test_not_found(self) -> None:
        """So does what is wrong."""

        def wrong(_: Target) -> Any:
            raise ConfigurationError("no such name")

        failure = self.failureResultOf(self.look_up(wrong), ConfigurationError)
        self.assertEqual(str(failure.value), "no such name")

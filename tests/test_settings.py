"""Every option is read or refused in one sentence, and what nobody said has a safe default."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network
from typing import Any
from unicodedata import category

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.errors import ConfigurationError
from twisted_lab.policies import accept_rate, handshake, idle, max_connections, max_per_peer
from twisted_lab.settings import OPTIONS, Option, Settings, read_settings
from twisted_lab.transports.endpoints import TcpListen, UdpListen, UnixListen, loopback_interfaces

BY_NAME = {option.name: option for option in OPTIONS}

#: For every option that takes a value: one good text and what it means.
GOOD: dict[str, tuple[str, Any]] = {
    "port": ("9000", 9000),
    "listen": ("udp:192.0.2.1:9000", UdpListen("192.0.2.1", 9000)),
    "interface": ("0.0.0.0", ("0.0.0.0",)),
    "backlog": ("128", 128),
    "max-connections": ("100", 100),
    "max-per-peer": ("2", 2),
    "accept-rate": ("0.5/s", 0.5),
    "datagram-rate": ("100/s", 100.0),
    "allow": ("10.0.0.0/8", ip_network("10.0.0.0/8")),
    "deny": ("::1", ip_network("::1/128")),
    "idle-timeout": ("200ms", 0.2),
    "handshake-timeout": ("5s", 5.0),
    "lifetime": ("2h", 7200.0),
    "min-rate": ("1KiB/s", 1024.0),
    "max-bytes": ("1MiB", 2**20),
    "throughput": ("100kB/s", 100_000.0),
    "max-line": ("64KiB", 65536),
    "drain": ("0", 0.0),
    "record": ("out.jsonl", "out.jsonl"),
    "pcapng": ("out.pcapng", "out.pcapng"),
    "capture": ("0", 0),
    "log": ("/var/log/x", "/var/log/x"),
    "log-format": ("json", "json"),
    "client-ca": ("ca.pem", "ca.pem"),
    "proxy-from": ("10.0.0.0/8", ip_network("10.0.0.0/8")),
    "quotes": ("fortunes", "fortunes"),
    "page": ("tcp:127.0.0.1:9002", (TcpListen("127.0.0.1", 9002),)),
}

#: For every option that can be wrong at once: texts that are. Files are tried when opened.
BAD: dict[str, list[str]] = {
    "port": ["abc", "-1", "65536", "9000.0", "", "80 80", "٣"],
    "listen": ["tcp:", "no-such:1", "tcp:host.example:80", "tcp:70000", "", "unix:", "\\"],
    "interface": ["eth0", "10.0.0.0/8", "999", "", "host.example", "10.0.0.1:80", "backlog=5"],
    "backlog": ["0", "-1", "many", ""],
    "max-connections": ["0", "-1", "1.5", ""],
    "max-per-peer": ["0", "x", ""],
    "accept-rate": ["0", "-1/s", "50/min", ""],
    "datagram-rate": ["0", "fast", ""],
    "allow": ["localhost", "10.0.0.0/40", ""],
    "proxy-from": ["localhost", "10.0.0.0/40", "unix", ""],
    "deny": ["everybody", "10.0.0.1:80", ""],
    "idle-timeout": ["0", "-1", "soon", "5 parsecs", ""],
    "handshake-timeout": ["0", "never", ""],
    "lifetime": ["0", "2y", ""],
    "min-rate": ["0", "1KiB/min", "x", ""],
    "max-bytes": ["-1", "1.5", "1XB", "9" * 400, ""],
    "throughput": ["0", "fast", "9" * 400, ""],
    "max-line": ["0", "17MiB", "long", ""],
    "drain": ["-1", "later", ""],
    "capture": ["-1", "all", ""],
    "log-format": ["xml", "JSON", ""],
    "page": ["udp:9002", "unix:/s", "tcp:0.0.0.0:9002", "haproxy:tcp:9002", "no", ""],
}

FILES = {"record", "pcapng", "log", "client-ca", "quotes"}
FLAGS = {"quiet", "allow-reflector", "allow-amplification", "well-known", "no-page"}


def read_one(name: str, text: str) -> Any:
    """What *text* means for the option *name*, among all settings."""
    settings = read_settings({name: [text] if BY_NAME[name].many else text})
    return getattr(settings, BY_NAME[name].field)


class TableTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """Every setting is an option, every option a setting, each with the same word."""
        self.assertEqual(
            [option.field for option in OPTIONS], [field.name for field in fields(Settings)]
        )
        for option in OPTIONS:
            self.assertRegex(option.name, "^[a-z]+(-[a-z]+)*$")

    def test_tested(self) -> None:
        """Every option is among those tested here."""
        self.assertEqual(set(GOOD) | FLAGS, set(BY_NAME))
        self.assertEqual(set(BAD) | FLAGS | FILES, set(BY_NAME))

    def test_designed(self) -> None:
        """The options are those that were promised, and a few that a service needs."""
        self.assertEqual(
            set(BY_NAME),
            set(
                """
                port listen interface backlog max-connections max-per-peer accept-rate allow deny
                idle-timeout handshake-timeout lifetime min-rate max-bytes throughput max-line
                drain record pcapng capture log log-format quiet allow-reflector allow-amplification
                client-ca datagram-rate well-known quotes proxy-from page no-page
                """.split()
            ),
        )

    def test_help(self) -> None:
        """Each option says in a few words what it does; one with a default says that too."""
        for option in OPTIONS:
            self.assertTrue(len(option.help) > 10 and option.help[0].islower(), option)
            self.assertEqual(option.flag, not option.metavar, option)
            default = getattr(Settings(), option.field)
            if isinstance(default, int | float) and not option.flag:
                self.assertIn("[default: ", option.help, option)

    def test_defaults_in_help(self) -> None:
        """The defaults in the help are those in force."""
        said = {option.name: option.help for option in OPTIONS}
        for name, words in {
            "backlog": "4096",
            "max-connections": f"{max_connections.DEFAULT}, loopback not counted",
            "max-per-peer": f"{max_per_peer.DEFAULT}, loopback not counted",
            "accept-rate": f"{accept_rate.DEFAULT:g}/s, loopback not counted",
            "datagram-rate": "2000/s",
            "idle-timeout": "60s, on loopback 10min",
            "handshake-timeout": f"{handshake.DEFAULT:g}s",
            "lifetime": "1h",
            "max-line": "16384",
            "drain": "5s",
            "capture": "256",
            "interface": "127.0.0.1 and ::1",
        }.items():
            self.assertIn(f"[default: {words}", said[name])


class DefaultTests(SynchronousTestCase):
    def test_robustness(self) -> None:
        """What nobody said has its safe default."""
        settings = read_settings({})
        self.assertEqual(settings, Settings())
        self.assertEqual(settings.backlog, 4096)
        self.assertEqual((max_connections.DEFAULT, max_per_peer.DEFAULT), (1024, 64))
        self.assertEqual(accept_rate.DEFAULT, 50)
        self.assertEqual((idle.ELSEWHERE, idle.LOOPBACK, idle.STALL), (60, 600, 30))
        self.assertEqual(settings.handshake_timeout, 5)
        self.assertEqual(handshake.UNFINISHED, 256)
        self.assertEqual(settings.lifetime, 3600)
        self.assertIsNone(settings.min_rate)
        self.assertEqual(settings.max_line, 16384)
        self.assertEqual(settings.drain, 5)
        self.assertEqual(settings.capture, 256)
        self.assertEqual((settings.record, settings.log, settings.log_format), (None, None, "text"))

    def test_nothing_dangerous(self) -> None:
        """Nothing that makes others suffer is on unless it is said."""
        settings = Settings()
        self.assertFalse(settings.allow_reflector)
        self.assertFalse(settings.allow_amplification)
        self.assertEqual(settings.interface, ())

    def test_not_given(self) -> None:
        """A limit that is None was not given: it spares loopback, where one that was given does
        not."""
        settings = Settings()
        for field in "max_connections max_per_peer accept_rate datagram_rate idle_timeout".split():
            self.assertIsNone(getattr(settings, field), field)


class GoodTests(SynchronousTestCase):
    def test_each(self) -> None:
        """Every option takes a good value, and nothing else changes by it."""
        for name, (text, value) in GOOD.items():
            expected = (value,) if BY_NAME[name].many else value
            self.assertEqual(read_one(name, text), expected, name)
            settings = read_settings({name: [text] if BY_NAME[name].many else text})
            same = {f.name for f in fields(Settings)} - {BY_NAME[name].field}
            for other in same:
                self.assertEqual(getattr(settings, other), getattr(Settings(), other))

    def test_flags(self) -> None:
        """A flag is on when it is there."""
        for name in FLAGS:
            settings = read_settings({name: True})
            self.assertIs(getattr(settings, BY_NAME[name].field), True)

    def test_repeated(self) -> None:
        """An option that may be repeated keeps all its values, in order; an endpoint that is
        several sockets counts as each of them."""
        settings = read_settings({"listen": ["unix:/tmp/s", "9000"], "allow": ["::1", "10.0.0.1"]})
        self.assertEqual(
            settings.listen,
            (UnixListen("/tmp/s"), *(TcpListen(one, 9000) for one in loopback_interfaces())),
        )
        self.assertEqual(settings.allow, (ip_network("::1"), ip_network("10.0.0.1")))

    def test_interface(self) -> None:
        """An interface is an IPv4 or IPv6 address, or localhost, which may be both."""
        for text, value in {
            "127.0.0.1": ("127.0.0.1",),
            "::1": ("::1",),
            "::": ("::",),
            "fe80::1%eth0": ("fe80::1%eth0",),
            "localhost": loopback_interfaces(),
        }.items():
            self.assertEqual(read_one("interface", text), value)


class BadTests(SynchronousTestCase):
    def test_each(self) -> None:
        """A bad value is one sentence that names the option and the value."""
        taken = []
        for name, texts in BAD.items():
            for text in texts:
                try:
                    taken.append((name, text[:40], read_one(name, text)))
                except ConfigurationError as error:
                    self.assert_names(str(error), name, text)
                except ArithmeticError as error:
                    taken.append((name, text[:40], error))
        self.assertEqual(taken, [])

    def assert_names(self, sentence: str, name: str, text: str) -> None:
        self.assert_one_safe_line(sentence)
        self.assertLess(len(sentence), 600, sentence)
        if name != "listen":  # a bad endpoint is named itself
            self.assertTrue(sentence.startswith(f"--{name} "), sentence)
        shown = text if len(text) <= 200 else text[:200] + "…"
        self.assertIn(shown.replace("\\", "\\\\"), sentence)

    def assert_one_safe_line(self, sentence: str) -> None:
        for character in sentence:
            self.assertNotIn(category(character), ("Cc", "Cs", "Zl", "Zp"), ascii(sentence))

    def test_first_wins(self) -> None:
        """Of several bad values one is named; of a good and a bad one, the bad one."""
        error = self.assertRaises(
            ConfigurationError, read_settings, {"port": "9000", "allow": ["10.0.0.1", "nobody"]}
        )
        self.assertIn("nobody", str(error))

    def test_escaped(self) -> None:
        """A value cannot write to the terminal of who is told."""
        error = self.assertRaises(ConfigurationError, read_settings, {"port": "\x1b[31m\n9"})
        self.assertTrue(str(error).isprintable())

    @given(st.sampled_from(sorted(BAD)), st.text(st.characters(), max_size=30))
    def test_any_text(self, name: str, text: str) -> None:
        """Whatever the text, it is a value or that one sentence."""
        try:
            read_one(name, text)
        except ConfigurationError as error:
            self.assert_one_safe_line(str(error))


class OptionTests(SynchronousTestCase):
    def test_field(self) -> None:
        """In a file of services an option is the same word with underscores."""
        self.assertEqual(Option("max-per-peer", "N", "…").field, "max_per_peer")

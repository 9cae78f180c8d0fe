"""A file of services: what it says as values, and each thing wrong with it in one sentence."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.folder import FolderTestCase
from tests.test_settings import BAD, GOOD
from twisted_lab.config import Config, ConfigFile
from twisted_lab.config_table import BY_FIELD, merged
from twisted_lab.errors import ConfigurationError
from twisted_lab.protocols import KINDS
from twisted_lab.publishing import Publisher
from twisted_lab.settings import OPTIONS, Settings, read_values
from twisted_lab.shared import Shared
from twisted_lab.transports.endpoints import TcpListen, UdpListen, UnixListen, loopback_interfaces

PROCESS = {option.field for option in OPTIONS if option.process}
FILES = {option.field for option in OPTIONS if option.is_file}


class ConfigTestCase(FolderTestCase):
    def file(self, text: str, **given: Any) -> ConfigFile:
        path = self.folder / "services.toml"
        path.write_text(text)
        texts = {name.replace("_", "-"): value for name, value in given.items()}
        return ConfigFile("services.toml", str(path), read_values(texts))

    def read(self, text: str, **given: Any) -> Config:
        return self.file(text, **given).read()

    def one(self, text: str, **given: Any) -> Settings:
        """The settings of the only service."""
        (service,) = self.read(text, **given).services
        return service.settings

    def refused(self, text: str, **given: Any) -> str:
        sentence = str(self.assertRaises(ConfigurationError, self.read, text, **given))
        self.assertTrue(sentence.isprintable(), ascii(sentence))
        self.assertLess(len(sentence), 800)
        self.assertTrue(sentence.startswith("services.toml"), sentence)
        return sentence


class ValueTests(ConfigTestCase):
    def test_services(self) -> None:
        """Each [[service]] is one, in order, called by its name or else by its kind."""
        config = self.read(
            """
            drain = "2s"
            [[service]]
            kind = "echo"
            port = 7
            [[service]]
            kind = "echo"
            name = "second.echo-2"
            port = 8
            """
        )
        self.assertEqual(config.settings, Settings(drain=2.0))
        self.assertEqual(
            [(one.name, one.kind.name, one.settings.port) for one in config.services],
            [("echo", "echo", 7), ("second.echo-2", "echo", 8)],
        )

    def test_each_kind(self) -> None:
        """Every service there is can be in a file."""
        text = "".join(f'[[service]]\nkind = "{kind}"\nport = 0\n' for kind in KINDS)
        self.assertEqual([one.kind for one in self.read(text).services], list(KINDS.values()))

    def test_each_option(self) -> None:
        """Every option is a key: its word with _, its text as on the command line."""
        for name, (text, value) in GOOD.items():
            field = name.replace("-", "_")
            if field in FILES:
                value = str(self.folder / text)
            expected = (value,) if BY_FIELD[field].many else value
            line = f"{field} = {[text] if BY_FIELD[field].many else text!r}\n"
            echo = '[[service]]\nkind = "echo"\nlisten = ["tls:0", "haproxy:tcp:0"]\n'
            echo += "allow_reflector = true\n"
            only_top = field == "listen" or field in PROCESS
            for toml in (line + echo, echo + line)[: 1 if only_top else 2]:
                found = getattr(self.one(toml), field)
                if field == "listen":
                    self.assertIn(value, found)
                else:
                    self.assertEqual(found, expected, name)

    def test_flags(self) -> None:
        """A flag is true or false."""
        for field in (option.field for option in OPTIONS if option.flag):
            for word, value in {"true": True, "false": False}.items():
                settings = self.one(f'{field} = {word}\n[[service]]\nkind = "echo"')
                self.assertIs(getattr(settings, field), value)

    def test_numbers(self) -> None:
        """Where a number alone is an option's value it needs no quotes."""
        settings = self.one(
            '[[service]]\nkind = "echo"\nidle_timeout = 30\nmin_rate = 0.5e3\nlisten = [9000]'
        )
        self.assertEqual((settings.idle_timeout, settings.min_rate), (30.0, 500.0))
        self.assertEqual(settings.listen[0], TcpListen("127.0.0.1", 9000))

    def test_one_for_a_list(self) -> None:
        """A list of one may be written without brackets."""
        settings = self.one('[[service]]\nkind = "line"\nallow = "10.0.0.1"')
        self.assertEqual(settings.allow, (ip_network("10.0.0.1"),))

    def test_order(self) -> None:
        """Later scalars override: the file's top, the command line, the service's own."""
        both = """
            max_line = 1
            lifetime = 1
            idle_timeout = 1
            [[service]]
            kind = "line"
            idle_timeout = 3
            """
        settings = self.one(both, lifetime="2s", idle_timeout="2s")
        self.assertEqual(
            (settings.max_line, settings.lifetime, settings.idle_timeout), (1, 2.0, 3.0)
        )

    def test_lists(self) -> None:
        """Later lists extend, in the same order."""
        settings = self.one(
            'allow = ["10.0.0.1"]\n[[service]]\nkind = "line"\nallow = ["10.0.0.3"]',
            allow=["10.0.0.2"],
        )
        networks = [ip_network(f"10.0.0.{n}") for n in (1, 2, 3)]
        self.assertEqual(settings.allow, tuple(networks))

    def test_merged(self) -> None:
        """What only one of two says is kept."""
        self.assertEqual(
            merged({"port": 1, "allow": (1,)}, {"deny": (2,)}),
            {"port": 1, "allow": (1,), "deny": (2,)},
        )

    def test_process(self) -> None:
        """The command line overrides what the file says of the whole process."""
        text = 'drain = 1\ncapture = 1\n[[service]]\nkind = "echo"'
        settings = self.read(text, drain="3s").settings
        self.assertEqual((settings.drain, settings.capture), (3.0, 1))

    def test_default_port(self) -> None:
        """A service that says nothing of ports has its own, on loopback."""
        (service,) = self.read('[[service]]\nkind = "line"').services
        expected = tuple(TcpListen(one, 9001) for one in loopback_interfaces())
        self.assertEqual(service.listens, expected)

    def test_paths(self) -> None:
        """Relative paths are relative to the file, wherever it is read from."""
        text = 'record = "a.jsonl"\nlog = "/b"\n[[service]]\nkind = "line"\nlisten = "unix:s"\n'
        settings = self.one(text)
        self.assertEqual((settings.record, settings.log), (str(self.folder / "a.jsonl"), "/b"))
        self.assertEqual(settings.listen, (UnixListen(str(self.folder / "s")),))

    def test_named(self) -> None:
        """A file's name is taken in the folder of the start, also when a daemon has left it."""
        self.file('[[service]]\nkind = "line"')
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        file = ConfigFile.named("services.toml", {})
        os.chdir("/")
        self.assertEqual(file.read().services[0].name, "line")
        self.assertEqual((file.name, Path(file.path).name), ("services.toml", "services.toml"))

    def test_systemd(self) -> None:
        """A file may name sockets that systemd passes; reading it, again and again, takes none."""
        text = (
            'client_ca = "ca.pem"\n[[service]]\nkind = "echo"\nlisten = "systemd:0"\n'
            '[[service]]\nkind = "line"\nlisten = "systemd:0:tls:privateKey=key.pem"\n'
        )
        (self.folder / "key.pem").touch()
        plain, secure = (service.settings for service in self.read(text).services)
        self.assertEqual((plain.client_ca, secure.client_ca), (None, str(self.folder / "ca.pem")))
        service = self.read('[[service]]\nkind = "line"\nlisten = "systemd:0"\n').services[0]
        error = self.assertRaises(ConfigurationError, service.make, Shared(Clock(), Publisher()))
        self.assertIn("services.toml, line 1, [[service]] 1 (line): ", str(error))
        self.assertIn("systemd passed no socket", str(error))

    def test_proxy_from(self) -> None:
        """A proxy_from for all is for those that have haproxy: endpoints; one for a service without
        is refused."""
        proxied = '[[service]]\nkind = "echo"\nlisten = "haproxy:tcp:0"\n'
        plain = '[[service]]\nkind = "line"\n'
        services = self.read('proxy_from = "10.0.0.1"\n' + proxied + plain).services
        self.assertEqual(
            [service.settings.proxy_from for service in services], [(ip_network("10.0.0.1"),), ()]
        )
        (service,) = self.read(plain + 'proxy_from = "10.0.0.1"\n').services
        error = self.assertRaises(ConfigurationError, service.make, Shared(Clock(), Publisher()))
        self.assertIn("[[service]] 1 (line): --proxy-from", str(error))

    def test_client_ca(self) -> None:
        """A client_ca for all is for those that have TLS; one for a service without is refused."""
        plain = '[[service]]\nkind = "line"\n'
        self.assertIsNone(self.one('client_ca = "ca.pem"\n' + plain).client_ca)
        (service,) = self.read(plain + 'client_ca = "ca.pem"\n').services
        error = self.assertRaises(ConfigurationError, service.make, Shared(Clock(), Publisher()))
        self.assertIn("services.toml, line 1, [[service]] 1 (line): --client-ca", str(error))


class RefusedTests(ConfigTestCase):
    def in_service(self, line: str) -> str:
        """Why *line*, the third of the file, is refused."""
        return self.refused(f'[[service]]\nkind = "echo"\n{line}\n')

    def test_each_bad_value(self) -> None:
        """A bad value is named with the file, the line, the table and the key."""
        for name, texts in BAD.items():
            field = name.replace("-", "_")
            for text in (text for text in texts if text.isascii() and "\\" not in text):
                line = f'{field} = "{text}"'
                if field in PROCESS:
                    said = self.refused(f'{line}\n[[service]]\nkind = "echo"')
                    place = "services.toml, line 1: "
                else:
                    said = self.in_service(line)
                    place = "services.toml, line 3, [[service]] 1 (echo): "
                start = f'{place}{field} = "{text}'[: len(place) + 150]
                self.assertTrue(said.startswith(start), said)

    def test_sentence(self) -> None:
        """The sentence says what would be right."""
        self.assertEqual(
            self.in_service('idle_timeout = "5 parsecs"'),
            'services.toml, line 3, [[service]] 1 (echo): idle_timeout = "5 parsecs": '
            "unknown unit 'parsecs'; known are s, ms, us, min, m, h",
        )

    def test_in_one_line(self) -> None:
        """Where services stand in one line, none is named, but which of them it is."""
        self.assertEqual(
            self.refused('service = [{kind = "line"}, {kind = "echo", port = "x"}]')[:53],
            'services.toml, [[service]] 2 (echo): port = "x": expe',
        )

    def test_wrong_key(self) -> None:
        """A key that there is not is named with the nearest there is."""
        for line, near in {
            "idle_timout = 5": "idle_timeout",
            "idle-timeout = 5": "idle_timeout",
            "listens = []": "listen",
            'nam = "x"': "name",
        }.items():
            said = self.in_service(line)
            self.assertIn("services.toml, line 3, [[service]] 1 (echo): ", said)
            self.assertTrue(said.endswith(f"there is no such key; did you mean {near}?"), said)
        self.assertIn("did you mean service?", self.refused('[[servce]]\nkind = "echo"'))
        self.assertTrue(self.in_service("zzz = 5").endswith("zzz = 5: there is no such key"))

    def test_wrong_place(self) -> None:
        """A key of the process in a service, or the other way, is told where it belongs."""
        for field in PROCESS:
            self.assertIn("above the first [[service]]", self.in_service(f"{field} = 1"))
        for key in ("kind", "name"):
            said = self.refused(f'{key} = "echo"\n[[service]]\nkind = "echo"')
            self.assertIn(f'line 1: {key} = "echo": this is for one service', said)

    def test_wrong_type(self) -> None:
        """A value of the wrong type is told which is right."""
        for line, right in {
            "max_line = true": "expected a size such as 16384 or 64KiB",
            "idle_timeout = [5]": "expected a time such as 5s",
            "idle_timeout = {a = 5}": "expected a time such as 5s",
            "idle_timeout = 2026-01-01": "expected a time such as 5s",
            "max_connections = 1.5": "expected a whole number",
            "max_connections = 0x" + "f" * 6000: "expected a whole number",
            "port = inf": "expected a port number",
            "port = nan": "expected a port number",
            "client_ca = 5": "expected the name of a file",
            'allow_reflector = "yes"': "expected true or false",
            "allow_reflector = 1": "expected true or false",
            "listen = true": "expected an array of texts",
            "allow = [{}]": "expected an array of texts",
            "interface = false": "expected an IP address",
        }.items():
            said = self.in_service(line)
            self.assertIn("line 3, [[service]] 1 (echo): " + line[:9], said)
            self.assertIn(right, said)

    def test_endpoint(self) -> None:
        """A wrong endpoint is named, and so is a file that is not there."""
        self.assertIn("no-such:1", self.in_service('listen = ["tcp:0", "no-such:1"]'))
        missing = self.in_service('listen = "tls:0:privateKey=none.pem"')
        self.assertIn(f"there is no file '{self.folder}/none.pem'", missing)

    def test_what_a_service_cannot(self) -> None:
        """What a service does not serve is said with the line of the service."""
        said = self.refused('\n[[service]]\nkind = "line"\nlisten = "udp:9000"')
        self.assertIn("services.toml, line 2, [[service]] 1 (line): line does not serve udp", said)
        self.assertIn("forged", self.in_service('listen = "udp:192.0.2.1:9"'))

    def test_own_kind(self) -> None:
        """A kind may be anyone's, as run takes it; what is wrong with it is told with its place."""
        text = '[[service]]\nkind = "{}"\nport = 0\n'
        (service,) = self.read(text.format("examples.shout:Shout")).services
        self.assertEqual((service.name, service.kind.name), ("Shout", "Shout"))
        self.assertEqual(
            self.refused(text.format("examples.shout:Nope")),
            "services.toml, line 1, [[service]] 1 (examples.shout:Nope): "
            "'examples.shout:Nope': no 'Nope' in examples.shout",
        )

    def test_kind(self) -> None:
        """A kind that is missing, or is none, is told which there are."""
        kinds = f"there are {', '.join(KINDS)}"
        self.assertEqual(
            self.refused("\n[[service]]\nport = 1"),
            f"services.toml, line 2, [[service]] 1: it has no kind; {kinds}",
        )
        self.assertEqual(
            self.refused('[[service]]\nkind = "ecko"'),
            'services.toml, line 2, [[service]] 1 (ecko): kind = "ecko": '
            "there is no such service; did you mean echo?",
        )
        for value in ('"zzz"', "5", "[]"):
            self.assertIn(kinds, self.refused(f"[[service]]\nkind = {value}"))

    def test_name(self) -> None:
        """A name is short and of plain characters, for it stands in the log."""
        for name in ('""', '"a b"', '"ü"', '"a\\n"', '"-a"', f'"{"a" * 33}"', "5", "true"):
            self.assertIn("expected at most 32 letters", self.in_service(f"name = {name}"))

    def test_same_name(self) -> None:
        """Two services of one name are refused, also when a kind is the name."""
        first = '[[service]]\nkind = "echo"\nport = 1\n'
        for second in ('kind = "echo"', 'kind = "line"\nname = "echo"'):
            said = self.refused(f"{first}[[service]]\n{second}\nport = 2")
            self.assertIn("line 4, [[service]] 2 (echo): [[service]] 1 (echo) is called", said)

    def test_same_port(self) -> None:
        """Two services on one port are refused, whichever way each asks for it."""
        for one, other, what in (
            ("port = 1", "port = 1", "tcp 127.0.0.1:1"),
            ("port = 1", 'listen = "tcp:127.0.0.1:1"', "tcp 127.0.0.1:1"),
            ('listen = "tls:127.0.0.1:1"', 'listen = "tcp:127.0.0.1:1"', "tcp 127.0.0.1:1"),
            ('listen = "udp:1"', 'listen = "udp:[::1]:1"', "udp [::1]:1"),
            ('listen = "unix:a"', 'listen = "unix:a"', "unix:"),
            ("", "", "tcp 127.0.0.1:9000"),
        ):
            said = self.refused(
                f'[[service]]\nkind = "echo"\n{one}\n[[service]]\nkind = "discard"\n{other}'
            )
            self.assertIn("line 4, [[service]] 2 (discard): [[service]] 1 (echo) has", said)
            self.assertIn(what, said)

    def test_free_ports(self) -> None:
        """Free ports are not one port, nor are TCP and UDP, nor two interfaces."""
        for one, other in (
            ("port = 0", "port = 0"),
            ('listen = "udp:1"', 'listen = "tcp:1"'),
            ('listen = "tcp:127.0.0.1:1"', 'listen = "tcp:127.0.0.2:1"'),
        ):
            self.read(f'[[service]]\nkind = "echo"\n{one}\n[[service]]\nkind = "discard"\n{other}')

    def test_no_services(self) -> None:
        """A file without a service is told how one begins."""
        for text in ("", "# nothing\n", "drain = 5", "service = []"):
            self.assertIn("has no service in it; a line [[service]]", self.refused(text))

    def test_not_tables(self) -> None:
        """One pair of brackets, or a value, is told of the two."""
        for text in ('[service]\nkind = "echo"', "service = 5", "service = [5]"):
            self.assertIn("begins with [[service]], in two brackets", self.refused(text))

    def test_not_there(self) -> None:
        """A file that is not there is said."""
        file = ConfigFile("none.toml", str(self.folder / "none.toml"), {})
        error = self.assertRaises(ConfigurationError, file.read)
        self.assertEqual(str(error), "cannot read none.toml: No such file or directory")

    def test_bad_certificate(self) -> None:
        """A certificate that is none is said with the service that wants it."""
        (self.folder / "key.pem").write_text("no key")
        text = '[[service]]\nkind = "echo"\nlisten = "tls:0:privateKey=key.pem"'
        (service,) = self.read(text).services
        error = self.assertRaises(ConfigurationError, service.make, Shared(Clock(), Publisher()))
        self.assertIn("services.toml, line 1, [[service]] 1 (echo): ", str(error))
        self.assertIn("key.pem", str(error))

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
    def test_any_text(self, text: str) -> None:
        """Whatever the file holds, it is values or one sentence."""
        for whole in (text, f'[[service]]\nkind = "echo"\n{text}'):
            try:
                self.read(whole)
            except ConfigurationError as error:
                self.assertTrue(str(error).isprintable(), ascii(str(error)))

    toml_values = st.recursive(
        st.booleans() | st.integers() | st.floats() | st.text("a\x1b5s"), st.lists, max_leaves=4
    )

    @given(st.sampled_from([*BY_FIELD, "kind", "name", "x"]), toml_values)
    def test_any_value(self, key: str, value: Any) -> None:
        """Whatever its type, a value is taken or refused in one sentence."""
        shown = str(value).lower() if isinstance(value, bool) else ascii(value).replace("'", '"')
        shown = shown.replace("\\x1b", "\\u001b").replace("True", "true").replace("False", "false")
        try:
            self.read(f'[[service]]\nkind = "echo"\n{key} = {shown}')
        except ConfigurationError as error:
            self.assertTrue(str(error).isprintable(), ascii(str(error)))


class ExampleTests(ConfigTestCase):
    FILE = Path(__file__).parents[1] / "examples" / "services.toml"

    def test_example(self) -> None:
        """The example is right as it stands: each service can be made, on loopback alone."""
        config = ConfigFile("services.toml", str(self.FILE), {}).read()
        shared = Shared(Clock(), Publisher())
        made = [service.make(shared) for service in config.services]
        self.assertEqual(
            [service.called for service in made],
            ["echo", "line", "echo-tls", "slow-discard", "datagrams"],
        )
        for service in config.services:
            for listen in service.listens:
                self.assertIn(getattr(listen, "interface", ""), loopback_interfaces())

    def test_commented(self) -> None:
        """What stands in comments there is right, too."""
        text = self.FILE.read_text().replace("# record =", "record =")
        self.assertEqual(self.read(text).settings.record, str(self.folder / "run.jsonl"))


class MakeTests(ConfigTestCase):
    def test_made(self) -> None:
        """The service has its name in events, and what its kind serves."""
        (service,) = self.read('[[service]]\nkind = "echo"\nname = "mine"\nport = 0').services
        made = service.make(Shared(Clock(), Publisher()))
        self.assertEqual((made.called, made.name, made.kind.name), ("mine", "mine", "echo"))
        self.assertTrue(any(isinstance(one, UdpListen) for one in service.listens))

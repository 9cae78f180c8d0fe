"""A file of services read again: what changes, what is said, and what stays."""

from __future__ import annotations

import io
import os
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher

from tests.folder import FolderTestCase
from twisted_lab import starting
from twisted_lab.bench import Bench
from twisted_lab.config import ConfigFile
from twisted_lab.layer import LINGER
from twisted_lab.reloading import Reload
from twisted_lab.settings import OPTIONS, Settings, read_values
from twisted_lab.testing import Network, Peer

LINE = '[[service]]\nkind = "line"\nlisten = "tcp:127.0.0.1:9001"\n'
ECHO = '[[service]]\nkind = "echo"\nlisten = "tcp:127.0.0.1:9000"\n'


class ReloadTestCase(FolderTestCase):
    """``self.reload(text)`` is what is said when the file becomes *text* and is read again."""

    def start(self, text: str, **given: Any) -> Bench:
        texts = {name.replace("_", "-"): value for name, value in given.items()}
        self.write(text)
        self.file = ConfigFile("s.toml", str(self.folder / "s.toml"), read_values(texts))
        self.reactor = MemoryReactorClock()
        self.network = Network(self.reactor)
        self.bench = starting.make(
            self.reactor, None, Settings(), stdout=io.StringIO, config=self.file
        )
        self.bench.startService()
        # Who was refused lingers, and how many do is counted for the process.
        self.addCleanup(self.network.advance, LINGER)
        self.said: list[str] = []
        self.again = Reload(self.file, self.file.read(), self.bench, self.said.append)
        return self.bench

    def write(self, text: str) -> None:
        (self.folder / "s.toml").write_text(text)

    def reload(self, text: str) -> list[str]:
        self.write(text)
        del self.said[:]
        self.again()
        self.network.advance(1)
        for sentence in self.said:
            self.assertTrue(sentence.isprintable(), ascii(sentence))
        return list(self.said)

    def connect(self, number: int) -> Peer:
        """A peer of the listener on port *number*."""
        (factory,) = (server[1] for server in self.reactor.tcpServers if server[0] == number)
        peer = self.network.connect(Peer(), factory)
        self.network.pump()
        return peer

    def ask(self, peer: Peer, data: bytes) -> bytes:
        """What comes for *data*."""
        before = len(peer.received)
        peer.send(data)
        self.network.pump()
        return peer.received[before:]


class ChangeTests(ReloadTestCase):
    def test_nothing(self) -> None:
        """A file that says the same changes nothing, and that is said."""
        self.start(LINE)
        self.assertEqual(self.reload("# new words\n" + LINE), ["reloaded s.toml: nothing changed"])

    def test_own(self) -> None:
        """A service of one's own stays the one it is, and takes a new limit."""
        own = LINE.replace("line", "examples.shout:Shout")
        self.start(own)
        self.assertEqual(self.reload("# new words\n" + own), ["reloaded s.toml: nothing changed"])
        self.assertEqual(
            self.reload(own + "lifetime = 60"), ["reloaded s.toml: Shout: lifetime 3600 s -> 60 s"]
        )

    def test_one_sentence_each(self) -> None:
        """Each change is one sentence: the service, the setting, what it was and what it is."""
        self.start('drain = 5\nidle_timeout = "1min"\n' + LINE + ECHO + 'allow = "::1"\n')
        self.assertEqual(
            self.reload(
                'drain = "500ms"\nidle_timeout = 30\n'
                + LINE
                + 'max_line = "1MiB"\nmin_rate = "1kB"\naccept_rate = "0.5/s"\nmax_per_peer = 3\n'
                + ECHO
                + 'name = "echo"\ndeny = ["10.0.0.1", "::2"]\n'
            ),
            [
                "reloaded s.toml: drain 5 s -> 0.5 s",
                "reloaded s.toml: line: max_per_peer default -> 3",
                "reloaded s.toml: line: accept_rate default -> 0.5/s",
                "reloaded s.toml: line: idle_timeout 60 s -> 30 s",
                "reloaded s.toml: line: min_rate default -> 1000 bytes/s",
                "reloaded s.toml: line: max_line 16384 bytes -> 1048576 bytes",
                "reloaded s.toml: echo: allow ::1/128 -> none",
                "reloaded s.toml: echo: deny none -> 10.0.0.1/32, ::2/128",
                "reloaded s.toml: echo: idle_timeout 60 s -> 30 s",
            ],
        )

    def test_said_once(self) -> None:
        """What was applied is not said again."""
        self.start(LINE)
        self.assertEqual(len(self.reload(LINE + "lifetime = 60")), 1)
        self.assertEqual(self.reload(LINE + "lifetime = 60"), ["reloaded s.toml: nothing changed"])
        self.assertEqual(self.reload(LINE), ["reloaded s.toml: line: lifetime 60 s -> 3600 s"])

    def test_command_line(self) -> None:
        """What the command line said still overrides the file's top."""
        self.start("lifetime = 60\n" + LINE, lifetime="90s")
        self.assertEqual(
            self.reload("lifetime = 61\n" + LINE), ["reloaded s.toml: nothing changed"]
        )

    def test_drain(self) -> None:
        """The next stop gives connections the new time to finish what moves."""
        bench = self.start(LINE)
        peer = self.connect(9001)
        self.reload("drain = 60\n" + LINE)
        peer.send(b"/drip 100 20\n")
        self.network.pump()
        drained = bench.drain()
        self.network.advance(30)
        self.successResultOf(drained)
        self.assertEqual(len(peer.received.strip()), 100)

    def test_limits(self) -> None:
        """A limit holds at once; who is connected stays, with what is on its way."""
        self.start(LINE)
        peers = [self.connect(9001) for _ in range(3)]
        peers[0].send(b"/drip 100 1\n")
        self.network.advance(0.5)
        self.reload(LINE + "max_connections = 3")
        self.assertEqual(self.connect(9001).end, "fin")
        self.network.advance(1)
        self.assertEqual(len(peers[0].received.strip()), 100)
        for peer in peers:
            self.assertEqual(self.ask(peer, b"hello\n"), b"hello\n")
        self.reload(LINE + "max_connections = 4")
        self.assertEqual(self.ask(self.connect(9001), b"hello\n"), b"hello\n")
        self.assertEqual(self.connect(9001).end, "fin")

    def test_max_line(self) -> None:
        """A longest line holds for connections to come; those there are keep theirs."""
        self.start(LINE)
        before = self.connect(9001)
        self.reload(LINE + "max_line = 3")
        after = self.connect(9001)
        self.assertEqual(self.ask(before, b"hello\n"), b"hello\n")
        self.assertIn(b"line too long (limit 3)", self.ask(after, b"hello\n"))

    def test_own_alone(self) -> None:
        """A service whose settings are the same keeps its policies themselves."""
        bench = self.start(LINE + ECHO)
        before = [list(service.layer.policies) for service in bench.services if service.layer]
        self.reload(LINE + "lifetime = 60\n" + ECHO)
        line, echo = [service.layer.policies for service in bench.services if service.layer]
        self.assertTrue(all(a is b for a, b in zip(before[1], echo, strict=True)))
        self.assertEqual([a is b for a, b in zip(before[0], line, strict=True)].count(False), 1)

    def test_relative(self) -> None:
        """The file is found again from another folder."""
        self.start(LINE)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir("/")
        self.assertEqual(len(self.reload(LINE + "lifetime = 60")), 1)


class RestartTests(ReloadTestCase):
    def test_settings(self) -> None:
        """What cannot change while running is said, each time, and stays as it was."""
        bench = self.start(LINE)
        before = bench.services[0].settings
        for line, said in {
            "port = 9002": "port default -> 9002",
            "backlog = 7": "backlog 4096 -> 7",
            'interface = "127.0.0.1"': "interface default -> 127.0.0.1",
            "allow_reflector = true": "allow_reflector false -> true",
            "allow_amplification = true": "allow_amplification false -> true",
        }.items():
            for _ in range(2):
                self.assertEqual(
                    self.reload(LINE + line), [f"reloaded s.toml: line: {said} needs a restart"]
                )
        self.assertEqual(bench.services[0].settings, before)

    def test_listen(self) -> None:
        """Another place to listen needs a restart."""
        self.start(LINE)
        self.assertEqual(
            self.reload(LINE.replace("9001", "9002")),
            ["reloaded s.toml: line: listen is another, which needs a restart"],
        )

    def test_process(self) -> None:
        """What the whole process was started with needs a restart, but for the drain."""
        self.start(LINE)
        said = self.reload(
            'record = "r"\npcapng = "p"\ncapture = 1\nlog = "l"\nlog_format = "json"\n'
            'quiet = true\npage = "9002"\nno_page = true\n' + LINE
        )
        self.assertEqual(len(said), 8)
        page = "page default -> 127.0.0.1:9002, [::1]:9002 needs a restart"
        self.assertIn(f"reloaded s.toml: {page}", said)
        self.assertEqual(
            said[0], f"reloaded s.toml: record default -> {self.folder}/r needs a restart"
        )
        self.assertTrue(all(one.endswith(" needs a restart") for one in said), said)
        process = [option.field for option in OPTIONS if option.process]
        self.assertEqual(len(process), 9)

    def test_services(self) -> None:
        """A service that came, went or is of another kind needs a restart."""
        self.start(LINE + ECHO)
        self.assertEqual(
            self.reload(
                '[[service]]\nkind = "discard"\nname = "line"\nlisten = "tcp:127.0.0.1:9001"\n'
                '[[service]]\nkind = "line"\nname = "new"\n'
                'listen = "tcp:127.0.0.1:9003"\n'
            ),
            [
                "reloaded s.toml: line: kind line -> discard needs a restart",
                "reloaded s.toml: new: a new service needs a restart",
                "reloaded s.toml: echo: it is in the file no more, and to end it needs a restart",
            ],
        )
        self.assertEqual(self.ask(self.connect(9001), b"/upper a\n"), b"A\n")


class WrongTests(ReloadTestCase):
    def test_wrong(self) -> None:
        """A file that is wrong now is one sentence, and everything stays as it was."""
        bench = self.start(LINE + "lifetime = 60")
        before = bench.services[0].settings
        peer = self.connect(9001)
        for text, said in {
            "lifetime = = 1": "s.toml is not TOML",
            "": "has no service",
            "drain = 1\n"
            + LINE
            + 'lifetime = "1 parsec"': "line 5, [[service]] 1 (line): lifetime",
            "drain = 1\n" + LINE + "lifetime = 1\n" + LINE: "is called 'line' already",
        }.items():
            (sentence,) = self.reload(text)
            self.assertTrue(sentence.startswith("could not reload: "), sentence)
            self.assertIn(said, sentence)
            self.assertTrue(sentence.endswith("; everything stays as it was"), sentence)
        self.assertEqual((bench.services[0].settings, bench.drain_time), (before, 5.0))
        self.assertEqual(self.ask(peer, b"hello\n"), b"hello\n")

    def test_gone(self) -> None:
        """A file that is gone is no reason to stop."""
        self.start(LINE)
        (self.folder / "s.toml").unlink()
        self.again()
        self.assertEqual(
            self.said,
            [
                "could not reload: cannot read s.toml: No such file or directory; "
                "everything stays as it was"
            ],
        )

    def test_mended(self) -> None:
        """Once it is right again it is applied."""
        self.start(LINE)
        self.reload("")
        self.assertEqual(
            self.reload(LINE + "lifetime = 60"),
            ["reloaded s.toml: line: lifetime 3600 s -> 60 s"],
        )


class WiringTests(ReloadTestCase):
    def test_signal(self) -> None:
        """With a file of services the signals of a bench read it again."""
        made: list[Any] = []
        self.patch(starting, "Signals", lambda *arguments: made.append(arguments))
        self.start(LINE)
        logged: list[LogEvent] = []
        globalLogPublisher.addObserver(logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, logged.append)
        made[0][4]()
        self.assertEqual(logged[-1]["text"], "reloaded s.toml: nothing changed")

    def test_without(self) -> None:
        """Without one they do not."""
        made: list[Any] = []
        self.patch(starting, "Signals", lambda *arguments: made.append(arguments))
        starting.make(MemoryReactorClock(), "line", Settings(port=9001), stdout=io.StringIO)
        self.assertIsNone(made[0][4])

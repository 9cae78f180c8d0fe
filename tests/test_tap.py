"""``twistd socketlab``: the plugin, and the options before and after a service's name."""

from __future__ import annotations

import contextlib
import io
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.application.service import IService, IServiceMaker
from twisted.internet.task import Clock
from twisted.plugin import IPlugin, getPlugins
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.folder import FolderTestCase
from twisted_lab import __version__, tap
from twisted_lab.errors import CannotServe
from twisted_lab.protocols import KINDS
from twisted_lab.publishing import Publisher
from twisted_lab.settings import OPTIONS, Settings
from twisted_lab.shared import Shared
from twisted_lab.tap import Options, TwistdBench, fail
from twisted_lab.transports.endpoints import TcpListen, UdpListen


def parse(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def settings(*arguments: str) -> Settings:
    return parse(*arguments).settings


class PluginTests(SynchronousTestCase):
    def test_found(self) -> None:
        """Twisted finds the plugin, once, and it names our module."""
        (plugin,) = (p for p in getPlugins(IServiceMaker) if p.tapname == "socketlab")
        verifyObject(IServiceMaker, plugin)
        self.assertTrue(IPlugin.providedBy(plugin))
        self.assertEqual(plugin.module, "twisted_lab.tap")
        self.assertIs(plugin.options, Options)
        self.assertIs(plugin.makeService, tap.makeService)
        self.assertGreater(len(plugin.description), 20)


class ServiceNameTests(SynchronousTestCase):
    def test_none(self) -> None:
        """Without a service's name it is the bench, with everything as by default."""
        options = parse()
        self.assertIsNone(options.service)
        self.assertEqual(options.settings, Settings())

    def test_each(self) -> None:
        """Every service can be named."""
        for name in KINDS:
            self.assertEqual(parse(name).service, name)

    def test_unknown(self) -> None:
        """One that there is not is named."""
        error = self.assertRaises(usage.UsageError, parse, "ecko")
        self.assertIn("ecko", str(error))

    def test_more(self) -> None:
        """A word too many, after a service's name, is named."""
        error = self.assertRaises(usage.UsageError, parse, "echo", "9000")
        self.assertIn("'9000'", str(error))


class BeforeAndAfterTests(SynchronousTestCase):
    #: Each option that takes a value, with one that changes something.
    VALUES = (
        ("--port", "7"),
        ("--interface", "127.0.0.1"),
        ("--backlog", "7"),
        ("--max-connections", "7"),
        ("--max-per-peer", "7"),
        ("--accept-rate", "7/s"),
        ("--datagram-rate", "7/s"),
        ("--idle-timeout", "7s"),
        ("--handshake-timeout", "7s"),
        ("--lifetime", "7s"),
        ("--min-rate", "7"),
        ("--max-bytes", "7"),
        ("--throughput", "7"),
        ("--max-line", "7"),
        ("--drain", "7"),
        ("--record", "7"),
        ("--pcapng", "7"),
        ("--capture", "7"),
        ("--page", "7"),
        ("--no-page",),
        ("--log", "7"),
        ("--log-format", "json"),
        ("--client-ca", "7"),
        ("--quotes", "7"),
        ("--listen", "7"),
        ("--allow", "10.0.0.7"),
        ("--deny", "10.0.0.7"),
        ("--proxy-from", "10.0.0.7"),
        ("--quiet",),
        ("--allow-reflector",),
        ("--allow-amplification",),
        ("--well-known",),
    )

    def test_all(self) -> None:
        """Every option there is can stand before a service's name and after it, and means the
        same."""
        self.assertEqual({words[0][2:] for words in self.VALUES}, {o.name for o in OPTIONS})
        for words in self.VALUES:
            before, after = settings(*words, "echo"), settings("echo", *words)
            self.assertEqual(before, after, words)
            self.assertNotEqual(before, Settings(), words)
            self.assertEqual(settings(*words), before, words)

    def test_equals(self) -> None:
        """A value may follow an equals sign."""
        self.assertEqual(settings("echo", "--port=7"), settings("echo", "--port", "7"))

    def test_scalars_override(self) -> None:
        """What stands after the name overrides what stands before it."""
        self.assertEqual(settings("--port", "7", "echo", "--port", "8").port, 8)
        self.assertEqual(settings("--drain", "7", "echo", "--drain", "0").drain, 0.0)

    def test_last_wins(self) -> None:
        """On one side the last one counts."""
        self.assertEqual(settings("--port", "7", "--port", "8").port, 8)

    def test_lists_extend(self) -> None:
        """What may be repeated is gathered from both sides, in order."""
        found = settings("--listen", "tcp:127.0.0.1:7", "echo", "--listen", "udp:127.0.0.1:8")
        self.assertEqual(found.listen, (TcpListen("127.0.0.1", 7), UdpListen("127.0.0.1", 8)))
        found = settings(
            "--allow", "10.0.0.1", "--allow", "10.0.0.2", "echo", "--allow", "10.0.0.3"
        )
        self.assertEqual(found.allow, tuple(ip_network(f"10.0.0.{n}") for n in (1, 2, 3)))

    def test_not_shared(self) -> None:
        """What one command line said is not there in the next."""
        settings("--listen", "7", "echo", "--listen", "8")
        self.assertEqual(settings("echo").listen, ())


class ConfigTests(SynchronousTestCase):
    def test_file(self) -> None:
        """--config names a file, and what stands beside it goes with it."""
        options = parse("--config", "services.toml", "--drain", "7", "--allow", "10.0.0.7")
        assert options.config is not None
        self.assertEqual(options.config.name, "services.toml")
        self.assertEqual(options.config.path, os.path.abspath("services.toml"))
        given = {"drain": 7.0, "allow": (ip_network("10.0.0.7"),)}
        self.assertEqual(options.config.given, given)
        self.assertIsNone(options.service)

    def test_none(self) -> None:
        """Without it there is none."""
        self.assertIsNone(parse("--drain", "7").config)

    def test_with_service(self) -> None:
        """With a service's name, before or after it, it is refused: both say what to serve."""
        for words in (("--config", "a.toml", "echo"), ("echo", "--config", "a.toml")):
            error = self.assertRaises(usage.UsageError, parse, *words)
            self.assertEqual(
                str(error),
                "--config 'a.toml' itself names the services; 'echo' beside it is one too many",
            )

    def test_no_name(self) -> None:
        """A name that is empty is refused."""
        error = self.assertRaises(usage.UsageError, parse, "--config", "")
        self.assertEqual(str(error), "--config '': expected the name of a file")


class RunTests(SynchronousTestCase):
    def test_around(self) -> None:
        """``run`` takes its options before it, before the name and after the name."""
        for words in (
            ("--port", "7", "run", "my.proto:F"),
            ("run", "--port", "7", "my.proto:F"),
            ("run", "my.proto:F", "--port", "7"),
            ("run", "my.proto.F", "--port=7"),
        ):
            options = parse(*words)
            self.assertEqual((options.service, options.settings.port), ("my.proto:F", 7), words)

    def test_all_sides(self) -> None:
        """Lists are gathered from all three, flags are too, and the last scalar counts."""
        found = settings(
            *("--listen", "tcp:127.0.0.1:7", "--port", "1", "run", "--listen", "udp:127.0.0.1:8"),
            *("--port", "2", "m:F", "--listen", "tcp:127.0.0.1:9", "--port", "3", "--quiet"),
        )
        self.assertEqual(
            found.listen,
            (TcpListen("127.0.0.1", 7), UdpListen("127.0.0.1", 8), TcpListen("127.0.0.1", 9)),
        )
        self.assertEqual((found.port, found.quiet), (3, True))

    def test_nothing_imported(self) -> None:
        """Nothing is imported to parse a command line: a reactor may still be chosen."""
        self.assertEqual(parse("run", "no.such:Thing").service, "no.such:Thing")

    def test_wrong(self) -> None:
        """No name, two names, something that is no name, and a bad option are one sentence each."""
        for words, said in (
            (("run",), "expected module:Name"),
            (("run", "--port", "7"), "expected module:Name"),
            (("run", "echo"), "'echo': expected module:Name"),
            (("run", "a:B", "c:D"), "'c:D' is one too many: 'a:B' is what is run"),
            (("run", "a:B", "--port", "7", "c:D"), "'c:D' is one too many"),
            (("run", "a:B", "--prt", "7"), "--prt"),
            (("run", "a:B", "--port", "abc"), "--port 'abc': "),
        ):
            sentence = str(self.assertRaises(usage.UsageError, parse, *words))
            self.assertIn(said, sentence)
            self.assertEqual(len(sentence.splitlines()), 1, sentence)


class BadTests(SynchronousTestCase):
    def wrong(self, *arguments: str) -> str:
        sentence = str(self.assertRaises(usage.UsageError, parse, *arguments))
        self.assertEqual(len(sentence.splitlines()), 1, sentence)
        return sentence

    def test_value(self) -> None:
        """A bad value is named with its option, wherever it stands."""
        for arguments in (("--port", "abc"), ("echo", "--port", "abc"), ("--port", "abc", "echo")):
            self.assertTrue(self.wrong(*arguments).startswith("--port 'abc': "))

    def test_overridden(self) -> None:
        """One that is overridden does no harm."""
        self.assertEqual(settings("--port", "abc", "echo", "--port", "7").port, 7)

    def test_list_value(self) -> None:
        """So is one of several."""
        self.assertIn("nobody", self.wrong("--allow", "10.0.0.1", "echo", "--allow", "nobody"))
        self.assertIn("tcp:x", self.wrong("--listen", "tcp:x"))

    def test_unknown_option(self) -> None:
        """An option that there is not is named."""
        self.assertIn("--prt", self.wrong("--prt", "7"))
        self.assertIn("--prt", self.wrong("echo", "--prt", "7"))

    def test_missing_value(self) -> None:
        """An option without its value is named."""
        self.assertIn("--port", self.wrong("--port"))

    def test_empty_value(self) -> None:
        """An empty value is a bad value, not none: a script's unset variable is found out."""
        taken = []
        for option in OPTIONS:
            if not option.flag:
                for arguments in ((f"--{option.name}", ""), ("echo", f"--{option.name}=")):
                    with contextlib.suppress(usage.UsageError):
                        taken.append((arguments, parse(*arguments).settings == Settings()))
        # Files are opened later, and are refused then.
        late = ("--record", "--pcapng", "--log", "--client-ca")
        late_ones = [words for words, _ in taken if any(w.rstrip("=") in late for w in words)]
        self.assertEqual([words for words, ignored in taken if ignored], [])
        self.assertEqual([words for words, _ in taken if words not in late_ones], [])

    def test_flag_with_value(self) -> None:
        """A flag takes no value."""
        self.assertIn("quiet", self.wrong("--quiet=no"))

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4))
    def test_any_words(self, words: list[str]) -> None:
        """Whatever the words, they are options, or help, or one usage error."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            try:
                parse(*words)
            except usage.UsageError as error:
                self.assertTrue(str(error))


class HelpTests(SynchronousTestCase):
    def printed(self, *arguments: str) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            done = self.assertRaises(SystemExit, parse, *arguments)
        self.assertFalse(done.code)
        return out.getvalue()

    def test_version(self) -> None:
        """--version says ours, not Twisted's, before and after a service's name."""
        for arguments in (("--version",), ("echo", "--version")):
            self.assertEqual(self.printed(*arguments), f"socketlab {__version__}\n")

    def test_options(self) -> None:
        """--help names every option with what it does, before and after a service's name."""
        for arguments in (("--help",), ("line", "--help")):
            said = " ".join(self.printed(*arguments).split())
            for option in OPTIONS:
                self.assertIn(f" --{option.name}", said)
                self.assertIn(" ".join(option.help.split()), said)

    def test_services(self) -> None:
        """--help names every service, and what is served without one."""
        said = self.printed("--help")
        for kind in KINDS.values():
            self.assertRegex(said, rf"\n +{kind.name} +{kind.summary.split()[0]}")
        self.assertIn("echo on TCP N", said)

    def test_listen(self) -> None:
        """What the help of a repeated option says is what the table of options says."""
        for option in OPTIONS:
            if option.many:
                method = getattr(tap.SharedOptions, f"opt_{option.field}")
                self.assertEqual(" ".join((method.__doc__ or "").split()), option.help)


class FailTests(FolderTestCase):
    def test_fail(self) -> None:
        """The sentence goes to the real stderr, alone on its line, and the status is 1."""
        err = io.StringIO()
        self.patch(tap.sys, "__stderr__", err)
        done = self.assertRaises(SystemExit, fail, "no such thing")
        self.assertEqual((done.code, err.getvalue()), (1, "no such thing\n"))

    def test_no_stderr(self) -> None:
        """Without a stderr the status is still 1."""
        self.patch(tap.sys, "__stderr__", None)
        self.assertEqual(self.assertRaises(SystemExit, fail, "no such thing").code, 1)

    def failing(self, pidfile: Path | None) -> str:
        """What a bench says whose ports cannot be opened."""
        err = io.StringIO()
        self.patch(tap.sys, "__stderr__", err)
        bench = TwistdBench([Unservable()], Shared(Clock(), Publisher()), 0.0)
        bench.pidfile = str(pidfile) if pidfile else None
        self.assertRaises(SystemExit, bench.privilegedStartService)
        return err.getvalue()

    def test_pidfile(self) -> None:
        """The pidfile that twistd has written already is removed."""
        pidfile = self.folder / "pid"
        pidfile.write_text(str(os.getpid()))
        self.assertEqual(self.failing(pidfile), "cannot listen on tcp 127.0.0.1:7: taken\n")
        self.assertFalse(pidfile.exists())

    def test_no_pidfile(self) -> None:
        """Without one, or when it is gone, the sentence is the same."""
        for pidfile in (None, self.folder / "gone"):
            self.assertEqual(self.failing(pidfile), "cannot listen on tcp 127.0.0.1:7: taken\n")

    def test_interface(self) -> None:
        """What twistd runs is one of Twisted's services."""
        verifyObject(IService, TwistdBench([], Shared(Clock(), Publisher()), 0.0))


class Unservable:
    """A service whose port is taken."""

    def privilegedStartService(self) -> Any:
        raise CannotServe("cannot listen on tcp 127.0.0.1:7: taken")

    def close_at_once(self) -> None:
        """Nothing is open."""

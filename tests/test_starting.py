"""From options to a bench that is ready to start."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher

from tests.clients import ReactorTestCase
from tests.folder import FolderTestCase
from twisted_lab import kernel
from twisted_lab.bench import Bench
from twisted_lab.config import ConfigFile
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.notifying import Notifier
from twisted_lab.settings import Settings, read_settings
from twisted_lab.starting import make, try_ports, use_monotonic_time
from twisted_lab.transports.endpoints import UnixListen


class OwnBench(Bench):
    """A class of the caller's."""


class MonotonicTests(FolderTestCase):
    def test_monotonic(self) -> None:
        """Afterwards the reactor's time is the one that never steps."""
        clock = Clock()
        use_monotonic_time(clock)
        before = time.monotonic()
        self.assertTrue(before <= clock.seconds() <= time.monotonic())


class StartingTestCase(FolderTestCase):
    """Services on a reactor in memory: nothing real listens."""

    def setUp(self) -> None:
        super().setUp()
        self.reactor = MemoryReactorClock()
        self.out = io.StringIO()
        self.logged: list[LogEvent] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def make(self, service: str | None = "line", kind: type[Bench] = Bench, **given: Any) -> Bench:
        settings = Settings(**({"port": 9001, "interface": ("127.0.0.1",)} | given))
        return make(self.reactor, service, settings, kind, stdout=lambda: self.out)

    def start(self, **given: Any) -> Bench:
        bench = self.make(**given)
        bench.startService()
        return bench

    def said(self, level: str = "info") -> list[str]:
        """What was logged by us."""
        return [
            event["log_format"].format(**event)
            for event in self.logged
            if event["log_namespace"] == "socketlab" and event["log_level"].name == level
        ]

    def lines(self, path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]


class MakeTests(StartingTestCase):
    def test_service(self) -> None:
        """A service's name makes that one."""
        self.assertEqual([service.kind.name for service in self.make("line").services], ["line"])

    def test_bench(self) -> None:
        """No name makes the bench."""
        names = [service.kind.name for service in self.make(None).services]
        self.assertEqual(names, ["echo", "line"])

    def test_kind(self) -> None:
        """The class of what is made is the caller's choice."""
        self.assertIs(type(self.make(kind=OwnBench)), OwnBench)

    def test_notified(self) -> None:
        """systemd hears that all is ready when the ports are open, and that a stop begins."""
        heard: list[str] = []
        notifier = Notifier({})
        notifier._send = heard.append  # type: ignore[method-assign]
        bench = make(self.reactor, "line", Settings(port=9001, quiet=True), notifier=notifier)
        self.assertEqual(heard, [])
        bench.startService()
        self.assertEqual(heard, ["READY=1"])
        bench.drain()
        self.assertEqual(heard, ["READY=1", "STOPPING=1"])
        bench.stopService()

    def test_unknown(self) -> None:
        """A service that there is not is named."""
        error = self.assertRaises(ConfigurationError, self.make, "ecko")
        self.assertIn("ecko", str(error))

    def test_signals(self) -> None:
        """Signals are left alone unless it is asked for."""
        self.make()
        self.assertEqual(self.reactor.whenRunningHooks, [])


class ConfigTests(StartingTestCase):
    def file(self, text: str) -> ConfigFile:
        path = self.folder / "s.toml"
        path.write_text(text)
        return ConfigFile("s.toml", str(path), {})

    def configured(self, text: str) -> Bench:
        file = self.file(text)
        return make(self.reactor, None, Settings(), stdout=lambda: self.out, config=file)

    TWO = (
        '[[service]]\nkind = "line"\nport = 1\n'
        '[[service]]\nkind = "line"\nname = "second-line"\nport = 2\nmax_connections = 9000\n'
    )

    def test_services(self) -> None:
        """With a file the services are those it names, with their names and settings."""
        self.configured(self.TWO).startService()
        self.assertRegex(self.out.getvalue(), r"  line     tcp .*:1 .*\n  second-line tcp .*:2 ")
        self.assertEqual({server[0] for server in self.reactor.tcpServers}, {1, 2})
        self.assertTrue(any("second-line listening" in said for said in self.said()))

    def test_process(self) -> None:
        """The file says what holds for the whole process."""
        bench = self.configured('drain = 7\nquiet = true\nrecord = "r"\n' + self.TWO)
        bench.startService()
        self.assertEqual((bench.drain_time, self.out.getvalue()), (7.0, ""))
        self.assertTrue((self.folder / "r").exists())
        self.successResultOf(bench.stopService())

    def test_wrong(self) -> None:
        """A file that is wrong makes nothing, not even the recording it names."""
        for wrong in ("port = 1", 'listen = "tls:0:privateKey=s.toml"'):
            text = f'record = "r"\n{self.TWO}[[service]]\nkind = "echo"\n{wrong}'
            error = self.assertRaises(ConfigurationError, self.configured, text)
            self.assertIn("[[service]] 3 (echo): ", str(error))
            self.assertEqual(os.listdir(self.folder), ["s.toml"])

    def test_descriptors(self) -> None:
        """Enough descriptors are enough for all services together."""
        self.patch(kernel, "descriptor_limit", lambda: 100)
        self.configured(self.TWO).startService()
        self.assertIn("18064 would be enough", self.said("warn")[0])


class AnnouncementTests(StartingTestCase):
    def test_printed(self) -> None:
        """What is served is printed when it is served, not before."""
        bench = self.make()
        bench.privilegedStartService()
        self.assertEqual(self.out.getvalue(), "")
        bench.startService()
        self.assertIn("line     tcp", self.out.getvalue())
        self.assertTrue(self.out.getvalue().endswith("Stop with Ctrl-C.\n"))

    def test_quiet(self) -> None:
        """--quiet prints nothing."""
        self.start(quiet=True)
        self.assertEqual(self.out.getvalue(), "")

    def test_no_stdout(self) -> None:
        """A process without stdout serves all the same."""
        settings = Settings(port=9001, interface=("127.0.0.1",))
        make(self.reactor, "line", settings, stdout=lambda: None).startService()
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_stdout_full(self) -> None:
        """A stdout that cannot be written (a full disk, a pipe that was closed) does not stop what
        serves already."""
        for error in (OSError(errno.ENOSPC, "No space left on device"), BrokenPipeError()):
            settings = Settings(port=9001, interface=("127.0.0.1",))
            bench = make(self.reactor, "line", settings, stdout=lambda e=error: Unwritable(e))
            bench.startService()
            self.assertTrue(bench.running)

    def test_path_not_utf8(self) -> None:
        """A path whose bytes are not UTF-8 is printed with escapes."""
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, "utf-8")
        settings = Settings(listen=(UnixListen("/tmp/\udcff\x1b[31m"),))
        make(self.reactor, "line", settings, stdout=lambda: out).startService()
        self.assertIn(rb"unix:/tmp/\xff\x1b[31m", raw.getvalue())


class Unwritable(io.StringIO):
    """A stdout on which every write fails with *error*."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        raise self._error


class WarningTests(StartingTestCase):
    def test_descriptors(self) -> None:
        """A limit of descriptors that is too low for the connections allowed is said once."""
        self.patch(kernel, "descriptor_limit", lambda: 100)
        self.start()
        (said,) = self.said("warn")
        self.assertIn("only 100 descriptors", said)
        self.assertIn("2112", said)

    def test_for_fewer(self) -> None:
        """With fewer connections allowed it is enough; a process without a limit has enough."""
        for limit, allowed in ((100, 18), (2112, None), (None, None)):
            self.patch(kernel, "descriptor_limit", lambda limit=limit: limit)
            self.start(max_connections=allowed)
        self.assertEqual(self.said("warn"), [])

    def test_missing_here(self) -> None:
        """Each thing the platform has not is one sentence."""
        self.patch(kernel, "descriptor_limit", lambda: None)
        self.patch(kernel, "missing_here", lambda: ["no this", "no that"])
        self.start()
        self.assertEqual(self.said("warn"), ["no this", "no that"])


class LogTests(StartingTestCase):
    def test_twisteds(self) -> None:
        """Without --log the lines go to Twisted's log, which dates them."""
        self.start()
        self.assertEqual(self.said()[0].split()[:2], ["line", "listening"])

    def test_file(self) -> None:
        """With --log they go to the file, dated, and not to Twisted's log."""
        path = self.folder / "log"
        self.start(log=str(path))
        self.assertRegex(path.read_text(), r"^\d{4}-\d\d-\d\dT[\d:]+\+00:00 line listening local=")
        self.assertEqual(self.said(), [])

    def test_json(self) -> None:
        """With --log-format json they are JSON, in the file."""
        path = self.folder / "log"
        self.start(log=str(path), log_format="json")
        (line,) = self.lines(path)
        self.assertEqual((line["event"], line["service"]), ("listening", "line"))

    def test_json_to_stderr(self) -> None:
        """Without --log the JSON goes to stderr; where there is none it is no error."""
        stdout, stderr = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", stdout)
        self.patch(sys, "__stderr__", stderr)
        self.start(log_format="json")
        self.assertEqual(json.loads(stderr.getvalue())["event"], "listening")
        self.patch(sys, "__stderr__", None)
        self.assertTrue(self.start(log_format="json").running)
        self.assertEqual((stdout.getvalue(), self.said()), ("", []))

    def test_cannot(self) -> None:
        """A file that cannot be written is named, before anything listens."""
        for option in ("log", "record"):
            path = str(self.folder / "no" / "such")
            error = self.assertRaises(ConfigurationError, self.make, **{option: path})
            self.assertIn(path, str(error))
        self.assertEqual(self.reactor.tcpServers, [])

    def test_closed(self) -> None:
        """Stopped, the file is whole and closed, and no timer is left."""
        path = self.folder / "log"
        before = len(os.listdir("/proc/self/fd"))
        bench = self.start(log=str(path), record=str(self.folder / "record"))
        self.successResultOf(bench.stopService())
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertIn("not-listening", path.read_text().splitlines()[-1])
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class RecordTests(StartingTestCase):
    def test_recorded(self) -> None:
        """--record has the header, then every event from the first port on, to the last."""
        path = self.folder / "record"
        bench = self.start(record=str(path), capture=7)
        self.successResultOf(bench.stopService())
        header, *events = self.lines(path)
        self.assertEqual((header["socketlab"], header["capture"]), (1, 7))
        self.assertEqual([event["event"] for event in events], ["listening", "not-listening"])

    def test_not_recorded(self) -> None:
        """Without --record nothing that comes once a message is built for anybody."""
        bench = self.start()
        self.assertFalse(bench._shared.publisher.traffic)
        self.assertFalse(bench._shared.publisher.detailed)
        self.assertTrue(bench._shared.publisher.active)


class TryPortsTests(ReactorTestCase):
    def tried(self, service: str | None = None, **texts: Any) -> None:
        settings = read_settings({"port": "0"} | texts)
        try_ports(self.reactor, service, settings)

    async def test_free(self) -> None:
        """Ports that are free are free again afterwards, and no file is left."""
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            self.tried(listen=[f"unix:{self.folder / 's'}"])
        self.assertEqual(os.listdir(self.folder), [])
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), before + 1)  # Twisted's reserve

    async def test_taken(self) -> None:
        """A port that is taken is named."""
        number = self.taken()
        error = self.assertRaises(CannotServe, self.tried, "line", port=str(number))
        self.assertIn(f"127.0.0.1:{number}", str(error))

    async def test_config(self) -> None:
        """With a file of services its ports are tried."""
        number = self.taken()
        path = self.folder / "s.toml"
        path.write_text(f'[[service]]\nkind = "line"\nlisten = "tcp:127.0.0.1:{number}"')
        file = ConfigFile.named(str(path), {})
        error = self.assertRaises(CannotServe, try_ports, self.reactor, None, Settings(), file)
        self.assertIn(f"127.0.0.1:{number}", str(error))

    async def test_own_conflict(self) -> None:
        """So is a port that two services of our own want: after the fork it is too late to say."""
        first = self.free_pair()
        self.assertRaises(
            CannotServe, self.tried, port=str(first), listen=[f"tcp:127.0.0.1:{first + 1}"]
        )

    def free_pair(self) -> int:
        """A port such that it and the next are free; a try that fails for others proves nothing."""
        while True:
            with socket.socket() as one, socket.socket() as next_one:
                one.bind(("127.0.0.1", 0))
                number = int(one.getsockname()[1])
                try:
                    next_one.bind(("127.0.0.1", number + 1))
                except (OSError, OverflowError):
                    continue
            return number

"""The files for systemd and for a container ask for what there is."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.containerfile import PATH, health_check, instructions, words
from twisted_lab.protocols import KINDS
from twisted_lab.service import listens_of
from twisted_lab.tap import Options
from twisted_lab.transports.endpoints import SystemdListen, UdpListen

ROOT = PATH.parents[1]


def options_of(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


class ContainerfileTests(SynchronousTestCase):
    def test_sources(self) -> None:
        """Everything that is copied from the source is there, and all that the build needs is."""
        copied = [source for line in instructions("COPY") if "--from" not in line
                  for source in line.split()[:-1]]  # fmt: skip
        for source in copied:
            self.assertTrue((ROOT / source).exists(), source)
        needed = {"pyproject.toml", "README.md", "LICENSE", "twisted", "twisted_lab"}
        self.assertEqual(set(copied), needed)

    def test_images(self) -> None:
        """Its images are named plainly, without a place to fetch them from."""
        for image in instructions("FROM"):
            self.assertRegex(image, r"\Apython:[\w.-]+( AS build)?\Z")

    def test_command(self) -> None:
        """Its command is one of ours: the bench on the ports it exposes, for private networks."""
        program, command, *before = words("ENTRYPOINT")
        self.assertEqual((program, command, before), ("socketlab", "serve", []))
        options = options_of(*words("CMD"))
        self.assertIsNone(options.service)
        port = options.settings.port
        self.assertEqual(options.settings.interface, ("0.0.0.0",))
        exposed = set(instructions("EXPOSE")[0].split())
        self.assertEqual(exposed, {f"{port}/tcp", f"{port}/udp", f"{port + 1}/tcp"})
        self.assertIn(f"'127.0.0.1', {port}", health_check())

    def test_no_reflector(self) -> None:
        """Datagrams are for private networks and nobody else."""
        settings = options_of(*words("CMD")).settings
        self.assertFalse(settings.allow_reflector)
        self.assertTrue(all(network.is_private for network in settings.allow))
        listens = listens_of(KINDS["echo"], settings)
        self.assertTrue(any(isinstance(one, UdpListen) for one in listens))

    def test_user_and_signal(self) -> None:
        """It runs as nobody in particular, and is stopped by the signal that drains."""
        user, group = instructions("USER")[0].split(":")
        self.assertTrue(int(user) and int(group))
        self.assertEqual(instructions("STOPSIGNAL"), ["SIGTERM"])


class DeployPageTests(SynchronousTestCase):
    def commands(self) -> list[list[str]]:
        """The words of each line of the page's shell blocks."""
        blocks = re.findall(
            r"```sh\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL
        )
        return [shlex.split(line) for block in blocks for line in block.splitlines()]

    def test_options(self) -> None:
        """Every command line of ours on the page is one we take, and can be served."""
        others = {"systemctl", "cp", "/opt/socketlab/bin/pip"}
        asked = [
            line[line.index("socketlab") + 1 :]
            for line in self.commands()
            if "socketlab" in line and line[0] not in others and "build" not in line
        ]
        self.assertEqual(len(asked), 6)
        for arguments in asked:
            options = options_of(*arguments[arguments[:1] == ["serve"] :] or words("CMD"))
            if not any(isinstance(one, SystemdListen) for one in options.settings.listen):
                self.assertTrue(listens_of(KINDS[options.service or "echo"], options.settings))

    def test_files(self) -> None:
        """Every file of ours that a command names is there."""
        named = [word for words in self.commands() for word in words if "contrib/" in word]
        self.assertTrue(named)
        for name in named:
            self.assertTrue(list(ROOT.glob(name)), name)


class Unit(configparser.RawConfigParser):
    """A unit file; its keys keep their case, and the last of several counts."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False)
        self.read(path)

    def optionxform(self, key: str) -> str:
        return key


class UnitTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = ROOT / "contrib" / "systemd"
        self.units = {path.name: Unit(path) for path in folder.iterdir()}

    def command(self, name: str) -> Options:
        program, command, *arguments = shlex.split(self.units[name]["Service"]["ExecStart"])
        self.assertEqual((Path(program).name, command), ("socketlab", "serve"))
        return options_of(*arguments)

    def test_bench(self) -> None:
        """The bench of its own ports is on loopback, as the bench is."""
        options = self.command("socketlab.service")
        self.assertEqual((options.service, options.settings.interface), (None, ()))

    def test_activated(self) -> None:
        """The activated service asks for the name its sockets have."""
        (listen,) = self.command("socketlab-echo.service").settings.listen
        assert isinstance(listen, SystemdListen)
        name = self.units["socketlab-echo.socket"]["Socket"]["FileDescriptorName"]
        self.assertEqual(listen.name, name)

    def test_notify(self) -> None:
        """Each service says itself when it is ready, and has a user of its own."""
        for name, unit in self.units.items():
            if name.endswith(".service"):
                service = unit["Service"]
                self.assertEqual((service["Type"], service["DynamicUser"]), ("notify", "yes"))

"""``twistd socketlab``: the options, and the service made of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from twisted.application.service import IService
from twisted.python import usage

from twisted_lab import __version__
from twisted_lab.bench import Bench
from twisted_lab.config import ConfigFile
from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.installed import RUN, describe, installed
from twisted_lab.loading import dotted
from twisted_lab.protocols import KINDS
from twisted_lab.settings import OPTIONS, Settings, read_values


class SharedOptions(usage.Options):
    """The options of the bench and of every service, as texts; see :mod:`twisted_lab.settings`."""

    optParameters: ClassVar[list[list[Any]]] = [
        [option.name, None, None, f"{option.metavar}: {option.help}"]
        for option in OPTIONS
        if not option.flag and not option.many
    ] + [["config", None, None, "serve the services that FILE (TOML) names; SIGHUP reads it again"]]
    optFlags: ClassVar[list[list[Any]]] = [
        [option.name, None, option.help] for option in OPTIONS if option.flag
    ]

    def __init__(self) -> None:
        super().__init__()
        self.many: dict[str, list[str]] = {}

    def opt_listen(self, endpoint: str) -> None:
        """listen there, e.g. 9000, tcp:[::1]:9000, unix:/tmp/s, tls:9443, udp:9000; repeatable"""
        self.many.setdefault("listen", []).append(endpoint)

    def opt_allow(self, cidr: str) -> None:
        """only these networks may connect or send; repeatable"""
        self.many.setdefault("allow", []).append(cidr)

    def opt_deny(self, cidr: str) -> None:
        """these networks may not; repeatable"""
        self.many.setdefault("deny", []).append(cidr)

    def opt_proxy_from(self, cidr: str) -> None:
        """on haproxy:, whose PROXY headers are believed [default: loopback]; repeatable"""
        self.many.setdefault("proxy-from", []).append(cidr)

    def opt_version(self) -> NoReturn:
        """say the version of socketlab and exit"""
        print(f"socketlab {__version__}")
        raise SystemExit(0)

    def texts(self) -> dict[str, Any]:
        """What was given, by option name."""
        given = {name: text for name, text in self.items() if text is not None and text != 0}
        return given | self.many

    def parseArgs(self, *rest: str) -> None:
        """Nothing stands alone."""
        if rest:
            raise usage.UsageError(f"{rest[0]!r} is neither an option nor a service")


class ServiceOptions(SharedOptions):
    """The options after a service's name."""


class RunOptions(ServiceOptions):
    """The options of ``run``, before and after the name of what is run; ``target`` is that name."""

    synopsis = "module:Name [options]"
    longdesc = (
        "module:Name, or module.Name, is a Protocol class, a Factory class, a Factory or a "
        "DatagramProtocol class of yours. The current folder counts, as for python -m."
    )
    target: str | None = None

    def parseArgs(self, *rest: str) -> None:
        """Take the name, and read what follows it as options again: usage.Options stops there."""
        if rest and self.target is None:
            try:
                self.target = dotted(rest[0])
            except SocketlabError as error:
                raise usage.UsageError(str(error)) from None
            if rest[1:]:
                self.parseOptions(list(rest[1:]))
        elif rest:
            raise usage.UsageError(f"{rest[0]!r} is one too many: {self.target!r} is what is run")

    def postOptions(self) -> None:
        """Something must be named."""
        if self.target is None:
            raise usage.UsageError(f"{RUN}: expected module:Name, what shall be served")


class Options(SharedOptions):
    """The options before a service's name, and the two read together.

    After parsing ``service`` is the service's name, ``module:Name``, or None for the bench,
    ``settings`` the values, and ``config`` the file that names the services, or None. Raises
    UsageError, one sentence that names the value.
    """

    synopsis = "[options] [SERVICE [options]]"
    longdesc = "Without SERVICE: echo on TCP N and UDP N, line on TCP N+1; N is 9000 unless --port."
    service: str | None = None
    settings: Settings
    config: ConfigFile | None = None
    _listing = False

    @property
    def subCommands(self) -> Iterator[list[Any]]:
        """The services: ours, ``run``, and what other packages bring, imported to be listed."""
        for kind in KINDS.values():
            yield [kind.name, None, ServiceOptions, kind.summary]
        yield [RUN, None, RunOptions, "serves your own Protocol or Factory: run module:Name"]
        for name, entry in installed().services.items():
            yield [name, None, ServiceOptions, describe(entry) if self._listing else ""]

    def getUsage(self, width: int | None = None) -> str:
        """The help, with the services of other packages and what cannot be served of them."""
        self._listing = True
        refused = "".join(f"\n{sentence}\n" for sentence in installed().refused)
        return super().getUsage(width) + refused

    def parseOptions(self, options: Any = None) -> None:
        """The same; under twistd a mistake is its one sentence, not a page of help before it."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            if self.parent is None:
                raise self._in_our_words(error) from None
            fail(f"twistd socketlab: {self._in_our_words(error)}")

    def _in_our_words(self, error: usage.UsageError) -> usage.UsageError:
        unknown = str(error).partition("Unknown command: ")[2]
        if not unknown:
            return error
        there_are = ", ".join(str(row[0]) for row in self.subCommands)
        return usage.UsageError(f"there is no service '{escape(unknown)}'; there are {there_are}")

    def postOptions(self) -> None:
        """Read the two sets of options as one: later lists extend, later scalars override."""
        texts = self.texts()
        if self.subCommand is not None:
            self.service = getattr(self.subOptions, "target", None) or self.subCommand
            after = self.subOptions.texts()
            for name, given in after.items():
                texts[name] = texts.get(name, []) + given if isinstance(given, list) else given
        file = texts.pop("config", None)
        try:
            values = read_values(texts)
        except SocketlabError as error:
            raise usage.UsageError(str(error)) from None
        self.settings = Settings(**values)
        if file is not None:
            self.config = self._config_file(file, values)

    def _config_file(self, name: str, given: dict[str, Any]) -> ConfigFile:
        shown = escape(name)
        if not name:
            raise usage.UsageError("--config '': expected the name of a file")
        if self.service is not None:
            raise usage.UsageError(
                f"--config '{shown}' itself names the services; '{self.service}' beside it is one "
                "too many"
            )
        return ConfigFile.named(name, given)


class TwistdBench(Bench):
    """A bench whose failure to start is one sentence, the last line, and exit status 1."""

    pidfile: str | None = None

    def privilegedStartService(self) -> None:
        """Open all ports or exit."""
        try:
            super().privilegedStartService()
        except SocketlabError as error:
            self._remove_pidfile()
            fail(str(error))

    def _remove_pidfile(self) -> None:
        # twistd has written it already, and removes it only when it has run.
        if self.pidfile:
            try:
                os.unlink(self.pidfile)
            except OSError:
                return


def fail(sentence: str) -> NoReturn:
    """Say *sentence* on the real stderr and exit with 1."""
    if sys.__stderr__ is not None:
        print(sentence, file=sys.__stderr__, flush=True)
    raise SystemExit(1)


def makeService(options: Options) -> IService:
    """The service twistd runs; exits 1 with one sentence when it cannot be."""
    from twisted.internet import reactor

    from twisted_lab.starting import make, try_ports, use_monotonic_time

    use_monotonic_time(reactor)
    twistd = getattr(options, "parent", None) or {}
    asked = options.service, options.settings
    config = options.config
    try:
        if not twistd.get("nodaemon", True):
            try_ports(reactor, *asked, config)
        bench = make(reactor, *asked, kind=TwistdBench, take_signals=True, config=config)
    except SocketlabError as error:
        fail(str(error))
    bench.pidfile = twistd.get("pidfile")
    return bench

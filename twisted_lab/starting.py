"""From options to a bench that is ready to start: what twistd and ``socketlab serve`` share."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TextIO, TypeVar

from twisted.internet.protocol import Factory
from twisted.logger import Logger

from twisted_lab import kernel
from twisted_lab.announcing import announcement, word_for
from twisted_lab.bench import Bench, Beside, make_bench
from twisted_lab.capturing import recorders
from twisted_lab.config import Config, ConfigFile
from twisted_lab.errors import ConfigurationError
from twisted_lab.eventlog import KINDS, Log, LogFile, json_line, text_line
from twisted_lab.installed import find_kind, installed
from twisted_lab.interfaces import Observer
from twisted_lab.notifying import Notifier
from twisted_lab.policies import max_connections
from twisted_lab.protocols import KINDS as SERVICES
from twisted_lab.protocols import Kind
from twisted_lab.publishing import Publisher
from twisted_lab.reloading import Reload
from twisted_lab.service import LabService, make_service
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.signals import Signals
from twisted_lab.transports.endpoints import Listen, TcpListen, loopback_interfaces

#: The page of a bench on port N is on N + 2; N + 1 is its line service.
PAGE_AFTER = 2
HIGHEST_PORT = 65535

AnyBench = TypeVar("AnyBench", bound=Bench)

_logger = Logger(namespace="socketlab")


def use_monotonic_time(reactor: Any) -> None:
    """Time *reactor* by a clock that never steps; call it before the first callLater().

    Twisted's own clock is time.time(): set back an hour, every time-out is an hour late
    (twisted#2424).
    """
    reactor.seconds = time.monotonic


def make(
    reactor: Any,
    service: str | Kind | None,
    settings: Settings,
    kind: type[AnyBench] = Bench,  # type: ignore[assignment]
    take_signals: bool = False,
    stdout: Callable[[], TextIO | None] = lambda: sys.__stdout__,
    config: ConfigFile | None = None,
    notifier: Notifier | None = None,
    observers: Sequence[Observer] = (),
) -> AnyBench:
    """The bench (*service* None) or one service, with its log, its recording and its signals.

    *service* is a Kind, or a name as :func:`~twisted_lab.installed.find_kind` takes it. With
    *config* it is what that file says instead, which knows the settings given beside it.

    *kind* is the class of what is returned; what is served is printed to *stdout*;
    *take_signals* makes the process's signals mean a stop, a reload, a reopening; *notifier* tells
    systemd that all ports are open, and that we stop; *observers* are called with every event.

    Raises :class:`~twisted_lab.errors.ConfigurationError` for what cannot be.
    """
    notifier = notifier or Notifier()
    said = None if config is None else config.read()
    settings = settings if said is None else said.settings
    publisher = Publisher(capture=settings.capture)
    shared = Shared(reactor, publisher)
    services = _services(service, settings, shared, said)
    files: list[Any] = []
    log = _log(reactor, publisher, settings, files)
    publisher.add(log, KINDS, detailed=False)
    for observer in observers:
        publisher.add(observer)
    losing = {"log": log} | recorders(reactor, publisher, settings.record, settings.pcapng)
    files += [one for name, one in losing.items() if name != "log"]

    def started(services: Any) -> None:
        if take_signals:  # the process is ours alone
            _settle_memory()
        if not settings.quiet and (out := stdout()) is not None:
            with suppress(OSError):  # nobody to read it is no reason not to serve
                print(announcement(services, reactor, bench.beside), file=out, flush=True)
        hidden = installed().refused if isinstance(service, str) else ()
        for sentence in [*kernel.missing_here(), *_warnings(services), *hidden]:
            _logger.warn("{sentence}", sentence=sentence)
        notifier.ready()

    closing = (log.close, *(file.close for file in files))
    bench = kind(services, shared, settings.drain, started, closing, notifier.stopping)
    if listens := _page_listens(service, settings, config):
        bench.beside = _make_page(bench, shared, listens, losing)
    reload = None
    if config is not None and said is not None:
        reload = notifier.around(Reload(config, said, bench, _say))
    signals = Signals(reactor, bench, _say, tuple(file.reopen for file in files), reload)
    if take_signals:
        signals.install()
    return bench


def _page_listens(
    service: str | Kind | None, settings: Settings, config: ConfigFile | None
) -> tuple[Listen, ...]:
    """Where the page is to be: where it was asked for, or beside a bench; nowhere else."""
    if settings.no_page:
        if settings.page is not None:
            raise ConfigurationError("--page and --no-page: one of them is meant")
        return ()
    if settings.page is not None:
        return settings.page
    bench = service is None and config is None
    if not bench or settings.well_known:
        return ()
    port = SERVICES["echo"].port if settings.port is None else settings.port
    if port + PAGE_AFTER > HIGHEST_PORT:
        raise ConfigurationError(
            f"--port '{port}': the page would be on {port + PAGE_AFTER}, which is no port: say"
            " --page ENDPOINT or --no-page"
        )
    number = port and port + PAGE_AFTER
    return tuple(TcpListen(interface, number) for interface in loopback_interfaces())


def _make_page(
    bench: Bench, shared: Shared, listens: tuple[Listen, ...], losing: Mapping[str, Any]
) -> Beside:
    # Imported here: with twisted.web it is a good part of what a start takes.
    from twisted_lab.page.opening import new_token, page_of

    losses = {name: partial(getattr, one, "lost") for name, one in losing.items()}
    return page_of(bench, shared, listens, word_for(shared.reactor), losses, new_token())


def _settle_memory() -> None:
    """Spare the garbage collector what is there at the start, for it stays.

    A full collection looks at all of it; one in the midst of 400 connects at once took 30 ms, in
    which nobody was served.
    """
    gc.collect()
    gc.freeze()


def _say(text: str) -> None:
    _logger.info("{text}", text=text)


def try_ports(
    reactor: Any, service: str | Kind | None, settings: Settings, config: ConfigFile | None = None
) -> None:
    """Open every port and close it again, to know before a daemon is forked that it can serve.

    Raises :class:`~twisted_lab.errors.CannotServe`: after the fork nobody would read it.
    """
    shared = Shared(reactor, Publisher())
    said = None if config is None else config.read()
    services = _services(service, settings, shared, said)
    listens = _page_listens(service, settings if said is None else said.settings, config)
    page = _blank_page(listens, shared) if listens else None
    try:
        for tried in services:
            tried.privilegedStartService()
        if page is not None:
            _open_page(page)
    finally:
        for tried in [*services, page] if page else services:
            tried.close_at_once()


def _blank_page(listens: tuple[Listen, ...], shared: Shared) -> LabService:
    kind = Kind("page", "", stream=lambda doors: Factory())
    return make_service(kind, Settings(listen=listens), shared)


def _open_page(page: LabService) -> None:
    from twisted_lab.page.opening import open_port

    open_port(page)


def _services(
    service: str | Kind | None, settings: Settings, shared: Shared, said: Config | None
) -> list[LabService]:
    if said is not None:
        return [one.make(shared) for one in said.services]
    if service is None:
        return make_bench(settings, shared)
    kind = service if isinstance(service, Kind) else find_kind(service)
    return [make_service(kind, settings, shared)]


def _log(reactor: Any, publisher: Publisher, settings: Settings, files: list[Any]) -> Log:
    form = json_line if settings.log_format == "json" else text_line
    if settings.log is not None:
        file = LogFile(settings.log)
        files.append(file)
        return Log(file.write, reactor, publisher, form)
    if settings.log_format == "json":
        return Log(_to_stderr, reactor, publisher, form)
    # twistd's log has its own date.
    return Log(_say, reactor, publisher, form, now=None)


def _to_stderr(text: str) -> None:
    if sys.__stderr__ is not None:
        print(text, file=sys.__stderr__, flush=True)


def _warnings(services: list[LabService]) -> list[str]:
    limit = kernel.descriptor_limit()
    most = [one.settings.max_connections or max_connections.DEFAULT for one in services]
    wanted = max(2 * max(most), sum(most)) + 64
    if limit is None or limit >= wanted:
        return []
    return [f"only {limit} descriptors may be open (ulimit -n); {wanted} would be enough"]

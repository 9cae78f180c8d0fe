"""A file of services read again while connections are open: what changed, and what cannot.

Rule 1: no connection is dropped but by a limit it is over. Rule 2: a file that is wrong changes
nothing. Rule 3: each change is said, once, and so is what waits for a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from twisted_lab.bench import Bench
from twisted_lab.config import Config, ConfigFile, ConfiguredService
from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.limits import RENEWABLE
from twisted_lab.service import LabService
from twisted_lab.settings import OPTIONS, Option, Settings
from twisted_lab.transports.endpoints import Listen
from twisted_lab.transports.listeners import where

_UNITS = {"T": " s", "SIZE": " bytes", "SIZE/s": " bytes/s", "N/s": "/s"}


class Reload:
    """Call it to read *file* again and apply it to *bench*, which was made of *config*.

    *say* takes a sentence for the log.
    """

    def __init__(
        self, file: ConfigFile, config: Config, bench: Bench, say: Callable[[str], object]
    ) -> None:
        self._file = file
        self._settings = config.settings  # in force, for the process
        self._bench = bench
        self._say = say

    def __call__(self) -> None:
        """Read and apply; whatever is wrong with the file is said, and nothing changes."""
        try:
            config = self._file.read()
        except ConfigurationError as error:
            self._say(f"could not reload: {error}; everything stays as it was")
            return
        said = [*self._renew_process(config), *self._renew_services(config)]
        for what in said or ["nothing changed"]:
            self._say(f"reloaded {escape(self._file.name)}: {what}")

    def _renew_process(self, config: Config) -> Iterator[str]:
        before, after = self._settings, config.settings
        for option in OPTIONS:
            if option.process:
                yield from _change(option, before, after, option.field == "drain")
        self._settings = replace(before, drain=after.drain)
        self._bench.drain_time = after.drain

    def _renew_services(self, config: Config) -> Iterator[str]:
        running = {service.called: service for service in self._bench.services}
        for wanted in config.services:
            service = running.pop(wanted.name, None)
            if service is None:
                yield f"{wanted.name}: a new service needs a restart"
            else:
                yield from (f"{wanted.name}: {change}" for change in _renew(service, wanted))
        for name in running:
            yield f"{name}: it is in the file no more, and to end it needs a restart"


def _renew(service: LabService, wanted: ConfiguredService) -> list[str]:
    """Apply what can be; what changed, and what could not."""
    before, after = service.settings, wanted.settings
    said = [
        change
        for option in OPTIONS
        if not option.process
        for change in _change(option, before, after, option.field in RENEWABLE)
    ]
    if service.kind.name != wanted.kind.name:  # one of yours is another Kind each time it is read
        said.insert(0, f"kind {service.kind.name} -> {wanted.kind.name} needs a restart")
    renewable: dict[str, Any] = {field: getattr(after, field) for field in RENEWABLE}
    service.renew(replace(before, **renewable))
    return said


def _change(option: Option, before: Settings, after: Settings, renewable: bool) -> Iterator[str]:
    old, new = getattr(before, option.field), getattr(after, option.field)
    if old == new:
        return
    if option.name == "listen":  # with all its files and modes it is too long to show twice
        yield "listen is another, which needs a restart"
    else:
        needs = "" if renewable else " needs a restart"
        yield f"{option.field} {_shown(option, old)} -> {_shown(option, new)}{needs}"


def _shown(option: Option, value: Any) -> str:
    """*value* as a person reads it, with its unit."""
    if value is None or value == ():
        return "none" if option.many else "default"
    if option.flag:
        return str(value).lower()
    if isinstance(value, tuple):
        return escape(
            ", ".join(where(one) if isinstance(one, Listen) else str(one) for one in value)
        )
    if isinstance(value, int | float):
        return f"{value:.15g}{_UNITS.get(option.metavar, '')}"
    return escape(value)

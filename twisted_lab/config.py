"""A file of services (``--config FILE``), and the services it makes.

Rule 1: whatever the file, the outcome is values or one ConfigurationError. Rule 2: later lists
extend and later scalars override, in the order: top of the file, command line, the service's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted_lab.config_table import ARRAY, Table, merged
from twisted_lab.errors import ConfigurationError, instead_of
from twisted_lab.escaping import escape
from twisted_lab.installed import NAME, NAME_RULE, find_kind, installed
from twisted_lab.protocols import KINDS, Kind
from twisted_lab.service import LabService, listens_of, make_service
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.toml_text import TomlText, read_toml
from twisted_lab.transports.endpoints import (
    Listen,
    SystemdListen,
    TlsListen,
    UdpListen,
    UnixListen,
)
from twisted_lab.transports.listeners import where, word


@dataclass(frozen=True, slots=True)
class ConfiguredService:
    """One ``[[service]]``; *place* and *title* say which, for a person."""

    name: str
    kind: Kind
    settings: Settings
    listens: tuple[Listen, ...]
    place: str
    title: str

    def make(self, shared: Shared) -> LabService:
        """The service; raises :class:`ConfigurationError`, e.g. for a certificate that is none."""
        try:
            return make_service(self.kind, self.settings, shared, self.name)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.place}: {error}") from None


@dataclass(frozen=True, slots=True)
class Config:
    """What a file says: *settings* for the whole process, and the services in their order."""

    settings: Settings
    services: tuple[ConfiguredService, ...]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of services that can be read again.

    *name* is as the person wrote it, *path* absolute, for a daemon leaves its folder; *given* are
    the settings of the command line, by field.
    """

    name: str
    path: str
    given: Mapping[str, Any]

    @classmethod
    def named(cls, name: str, given: Mapping[str, Any]) -> ConfigFile:
        """The file *name* in the folder of now."""
        return cls(name, os.path.abspath(name), given)

    def read(self) -> Config:
        """What it says now; raises :class:`ConfigurationError` naming file, place and value."""
        text = read_toml(self.name, self.path)
        folder = Path(self.path).parent
        values = dict(text.values)
        array = values.pop(ARRAY, [])
        top = merged(Table(text, folder, 0, values).settings(), self.given)
        services = [
            _service(Table(text, folder, number, table), top)
            for number, table in enumerate(_tables(text, array), 1)
        ]
        _check_apart(services)
        return Config(Settings(**top), tuple(services))


def _tables(text: TomlText, array: Any) -> list[dict[str, Any]]:
    shown = escape(text.name)
    if not isinstance(array, list) or not all(isinstance(table, dict) for table in array):
        raise ConfigurationError(f"{shown}: a service begins with [[{ARRAY}]], in two brackets")
    if not array:
        raise ConfigurationError(
            f'{shown} has no service in it; a line [[{ARRAY}]] and a line kind = "echo" make one'
        )
    return array


def _service(table: Table, top: Mapping[str, Any]) -> ConfiguredService:
    kind = _kind(table)
    name = _name(table, kind)
    own = table.settings()
    settings = Settings(**merged(top, own))
    try:
        listens = listens_of(kind, settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"{table.place}: {error}") from None
    # Two defaults are for the services that have a use for them.
    if "client_ca" not in own and not any(map(_is_tls, listens)):
        settings = replace(settings, client_ca=None)
    if "proxy_from" not in own and not any(getattr(listen, "proxy", False) for listen in listens):
        settings = replace(settings, proxy_from=())
    return ConfiguredService(name, kind, settings, listens, table.place, table.title)


def _is_tls(listen: Listen) -> bool:
    secure = listen.secure if isinstance(listen, SystemdListen) else listen
    return isinstance(secure, TlsListen)


def _kind(table: Table) -> Kind:
    asked = table.values.get("kind")
    if asked is None:
        raise ConfigurationError(f"{table.place}: it has no kind; there are {', '.join(KINDS)}")
    kind = _find_kind(asked, table) if isinstance(asked, str) else None
    if kind is None:
        table.refuse("kind", f"there is no such service; {instead_of(str(asked), KINDS)}")
    return kind


def _find_kind(asked: str, table: Table) -> Kind | None:
    if asked in KINDS:
        return KINDS[asked]
    if ":" not in asked and "." not in asked and asked not in installed().services:
        return None
    try:
        return find_kind(asked)
    except ConfigurationError as error:
        raise ConfigurationError(f"{table.place}: {error}") from None


def _name(table: Table, kind: Kind) -> str:
    name = table.values.get("name", kind.name)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        table.refuse("name", NAME_RULE)
    return name


def _check_apart(services: list[ConfiguredService]) -> None:
    """No two services may have one name, or one port."""
    names: dict[str, ConfiguredService] = {}
    sockets: dict[object, ConfiguredService] = {}
    for one in services:
        if (other := names.setdefault(one.name, one)) is not one:
            raise ConfigurationError(
                f"{one.place}: {other.title} is called '{one.name}' already; "
                f'give one of them another name, as name = "{one.name}-2"'
            )
        for listen in one.listens:
            if (other := sockets.setdefault(_socket(listen), one)) is not one:
                raise ConfigurationError(
                    f"{one.place}: {other.title} has {word(listen)} {where(listen)} already; "
                    "let one of them listen elsewhere"
                )


def _socket(listen: Listen) -> object:
    """What only one can have; a free port is another each time."""
    if isinstance(listen, UnixListen):
        return listen.path
    port = getattr(listen, "port", 0)
    udp = isinstance(listen, UdpListen)
    return (udp, getattr(listen, "interface", ""), port) if port else object()

"""A list of servers to check: a TOML file with a table ``servers``. ::

[servers]
alice = "tcp:127.0.0.1:9001"
bob = { spawn = "python bob.py {port}" }
carol = { spawn = "./carol {port}", endpoint = "udp:127.0.0.1:{port}" }
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.outfile import cannot

#: Bytes of such a file: a class has some tens of servers.
_LARGEST = 2**18

_KEYS = ("endpoint", "spawn")


@dataclass(frozen=True, slots=True)
class Entry:
    """One server: where it is (*endpoint* may be empty with *spawn*), and how it is started."""

    name: str
    endpoint: str = ""
    spawn: str | None = None


def read_entries(name: str) -> list[Entry]:
    """The servers that the file *name* lists; raises :class:`ConfigurationError`."""
    try:
        with open(name, "rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise cannot("read", name, error) from None
    try:
        if len(text) > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST:,} bytes")
        return _entries(tomllib.loads(text.decode()))
    except (ValueError, RecursionError) as error:
        said = f"the list of servers '{escape(name)}' is wrong: {escape(str(error))}"
        raise ConfigurationError(said) from None


def _entries(values: dict[str, Any]) -> list[Entry]:
    for key in values:
        if key != "servers":
            raise ValueError(f"there is no key '{key}', only the table 'servers'")
    servers = values.get("servers")
    if not isinstance(servers, dict) or not servers:
        raise ValueError("expected a table 'servers' with a server or more")
    return [_entry(name, said) for name, said in servers.items()]


def _entry(name: str, said: object) -> Entry:
    if isinstance(said, str):
        return Entry(name, said)
    if not isinstance(said, dict) or not said:
        raise ValueError(f"{name} = {said!r}: expected an endpoint, or a table with 'spawn'")
    for key, value in said.items():
        if key not in _KEYS:
            raise ValueError(f"{name}: there is no key '{key}', only {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise ValueError(f"{name}: {key} = {value!r}: expected a text")
    return Entry(name, said.get("endpoint", ""), said.get("spawn"))

"""The services that other packages bring: the entry points of the group ``socketlab.services``.

In their ``pyproject.toml``::

    [project.entry-points."socketlab.services"]
    chat = "mypackage.chat:ChatFactory"

The value is a :class:`~twisted_lab.protocols.Kind`, a function that returns one, or anything
:func:`~twisted_lab.loading.kind_of` takes. Rule: nothing of theirs is imported until it is asked
for or listed, and what is broken in it breaks nothing else.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions

from twisted_lab.errors import ConfigurationError, summary
from twisted_lab.escaping import escape
from twisted_lab.loading import kind_of, load_kind
from twisted_lab.protocols import KINDS, Kind

GROUP = "socketlab.services"

#: The word that takes ``module:Name``.
RUN = "run"

#: A service's name stands in every event and in every line of the log.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
NAME_RULE = "expected at most 32 letters, digits, '-', '_' and '.'"


@dataclass(frozen=True, slots=True)
class Installed:
    """What the packages here bring: services by *name*, and sentences about what cannot be."""

    services: dict[str, EntryPoint]
    refused: tuple[str, ...]


def installed() -> Installed:
    """What is there, in the order of names; nothing is imported."""
    entries, refused = _entries()
    services: dict[str, EntryPoint] = {}
    for entry in sorted(entries, key=lambda entry: (entry.name, _package(entry))):
        if (why := _refusal(entry, services)) is not None:
            refused.append(f"{_package(entry)} brings a service '{escape(entry.name)}': {why}")
        else:
            services[entry.name] = entry
    return Installed(services, tuple(refused))


def _entries() -> tuple[Iterable[EntryPoint], list[str]]:
    """All of the group, and what cannot be read; each package for itself, unlike entry_points()."""
    found: dict[tuple[str, str], EntryPoint] = {}
    broken = []
    for package in distributions():
        try:
            for entry in package.entry_points.select(group=GROUP):
                found.setdefault((entry.name, package.name), entry)  # the first on sys.path
        except Exception as error:  # not ours to mend, and none of ours needs it
            said = escape(f"{package.name}: {type(error).__name__}: {error}")
            broken.append(f"the entry points of a package cannot be read: {said}")
    return found.values(), broken


def _refusal(entry: EntryPoint, services: dict[str, EntryPoint]) -> str | None:
    if entry.name in KINDS or entry.name == RUN:
        return "the name is socketlab's own, which is what is served"
    if not NAME.fullmatch(entry.name):
        return NAME_RULE
    if (first := services.get(entry.name)) is not None:
        return f"so does {_package(first)}, which is what is served"
    return None


def _package(entry: EntryPoint) -> str:
    return escape(entry.dist.name) if entry.dist is not None else "a package"


def load_installed(entry: EntryPoint) -> Kind:
    """The service of *entry*; raises :class:`ConfigurationError`, naming its package."""
    shown = f"the service '{entry.name}' of {_package(entry)}"
    try:
        thing = entry.load()
        if inspect.isfunction(thing):
            thing = thing()
    except (Exception, SystemExit) as error:
        said = escape(" ".join(summary(error).split()), 500)
        raise ConfigurationError(f"{shown}: loading it raised {said}") from None
    return kind_of(thing, shown, entry.name)


def describe(entry: EntryPoint) -> str:
    """What it does, in its own words, or in one sentence why it cannot be served."""
    try:
        return load_installed(entry).summary
    except ConfigurationError as error:
        return str(error)


def find_kind(name: str) -> Kind:
    """The service called *name*: ours, an installed package's, or ``module:Name``.

    Raises :class:`ConfigurationError` for what there is not or cannot be.
    """
    if name in KINDS:
        return KINDS[name]
    found = installed().services
    if name in found:
        return load_installed(found[name])
    if ":" in name or "." in name:
        return load_kind(name)
    raise ConfigurationError(
        f"no service '{escape(name)}'; there are {', '.join([*KINDS, *found])}"
    )

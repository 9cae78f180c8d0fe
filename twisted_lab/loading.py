"""Anyone's protocol as a service: from ``module:Name``, or the thing itself, to a Kind.

Rule: whatever is named, the outcome is a Kind or one ConfigurationError that says what is wrong
with it, before anything listens.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import (
    AbstractDatagramProtocol,
    ConnectedDatagramProtocol,
    Factory,
    ServerFactory,
)

from twisted_lab.errors import ConfigurationError, summary
from twisted_lab.escaping import escape
from twisted_lab.protocols import Kind, quiet_factory

#: ``package.module:Name`` or ``package.module.Name``.
_DOTTED = re.compile(r"([\w.]+)(?::([\w.]+)|\.(\w+))")

#: How much of somebody else's exception is shown.
_SAID_CHARACTERS = 500

_EXPECTED = "a Protocol class, a Factory class, a Factory or a DatagramProtocol class"


def load_kind(text: str) -> Kind:
    """The service that *text* names: ``module:Name`` or ``module.Name``.

    The name is that of a Protocol class, a Factory class, a Factory, a DatagramProtocol class, or
    a :class:`~twisted_lab.protocols.Kind`. The current folder counts, as for ``python -m``.

    Raises :class:`ConfigurationError` for what is not there, cannot be imported or is none of
    these; what an import raised is in its sentence, with its type and place.
    """
    text = dotted(text)
    module, _, name = text.partition(":")
    return kind_of(_member(_imported(module, text), name, text), f"'{escape(text)}'")


def dotted(text: str) -> str:
    """*text*, ``module:Name`` or ``module.Name``, in the first form, or ConfigurationError."""
    match = _DOTTED.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"'{escape(text)}': expected module:Name or module.Name")
    return f"{match[1]}:{match[2] or match[3]}"


def _imported(module: str, text: str) -> Any:
    _use_current_folder()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"'{escape(text)}': no module '{escape(error.name)}'"
            ) from None
        _raised(f"'{escape(text)}': importing it raised", error)
    except (Exception, SystemExit) as error:
        _raised(f"'{escape(text)}': importing it raised", error)


def _use_current_folder() -> None:
    here = os.getcwd()
    if not sys.flags.safe_path and here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)


def _member(module: Any, name: str, text: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ConfigurationError(
                f"'{escape(text)}': no '{escape(part)}' in {escape(module.__name__)}"
            ) from None
    return found


def _raised(what: str, error: BaseException) -> NoReturn:
    said = " ".join(summary(error).split())
    raise ConfigurationError(f"{what} {escape(said, _SAID_CHARACTERS)}") from None


def kind_of(thing: Any, shown: str = "", name: str | None = None) -> Kind:
    """The service that *thing* is, called *name*, or after its class.

    *thing* is as for :func:`load_kind`; *shown* is what a sentence calls it. Raises
    :class:`ConfigurationError` when it is nothing we can serve.
    """
    shown = shown or escape(repr(thing))
    if isinstance(thing, Kind):
        return thing if name is None else replace(thing, name=name)
    if isinstance(thing, type):
        return _kind_of_class(thing, shown, name or thing.__name__)
    if IProtocolFactory.providedBy(thing):
        _check_factory(thing, shown)
        about = _about(type(thing), shown)
        return Kind(name or _name_of(thing), about, stream=lambda doors: thing)
    raise ConfigurationError(f"{shown} is {_described(thing)}, not {_EXPECTED}")


def _kind_of_class(thing: type, shown: str, name: str) -> Kind:
    if issubclass(thing, AbstractDatagramProtocol):
        return _datagram_kind(thing, shown, name)
    about = _about(thing, shown)
    if IProtocolFactory.implementedBy(thing):
        _check_arguments(thing, shown)
        return Kind(name, about, stream=lambda doors: _made_factory(thing, shown))
    if IProtocol.implementedBy(thing):
        _check_arguments(thing, shown)
        return Kind(name, about, stream=lambda doors: quiet_factory(thing))
    raise ConfigurationError(f"{shown} is the class {escape(thing.__name__)}, not {_EXPECTED}")


def _datagram_kind(thing: Any, shown: str, name: str) -> Kind:
    if issubclass(thing, ConnectedDatagramProtocol):
        raise ConfigurationError(
            f"{shown} is for a datagram socket connected to one peer, and a server's has many"
        )
    _check_arguments(thing, shown)
    return Kind(name, _about(thing, shown), datagram=lambda doors: _make(thing, shown))


def _about(thing: type, shown: str) -> str:
    """The first line of its own docstring, where it has one."""
    lines = (thing.__dict__.get("__doc__") or "").strip().splitlines()
    return escape(lines[0]) if lines else shown


def _made_factory(thing: type, shown: str) -> Any:
    factory = _make(thing, shown)
    _check_factory(factory, shown)
    return factory


def _make(thing: Callable[[], Any], shown: str) -> Any:
    try:
        return thing()
    except (Exception, SystemExit) as error:
        _raised(f"{shown}: making it raised", error)


def _check_arguments(thing: Callable[..., Any], shown: str) -> None:
    """A class that needs arguments would fail at the first connection."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return  # it does not say
    try:
        signature.bind()
    except TypeError as error:
        raise ConfigurationError(
            f"{shown}: it must be made without arguments, and has {error}; name a Factory that "
            "gives it what it needs"
        ) from None


def _check_factory(factory: Any, shown: str) -> None:
    stock = getattr(type(factory), "buildProtocol", None) is Factory.buildProtocol
    if stock and factory.protocol is None:
        raise ConfigurationError(f"{shown} is a Factory whose protocol is not set")


def _name_of(factory: Any) -> str:
    """After its class; a stock Factory after its protocol's."""
    if type(factory) in (Factory, ServerFactory):
        return getattr(factory.protocol, "__name__", type(factory).__name__)
    return type(factory).__name__


def _described(thing: Any) -> str:
    if inspect.ismodule(thing):
        return "a module"
    return f"of type {escape(type(thing).__name__)}"

"""The options as words of Python: ``max_connections=2`` is ``--max-connections 2``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from twisted_lab.errors import ConfigurationError, instead_of
from twisted_lab.escaping import escape
from twisted_lab.settings import BY_FIELD, Option, Settings, read_settings

Text = str | bool | list[str]


def settings_of(words: Mapping[str, object]) -> Settings:
    """The settings of *words*; raises :class:`ConfigurationError` as the command line does."""
    return read_settings(texts_of(words))


def arguments_of(words: Mapping[str, object]) -> list[str]:
    """*words* as a command line has them."""
    found = []
    for name, text in texts_of(words).items():
        if text is True:
            found.append(f"--{name}")
        else:
            texts = text if isinstance(text, list) else [str(text)]
            found += [f"--{name}={one}" for one in texts]
    return found


def texts_of(words: Mapping[str, object]) -> dict[str, Text]:
    """*words* as option texts by option name; None, and False for a flag, is not given.

    A value is text as on the command line, a number, a bool for a flag, a list where the option
    may repeat. Raises :class:`ConfigurationError` for a word that is no option.
    """
    found = {}
    for word, value in words.items():
        option = BY_FIELD.get(word)
        if option is None:
            raise ConfigurationError(f"no option '{escape(word)}'; {instead_of(word, BY_FIELD)}")
        if value is not None and value is not False:
            found[option.name] = _text(option, value)
    return found


def _text(option: Option, value: object) -> Text:
    if option.flag:
        if value is not True:
            raise _wrong(option, value, "True or False")
        return True
    if option.many:
        several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return [_plain(option, one) for one in (value if several else [value])]  # type: ignore[attr-defined]
    return _plain(option, value)


def _plain(option: Option, value: object) -> str:
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(option, value, "a text or a number")
    return str(value)


def _wrong(option: Option, value: object, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{option.field}={escape(repr(value))}: expected {expected}")

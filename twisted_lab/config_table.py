"""One table of a file of services: its keys as settings, or the sentence that says what is wrong.

Rule 1: keys are the options' words with ``_``; :data:`twisted_lab.settings.OPTIONS` is the one list
of them. Rule 2: relative paths are relative to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.settings import BY_FIELD, Option, flat
from twisted_lab.toml_text import TomlText, as_toml, number_text
from twisted_lab.transports.endpoint_paths import from_folder

#: The array of tables that are services, and the keys of one that are not options.
ARRAY = "service"
OWN_KEYS = ("kind", "name")


@dataclass(frozen=True, slots=True)
class Table:
    """The *number*-th ``[[service]]`` of *text*, or its top for 0; paths start in *folder*."""

    text: TomlText
    folder: Path
    number: int
    values: Mapping[str, Any]

    def settings(self) -> dict[str, Any]:
        """What it sets, by field; raises :class:`ConfigurationError` for what cannot be."""
        return {key: self._value(self._option(key)) for key in self._keys()}

    def _keys(self) -> list[str]:
        return [key for key in self.values if not (self.number and key in OWN_KEYS)]

    def _option(self, key: str) -> Option:
        option = BY_FIELD.get(key)
        if option is None:
            self.refuse(key, self._why_not(key))
        if option.process and self.number:
            self.refuse(key, f"this is for the whole process, above the first [[{ARRAY}]]")
        return option

    def _why_not(self, key: str) -> str:
        if key in OWN_KEYS:
            return f"this is for one service, below its [[{ARRAY}]]"
        near = get_close_matches(key, [*BY_FIELD, *(OWN_KEYS if self.number else [ARRAY])], 1)
        return "there is no such key" + (f"; did you mean {near[0]}?" if near else "")

    def _value(self, option: Option) -> Any:
        value = self.values[option.field]
        if option.flag:
            return value if isinstance(value, bool) else self._expected(option)
        if option.many:
            return self._list(option, value if isinstance(value, list) else [value])
        read = self._read(option, self._text(option, value))
        return str(self.folder / read) if option.is_file else read

    def _list(self, option: Option, values: list[Any]) -> tuple[Any, ...]:
        texts = [self._text(option, one) for one in values]
        if option.name == "listen":
            texts = [from_folder(text, str(self.folder)) for text in texts]
        return flat([self._read(option, text) for text in texts])

    def _text(self, option: Option, value: Any) -> str:
        """*value* as it would stand on the command line."""
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and not option.is_file:
            return number_text(value)
        return str(self._expected(option))

    def _read(self, option: Option, text: str) -> Any:
        try:
            return option.read(text)
        except (ValueError, ConfigurationError) as error:
            self.refuse(option.field, str(error))

    def _expected(self, option: Option) -> Any:
        """Say of which type the value must be; raises."""
        if option.flag:
            self.refuse(option.field, "expected true or false")
        if option.many:
            self.refuse(option.field, "expected an array of texts in quotes")
        return self._read(option, "")  # which no option takes, and says what it would

    def refuse(self, key: str, why: str) -> NoReturn:
        """Say what is wrong with the *key*."""
        line = self.text.line_of(key, ARRAY, self.number)
        shown = f"{escape(key)} = {as_toml(self.values[key])}"
        raise ConfigurationError(f"{self._place(line)}: {shown}: {why}")

    @property
    def place(self) -> str:
        """Where it begins: ``services.toml, line 7, [[service]] 2 (echo)``."""
        return self._place(self.text.header_of(ARRAY, self.number))

    def _place(self, line: int | None) -> str:
        shown = [escape(self.text.name)]
        if line is not None:
            shown.append(f"line {line}")
        if self.number:
            shown.append(self.title)
        return ", ".join(shown)

    @property
    def title(self) -> str:
        """Which one it is: ``[[service]] 2 (echo)``."""
        named = [name for key in ("name", "kind") if isinstance(name := self.values.get(key), str)]
        return f"[[{ARRAY}]] {self.number}" + (f" ({escape(named[0])})" if named else "")


def merged(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by field, as on the command line: later lists extend, later scalars override."""
    both = [name for name in first if name in then and BY_FIELD[name].many]
    return {**first, **then} | {name: first[name] + then[name] for name in both}

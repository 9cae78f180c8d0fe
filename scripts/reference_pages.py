"""Writes docs/services.md, docs/options.md and docs/python.md, from the code. ::

    python -m scripts.reference_pages

A test holds the pages against the code.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from twisted_lab.protocols import KINDS
from twisted_lab.settings import OPTIONS

DOCS = Path(__file__).parents[1] / "docs"

_MADE = "*This page is made by `python -m scripts.reference_pages`.*\n"

#: The modules that others' programs import.
MODULES = (
    "twisted_lab.served",
    "twisted_lab.serving",
    "twisted_lab.testing",
    "twisted_lab.conformance.checking",
    "twisted_lab.events",
    "twisted_lab.interfaces",
)

#: Of those modules that say no ``__all__``, what is for others.
_PUBLIC = {
    "twisted_lab.served": ("Server", "serve_child"),
    "twisted_lab.serving": ("serve",),
    "twisted_lab.conformance.checking": ("check",),
}


def pages() -> dict[str, str]:
    """Each page by its name."""
    return {
        "services.md": "\n".join(_services()),
        "options.md": "\n".join(_options()),
        "python.md": "\n".join(_python()),
    }


def _services() -> Iterator[str]:
    yield "# Services\n"
    yield "`socketlab serve NAME`, or `twistd -n socketlab NAME`; see [options.md](options.md).\n"
    yield _MADE
    yield "| name | what it does | streams | datagrams | IANA's port |"
    yield "|---|---|---|---|---|"
    for kind in KINDS.values():
        forms = ("yes" if form is not None else "" for form in (kind.stream, kind.datagram))
        port = kind.well_known or ""
        yield f"| `{kind.name}` | {_cell(kind.summary)} | {' | '.join(forms)} | {port} |"
    yield ""
    for kind in KINDS.values():
        made = next((one for one in (kind.stream, kind.datagram) if one is not None), None)
        module = inspect.getmodule(made)
        if module is not None and module.__name__.startswith("twisted_lab.protocols."):
            yield f"## {kind.name}\n"
            yield _prose(inspect.getdoc(module) or "") + "\n"


def _options() -> Iterator[str]:
    yield "# Options of `socketlab serve`\n"
    yield "The same as of `twistd -n socketlab`. One that may be repeated is marked with *."
    yield "In a file of services ([config.md](config.md)) each has its name with `_` for `-`; those"
    yield "of the process stand at its top alone.\n"
    yield _MADE
    yield "| option | value | what | of |"
    yield "|---|---|---|---|"
    for one in OPTIONS:
        many = "*" if one.many else ""
        value = "" if one.flag else f"`{one.metavar}`"
        scope = "process" if one.process else "service"
        yield f"| `--{one.name}`{many} | {value} | {_cell(one.help)} | {scope} |"


def _python() -> Iterator[str]:
    yield "# Python\n"
    yield "What your programs and tests may import. [own.md](own.md) shows how it is used.\n"
    yield _MADE
    for name in MODULES:
        module = import_module(name)
        yield f"## {name}\n"
        yield _prose(inspect.getdoc(module) or "") + "\n"
        for member in _members(module):
            yield from _member(member, getattr(module, member))


def _members(module: ModuleType) -> list[str]:
    if module.__name__ in _PUBLIC:
        return list(_PUBLIC[module.__name__])
    said = getattr(module, "__all__", None)
    if said is not None:
        return [one for one in said if inspect.getdoc(getattr(module, one))]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def _member(name: str, value: object) -> Iterator[str]:
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    yield f"### {name}\n"
    if inspect.isfunction(value):
        yield f"```python\n{_signature(name, value)}\n```\n"
    if dataclasses.is_dataclass(value):
        fields = (f"{one.name}: {one.type}" for one in dataclasses.fields(value))
        yield f"Fields: {', '.join(f'`{field}`' for field in fields)}.\n"
    yield _prose(inspect.getdoc(value) or "") + "\n"
    if inspect.isclass(value):
        for own, member in vars(value).items():
            if inspect.isfunction(member) and not own.startswith("_") and member.__doc__:
                yield f"`{_signature(own, member)}`: {_prose(inspect.getdoc(member) or '')}\n"


def _signature(name: str, function: object) -> str:
    text = str(inspect.signature(function))  # type: ignore[arg-type]
    return name + re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)  # annotations are text


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


def _prose(text: str) -> str:
    """A docstring, which is in reStructuredText, in Markdown."""
    text = re.sub(r":[a-z]+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(
        r"(?m)(?:^|(?<= ))(.*)::$((?:\n(?:    .*)?)+)",
        lambda found: f"{found[1]}:\n{_block(found[2])}",
        text,
    )


def _block(text: str) -> str:
    code = inspect.cleandoc(text)
    return f"\n```\n{code}\n```\n"


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text.rstrip() + "\n")

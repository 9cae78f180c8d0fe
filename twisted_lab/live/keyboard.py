"""What each key does, as a function from model to model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted_lab.live.model import Asking, Model, choose, scrolled
from twisted_lab.live.opened import Opened
from twisted_lab.live.polling import is_talk

#: Rows that Page up and Page down go.
PAGE = 10

#: Characters of a filter at most.
LONGEST_FILTER = 60

NO_TOKEN = "needs the token: start with the whole address the bench printed, #token=…"


@dataclass(frozen=True, slots=True)
class Action:
    """What a key asks of others: ``quit``, ``open``, ``shut``, ``close`` or ``reset`` of an id."""

    verb: str
    id: str = ""


Pressed = tuple[Model, Action | None]


def pressed(model: Model, key: str) -> Pressed:
    """*model* after *key*, and what is to be done beyond it."""
    model = replace(model, said="")
    if key == "ctrl-c":
        return model, Action("quit")
    if model.asking is not None:
        return _answered(model, model.asking, key)
    if model.typing:
        return _typed(model, key), None
    if model.help:
        return replace(model, help=False), Action("quit") if key == "q" else None
    return _KEYS.get(key, _nothing)(model)


def _nothing(model: Model) -> Pressed:
    return model, None


def _quit(model: Model) -> Pressed:
    return model, Action("quit")


def _help(model: Model) -> Pressed:
    return replace(model, help=True), None


def _go(rows: int) -> Callable[[Model], Pressed]:
    """Up or down: another row is chosen, or the ladder moves."""

    def go(model: Model) -> Pressed:
        if model.opened is not None:
            return scrolled(model, -rows), None
        listed = [each.id for each in model.listed()]
        if not listed:
            return model, None
        at = listed.index(model.chosen) if model.chosen in listed else 0
        return replace(model, chosen=listed[min(max(at + rows, 0), len(listed) - 1)]), None

    return go


def _other_table(model: Model) -> Pressed:
    """To the first of the datagram peers, or of the connections."""
    streams, talks = model.connections(), model.talks()
    among = streams if any(each.id == model.chosen for each in talks) else talks
    return (replace(model, chosen=among[0].id) if among and not model.opened else model), None


def _open(model: Model) -> Pressed:
    if model.opened is not None or model.chosen is None:
        return model, None
    opened = replace(model.data, opened=Opened(model.chosen))
    return replace(model, data=opened, frozen=None, scroll=0), Action("open", model.chosen)


def _back(model: Model) -> Pressed:
    if model.opened is not None:
        shut = replace(model, data=replace(model.data, opened=None), frozen=None, scroll=0)
        return choose(shut), Action("shut")
    return choose(replace(model, filter="")), None


def _pause(model: Model) -> Pressed:
    return replace(model, frozen=model.data if model.frozen is None else None), None


def _filter(model: Model) -> Pressed:
    return replace(model, typing=model.opened is None), None


def _next_service(model: Model) -> Pressed:
    if model.opened is not None:
        return model, None
    choices = [None, *(service.name for service in model.view.now.services)]
    at = choices.index(model.service) if model.service in choices else -1
    return choose(replace(model, service=choices[(at + 1) % len(choices)])), None


def _ask(verb: str) -> Callable[[Model], Pressed]:
    """Ask whether to close or reset the chosen connection, or say why that cannot be."""

    def ask(model: Model) -> Pressed:
        target = model.opened.id if model.opened is not None else model.chosen
        about = model.opened.about if model.opened is not None else model.find(target)
        if target is None or about is None:
            return model, None
        if is_talk(target):
            return replace(model, said=f"{target} has no connection to {verb}"), None
        if getattr(about, "state", "") == "closed":
            return replace(model, said=f"{target} is closed already"), None
        if not model.token:
            return replace(model, said=NO_TOKEN), None
        return replace(model, asking=Asking(verb, target)), None

    return ask


def _answered(model: Model, asking: Asking, key: str) -> Pressed:
    model = replace(model, asking=None)
    if key in ("y", "Y"):
        return model, Action(asking.verb, asking.id)
    return replace(model, said=f"{asking.id} is left alone"), None


def _typed(model: Model, key: str) -> Model:
    """One key of the filter, which acts at once."""
    if key == "enter":
        return replace(model, typing=False)
    if key == "escape":
        return choose(replace(model, typing=False, filter=""))
    if key == "backspace":
        return choose(replace(model, filter=model.filter[:-1]))
    if len(key) == 1 and len(model.filter) < LONGEST_FILTER:
        return choose(replace(model, filter=model.filter + key))
    return model


_ENDS = 10**9

_KEYS: dict[str, Callable[[Model], Pressed]] = {
    "up": _go(-1),
    "k": _go(-1),
    "down": _go(1),
    "j": _go(1),
    "page-up": _go(-PAGE),
    "page-down": _go(PAGE),
    "home": _go(-_ENDS),
    "end": _go(_ENDS),
    "tab": _other_table,
    "enter": _open,
    "escape": _back,
    "backspace": _back,
    "p": _pause,
    "/": _filter,
    "s": _next_service,
    "c": _ask("close"),
    "r": _ask("reset"),
    "?": _help,
    "q": _quit,
}

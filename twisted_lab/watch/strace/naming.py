"""The calls that make sockets, name them and ask about them."""

from __future__ import annotations

import errno
import socket as api
from collections.abc import Callable
from typing import Any

from twisted_lab.watch.strace.arguments import address_of, in_words, names_in, number, only
from twisted_lab.watch.strace.ports import holder
from twisted_lab.watch.strace.telling import Telling
from twisted_lab.watch.strace.values import Descriptor

#: What is told of; the C library asks the kernel's netlink, which is no network.
_FAMILIES = (api.AF_INET, api.AF_INET6, api.AF_UNIX)

#: The bits of a socket's type that say which it is; others are flags.
_KIND = 0xF


def _socket(one: Telling) -> None:
    family, kind, protocol = map(number, one.given(3))
    if family not in _FAMILIES:
        return
    asked, made = (family, kind & _KIND, protocol), one.result
    if not isinstance(made, Descriptor):
        one.tell(None, asked)
        return
    held = one.process.new(made.number, family, kind & _KIND)
    held.close_on_exec = bool(kind & api.SOCK_CLOEXEC)
    one.tell(held.key, asked, made.number, {"family": family, "type": kind & _KIND})


def _socketpair(one: Telling) -> None:
    *asked, pair = one.given(4)
    family, kind, protocol = map(number, asked)
    made = [end for end in pair or () if isinstance(end, Descriptor)]
    if one.error is not None or len(made) != 2:
        return
    first, second = (one.process.new(end.number, family, kind & _KIND) for end in made)
    first.close_on_exec = second.close_on_exec = bool(kind & api.SOCK_CLOEXEC)
    more = {"new": second.key, "family": family, "type": kind & _KIND}
    result = tuple(end.number for end in made)
    one.tell(first.key, (family, kind & _KIND, protocol), result, more)


def _accept(one: Telling) -> None:
    given, address, _, flags = one.given(4)
    listener, made = one.socket(given), one.result
    if listener is None:
        return
    if not isinstance(made, Descriptor):
        one.tell(listener.key, (), name="accept")
        return
    held = one.process.new(made.number, listener.family, listener.type)
    held.close_on_exec = bool(number(flags) & api.SOCK_CLOEXEC)
    more = {"family": held.family, "type": held.type, "new": held.key, **names_in(made)}
    if (peer := address_of(address)) is not None:
        more.setdefault("peer", peer)
    one.tell(listener.key, (), made.number, more, name="accept")


def _bind(one: Telling) -> None:
    given, address, _ = one.given(3)
    held, asked = one.socket(given), address_of(address)
    if held is None:
        return
    more: dict[str, Any] = {}
    if one.error is None:
        more = {"local": asked} | names_in(given)
    elif one.error == errno.EADDRINUSE and isinstance(asked, tuple):
        more = {"note": holder(asked[1])}
    one.tell(held.key, (asked,), 0, more)


def _connect(one: Telling) -> None:
    given, address, _ = one.given(3)
    held, asked = one.socket(given), address_of(address)
    if held is None:
        return
    more = {"peer": asked} | names_in(given) if one.error is None else {}
    if one.error is None and "local" not in more and held.family != api.AF_UNIX:
        one.nameless.add(held.key, one.line.began + one.line.took, more)
    one.tell(held.key, (asked,), 0, more)


def _listen(one: Telling) -> None:
    given, backlog = one.given(2)
    _plain(one, given, (number(backlog),), 0)


def _shutdown(one: Telling) -> None:
    given, how = one.given(2)
    _plain(one, given, (number(how),), 0)


def _name(one: Telling) -> None:
    """getsockname() and getpeername()."""
    given, address = one.given(2)
    _plain(one, given, (), address_of(address))


def _setsockopt(one: Telling) -> None:
    given, level, option, value = one.given(4)
    _plain(one, given, (number(level), number(option), in_words(only(value))), 0)


def _getsockopt(one: Telling) -> None:
    given, level, option, value = one.given(4)
    _plain(one, given, (number(level), number(option)), in_words(only(value)))


def _plain(one: Telling, given: Any, asked: tuple[Any, ...], result: Any) -> None:
    """A call of a socket that moves nothing."""
    held = one.socket(given)
    if held is not None:
        one.tell(held.key, asked, result, names_in(given))


CALLS: dict[str, Callable[[Telling], None]] = {
    "socket": _socket,
    "socketpair": _socketpair,
    "accept": _accept,
    "accept4": _accept,
    "bind": _bind,
    "connect": _connect,
    "listen": _listen,
    "shutdown": _shutdown,
    "getsockname": _name,
    "getpeername": _name,
    "setsockopt": _setsockopt,
    "getsockopt": _getsockopt,
}

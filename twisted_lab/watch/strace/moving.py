"""The calls that move bytes, in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted_lab.watch.strace.arguments import address_of, data_of, gathered, names_in, number, room
from twisted_lab.watch.strace.tables import Held
from twisted_lab.watch.strace.telling import Telling


def _move(one: Telling) -> None:
    """(descriptor, buffer, size, flags, address): libc's send() is sendto() without an address."""
    given, data, size, flags, address = one.given(5)
    held = one.socket(given)
    if held is None:
        return
    peer, name = address_of(address), one.line.name
    more = names_in(given) | {"data": data_of(data)}
    asked: list[Any] = [number(size), number(flags)] if number(flags) else [number(size)]
    if peer is not None:
        more["peer"] = peer
    if name == "sendto":
        name = "send" if peer is None else name
        asked += [] if peer is None else [peer]
    elif name == "recvfrom":
        name = "recv" if address is None else name
    one.tell(held.key, tuple(asked), one.result, more, name)


def _scatter(one: Telling) -> None:
    """readv() and writev(): (descriptor, buffers)."""
    given, buffers = one.given(2)
    held = one.socket(given)
    if held is not None:
        more = names_in(given) | {"data": gathered(buffers)}
        one.tell(held.key, (room(buffers),), one.result, more)


def _message(one: Telling) -> None:
    """sendmsg() and recvmsg(): (descriptor, message, flags)."""
    given, message, flags = one.given(3)
    held = one.socket(given)
    if held is not None:
        _tell_message(one, held, given, message, one.result, number(flags))


def _messages(one: Telling) -> None:
    """sendmmsg() and recvmmsg(): several in one call, told of one by one."""
    given, several = one.given(2)
    held, count = one.socket(given), one.result
    if held is None or not isinstance(several, list) or not isinstance(count, int):
        return
    one.line = replace(one.line, name="sendmsg" if one.line.name == "sendmmsg" else "recvmsg")
    for message in several[: max(0, count)]:
        if isinstance(message, dict):
            header, size = message.get("msg_hdr"), message.get("msg_len", 0)
            _tell_message(one, held, given, header, size, 0)


def _tell_message(
    one: Telling, held: Held, given: Any, message: Any, result: Any, flags: int
) -> None:
    message = message if isinstance(message, dict) else {}
    buffers = message.get("msg_iov")
    more = names_in(given) | {"data": gathered(buffers)}
    if (peer := address_of(message.get("msg_name"))) is not None:
        more["peer"] = peer
    came = str(message.get("msg_flags", "")).split("|") if one.line.name == "recvmsg" else ()
    if "MSG_TRUNC" in came:
        more["cut"] = True
    asked: tuple[int, ...] = (room(buffers),)
    if flags:  # as Python's recvmsg() has them, behind the room for ancillary data
        received = one.line.name == "recvmsg"
        control = (number(message.get("msg_controllen", 0)),) if received else ()
        asked = (*asked, *control, flags)
    one.tell(held.key, asked, result, more)


def _sendfile(one: Telling) -> None:
    """(out, in, offset, count)"""
    given, _, _, size = one.given(4)
    held = one.socket(given)
    if held is not None:
        one.tell(held.key, (number(size),), one.result, {})


def _splice(one: Telling) -> None:
    """(in, offset, out, offset, count): to or from a pipe, unseen by us."""
    came, _, went, _, size = one.given(5)
    for given, out in ((came, False), (went, True)):
        held = one.socket(given)
        if held is not None:
            one.tell(held.key, (number(size),), one.result, {"out": out})


CALLS: dict[str, Callable[[Telling], None]] = {
    "sendto": _move,
    "recvfrom": _move,
    "read": _move,
    "write": _move,
    "readv": _scatter,
    "writev": _scatter,
    "sendmsg": _message,
    "recvmsg": _message,
    "sendmmsg": _messages,
    "recvmmsg": _messages,
    "sendfile": _sendfile,
    "splice": _splice,
}

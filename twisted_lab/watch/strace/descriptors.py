"""The calls that close descriptors, and make more of them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from twisted_lab.watch.strace.tables import Held
from twisted_lab.watch.strace.telling import Telling
from twisted_lab.watch.strace.values import Descriptor


def _close(one: Telling) -> None:
    (given,) = one.given(1)
    if one.error in (None, errno.EINTR):
        _gone(one, given.number if isinstance(given, Descriptor) else given)


def _gone(one: Telling, fd: Any, more: dict[str, Any] | None = None) -> None:
    """The descriptor *fd* is closed; its socket goes on where another descriptor has it."""
    held = one.process.held.pop(fd, None)
    if held is None:
        return
    if one.process.holds(held.key):
        more = {**(more or {}), "held": True}
    one.tell(held.key, (), 0, more, "close")


def _dup(one: Telling) -> None:
    """dup(), dup2(), dup3()."""
    (given,) = one.given(1)
    _duplicate(one, given)


def _fcntl(one: Telling) -> None:
    """(descriptor, command, value): what duplicates, sets close-on-exec, or does not block."""
    given, command, value = one.given(3)
    held = one.process.held.get(given.number) if isinstance(given, Descriptor) else None
    if held is None or one.error is not None:
        return
    if str(command).startswith("F_DUPFD"):
        _duplicate(one, given)
    elif command == "F_SETFD":
        held.close_on_exec = "FD_CLOEXEC" in str(value)
    elif command == "F_SETFL":
        one.tell(held.key, ("O_NONBLOCK" not in str(value),), 0, None, "setblocking")


def _duplicate(one: Telling, given: Any) -> None:
    held = one.process.held.get(given.number) if isinstance(given, Descriptor) else None
    made = one.result
    fd = made.number if isinstance(made, Descriptor) else made
    if held is None or one.error is not None or not isinstance(fd, int) or fd == given.number:
        return
    _gone(one, fd)  # dup2() closes what had it
    again = Held(held.key, held.family, held.type, "CLOEXEC" in one.line.arguments)
    one.process.held[fd] = again
    one.tell(held.key, (given.number,), fd, None, "dup")


def _execve(one: Telling) -> None:
    """Another program, and what was to be closed is."""
    _, words = one.given(2)
    if one.line.result != "0":
        return
    if isinstance(words, list):
        said = [word.decode("utf-8", "replace") for word in words if isinstance(word, bytes)]
        one.records.append((one.process.pid, ("p", one.process.pid, 0, said, "", "")))
    for fd, held in list(one.process.held.items()):
        if held.close_on_exec:
            _gone(one, fd, {"note": "exec() closed it"})


CALLS: dict[str, Callable[[Telling], None]] = {
    "close": _close,
    "dup": _dup,
    "dup2": _dup,
    "dup3": _dup,
    "fcntl": _fcntl,
    "execve": _execve,
}

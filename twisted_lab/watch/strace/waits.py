"""The calls that wait until a socket is ready; waits for other things are not told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_lab.watch.strace.arguments import seconds
from twisted_lab.watch.strace.telling import Telling


def _poll(one: Telling) -> None:
    """poll() and ppoll(): (descriptors, how many, time)."""
    fds, _, time = one.given(3)
    asked = [entry.get("fd") for entry in fds or () if isinstance(entry, dict)]
    _tell(one, "poll", asked, seconds(time, 1000))


def _select(one: Telling) -> None:
    """select() and pselect6(): (highest, readable, writable, others, time)."""
    _, *sets, time = one.given(5)
    asked = [fd for fds in sets if isinstance(fds, list) for fd in fds]
    _tell(one, "select", asked, seconds(time, 1))


def _epoll(one: Telling) -> None:
    """epoll_wait() and its like: (epoll, events, how many, time); of which sockets is not said."""
    *_, time = one.given(4)
    _tell(one, "epoll_wait", list(one.process.held), seconds(time, 1000))


def _tell(one: Telling, name: str, asked: list[Any], time: float | None) -> None:
    if any(map(one.is_socket, asked)):
        count = one.result
        one.tell(None, (time,), count if isinstance(count, int) else 0, None, name)


CALLS: dict[str, Callable[[Telling], None]] = {
    "poll": _poll,
    "ppoll": _poll,
    "select": _select,
    "pselect6": _select,
    "epoll_wait": _epoll,
    "epoll_pwait": _epoll,
    "epoll_pwait2": _epoll,
}

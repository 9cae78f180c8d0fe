"""The lines of strace as records, in the form of those of the rings (``hook/socketlab_hook/seen``).

Rule: of a call that did not concern a socket nothing is told. libc's send() and recv() are sendto()
and recvfrom() without an address (send(2)), and are called by those names.
"""

from __future__ import annotations

import errno
import socket as api
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from twisted_lab.watch.records import Key, Record
from twisted_lab.watch.strace.arguments import (
    address_of,
    data_of,
    gathered,
    in_words,
    names_in,
    number,
    only,
    room,
    seconds,
)
from twisted_lab.watch.strace.lines import Line
from twisted_lab.watch.strace.places import place_of
from twisted_lab.watch.strace.ports import holder
from twisted_lab.watch.strace.tables import Held, Process
from twisted_lab.watch.strace.values import Descriptor, values

#: Sockets that strace knows, which we did not see made: their family and type.
_KNOWN = {
    "TCP": (api.AF_INET, api.SOCK_STREAM),
    "TCPv6": (api.AF_INET6, api.SOCK_STREAM),
    "UDP": (api.AF_INET, api.SOCK_DGRAM),
    "UDPv6": (api.AF_INET6, api.SOCK_DGRAM),
    "UNIX-STREAM": (api.AF_UNIX, api.SOCK_STREAM),
    "UNIX-DGRAM": (api.AF_UNIX, api.SOCK_DGRAM),
}

#: What is told of; the C library asks the kernel's netlink, which is no network.
_FAMILIES = (api.AF_INET, api.AF_INET6, api.AF_UNIX)


#: A call that a signal broke off, and that the kernel makes again: the line that follows tells.
_AGAIN = "ERESTART"


class Calls:
    """Makes records of lines. *offset* is how far the lines' clock is before the monotonic one."""

    def __init__(self, offset: int, name: str) -> None:
        self._offset = offset
        self._name = name
        self._threads: dict[int, Process] = {}
        #: The calls of fork() and clone() that have not returned, by thread: their arguments.
        self._forking: dict[int, str] = {}
        #: Connections whose own address is not known before the next call: when they were made,
        #: and what their record has of them.
        self._unnamed: dict[Key, tuple[int, dict[str, Any]]] = {}
        #: How many processes and threads were seen.
        self.seen = 0

    def records(self, line: Line) -> Iterator[tuple[int, Record]]:
        """The records of *line*: (pid, record) each."""
        process = self._threads.get(line.thread)
        if process is None:
            process, told = self._begin(line)
            yield from told
        if not line.name:
            yield from self._ended(process, line)
        elif line.name in _FORKS:
            yield from self._forked(process, line)
        elif line.result is not None and not line.result.startswith("?"):
            told_of = _CALLS.get(line.name)
            if told_of is not None:
                yield from told_of(self, process, replace(line, began=line.began - self._offset))

    def unnamed(self, since: int) -> int | None:
        """When the first connection was made whose address is not known yet, after *since*."""
        self._unnamed = {key: one for key, one in self._unnamed.items() if one[0] > since}
        return min((ns for ns, _ in self._unnamed.values()), default=None)

    @property
    def living(self) -> list[int]:
        """The processes that have not ended."""
        return sorted({process.pid for process in self._threads.values()})

    # -- processes ------------------------------------------------------------------------------

    def _begin(self, line: Line) -> tuple[Process, list[tuple[int, Record]]]:
        """A thread that was not seen before: of whom it is, only a clone() that waits can tell."""
        self.seen += 1
        parent = next(iter(self._forking), None)
        process = self._threads.get(line.thread)
        if parent is not None and process is None:
            return self._born(parent, line.thread, self._forking[parent])
        process = self._threads[line.thread] = Process(line.thread, {line.thread})
        return process, [(process.pid, ("p", process.pid, 0, [self._name], self._name, ""))]

    def _born(
        self, parent: int, thread: int, arguments: str
    ) -> tuple[Process, list[tuple[int, Record]]]:
        """*thread* is what the clone() of *parent* made."""
        of = self._threads[parent]
        if "CLONE_THREAD" in arguments:
            of.threads.add(thread)
            self._threads[thread] = of
            return of, []
        process = self._threads[thread] = of.forked(thread)
        keys = [held.key for held in process.held.values()]
        begins = ("p", thread, of.pid, [self._name], self._name, "")
        return process, [(thread, begins), (thread, ("f", *keys))]

    def _forked(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        if line.result is None:
            self._forking[line.thread] = line.arguments
            return
        self._forking.pop(line.thread, None)
        child = line.result.partition(" ")[0]
        if child.isdecimal() and int(child) not in self._threads:
            yield from self._born(line.thread, int(child), line.arguments)[1]

    def _ended(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        self._threads.pop(line.thread, None)
        process.threads.discard(line.thread)
        if not process.threads:
            keys = tuple(held.key for held in process.held.values())
            yield process.pid, ("x", line.began - self._offset, *keys)

    def _executed(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """exec(): another program, and what was to be closed is."""
        if line.result != "0":
            return
        _, words, *_ = [*values(line.arguments), None, None]
        if isinstance(words, list):
            said = [one.decode("utf-8", "replace") for one in words if isinstance(one, bytes)]
            yield process.pid, ("p", process.pid, 0, said, self._name, "")
        for fd, held in list(process.held.items()):
            if held.close_on_exec:
                yield from self._gone(process, line, fd, {"note": "exec() closed it"})

    # -- telling ----------------------------------------------------------------------------------

    def _tell(
        self,
        process: Process,
        line: Line,
        key: Any,
        arguments: tuple[Any, ...],
        result: Any = None,
        more: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> Iterator[tuple[int, Record]]:
        """A call; its error is what the line says."""
        error = error_of(line)
        place, record = self._place(process, line)
        if record is not None:
            yield process.pid, record
        yield (
            process.pid,
            (
                "c",
                line.began,
                line.took,
                line.thread,
                name or line.name,
                key,
                arguments,
                result if error is None else None,
                error,
                place,
                more,
            ),
        )

    @staticmethod
    def _place(process: Process, line: Line) -> tuple[int | None, Record | None]:
        found = place_of(line.stack) if line.stack else None
        if found is None:
            return None, None
        file, number, function = found
        known = process.places.get((file, number))
        if known is not None:
            return known, None
        place = process.places[file, number] = len(process.places)
        return place, ("l", place, file, number, function)

    def _socket(
        self, process: Process, line: Line, given: Any, told: list[tuple[int, Record]]
    ) -> Held | None:
        """The socket that *given* is; one that was not seen made is told of first."""
        if not isinstance(given, Descriptor):
            return process.held.get(given) if isinstance(given, int) else None
        held = process.held.get(given.number)
        if held is None and given.kind in _KNOWN:
            held = process.new(given.number, *_KNOWN[given.kind], given.inode)
            more = {"family": held.family, "type": held.type} | names_in(given)
            made = (held.family, held.type, 0)
            told += self._tell(
                process, replace(line, took=0, result="0"), held.key, made, given.number, more,
                "fromfd",
            )  # fmt: skip
        if held is not None:
            held.inode = given.inode or held.inode
            if given.names[0] and held.key in self._unnamed:
                self._unnamed.pop(held.key)[1].update(names_in(given))
        return held

    # -- calls ------------------------------------------------------------------------------------

    def _created(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        family, kind, protocol, *_ = [*map(number, values(line.arguments)), 0, 0, 0]
        if family not in _FAMILIES:
            return
        asked = (family, kind & 0xF, protocol)
        made = _result(line)
        if not isinstance(made, Descriptor):
            yield from self._tell(process, line, None, asked)
            return
        held = process.new(made.number, family, kind & 0xF, made.inode)
        held.close_on_exec = bool(kind & api.SOCK_CLOEXEC)
        more = {"family": family, "type": kind & 0xF}
        yield from self._tell(process, line, held.key, asked, made.number, more)

    def _paired(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        family, kind, protocol, pair, *_ = [*values(line.arguments), None]
        if error_of(line) is not None or not isinstance(pair, list) or len(pair) != 2:
            return
        given = (number(family), number(kind) & 0xF)
        fds = tuple(one.number for one in pair if isinstance(one, Descriptor))
        first, second = (process.new(fd, *given) for fd in fds)
        first.close_on_exec = second.close_on_exec = bool(number(kind) & api.SOCK_CLOEXEC)
        more = {"new": second.key, "family": given[0], "type": given[1]}
        asked = (*given, number(protocol))
        yield from self._tell(process, line, first.key, asked, fds, more, "socketpair")

    def _accepted(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        told: list[tuple[int, Record]] = []
        given, *rest = values(line.arguments)
        listener = self._socket(process, line, given, told)
        yield from told
        if listener is None:
            return
        made = _result(line)
        if not isinstance(made, Descriptor):
            yield from self._tell(process, line, listener.key, (), name="accept")
            return
        held = process.new(made.number, listener.family, listener.type, made.inode)
        held.close_on_exec = bool(number(rest[2]) & api.SOCK_CLOEXEC) if len(rest) > 2 else False
        more = {"family": held.family, "type": held.type, "new": held.key, **names_in(made)}
        if "peer" not in more and rest and (peer := address_of(rest[0])) is not None:
            more["peer"] = peer
        yield from self._tell(process, line, listener.key, (), made.number, more, "accept")

    def _addressed(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """bind() and connect()."""
        told: list[tuple[int, Record]] = []
        given, *rest = [*values(line.arguments), None]
        held = self._socket(process, line, given, told)
        yield from told
        if held is None:
            return
        asked = address_of(rest[0])
        more: dict[str, Any] = {}
        error = error_of(line)
        if error is None:
            more = names_in(given)
            more.setdefault("local" if line.name == "bind" else "peer", asked)
            if "local" not in more and held.family != api.AF_UNIX:
                self._unnamed[held.key] = line.began + line.took, more
        elif error == errno.EADDRINUSE and isinstance(asked, tuple):
            more["note"] = holder(asked[1])
        yield from self._tell(process, line, held.key, (asked,), 0, more)

    def _asked_name(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """getsockname() and getpeername()."""
        yield from self._plain(process, line, lambda given: ((), address_of(given[0])))

    def _listening(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        yield from self._plain(process, line, lambda given: ((number(given[0]),), 0))

    def _shut(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        yield from self._plain(process, line, lambda given: ((number(given[0]),), 0))

    def _set(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """setsockopt() and getsockopt()."""

        def asked(given: list[Any]) -> tuple[tuple[Any, ...], Any]:
            level, option, value = map(only, given[:3])
            if line.name == "setsockopt":
                return (number(level), number(option), in_words(value)), 0
            return (number(level), number(option)), in_words(value)

        yield from self._plain(process, line, asked)

    def _plain(
        self,
        process: Process,
        line: Line,
        asked: Callable[[list[Any]], tuple[tuple[Any, ...], Any]],
    ) -> Iterator[tuple[int, Record]]:
        """A call of a socket that moves nothing."""
        told: list[tuple[int, Record]] = []
        given, *rest = values(line.arguments)
        held = self._socket(process, line, given, told)
        yield from told
        if held is not None:
            arguments, result = asked([*rest, None, None, None])
            yield from self._tell(process, line, held.key, arguments, result, names_in(given))

    def _moved(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """Bytes were sent or received: (descriptor, buffer, size, flags, address)."""
        told: list[tuple[int, Record]] = []
        given, data, size, flags, address = [*values(line.arguments), *_FOUR][:5]
        held = self._socket(process, line, given, told)
        yield from told
        if held is None:
            return
        peer = address_of(address)
        more = names_in(given) | {"data": data_of(data)}
        asked: tuple[Any, ...] = (number(size),)
        if number(flags):
            asked = (*asked, number(flags))
        name = line.name
        if name == "sendto":
            name = "send" if peer is None else name
            asked = asked if peer is None else (*asked, peer)
        elif name == "recvfrom":
            name = "recv" if address is None else name
        if peer is not None:
            more["peer"] = peer
        yield from self._tell(process, line, held.key, asked, _result(line), more, name)

    def _scattered(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """readv() and writev(): (descriptor, buffers)."""
        told: list[tuple[int, Record]] = []
        given, buffers, *_ = [*values(line.arguments), None]
        held = self._socket(process, line, given, told)
        yield from told
        if held is not None:
            more = names_in(given) | {"data": gathered(buffers)}
            asked = (room(buffers),)
            yield from self._tell(process, line, held.key, asked, _result(line), more)

    def _message(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """sendmsg() and recvmsg(): (descriptor, message, flags)."""
        told: list[tuple[int, Record]] = []
        given, message, *rest = [*values(line.arguments), None]
        held = self._socket(process, line, given, told)
        yield from told
        if held is not None:
            flags = number(rest[0]) if rest else 0
            yield from self._one_message(process, line, held, given, message, _result(line), flags)

    def _messages(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """sendmmsg() and recvmmsg(): several in one call, told of one by one."""
        told: list[tuple[int, Record]] = []
        given, several, *_ = [*values(line.arguments), None]
        held = self._socket(process, line, given, told)
        yield from told
        count = _result(line)
        if held is None or not isinstance(several, list) or not isinstance(count, int):
            return
        name = "sendmsg" if line.name == "sendmmsg" else "recvmsg"
        for one in several[: max(0, count)]:
            message = one.get("msg_hdr") if isinstance(one, dict) else None
            size = one.get("msg_len", 0) if isinstance(one, dict) else 0
            named = replace(line, name=name)
            yield from self._one_message(process, named, held, given, message, size, 0)

    def _one_message(
        self,
        process: Process,
        line: Line,
        held: Held,
        given: Any,
        message: Any,
        result: Any,
        flags: int,
    ) -> Iterator[tuple[int, Record]]:
        message = message if isinstance(message, dict) else {}
        buffers = message.get("msg_iov")
        more = names_in(given) | {"data": gathered(buffers)}
        if (peer := address_of(message.get("msg_name"))) is not None:
            more["peer"] = peer
        came = line.name == "recvmsg"
        if came and "MSG_TRUNC" in str(message.get("msg_flags", "")).split("|"):
            more["cut"] = True
        asked: tuple[Any, ...] = (room(buffers),)
        if flags:
            asked = (*asked, flags)
        yield from self._tell(process, line, held.key, asked, result, more)

    def _sent_file(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """sendfile(): (out, in, offset, count)."""
        told: list[tuple[int, Record]] = []
        given, _, _, size, *_ = [*values(line.arguments), *_FOUR]
        held = self._socket(process, line, given, told)
        yield from told
        if held is not None:
            yield from self._tell(process, line, held.key, (number(size),), _result(line), {})

    def _spliced(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """splice(): (in, offset, out, offset, count, flags); to or from a pipe, unseen by us."""
        told: list[tuple[int, Record]] = []
        came, _, went, _, size, *_ = [*values(line.arguments), *_FOUR, None]
        for given, out in ((came, False), (went, True)):
            held = self._socket(process, line, given, told)
            if held is not None:
                asked, more = (number(size),), {"out": out}
                told += self._tell(process, line, held.key, asked, _result(line), more)
        yield from told

    # -- descriptors ------------------------------------------------------------------------------

    def _closed(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        (given,) = values(line.arguments)[:1] or (None,)
        if error_of(line) is None or error_of(line) == errno.EINTR:
            fd = given.number if isinstance(given, Descriptor) else given
            yield from self._gone(process, line, fd)

    def _gone(
        self, process: Process, line: Line, fd: Any, more: dict[str, Any] | None = None
    ) -> Iterator[tuple[int, Record]]:
        held = process.held.pop(fd, None)
        if held is None:
            return
        if process.holds(held.key):  # by another descriptor
            more = {**(more or {}), "held": True}
        yield from self._tell(process, line, held.key, (), 0, more, "close")

    def _duplicated(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """dup(), dup2(), dup3(), and fcntl() that does the same or sets close-on-exec."""
        given, *rest = [*values(line.arguments), None, None]
        held = process.held.get(given.number) if isinstance(given, Descriptor) else None
        if held is None or error_of(line) is not None:
            return
        command = str(rest[0]) if line.name == "fcntl" else ""
        if command == "F_SETFD":
            held.close_on_exec = "FD_CLOEXEC" in str(rest[1])
        if line.name == "fcntl" and not command.startswith("F_DUPFD"):
            if command == "F_SETFL":
                asks = "O_NONBLOCK" not in str(rest[1])
                yield from self._tell(process, line, held.key, (asks,), 0, None, "setblocking")
            return
        made = _result(line)
        fd = made.number if isinstance(made, Descriptor) else made
        if not isinstance(fd, int) or fd == given.number:
            return
        yield from self._gone(process, line, fd)
        asks = "CLOEXEC" in line.arguments
        process.held[fd] = Held(held.key, held.family, held.type, held.inode, asks)
        yield from self._tell(process, line, held.key, (given.number,), fd, None, "dup")

    # -- waits ------------------------------------------------------------------------------------

    def _polled(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """poll() and ppoll(): (descriptors, how many, time)."""
        fds, _, time, *_ = [*values(line.arguments), None, None]
        asked = [one.get("fd") for one in fds if isinstance(one, dict)] if fds else []
        if any(_is_socket(process, one) for one in asked):
            waited = seconds(time, 1000)
            yield from self._tell(process, line, None, (waited,), _count(line), None, "poll")

    def _selected(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """select() and pselect6(): (highest, readable, writable, others, time)."""
        given = [*values(line.arguments), *_FOUR, None][1:5]
        asked = [fd for one in given[:3] if isinstance(one, list) for fd in one]
        if any(_is_socket(process, one) for one in asked):
            waited = seconds(given[3], 1)
            yield from self._tell(process, line, None, (waited,), _count(line), None, "select")

    def _epolled(self, process: Process, line: Line) -> Iterator[tuple[int, Record]]:
        """epoll_wait() and its like: (epoll, events, how many, time)."""
        if process.held:
            time = [*values(line.arguments), *_FOUR][3]
            waited = (seconds(time, 1000),)
            yield from self._tell(process, line, None, waited, _count(line), None, "epoll_wait")


#: Arguments that a call has not.
_FOUR = (None, None, None, None)

_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})

_CALLS: dict[str, Callable[[Calls, Process, Line], Iterator[tuple[int, Record]]]] = {
    "execve": Calls._executed,
    "socket": Calls._created,
    "socketpair": Calls._paired,
    "accept": Calls._accepted,
    "accept4": Calls._accepted,
    "bind": Calls._addressed,
    "connect": Calls._addressed,
    "listen": Calls._listening,
    "shutdown": Calls._shut,
    "getsockname": Calls._asked_name,
    "getpeername": Calls._asked_name,
    "setsockopt": Calls._set,
    "getsockopt": Calls._set,
    "sendto": Calls._moved,
    "recvfrom": Calls._moved,
    "read": Calls._moved,
    "write": Calls._moved,
    "readv": Calls._scattered,
    "writev": Calls._scattered,
    "sendmsg": Calls._message,
    "recvmsg": Calls._message,
    "sendmmsg": Calls._messages,
    "recvmmsg": Calls._messages,
    "sendfile": Calls._sent_file,
    "splice": Calls._spliced,
    "close": Calls._closed,
    "dup": Calls._duplicated,
    "dup2": Calls._duplicated,
    "dup3": Calls._duplicated,
    "fcntl": Calls._duplicated,
    "poll": Calls._polled,
    "ppoll": Calls._polled,
    "select": Calls._selected,
    "pselect6": Calls._selected,
    "epoll_wait": Calls._epolled,
    "epoll_pwait": Calls._epolled,
    "epoll_pwait2": Calls._epolled,
}

#: The calls that strace is asked for.
TRACED = (*_CALLS, *sorted(_FORKS))


def error_of(line: Line) -> int | None:
    """The errno of *line*; None where it has none."""
    words = (line.result or "").split()
    if len(words) < 2 or words[0] != "-1":
        return None
    return getattr(errno, words[1], 0)


def _result(line: Line) -> Any:
    found = values(line.result or "")
    return found[0] if found else None


def _count(line: Line) -> int:
    found = _result(line)
    return found if isinstance(found, int) else 0


def _is_socket(process: Process, fd: Any) -> bool:
    if isinstance(fd, Descriptor):
        return fd.number in process.held or fd.kind in _KNOWN
    return fd in process.held

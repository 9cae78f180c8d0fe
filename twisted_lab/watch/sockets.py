"""What a watched program called, as events: which call meant what for which connection.

Rule: an event says what a call did, never what a program may have meant; a call that did nothing
to a connection is :class:`~twisted_lab.events.Called`.
"""

from __future__ import annotations

import errno
import itertools
import socket as api
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from twisted_lab.events import (
    Accepted,
    Call,
    Called,
    Closed,
    Connected,
    DatagramReceived,
    DatagramSent,
    Event,
    Listening,
    LocalShutdown,
    Note,
    NotListening,
    PeerShutdown,
    Received,
    Sent,
    Tls,
)
from twisted_lab.explaining_calls import UNCLOSED
from twisted_lab.watch.records import Key, Record
from twisted_lab.watch.state import Socket, kind_of, reason_of, show
from twisted_lab.watch.wording import arguments_of, error_of, result_of

#: Errors that mean that the peer, or the network, ended the connection.
_RESETS = {errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}

#: SO_LINGER, on, with no second, as the hook and strace tell it: close() sends RST.
_NO_LINGER = {
    (api.SOL_SOCKET, api.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
    (api.SOL_SOCKET, api.SO_LINGER, "l_onoff=1, l_linger=0"),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """One call of a socket: *call* in words, and what it was in values."""

    ns: int
    call: Call
    arguments: tuple[Any, ...]
    result: Any
    error: int | str | None
    more: dict[str, Any] = field(default_factory=dict)


class Sockets:
    """Makes events of records. *zero* is the ns of the monotonic clock where events begin.

    *name* is what the program is called.
    """

    def __init__(self, zero: int, name: str) -> None:
        self._zero = zero
        self._name = name
        self._sockets: dict[Key, Socket] = {}
        self._places: dict[tuple[int, int], tuple[str, int, str]] = {}
        #: The last call of each thread that failed, and of which connection it was.
        self._failed_last: dict[tuple[int, int], tuple[Call, str | None]] = {}
        self._numbers = itertools.count(1)
        self._connections = itertools.count(1)
        #: The processes that were seen, with the words they were started by.
        self.processes: dict[int, tuple[str, ...]] = {}

    def events(self, pid: int, record: Record) -> Iterator[Event]:
        """The events that *record* of process *pid* means: mostly one."""
        kind, *fields = record
        if kind == "c":
            yield from self._called(pid, *fields)
        elif kind == "l":
            self._places[pid, fields[0]] = fields[1], fields[2], fields[3]
        elif kind == "p":
            self.processes[pid] = tuple(fields[2])
        elif kind == "f":
            for key in fields:
                self._socket(key).holders.add(pid)
        elif kind == "e":
            yield from self._uncaught(pid, *fields)
        elif kind == "x":
            yield from self._let_go(pid, *fields)

    def _called(
        self,
        pid: int,
        began: int,
        took: int,
        thread: int,
        name: str,
        key: Key | None,
        arguments: Any,
        result: Any,
        error: Any,
        place: int | None,
        more: dict[str, Any] | None,
    ) -> Iterator[Event]:
        sock = None if key is None else self._socket(key)
        more = more or {}
        file, line, function = (None, None, None) if place is None else self._places[pid, place]
        call = Call(
            name,
            arguments_of(name, arguments),
            None if error is not None else result_of(name, result, more),
            None if error is None else error_of(error),
            took / 1e9,
            pid,
            thread,
            None if sock is None else sock.id,
            file,
            line,
            function,
            note=next((word for word in ("cut", "collected") if more.get(word)), more.get("note")),
            waited=more.get("waited"),
            rest=more["rest"].hex() if more.get("rest") else None,
        )
        seen = _Seen(max(0, began + took - self._zero), call, arguments, result, error, more)
        if sock is None:
            yield Called(seen.ns, self._name, call=call)
            return
        if call.error is not None:
            self._failed_last[pid, thread] = call, sock.connection
        self._learn(sock, seen)
        meaning = _FAILED if error is not None and name != "close" else _MEANINGS.get(name)
        yield meaning(self, sock, seen) if meaning else self._only(sock, seen)
        if not sock.holders:
            del self._sockets[key]  # type: ignore[arg-type]

    def _socket(self, key: Key) -> Socket:
        found = self._sockets.get(key)
        if found is None:
            found = self._sockets[key] = Socket(f"s{next(self._numbers)}", {key[0]})
        return found

    @staticmethod
    def _learn(sock: Socket, seen: _Seen) -> None:
        """What a call tells of its socket, whatever it meant."""
        more = seen.more
        if "family" in more and not sock.kind:
            sock.kind = kind_of(more["family"], more["type"])
        if "new" not in more and "local" in more:
            sock.local = show(more["local"])
        if seen.call.name.startswith("connect") or seen.call.name == "fromfd":
            sock.peer = show(more.get("peer")) or show(seen.arguments[:1] and seen.arguments[0])
        if seen.call.name == "setsockopt" and seen.arguments in _NO_LINGER and seen.error is None:
            sock.lingers_not = True

    # -- what a call meant ----------------------------------------------------------------------

    def _only(self, sock: Socket, seen: _Seen) -> Event:
        """Nothing for a connection."""
        return Called(seen.ns, self._name, sock.connection, call=seen.call)

    def _failed(self, sock: Socket, seen: _Seen) -> Event:
        if seen.call.name.startswith("connect"):
            if seen.error == errno.EISCONN and sock.connecting:
                return self._connected(sock, seen)
            sock.connecting = sock.connecting or seen.error == errno.EINPROGRESS
        elif seen.error in _RESETS and sock.connection:
            sock.reset = True
        return self._only(sock, seen)

    def _listening(self, sock: Socket, seen: _Seen) -> Event:
        sock.listening = True
        backlog = seen.arguments[0] if seen.arguments else None
        return Listening(seen.ns, self._name, sock.local, sock.kind, backlog, call=seen.call)

    def _accepted(self, sock: Socket, seen: _Seen) -> Event:
        new = self._socket(seen.more["new"])
        new.kind = sock.kind or kind_of(seen.more["family"], seen.more["type"])
        new.peer, new.local = show(seen.more.get("peer")), show(seen.more.get("local"))
        connection = self._begin(new, seen.ns)
        return Accepted(
            seen.ns, self._name, connection, new.peer, new.local, new.kind, call=seen.call
        )

    def _connected(self, sock: Socket, seen: _Seen) -> Event:
        if not sock.stream or sock.connection is not None:
            return self._only(sock, seen)
        sock.connecting = False
        connection = self._begin(sock, seen.ns)
        took = seen.call.duration
        return Connected(
            seen.ns, self._name, connection, sock.peer, sock.local, sock.kind, took, call=seen.call
        )

    def _asked(self, sock: Socket, seen: _Seen) -> Event:
        """getsockopt(SO_ERROR) is how one asks what became of a connect() that did not block."""
        asks = tuple(seen.arguments[:2]) == (api.SOL_SOCKET, api.SO_ERROR)
        if sock.connecting and asks and seen.result == 0:
            return self._connected(sock, seen)
        return self._only(sock, seen)

    def _begin(self, sock: Socket, ns: int) -> str:
        """Its connection, from now on if we did not see it begin."""
        if sock.connection is None:
            sock.connection = f"c{next(self._connections)}"
            sock.opened = ns
        return sock.connection

    def _shaken(self, sock: Socket, seen: _Seen) -> Event:
        sock.tls = True
        version, cipher = seen.more.get("version"), seen.more.get("cipher")
        connection = self._begin(sock, seen.ns)
        return Tls(seen.ns, self._name, connection, version, cipher, call=seen.call)

    def _received(self, sock: Socket, seen: _Seen) -> Event:
        if seen.more.get("out"):  # splice() goes both ways
            return self._sent(sock, seen)
        size, data = seen.result, seen.more.get("data")
        at = 2 if seen.call.name == "recvmsg" else 1  # behind the room for ancillary data
        flags = seen.arguments[at] if len(seen.arguments) > at else 0
        if isinstance(flags, int) and flags & api.MSG_PEEK:
            return self._only(sock, seen)
        if not sock.stream:
            peer = show(seen.more.get("peer")) or sock.peer
            return DatagramReceived(
                seen.ns, self._name, peer, sock.local, size, data, call=seen.call
            )
        connection = self._begin(sock, seen.ns)
        if size:
            sock.bytes_in += size
            return Received(seen.ns, self._name, connection, size, data, call=seen.call)
        if sock.peer_done or (seen.arguments and seen.arguments[0] == 0):
            return self._only(sock, seen)
        sock.peer_done = True
        return PeerShutdown(seen.ns, self._name, connection, call=seen.call)

    def _sent(self, sock: Socket, seen: _Seen) -> Event:
        size, data = seen.result, seen.more.get("data")
        if not sock.stream:
            peer = show(seen.more.get("peer")) or sock.peer
            return DatagramSent(seen.ns, self._name, peer, sock.local, size, data, call=seen.call)
        connection = self._begin(sock, seen.ns)
        sock.bytes_out += size
        return Sent(seen.ns, self._name, connection, size, data, call=seen.call)

    def _shut(self, sock: Socket, seen: _Seen) -> Event:
        how = seen.arguments[0] if seen.arguments else None
        if sock.done or sock.connection is None or how == api.SHUT_RD:
            return self._only(sock, seen)
        sock.done = True
        return LocalShutdown(seen.ns, self._name, sock.connection, call=seen.call)

    def _closed(self, sock: Socket, seen: _Seen) -> Event:
        if not seen.more.get("held"):  # by another descriptor of the same process
            sock.holders.discard(seen.call.process)
        if sock.holders:  # it goes on in another process
            return self._only(sock, seen)
        return self._end(sock, seen.ns, seen.more.get("unread") or 0, seen.call)

    def _end(self, sock: Socket, ns: int, unread: int, call: Call | None) -> Event:
        if sock.listening:
            return NotListening(ns, self._name, sock.local, sock.kind, call=call)
        if sock.connection is None:
            return Called(ns, self._name, call=call)
        reason, detail = reason_of(sock, unread)
        return Closed(
            ns,
            self._name,
            sock.connection,
            sock.peer,
            sock.local,
            reason,
            sock.bytes_in,
            sock.bytes_out,
            max(0, ns - sock.opened) / 1e9,
            detail if call is not None else UNCLOSED,
            call=call,
        )

    def _let_go(self, pid: int, ns: int, *keys: Key) -> Iterator[Event]:
        """The process *pid* has ended, and had these sockets."""
        for key in keys:
            sock = self._socket(key)
            sock.holders.discard(pid)
            if not sock.holders:
                del self._sockets[key]
                if sock.connection is not None or sock.listening:
                    yield self._end(sock, max(0, ns - self._zero), 0, None)

    def _uncaught(self, pid: int, ns: int, thread: int, name: str, errno: int) -> Iterator[Event]:
        """An exception that nobody caught: of which call it came, its error says."""
        failed, connection = self._failed_last.get((pid, thread), (None, None))
        if failed is not None and failed.error == error_of(errno):
            text = f"nobody caught its {name}"
            ns = max(0, ns - self._zero)
            yield Note(ns, self._name, "uncaught", text, connection, call=failed)

    # -- the end --------------------------------------------------------------------------------

    def ended(self, ns: int) -> Iterator[Event]:
        """The program has ended: what was open was closed by the kernel, and nobody saw it."""
        for sock in self._sockets.values():
            if sock.connection is not None or sock.listening:
                yield self._end(sock, ns, 0, None)
        self._sockets.clear()


_Meaning = Callable[[Sockets, Socket, _Seen], Event]

_FAILED: _Meaning = Sockets._failed

#: What each call means when it succeeded; others mean nothing for a connection.
_MEANINGS: dict[str, _Meaning] = {
    "listen": Sockets._listening,
    "accept": Sockets._accepted,
    "connect": Sockets._connected,
    "connect_ex": Sockets._connected,
    "getsockopt": Sockets._asked,
    "do_handshake": Sockets._shaken,
    "shutdown": Sockets._shut,
    "close": Sockets._closed,
}
for _name in (
    *("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"),
    *("read", "readv", "splice"),
):
    _MEANINGS[_name] = Sockets._received
for _name in ("send", "sendall", "sendmsg", "sendto", "sendfile", "write", "writev"):
    _MEANINGS[_name] = Sockets._sent

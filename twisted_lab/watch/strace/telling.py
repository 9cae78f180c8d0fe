"""One call told as records: which socket it was of, what it was asked, and what came of it."""

from __future__ import annotations

import errno
import socket as api
from dataclasses import dataclass, field, replace
from typing import Any

from twisted_lab.watch.records import Key, Record
from twisted_lab.watch.strace.arguments import names_in
from twisted_lab.watch.strace.lines import Line
from twisted_lab.watch.strace.nameless import Nameless
from twisted_lab.watch.strace.places import place_of
from twisted_lab.watch.strace.tables import Held, Process
from twisted_lab.watch.strace.values import Descriptor, values

#: Sockets that strace knows, which were not seen made: their family and type.
_KNOWN = {
    "TCP": (api.AF_INET, api.SOCK_STREAM),
    "TCPv6": (api.AF_INET6, api.SOCK_STREAM),
    "UDP": (api.AF_INET, api.SOCK_DGRAM),
    "UDPv6": (api.AF_INET6, api.SOCK_DGRAM),
    "UNIX-STREAM": (api.AF_UNIX, api.SOCK_STREAM),
    "UNIX-DGRAM": (api.AF_UNIX, api.SOCK_DGRAM),
}


@dataclass(slots=True)
class Telling:
    """*line*, a call of *process*; what it comes to is in ``records``, as (pid, record)."""

    process: Process
    line: Line
    nameless: Nameless
    records: list[tuple[int, Record]] = field(default_factory=list)

    def given(self, count: int) -> list[Any]:
        """The first *count* arguments; None for those that it has not."""
        found = values(self.line.arguments)[:count]
        return [*found, *[None] * (count - len(found))]

    @property
    def result(self) -> Any:
        """What it gave back."""
        found = values(self.line.result or "")
        return found[0] if found else None

    @property
    def error(self) -> int | None:
        """Its errno; None where it has none."""
        words = (self.line.result or "").split()
        if len(words) < 2 or words[0] != "-1":
            return None
        return getattr(errno, words[1], 0)

    def is_socket(self, given: Any) -> bool:
        """Whether a descriptor is a socket that is told of."""
        if isinstance(given, Descriptor):
            return given.number in self.process.held or given.kind in _KNOWN
        return given in self.process.held

    def socket(self, given: Any) -> Held | None:
        """The socket with the descriptor *given*; one not seen made is told of first."""
        if not isinstance(given, Descriptor):
            return self.process.held.get(given) if isinstance(given, int) else None
        held = self.process.held.get(given.number)
        if held is None and given.kind in _KNOWN:
            held = self.process.new(given.number, *_KNOWN[given.kind])
            self._tell_of_inherited(held, given)
        if held is not None and given.names[0]:
            self.nameless.learn(held.key, names_in(given))
        return held

    def _tell_of_inherited(self, held: Held, given: Descriptor) -> None:
        line, self.line = self.line, replace(self.line, took=0, result="0")
        more = {"family": held.family, "type": held.type} | names_in(given)
        asked = (held.family, held.type, 0)
        self.tell(held.key, asked, given.number, more, name="fromfd")
        self.line = line

    def tell(
        self,
        key: Key | None,
        arguments: tuple[Any, ...],
        result: Any = None,
        more: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """The call, of the socket *key*; its error and its times are what the line says."""
        line, pid = self.line, self.process.pid
        called = (line.began, line.took, line.thread, name or line.name, key, arguments)
        came = (None, self.error) if self.error is not None else (result, None)
        place = self._place()
        self.records.append((pid, ("c", *called, *came, place, more)))

    def _place(self) -> int | None:
        """The number of the place that called; a new one is told of first."""
        found = place_of(self.line.stack) if self.line.stack else None
        if found is None:
            return None
        places = self.process.places
        file, number, function = found
        if (file, number) not in places:
            place = places[file, number] = len(places)
            self.records.append((self.process.pid, ("l", place, file, number, function)))
        return places[file, number]

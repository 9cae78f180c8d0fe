"""What the programs of an experiment did: the events of each, and what it printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twisted_lab.events import Accepted, Closed, Connected, Event, Note


@dataclass(frozen=True, slots=True)
class Ended:
    """One program: its *events* in order, its output and errors in lines, its exit status.

    The ns of the events of one run are of one clock. *title* is what it is called for people.
    """

    name: str
    events: tuple[Event, ...]
    output: tuple[str, ...]
    errors: tuple[str, ...]
    status: int
    title: str

    def calls(self, *names: str) -> list[Any]:
        """The events of the calls *names*, in order; of all calls without names.

        Each has the fields of its kind: one asks a ``Connected`` for its ``peer``.
        """
        return [one for one in self.events if one.call and (not names or one.call.name in names)]

    def done(self, *names: str) -> list[Any]:
        """Those of :meth:`calls` that did not fail."""
        return [one for one in self.calls(*names) if one.call.error is None]

    def sizes(self, *names: str) -> list[int]:
        """The bytes that each of the calls *names* moved; 0 where recv() met the end."""
        return [getattr(one, "bytes", 0) for one in self.done(*names)]

    def errors_of(self, *names: str) -> list[str]:
        """What each of the calls *names* that failed failed with: ``ECONNRESET``, ``timed out``."""
        return [one.call.error for one in self.calls(*names) if one.call.error]

    def data(self, *names: str) -> list[bytes]:
        """What each of the calls *names* moved, as far as it was kept."""
        return [getattr(one, "data", None) or b"" for one in self.done(*names)]

    def moved(self, event: str) -> bytes:
        """All that its events of that kind moved: ``received`` or ``sent``."""
        found = (getattr(one, "data", None) or b"" for one in self.events if one.event == event)
        return b"".join(found)

    def names(self) -> list[str]:
        """The calls in order, by name."""
        return [one.call.name for one in self.events if one.call]

    def closed(self) -> list[Closed]:
        """How its connections ended, in the order of their ends."""
        return [one for one in self.events if isinstance(one, Closed)]

    def connections(self) -> list[str]:
        """Its connections, in the order in which they began."""
        opened = (one for one in self.events if isinstance(one, Accepted | Connected))
        return list(dict.fromkeys(one.connection for one in opened))

    def of(self, connection: str) -> Ended:
        """The same with the events of *connection* alone."""
        own = [one for one in self.events if getattr(one, "connection", None) == connection]
        return self._with(own)

    def nth(self, number: int) -> Ended:
        """The same with the events of one connection alone: 0 is the first."""
        return self.of(self.connections()[number])

    def first(self, count: int) -> Ended:
        """The same with the first *count* events."""
        return self._with(list(self.events[:count]))

    def last(self, count: int) -> Ended:
        """The same with the last *count* events."""
        return self._with(list(self.events[-count:]))

    def since(self, ns: int) -> Ended:
        """The same with the events after *ns*."""
        return self._with([one for one in self.events if one.ns > ns])

    def without(self, *names: str) -> Ended:
        """The same without the calls *names*, where they did not fail."""
        return self._with(
            [
                one
                for one in self.events
                if isinstance(one, Note)
                or one.call is None
                or one.call.name not in names
                or one.call.error is not None
            ]
        )

    def _with(self, events: list[Event]) -> Ended:
        return replace(self, events=tuple(events))


class Seen:
    """All programs of one run, by their parts."""

    def __init__(
        self, ended: Mapping[str, Ended], files: Mapping[str, bytes] | None = None
    ) -> None:
        self._ended = dict(ended)
        #: Files that the run left, by name.
        self.files = dict(files or {})

    def __getitem__(self, name: str) -> Ended:
        return self._ended[name]

    def get(self, name: str) -> Ended | None:
        """The program *name*, where it ran."""
        return self._ended.get(name)

    def __iter__(self) -> Iterator[Ended]:
        return iter(self._ended.values())

    @property
    def server(self) -> Ended:
        """The program ``server``."""
        return self["server"]

    @property
    def client(self) -> Ended:
        """The program ``client``."""
        return self["client"]

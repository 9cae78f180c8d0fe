"""The conversations of a recording, gathered: who talked with whom, and what of it is drawn.

Rule: a recording of any length takes bounded memory. Of a long conversation its beginning and its
end are kept, of many the first; what is left out is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted_lab.errors import ConfigurationError
from twisted_lab.escaping import escape
from twisted_lab.events import Event, Gap
from twisted_lab.gaps import moved_in, moved_out, widened
from twisted_lab.playback import Run

#: Of each conversation: its first events and its last.
FIRST, LAST = 300, 99

#: Conversations at most.
MOST = 200


@dataclass(slots=True)
class Chapter:
    """One conversation: *id* is its connection, or ``d1`` … for the datagrams of a peer.

    *run* counts from 1; *start* dates the run.
    """

    id: str
    run: int
    start: Run
    service: str
    peer: str = ""
    local: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    count: int = 0
    reason: str = ""
    _first: list[Event] = field(default_factory=list)
    _last: deque[Event] = field(default_factory=lambda: deque(maxlen=LAST))
    _lost: Gap | None = None

    def take(self, event: Event) -> None:
        """Keep *event*, or count it."""
        self.count += 1
        self.peer = getattr(event, "peer", None) or self.peer
        self.local = getattr(event, "local", "") or self.local
        self.reason = str(getattr(event, "reason", "")) if event.event == "closed" else self.reason
        self.bytes_in += moved_in(event)
        self.bytes_out += moved_out(event)
        if len(self._first) < FIRST:
            self._first.append(event)
            return
        if len(self._last) == LAST:
            self._lost = widened(self._lost, self._last[0], "overrun")
        self._last.append(event)

    @property
    def watched(self) -> bool:
        """Whether it is a watched program's, and not the bench's."""
        return any(one.call is not None for one in self._first)

    @property
    def names(self) -> tuple[str, str]:
        """What stands over its lifelines: who the peer is, and who we are."""
        return "peer", self.service if self.watched else "bench"

    @property
    def kind(self) -> str:
        """What it is: ``c`` for a connection, ``d`` for datagrams."""
        return self.id[0]

    @property
    def first(self) -> int:
        """When its first event was, in ns since 1970."""
        return self.start.epoch + self._first[0].ns

    @property
    def last(self) -> int:
        """When its last event was, in ns since 1970."""
        return self.start.epoch + (self._last or self._first)[-1].ns

    @property
    def events(self) -> list[Event]:
        """What is kept, and a gap where something is not, in the order of time.

        A diagnosis is made at a program's end, and has the moment of what it is about.
        """
        lost = [] if self._lost is None else [self._lost]
        return sorted([*self._first, *lost, *self._last], key=lambda event: event.ns)


class Album:
    """The conversations of *recorded*, in the order they began; *only* narrows it to one id.

    ``left_out`` counts those beyond :data:`MOST`, ``runs`` the runs there are.
    """

    def __init__(self, recorded: Iterable[Run | Event], only: str | None = None) -> None:
        self._only = only
        self._chapters: dict[tuple[int, str], Chapter | None] = {}
        self._talks: dict[tuple[int, str, str], str] = {}
        self.runs = 0
        self.left_out = 0
        run: Run
        for one in recorded:
            if isinstance(one, Run):
                run = one
                self.runs += 1
            else:
                self._take(one, run)

    def _take(self, event: Event, run: Run) -> None:
        id = self._id(event)
        if id is None or self._only not in (None, id, f"{self.runs}/{id}"):
            return
        key = self.runs, id
        if key not in self._chapters:
            self._chapters[key] = self._begin(id, run, event.service)
        chapter = self._chapters[key]
        if chapter is not None:
            chapter.take(event)

    def _begin(self, id: str, run: Run, service: str) -> Chapter | None:
        if len(self._chapters) - self.left_out < MOST:
            return Chapter(id, self.runs, run, service)
        self.left_out += 1
        return None

    def _id(self, event: Event) -> str | None:
        connection: str | None = getattr(event, "connection", None)
        peer: str | None = getattr(event, "peer", None)
        if connection is not None or peer is None or not event.event.startswith("datagram-"):
            return connection
        talk = self.runs, event.service, peer
        return self._talks.setdefault(talk, f"d{len(self._talks) + 1}")

    @property
    def chapters(self) -> list[Chapter]:
        """All that are kept."""
        return [chapter for chapter in self._chapters.values() if chapter is not None]

    def one(self, name: str) -> Chapter:
        """The only one there is; raises :class:`ConfigurationError`, naming those of *name*."""
        found = self.chapters
        if len(found) == 1:
            return found[0]
        shown = escape(name)
        if not found:
            asked = f" '{escape(self._only)}'" if self._only else ""
            raise ConfigurationError(f"'{shown}' has no conversation{asked}")
        several = self.runs > 1
        ids = [f"{one.run}/{one.id}" if several else one.id for one in found[:10]]
        more = ", …" if len(found) > 10 or self.left_out else ""
        raise ConfigurationError(
            f"'{shown}' has {len(found) + self.left_out} conversations: say which with"
            f" --connection ({', '.join(ids)}{more})"
        )

"""What is shown, as values: what was read of the bench, and what the person chose.

Rule this file owns: it is bounded, however much comes and however long it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from twisted_lab.live.opened import KEPT, Opened, closed
from twisted_lab.live.polling import EMPTY, Snapshot, Story, is_talk
from twisted_lab.live.values import Bench, Connection, Entry, Talk


@dataclass(frozen=True, slots=True)
class Data:
    """What was read of the bench. ``arrived`` counts every event, also those no longer kept."""

    bench: Bench | None = None
    now: Snapshot = EMPTY
    entries: tuple[Entry, ...] = ()
    arrived: int = 0
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """The bench cannot be reached, and is tried again every few seconds (``again``)."""

    why: str
    again: float


@dataclass(frozen=True, slots=True)
class Asking:
    """A question is open: whether to ``close`` or ``reset`` the connection ``id``."""

    verb: str
    id: str


@dataclass(frozen=True, slots=True)
class Model:
    """Everything the screen shows. ``frozen`` is what was there when the view was paused.

    ``chosen`` is the id of a connection or a datagram peer; ``scroll`` is how many rows of the
    ladder lie below the screen. ``typing``: what is typed goes into ``filter``. ``stale`` says why
    the counts are old, ``said`` is the answer to the last key.
    """

    url: str
    token: bool
    data: Data = Data()
    frozen: Data | None = None
    away: Away | None = None
    stale: str = ""
    chosen: str | None = None
    scroll: int = 0
    service: str | None = None
    filter: str = ""
    typing: bool = False
    asking: Asking | None = None
    help: bool = False
    said: str = ""
    height: int = 24

    @property
    def view(self) -> Data:
        """What is shown: the newest, or what was there when it was paused."""
        return self.data if self.frozen is None else self.frozen

    @property
    def opened(self) -> Opened | None:
        """The conversation that is looked at."""
        return self.view.opened

    def connections(self) -> list[Connection]:
        """Those that are listed."""
        return [each for each in self.view.now.connections if self._listed(each, each.word)]

    def talks(self) -> list[Talk]:
        """The datagram peers that are listed."""
        return [each for each in self.view.now.talks if self._listed(each, "")]

    def entries(self) -> list[Entry]:
        """The events that are listed, the newest last."""
        return [entry for entry in self.view.entries if self._heard(entry)]

    def listed(self) -> list[Connection | Talk]:
        """Both, in their order on the screen."""
        return [*self.connections(), *self.talks()]

    def find(self, conversation: str | None) -> Connection | Talk | None:
        """The listed conversation of that id."""
        return next((each for each in self.listed() if each.id == conversation), None)

    def _listed(self, each: Connection | Talk, word: str) -> bool:
        if self.service not in (None, each.service):
            return False
        return self._matches(each.id, each.service, each.peer, each.local, word)

    def _heard(self, entry: Entry) -> bool:
        if entry.event == "gap":  # what is missing may have been of any
            return True
        if self.service not in (None, entry.service):
            return False
        words = entry.conversation, entry.service, entry.peer, entry.event, entry.reason
        return self._matches(*words, entry.told)

    def _matches(self, *texts: str) -> bool:
        wanted = self.filter.casefold()
        return not wanted or any(wanted in text.casefold() for text in texts)


#: Lines of the screen that are not the ladder's, when there is one.
AROUND_LADDER = 5


def scrolled(model: Model, rows: int) -> Model:
    """*model* with the ladder moved up by *rows*, as far as there is something to see."""
    opened = model.opened
    most = 0 if opened is None else opened.rows - max(model.height - AROUND_LADDER, 1)
    return replace(model, scroll=max(min(model.scroll + rows, most), 0))


def looked(model: Model, snapshot: Snapshot) -> Model:
    """*model* after a look at everything."""
    rated = replace(snapshot, connections=_rated(model.data.now, snapshot))
    about = _newer(model.data.opened, rated)
    data = replace(model.data, now=rated, opened=about)
    return choose(replace(model, data=data, stale=""))


def arrived(model: Model, entries: Iterable[Entry]) -> Model:
    """*model* after *entries* of the bench's stream."""
    new = tuple(entries)
    kept = (*model.data.entries, *new)[-KEPT:]
    now = _ended(model.data.now, new)
    data = replace(model.data, now=now, entries=kept, arrived=model.data.arrived + len(new))
    return replace(model, data=data)


def connected(model: Model, bench: Bench, anew: bool) -> Model:
    """*model* once the stream is there; another run than before begins with nothing."""
    if not anew:
        return replace(model, away=None, data=replace(model.data, bench=bench))
    said = "the bench was started anew"
    opened = None if model.data.opened is None else Opened(model.data.opened.id)
    return replace(model, away=None, data=Data(bench=bench, opened=opened), frozen=None, said=said)


def told(model: Model, conversation: str, story: Story) -> Model:
    """*model* once the bench told of *conversation*."""
    opened = model.data.opened
    if opened is None or opened.id != conversation:
        return model
    return replace(model, data=replace(model.data, opened=opened.told(story)))


def followed(model: Model, conversation: str, entries: Iterable[Entry]) -> Model:
    """*model* after *entries* of the stream of *conversation*."""
    opened = model.data.opened
    if opened is None or opened.id != conversation:
        return model
    after = opened.followed(entries)
    # Who scrolled up goes on looking at the same rows.
    scroll = model.scroll + after.rows - opened.rows if model.scroll else 0
    return replace(model, scroll=scroll, data=replace(model.data, opened=after))


def untold(model: Model, conversation: str, why: str) -> Model:
    """*model* when *conversation* could not be read."""
    opened = model.data.opened
    if opened is None or opened.id != conversation:
        return model
    return replace(model, data=replace(model.data, opened=replace(opened, trouble=why)))


def choose(model: Model) -> Model:
    """Something is always chosen, if there is anything; what was chosen stays so."""
    listed = [each.id for each in model.listed()]
    if model.chosen in listed:
        return model
    return replace(model, chosen=listed[0] if listed else None)


def _rated(before: Snapshot, now: Snapshot) -> tuple[Connection, ...]:
    seconds = (now.counts.ns - before.counts.ns) / 1e9
    if seconds <= 0:
        return now.connections
    old = {each.id: each for each in before.connections}
    return tuple(
        replace(
            each,
            rate_in=max(each.bytes_in - old[each.id].bytes_in, 0) / seconds,
            rate_out=max(each.bytes_out - old[each.id].bytes_out, 0) / seconds,
        )
        if each.id in old
        else each
        for each in now.connections
    )


def _ended(now: Snapshot, entries: Iterable[Entry]) -> Snapshot:
    """*now* after those among *entries* that are the end of a connection."""
    ends = {entry.conversation: entry for entry in entries if entry.event == "closed"}
    if not ends:
        return now
    found = tuple(
        closed(each, ends[each.id]) if each.id in ends else each for each in now.connections
    )
    return replace(now, connections=found)


def _newer(opened: Opened | None, now: Snapshot) -> Opened | None:
    """What is looked at, with the newer totals."""
    if opened is None or opened.about is None or getattr(opened.about, "state", "") == "closed":
        return opened
    among = now.talks if is_talk(opened.id) else now.connections
    return next((replace(opened, about=each) for each in among if each.id == opened.id), opened)

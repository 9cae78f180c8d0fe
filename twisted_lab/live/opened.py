"""The one conversation that is looked at, with its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from twisted_lab.live.polling import Story
from twisted_lab.live.values import Connection, Entry, Talk

#: Events that are kept: of the whole bench, and of the one conversation that is looked at.
KEPT = 1000

#: How many of them are the first of that conversation, which stay: the bench keeps as many.
KEPT_FIRST = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """The conversation that is looked at. ``about`` is None until the bench has told of it.

    ``trouble`` says why it could not be read. ``left_out`` events after the first ones made room.
    """

    id: str
    about: Connection | Talk | None = None
    first: tuple[Entry, ...] = ()
    recent: tuple[Entry, ...] = ()
    left_out: int = 0
    seq: int = 0
    trouble: str = ""

    def told(self, story: Story) -> Opened:
        """After the bench told all it knows."""
        begun = replace(self, about=story.about, first=(), recent=(), left_out=0, trouble="")
        return replace(begun._more(story.entries), seq=story.seq)

    def followed(self, entries: Iterable[Entry]) -> Opened:
        """After *entries* of the stream; those that the story had are passed over."""
        new = [entry for entry in entries if entry.seq is None or entry.seq > self.seq]
        if not new or self.about is None:
            return self
        return replace(self._more(new), about=_after(self.about, new))

    @property
    def rows(self) -> int:
        """How many rows its ladder has: one an event, and one for those that made room."""
        return len(self.first) + len(self.recent) + (self.left_out > 0)

    def _more(self, entries: Iterable[Entry]) -> Opened:
        every = (*self.first, *self.recent, *entries)
        first, rest = every[:KEPT_FIRST], every[KEPT_FIRST:]
        recent = rest[-(KEPT - KEPT_FIRST) :]
        left_out = self.left_out + len(rest) - len(recent)
        return replace(self, first=first, recent=recent, left_out=left_out)


def _after(about: Connection | Talk, entries: Iterable[Entry]) -> Connection | Talk:
    """*about* after its own end, should that be among *entries*."""
    for entry in entries:
        if entry.event == "closed" and isinstance(about, Connection):
            return closed(about, entry)
    return about


def closed(about: Connection, end: Entry) -> Connection:
    """*about* after *end*, its ``closed`` event."""
    return replace(
        about,
        state="closed",
        reason=end.reason,
        duration=end.duration,
        bytes_in=end.bytes_in,
        bytes_out=end.bytes_out,
        rate_in=0.0,
        rate_out=0.0,
    )

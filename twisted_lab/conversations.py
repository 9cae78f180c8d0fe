"""What is kept of each connection and of each datagram peer, for whoever looks later.

Rules this file owns:

1. The first :data:`KEPT` events of a conversation are kept whether anybody looks or not, and its
   end with its totals. Later ones come only while it is followed.
2. All of it is at most :data:`LIMIT` bytes: the oldest conversation goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from twisted_lab.addresses import show_pair
from twisted_lab.conversation import Conversation, key_of
from twisted_lab.datagram_socket import Peer
from twisted_lab.events import Event, Refused

#: Bytes of memory for all that is kept.
LIMIT = 8 * 2**20

#: Refusals are of no conversation: the last of them.
REFUSALS = 200

#: What a publisher shall give us of every connection. The rest comes as samples.
KINDS = frozenset({"accepted", "connected", "refused", "closed"})


class Conversations:
    """The ring of all conversations of a process; an :class:`~twisted_lab.interfaces.Observer`.

    Give it to a publisher with ``kinds=KINDS, sample=KEPT``. *limit* is in bytes. ``forgotten``
    counts the closed connections that had to make room, ``forgotten_talks`` the datagram peers.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: dict[int, Conversation] = {}
        self._talks: dict[tuple[str, str], int] = {}
        self._last_talk = 0
        self.refusals: deque[Refused] = deque(maxlen=REFUSALS)
        self.size = 0
        self.forgotten = 0
        self.forgotten_talks = 0

    def __call__(self, event: Event) -> None:
        """Keep *event* with its conversation."""
        if isinstance(event, Refused):
            self.refusals.append(event)
            return
        key = self._key(event)
        if key is None:
            return  # of a port, not of a conversation
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = Conversation(event, key)
            self.size += kept.size()
        before = kept.size()
        kept.take(event)
        self._grow(kept.size() - before)

    def _key(self, event: Event) -> int | None:
        connection = getattr(event, "connection", None)
        if connection is not None:
            return int(connection[1:])
        peer = getattr(event, "peer", None)
        return None if peer is None else self._talk(event.service, peer)

    def _talk(self, service: str, peer: str) -> int:
        key = self._talks.get((service, peer))
        if key is None:
            self._last_talk -= 1
            key = self._talks[service, peer] = self._last_talk
        return key

    def _grow(self, by: int) -> None:
        self.size += by
        if self.size > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        """Forget a sixteenth: to remove the first of a dict costs more with each that was."""
        oldest = iter(self._kept.values())
        gone: list[Conversation] = []
        room = self.size - self._limit + self._limit // 16
        while room > 0 and len(gone) < len(self._kept) - 1:
            gone.append(next(oldest))
            room -= gone[-1].size()
        for kept in gone:
            self._forget(kept)

    def _forget(self, kept: Conversation) -> None:
        del self._kept[kept.key]
        self.size -= kept.size()
        if kept.key < 0:
            del self._talks[kept.service, kept.peer]
            self.forgotten_talks += 1
        elif kept.closed is not None:
            self.forgotten += 1

    def forget_talk(self, service: str, peer: Peer) -> None:
        """The totals of *peer* are gone, so its events are too: they would not fit new ones."""
        kept = self.of_peer(service, show_pair(*peer))
        if kept is not None:
            self._forget(kept)

    def get(self, id: str) -> Conversation | None:
        """The conversation *id*, if it is kept."""
        key = key_of(id)
        return None if key is None else self._kept.get(key)

    def of_peer(self, service: str, peer: str) -> Conversation | None:
        """The datagrams of *peer* with *service*, if they are kept."""
        key = self._talks.get((service, peer))
        return None if key is None else self._kept.get(key)

    def newest(self) -> Iterator[Conversation]:
        """All that are kept, the one that began last first."""
        return reversed(self._kept.values())

    def resume(self, id: str, now: int, bytes_in: int, bytes_out: int) -> None:
        """*id* is followed from *now* (ns) on, when so many bytes had moved in all."""
        kept = self.get(id)
        if kept is not None:
            before = kept.size()
            kept.resume(now, bytes_in, bytes_out)
            self._grow(kept.size() - before)

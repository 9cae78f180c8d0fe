"""What a service knows of each datagram peer: a connection has a stream for it, a peer has this."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from twisted_lab.datagram_socket import Peer
from twisted_lab.publishing import Publisher, sampled

#: Peers remembered of each service, the one that began first out: peers choose their addresses.
TALKS_KEPT = 1024


@dataclass(slots=True)
class Talk:
    """The datagrams exchanged with one peer; ``first`` and ``last`` are ns of the publisher.

    ``sampled`` is how many of its next events are published to who takes samples.
    """

    first: int
    last: int
    sampled: int
    datagrams_in: int = 0
    bytes_in: int = 0
    datagrams_out: int = 0
    bytes_out: int = 0
    dropped: int = 0


class Talks:
    """The talks of a service, kept while somebody takes samples of them; else there is none.

    A port that is closed and opened again goes on with them.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.by_peer: OrderedDict[Peer, Talk] = OrderedDict()
        #: Called with each peer that had to make room.
        self.forgot: Callable[[Peer], object] = lambda peer: None

    def begin(self, peer: Peer, now: int) -> Talk:
        """The talk with *peer*, whose first datagram came *now*, in ns of the publisher."""
        talk = self.by_peer[peer] = Talk(now, now, self._publisher.sample)
        if len(self.by_peer) > TALKS_KEPT:
            self.forgot(self.by_peer.popitem(last=False)[0])
        return talk

    def follow(self, peer: Peer, followed: bool) -> None:
        """Have every event of *peer* built from now on, for who takes samples; or no more."""
        if (talk := self.by_peer.get(peer)) is not None:
            talk.sampled = sampled(talk.sampled, followed)

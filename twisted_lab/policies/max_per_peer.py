"""How many connections one peer has at most."""

from __future__ import annotations

from collections import Counter

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

#: A browser opens 6 to a host, a proxy some dozens; 64 leaves both alone.
DEFAULT = 64


class MaxPerPeer:
    """Refuses a peer that has *limit* connections open (IPv4 by address, IPv6 by /64).

    Loopback peers are counted unless *spares_loopback*. All UNIX-domain peers are one peer.
    """

    def __init__(self, limit: int = DEFAULT, *, spares_loopback: bool = True) -> None:
        self.limit = limit
        self.spares_loopback = spares_loopback
        self._open: Counter[str] = Counter()

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        if self._open[host.key] < self.limit:
            return None
        return Refusal("max-per-peer", f"too many connections from {host.key} (limit {self.limit})")

    def entered(self, host: Host) -> None:
        """One more from this peer."""
        self._open[host.key] += 1

    def left(self, host: Host) -> None:
        """One less; a peer with none is forgotten."""
        self._open[host.key] -= 1
        if self._open[host.key] <= 0:
            del self._open[host.key]

"""How many connections a service has at most."""

from __future__ import annotations

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Refusal

#: 1,024 connections a service: what a process's usual descriptor limit carries.
DEFAULT = 1024


class MaxConnections:
    """Refuses while *limit* connections are open.

    Loopback peers are counted unless *spares_loopback*: a bench on a laptop takes 10,000.
    """

    def __init__(self, limit: int = DEFAULT, *, spares_loopback: bool = True) -> None:
        self.limit = limit
        self.spares_loopback = spares_loopback
        self._open = 0

    def admit(self, host: Host) -> Refusal | None:
        """None, or why not."""
        if self._open < self.limit:
            return None
        return Refusal("max-connections", f"too many connections (limit {self.limit})")

    def entered(self, host: Host) -> None:
        """One more."""
        self._open += 1

    def left(self, host: Host) -> None:
        """One less."""
        self._open -= 1

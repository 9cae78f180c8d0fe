"""The connections of one service whose PROXY header is still to come: who, how many, how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted_lab.addresses import Host
from twisted_lab.interfaces import Clock, Refusal

if TYPE_CHECKING:
    from twisted_lab.transports.proxied import HeaderStage

#: Unfinished headers at once. Each costs one or two KiB, not the 47 of an unfinished TLS handshake,
#: so there may be more of them: as many as a service has connections by default.
UNFINISHED = 1024


class Waiting:
    """Lets a connection in to wait for its header, for *limit* seconds at most.

    *gates* are asked of the balancer's own host, in their order, when it connects; at most *most*
    wait at once.
    """

    def __init__(
        self,
        clock: Clock,
        limit: float,
        gates: Sequence[Callable[[Host], Refusal | None]] = (),
        most: int = UNFINISHED,
    ) -> None:
        self.clock = clock
        self._limit = limit
        self._gates = gates
        self._most = most
        self._stages: dict[HeaderStage, None] = {}  # in the order they came, so the oldest first
        self._alarm: Any = None

    def renew(self, limit: float, gates: Sequence[Callable[[Host], Refusal | None]]) -> None:
        """Another *limit*, also for who waits already, and other *gates*."""
        self._limit = limit
        self._gates = gates
        if self._alarm is not None:
            self._alarm.cancel()
            self._look()

    def admit(self, host: Host) -> Refusal | None:
        """None, or why the balancer at *host* may not wait here."""
        for gate in self._gates:
            if (refusal := gate(host)) is not None:
                return refusal
        if len(self._stages) >= self._most:
            return Refusal("proxy", "too many unfinished PROXY headers")
        return None

    def add(self, stage: HeaderStage) -> None:
        """*stage* waits now."""
        self._stages[stage] = None
        if self._alarm is None:
            self._alarm = self.clock.callLater(self._limit, self._look)

    def remove(self, stage: HeaderStage) -> None:
        """*stage* waits no more; one that did not is no error."""
        self._stages.pop(stage, None)

    def stages(self) -> tuple[HeaderStage, ...]:
        """Who waits, now, and who was refused and is not gone yet."""
        return tuple(self._stages)

    def _look(self) -> None:
        """End those whose time is up; come again when that of the next one is."""
        self._alarm = None
        now = self.clock.seconds()
        for stage in self.stages():
            left = stage.begun_at + self._limit - now
            if left > 0:
                self._alarm = self.clock.callLater(left, self._look)
                return
            if not stage.ending:
                stage.refuse(f"no complete PROXY header within {self._limit:g} s")

    def stop(self) -> None:
        """Nobody waits and nobody will come: leave no alarm in the clock."""
        if self._alarm is not None and not self._stages:
            self._alarm.cancel()
            self._alarm = None

"""How late the reactor is: whatever else it does, a timer that rings late says for how long."""

from __future__ import annotations

from typing import Any

from twisted_lab.histogram import Histogram
from twisted_lab.interfaces import Clock

#: Seconds between two looks: two timers a second cost nothing one could measure, and whatever
#: holds the reactor for longer than this is seen each time.
EVERY = 0.5

#: Seconds. epoll's own timers are a millisecond coarse, so below that there is nothing to tell
#: apart; a lag of a tenth is one a person feels.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """Measures by *clock*, from :meth:`start` to :meth:`stop`; ``seen`` has every lag in seconds.

    Something that holds the reactor for S seconds shows as a lag between S - EVERY and S.
    """

    def __init__(self, clock: Clock) -> None:
        self.seen = Histogram(BOUNDS)
        self._clock = clock
        self._alarm: Any = None
        self._due = 0.0

    def start(self) -> None:
        """Measure from now on."""
        if self._alarm is None:
            self._set()

    def stop(self) -> None:
        """Leave no alarm in the clock; what was seen stays."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set(self) -> None:
        self._due = self._clock.seconds() + EVERY
        self._alarm = self._clock.callLater(EVERY, self._rang)

    def _rang(self) -> None:
        self.seen.add(max(0.0, self._clock.seconds() - self._due))
        self._set()

"""What came of it, as an exit status and, where it did not go well, one sentence."""

from __future__ import annotations

from twisted_lab.events import Closed, CloseReason, Event, Note
from twisted_lab.telling import ending, tell

#: The ends that are in order. We abort when nobody reads our stdout: that was its reader's wish.
_IN_ORDER = frozenset({CloseReason.PEER_FIN, CloseReason.LOCAL, CloseReason.ABORTED})

#: The notes that say that not all arrived, or what was wrong with TLS.
NOT_ALL = frozenset({"reset", "truncated", "unsent", "tls"})


class Verdict:
    """An :class:`~twisted_lab.interfaces.Observer` of ``note`` and ``closed``.

    ``sentence`` is the first thing that went wrong, None while nothing did.
    """

    def __init__(self) -> None:
        self.sentence: str | None = None
        self._ended = False
        self._signal: int | None = None

    def __call__(self, event: Event) -> None:
        """Take *event* into account."""
        if isinstance(event, Note) and event.kind in NOT_ALL:
            self.failed(tell(event) or "")
        elif isinstance(event, Closed):
            self._ended = True
            if event.reason not in _IN_ORDER:
                self.failed(ending(event))

    def failed(self, sentence: str) -> None:
        """Something went wrong, that *sentence* says, already escaped."""
        self.sentence = self.sentence or sentence

    def ended(self) -> None:
        """It ended, without a stream to say so."""
        self._ended = True

    def interrupted(self, number: int) -> None:
        """Signal *number* ended it, if none did before."""
        self._signal = self._signal or number

    @property
    def status(self) -> int:
        """0: in order; 1: not so; 128 and the signal's number: a signal ended it, as shells say."""
        if self._signal is not None:
            return 128 + self._signal
        return 0 if self._ended and self.sentence is None else 1

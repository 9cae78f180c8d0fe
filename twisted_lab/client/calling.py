"""Making the connection: which addresses are tried, in what order, and why one failed.

The order and the pace are Happy Eyeballs' (RFC 8305): the families take turns, and the next address
is tried as well when one has not answered for a moment. The first that answers is it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import TimeoutError
from twisted.python.failure import Failure

from twisted_lab.addresses import show_pair
from twisted_lab.escaping import escape
from twisted_lab.targets import Target

#: Seconds for one address. Linux would send SYN for two minutes.
TIMEOUT = 10.0

#: Seconds until the next address is tried too: RFC 8305's Connection Attempt Delay (section 8).
STAGGER = 0.25

Place = tuple[str, int]


def in_turns(places: Sequence[Place]) -> list[Place]:
    """*places* with the families taking turns, that of the first first (RFC 8305 4)."""
    first = [place for place in places if _is_ipv6(place) == _is_ipv6(places[0])]
    other = [place for place in places if _is_ipv6(place) != _is_ipv6(places[0])]
    return [place for place in chain(*zip_longest(first, other)) if place is not None]


def of_family(places: Sequence[Place], source: Place) -> list[Place]:
    """Those of *places* that a socket bound to *source* can connect to."""
    return [place for place in places if _is_ipv6(place) == _is_ipv6(source)]


def _is_ipv6(place: Place) -> bool:
    return ":" in place[0]


class Caller:
    """Connects what *begin* makes to the first of *places* that answers.

    *begin* is called for each attempt, for an IProtocolFactory; *say* is told of each, and why it
    failed; *failed* that none did, and why. *source* is our own address and port, or None.
    """

    def __init__(
        self,
        reactor: Any,
        target: Target,
        places: Sequence[Place],
        begin: Callable[[], Any],
        source: Place | None,
        say: Callable[[str], object],
        failed: Callable[[str], object],
    ) -> None:
        self._reactor = reactor
        self._begin = begin
        self._source = source
        self._say = say
        self._failed = failed
        self._left = self._endpoints(target, places)
        self._trying: list[Deferred[Any]] = []
        self._alarm: Any = None
        self._over = False
        self._reasons: list[str] = []

    def _endpoints(self, target: Target, places: Sequence[Place]) -> list[tuple[str, Any]]:
        if target.kind == "unix":
            return [(str(target), UNIXClientEndpoint(self._reactor, target.path, TIMEOUT))]
        return [(show_pair(*place), self._endpoint(place)) for place in places]

    def _endpoint(self, place: Place) -> Any:
        kind = TCP6ClientEndpoint if _is_ipv6(place) else TCP4ClientEndpoint
        return kind(self._reactor, *place, TIMEOUT, self._source)

    def call(self) -> None:
        """Try the next address, and soon the one after it."""
        name, endpoint = self._left.pop(0)
        self._say(f"connect() to {name}")
        attempt = endpoint.connect(self._begin())
        self._trying.append(attempt)
        if self._left:
            self._alarm = self._reactor.callLater(STAGGER, self.call)
        attempt.addCallbacks(self._won, self._lost, (attempt,), errbackArgs=(name, attempt))

    def stop(self) -> None:
        """Try no more."""
        self._over = True
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        for attempt in tuple(self._trying):
            attempt.cancel()

    def _won(self, connected: object, attempt: Deferred[Any]) -> None:
        self._trying.remove(attempt)
        self.stop()

    def _lost(self, failure: Failure, name: str, attempt: Deferred[Any]) -> None:
        self._trying.remove(attempt)
        if self._over and failure.check(CancelledError):
            return
        self._say(f"no connection to {name}: {why(failure)}")
        self._reasons.append(f"{name}: {why(failure)}")
        if self._over:
            return
        if self._left:
            if self._alarm is not None and self._alarm.active():
                self._alarm.cancel()
            self.call()
        elif not self._trying:
            self._over = True
            self._failed("; ".join(self._reasons))


def why(failure: Failure) -> str:
    """What went wrong, in the kernel's words where it said some."""
    error = failure.value
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    number = getattr(error, "osError", None)
    if isinstance(number, int):
        return os.strerror(number)
    return escape(str(error) or type(error).__name__)

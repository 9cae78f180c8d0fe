"""Making the connection: each address of a name is tried in turn; why one failed is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import TimeoutError
from twisted.python.failure import Failure

from twisted_lab.addresses import show_pair
from twisted_lab.client.target import Target
from twisted_lab.escaping import escape

#: Seconds for one address. Linux would send SYN for two minutes.
TIMEOUT = 10.0


class Caller:
    """Connects *factory* to the first of *places* that answers.

    *say* is told of each that does not, *failed* that none did; *source* is our own address and
    port, or None.
    """

    def __init__(
        self,
        reactor: Any,
        target: Target,
        places: Sequence[tuple[str, int]],
        factory: Any,
        source: tuple[str, int] | None,
        say: Callable[[str], object],
        failed: Callable[[], object],
    ) -> None:
        self._reactor = reactor
        self._factory = factory
        self._source = source
        self._say = say
        self._failed = failed
        self._left = self._endpoints(target, places)

    def _endpoints(
        self, target: Target, places: Sequence[tuple[str, int]]
    ) -> list[tuple[str, Any]]:
        if target.kind == "unix":
            return [(str(target), UNIXClientEndpoint(self._reactor, target.path, TIMEOUT))]
        return [(show_pair(*place), self._endpoint(*place)) for place in places]

    def _endpoint(self, host: str, port: int) -> Any:
        kind = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        return kind(self._reactor, host, port, TIMEOUT, self._source)

    def call(self) -> None:
        """Try the next address."""
        if not self._left:
            self._failed()
            return
        name, endpoint = self._left.pop(0)
        endpoint.connect(self._factory).addErrback(self._next, name)

    def _next(self, failure: Failure, name: str) -> None:
        self._say(f"cannot connect to {name}: {why(failure)}")
        self.call()


def why(failure: Failure) -> str:
    """What went wrong, in the kernel's words where it said some."""
    error = failure.value
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    number = getattr(error, "osError", None)
    if isinstance(number, int):
        return os.strerror(number)
    return escape(str(error) or type(error).__name__)

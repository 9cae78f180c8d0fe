"""A server on a free port of a real reactor, for the time of a test: :class:`RealServer`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from twisted_lab.serving import serve
from twisted_lab.testing.collector import Collector


class RealServer:
    """Serves *what* on *reactor* as soon as it is made, until :meth:`stop`.

    *what* and *options* are those of :func:`twisted_lab.serving.serve`; by default it takes a free
    port of 127.0.0.1 and stops at once, without a drain. ``seen`` collects every event. In a
    Deferred-returning test ``self.addCleanup(server.stop)``, in a coroutine ``async with``.
    """

    def __init__(self, what: Any, reactor: Any, **options: object) -> None:
        self.seen = Collector()
        if options.keys().isdisjoint({"port", "listen", "well_known"}):
            options = {"port": 0, "interface": "127.0.0.1", **options}
        self.service = serve(what, reactor, self.seen, **{"drain": 0, **options})
        self.service.startService()
        places = [*self.service.addresses("tcp"), *self.service.addresses("tls")]
        self._place = (places or self.service.addresses("udp") or [""])[0]

    @property
    def host(self) -> str:
        """The numeric address of its first TCP, TLS or UDP port."""
        return self._place.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Its number."""
        return int(self._place.rpartition(":")[2])

    @property
    def address(self) -> tuple[str, int]:
        """Both."""
        return self.host, self.port

    def stop(self) -> Deferred[Any]:
        """Stop; fires when every port and connection is closed."""
        return self.service.stopService()

    async def __aenter__(self) -> RealServer:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

"""A service whose protocol fails, for P08; its client's address says where.

``python -m tests.integration.failing`` is ``twistd`` with one more service, called ``failing``.
"""

from __future__ import annotations

import sys

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.scripts.twistd import run
from zope.interface import implementer

from twisted_lab.protocols import KINDS, Kind

#: Who connects from there meets a failure in that callback.
CALLBACKS = {
    "127.0.0.2": "buildProtocol",
    "127.0.0.3": "connectionMade",
    "127.0.0.4": "dataReceived",
    "127.0.0.5": "readConnectionLost",
    "127.0.0.6": "writeConnectionLost",
    "127.0.0.7": "connectionLost",
    "127.0.0.8": "pauseProducing",
}


class CarelessError(Exception):
    """What a careless protocol raises."""


@implementer(IHalfCloseableProtocol)
class Failing(Protocol):
    """Echoes, and half-closes after a line ``half``; fails in the callback *fails*."""

    def __init__(self, fails: str) -> None:
        self._fails = fails

    def _maybe_fail(self, name: str) -> None:
        if name == self._fails:
            raise CarelessError(name)

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)
        self._maybe_fail("connectionMade")

    def dataReceived(self, data: bytes) -> None:
        self._maybe_fail("dataReceived")
        self.transport.write(data)
        if data == b"half\n":
            self.transport.unregisterProducer()
            self.transport.loseWriteConnection()

    def readConnectionLost(self) -> None:
        self._maybe_fail("readConnectionLost")
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self._maybe_fail("writeConnectionLost")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._maybe_fail("connectionLost")

    def pauseProducing(self) -> None:
        self._maybe_fail("pauseProducing")

    def resumeProducing(self) -> None:
        self._maybe_fail("resumeProducing")

    def stopProducing(self) -> None:
        self._maybe_fail("stopProducing")


class FailingFactory(Factory):
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        fails = CALLBACKS.get(getattr(addr, "host", ""), "")
        if fails == "buildProtocol":
            raise CarelessError(fails)
        return Failing(fails)


class FailingDatagrams(DatagramProtocol):
    noisy = False

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        if datagram == b"fail":
            raise CarelessError("datagramReceived")
        self.transport.write(datagram, addr)


def serve_it_too() -> None:
    """Add it to the services; in a process of its own, for the others' tests know theirs."""
    KINDS["failing"] = Kind(
        "failing",
        "fails",
        stream=lambda doors: FailingFactory(),
        datagram=lambda doors: FailingDatagrams(),
    )


if __name__ == "__main__":
    serve_it_too()
    sys.exit(run())

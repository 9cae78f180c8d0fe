"""A service that wants to answer more than it was asked, for what is said of amplification.

``python -m tests.integration.generous`` is ``twistd`` with one more service, called ``generous``.
"""

from __future__ import annotations

import sys

from twisted.internet.protocol import DatagramProtocol
from twisted.scripts.twistd import run

from twisted_lab.protocols import KINDS, Kind


class Generous(DatagramProtocol):
    """Answers ``COUNT SIZE`` with COUNT datagrams of SIZE bytes; padding may follow."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        count, size = datagram.split()[:2]
        for _ in range(int(count)):
            self.transport.write(b"x" * int(size), addr)


KINDS["generous"] = Kind("generous", "gives more", datagram=lambda doors: Generous())

if __name__ == "__main__":
    sys.exit(run())

"""What the services of one process share."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from twisted_lab.publishing import Publisher
from twisted_lab.transports.inherited import Inherited


@dataclass(frozen=True, slots=True)
class Shared:
    """The reactor, the publisher, the UDP ports served here, the numbers of connections, and the
    sockets systemd passed."""

    reactor: Any
    publisher: Publisher
    served_ports: Counter[int] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    inherited: Inherited = field(default_factory=Inherited)

    def new_number(self) -> int:
        """The number of a new connection, unique in the run."""
        return next(self.numbers)

"""Ours with default policies and every event recorded into the history."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import epollreactor

epollreactor.install()

from twisted.internet import reactor as installed  # noqa: E402 - after the reactor is chosen

from twisted_lab.observers import History  # noqa: E402
from twisted_lab.publishing import Publisher  # noqa: E402
from twisted_lab.service import make_service  # noqa: E402
from twisted_lab.settings import Settings  # noqa: E402
from twisted_lab.shared import Shared  # noqa: E402
from twisted_lab.transports.endpoints import TcpListen, UdpListen  # noqa: E402

reactor: Any = installed
reactor.seconds = time.monotonic
publisher = Publisher()
publisher.add(History().observe)
listens = TcpListen("127.0.0.1", 0), UdpListen("127.0.0.1", 0)
service = make_service("echo", Settings(listen=listens), Shared(reactor, publisher))
service.startService()
for name, opened in zip(("tcp", "udp"), service.ports, strict=True):
    print(name, opened.address, flush=True)
reactor.run()

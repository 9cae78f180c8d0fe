"""The page of a bench in memory: requests as bytes, by hand, on a clock that stands still."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.bench import Bench
from twisted_lab.conversation import KEPT
from twisted_lab.conversations import KINDS, Conversations
from twisted_lab.layer import Layer, StreamFactory
from twisted_lab.limits import stream_policies
from twisted_lab.loop_lag import LoopLag
from twisted_lab.metrics import KINDS as COUNTED
from twisted_lab.metrics import Metrics
from twisted_lab.page.channel import CONNECTIONS, REQUEST_TIME, PageFactory
from twisted_lab.page.desk import Desk
from twisted_lab.page.guard import Guard
from twisted_lab.page.site import Site
from twisted_lab.page.viewers import Viewers
from twisted_lab.publishing import Publisher
from twisted_lab.service import make_service
from twisted_lab.service_views import ServiceViews
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.testing import Network, Peer

TOKEN = "a-secret"
HOST = "127.0.0.1:9000"
ALLOWED = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: *body* is without any chunks."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def parse(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    if headers.get("Transfer-Encoding") == "chunked":
        body = b"".join(dechunked(body))
    return Answer(int(first.split()[1]), headers, body)


def dechunked(data: bytes) -> Any:
    while data:
        size, _, data = data.partition(b"\r\n")
        yield data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]


def request(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """The bytes of a request; a header that is None is not sent."""
    said: dict[str, Any] = {"Host": HOST} | (headers or {})
    if body:
        said.setdefault("Content-Length", len(body))
    lines = [f"{name}: {value}" for name, value in said.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1") + body


class PageCase(SynchronousTestCase):
    """A bench of echo and line, whose page is asked by :meth:`ask`; :meth:`talk` connects to it."""

    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.publisher = Publisher(lambda: round(self.clock.seconds() * 1e9))
        shared = Shared(self.clock, self.publisher)
        self.services = [make_service(name, Settings(port=0), shared) for name in ("echo", "line")]
        self.bench = Bench(self.services, shared, drain=5.0)
        self.conversations = Conversations()
        self.publisher.add(self.conversations, KINDS, detailed=False, sample=KEPT)
        views = ServiceViews(self.services)
        metrics = Metrics(views.views, LoopLag(self.clock), {}, {})
        self.publisher.add(metrics, COUNTED, detailed=False)
        self.desk = Desk(
            self.bench,
            self.conversations,
            self.publisher,
            lambda: views.summaries(metrics.of),
        )
        self.viewers = Viewers(self.publisher, self.clock, self.desk.follow, self.desk.transport)
        about = {"reactor": "memory", "started": "2026-01-01"}
        site = Site(self.desk, self.viewers, Guard(TOKEN), about, self.exposition)
        numbers = itertools.count(1)
        settings = Settings(max_connections=CONNECTIONS, idle_timeout=REQUEST_TIME)
        self.layer = Layer(
            "page",
            PageFactory(site.answer, self.clock.seconds),
            self.clock,
            Publisher(),
            lambda: next(numbers),
            stream_policies(settings, self.clock, secure=False),
        )

    def exposition(self, accept: str) -> tuple[str, bytes]:
        return "text/plain; version=0.0.4", f"accept {accept}\n".encode()

    def open(self) -> Peer:
        """A connection to the page."""
        return self.network.connect(Peer(), StreamFactory(self.layer))

    def send(self, data: bytes) -> Peer:
        """*data* on a connection of its own."""
        peer = self.open()
        peer.send(data)
        self.network.pump()
        return peer

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """One request, on a connection of its own."""
        peer = self.send(request(method, path, headers, body))
        answer = parse(bytes(peer.received))
        peer.close()
        self.network.pump()
        return answer

    def change(self, path: str) -> Answer:
        """One request that changes something, with all it needs."""
        return self.ask(path, ALLOWED, "POST")

    def talk(self, service: int = 0) -> Peer:
        """A client of a service of the bench."""
        layer = self.services[service].layer
        assert layer is not None
        peer = self.network.connect(Peer(), StreamFactory(layer))
        self.network.pump()
        return peer

    def say(self, peer: Peer, data: bytes = b"hello") -> None:
        peer.send(data)
        self.network.pump()

"""The page of a bench: its parts put together, its port opened with the bench's and closed last."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from twisted_lab import __version__
from twisted_lab.bench import Bench
from twisted_lab.conversation import KEPT
from twisted_lab.conversations import KINDS, Conversations
from twisted_lab.draining import Drain
from twisted_lab.errors import CannotServe
from twisted_lab.events import CloseReason
from twisted_lab.loop_lag import LoopLag
from twisted_lab.metrics import KINDS as COUNTED
from twisted_lab.metrics import Metrics
from twisted_lab.page.channel import CONNECTIONS, REQUEST_TIME, PageFactory
from twisted_lab.page.desk import Desk
from twisted_lab.page.guard import Guard
from twisted_lab.page.site import Site
from twisted_lab.page.subject import Subject
from twisted_lab.page.viewers import Viewers
from twisted_lab.protocols import Kind
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService, make_service
from twisted_lab.service_views import KINDS as VIEWED
from twisted_lab.service_views import ServiceViews
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.transports.endpoints import Listen, TlsListen

#: Seconds for the last words to whoever watches, when the bench is gone.
_LAST_WORDS = 0.2


def new_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


class Page:
    """The page of *subject* on *listens*, whose events come from *shared*'s publisher.

    *metrics* has what its events came to, *lag* how late the reactor is, which ``--reactor`` calls
    *reactor_word*; *losses* are counts of events that other observers lost, by their name. *token*
    and *now* come in by the door.
    """

    def __init__(
        self,
        subject: Subject,
        metrics: Metrics,
        lag: LoopLag,
        shared: Shared,
        listens: Sequence[Listen],
        reactor_word: str,
        losses: dict[str, Callable[[], int]],
        token: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        publisher, reactor = shared.publisher, shared.reactor
        publisher.add(metrics, COUNTED, detailed=False)
        self._clock = reactor
        self._token = token
        self._lag = lag
        self._viewers = Viewers(publisher, reactor, subject.follow, subject.transport)
        losses["page"] = lambda: self._viewers.dropped
        about = {"reactor": reactor_word, "started": now().isoformat()}
        site = Site(subject, self._viewers, Guard(token), about, metrics.exposition)
        own = Publisher()
        own.add(lambda event: subject.note(event.text), ("note",), detailed=False)
        factory = PageFactory(site.answer, reactor.seconds)
        self.service = _service(Shared(reactor, own), listens, factory)

    @property
    def address(self) -> str:
        """The address to open in a browser, with the token in its fragment."""
        opened = self.service.ports[0]
        scheme = "https" if isinstance(opened.listen, TlsListen) else "http"
        # To connect to a wildcard is to connect to loopback, by whose name the page is asked.
        host, _, number = opened.address.rpartition(":")
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        return f"{scheme}://{host}:{number}/#token={self._token}"

    def open(self) -> None:
        """Open the port; raises :class:`CannotServe`, naming it and the ways out."""
        open_port(self.service)

    def close_at_once(self) -> None:
        """The same the other way, of a start that failed."""
        self.service.close_at_once()

    def start(self) -> None:
        """The bench runs."""
        self.service.startService()
        self._lag.start()

    def stop(self) -> Deferred[Any]:
        """The bench is gone: say so to whoever watches, and close; fires when it is closed."""
        self._lag.stop()
        closed = self.service.stop_listening()  # first: whose stream ends may come back at once
        self._viewers.end("the bench has stopped")
        for stream in self.service.streams():
            stream.end(CloseReason.DRAIN)
        gone = Drain(self._clock, self.service.streams, _LAST_WORDS).start()
        both = DeferredList([closed, gone])
        return both.addCallback(lambda done: self.service.stopService())


def page_of(
    bench: Bench,
    shared: Shared,
    listens: Sequence[Listen],
    reactor_word: str,
    losses: Mapping[str, Callable[[], int]],
    token: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Page:
    """The page of *bench*; the others as of :class:`Page`."""
    publisher = shared.publisher
    conversations = Conversations()
    publisher.add(conversations, KINDS, detailed=False, sample=KEPT)
    for service in bench.services:
        service.talks.forgot = partial(conversations.forget_talk, service.called)
    views = ServiceViews(bench.services)
    publisher.add(views, VIEWED, detailed=False)
    lag = LoopLag(shared.reactor)
    kept = dict(losses)
    metrics = Metrics(views.views, lag, kept, build(reactor_word))
    desk = Desk(bench, conversations, publisher, lambda: views.summaries(metrics.of))
    return Page(desk, metrics, lag, shared, listens, reactor_word, kept, token, now)


def build(reactor_word: str) -> dict[str, str]:
    """What this program is made of, as the metrics say it."""
    return {"version": __version__, "reactor": reactor_word}


def open_port(service: LabService) -> None:
    """Open *service*, which is a page's; raises :class:`CannotServe`, with the ways out."""
    try:
        service.privilegedStartService()
    except CannotServe as error:
        ways = "--page ENDPOINT puts the page elsewhere, --no-page does without"
        raise CannotServe(f"the page: {error}; {ways}") from None


def _service(shared: Shared, listens: Sequence[Listen], factory: PageFactory) -> LabService:
    """The page's port: a service like the others, whose events are none of the bench's."""
    kind = Kind("page", "the page of the bench", stream=lambda doors: factory)
    settings = Settings(
        listen=tuple(listens),
        max_connections=CONNECTIONS,
        max_per_peer=CONNECTIONS,
        idle_timeout=REQUEST_TIME,
    )
    return make_service(kind, settings, shared)

"""A watched program as the page knows it: made of its events alone."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_lab.conversation import Conversation
from twisted_lab.conversations import Conversations
from twisted_lab.diagnosis import Finding
from twisted_lab.errors import SocketlabError
from twisted_lab.events import (
    Closed,
    DatagramReceived,
    DatagramSent,
    Event,
    Listening,
    Note,
    NotListening,
    Received,
    Sent,
    TcpInfo,
)
from twisted_lab.page.subject import Followed
from twisted_lab.publishing import Publisher
from twisted_lab.scrape import ServiceTotals, ServiceView
from twisted_lab.service_views import PortView, ServiceSummary
from twisted_lab.talks import TALKS_KEPT, Talk


class NotOurs(SocketlabError):
    """What may not be done to a program that is watched."""


@dataclass(slots=True)
class OpenStream:
    """An open connection of the program; an :class:`~twisted_lab.page.subject.Open`."""

    id: str
    service: str
    peer: str
    local: str
    kind: str
    opened: int
    now: Callable[[], int]
    bytes_in: int = 0
    bytes_out: int = 0
    ending: bool = False
    proxy: None = None
    reason: None = None
    detail: str = ""

    @property
    def age(self) -> float:
        """For how many seconds it is open."""
        return (self.now() - self.opened) / 1e9


class Watched:
    """The program *name*, started by *words*: a :class:`~twisted_lab.page.subject.Subject`.

    Give it to *publisher* as an observer of all. :meth:`ended` and ``findings`` say how it ended.
    """

    draining = False

    def __init__(self, publisher: Publisher, name: str, words: Sequence[str]) -> None:
        self.publisher = publisher
        self.conversations = Conversations()
        self.findings: Sequence[Finding] = ()
        #: What the events of a service came to, by its name.
        self.totals: Callable[[str], ServiceTotals] = lambda name: ServiceTotals()
        self._name = self.here = name
        self._words = tuple(words)
        self._status: int | None = None
        self._open: dict[str, OpenStream] = {}
        self._ports: dict[tuple[str, str], PortView] = {}
        self._talks: OrderedDict[tuple[str, str], Talk] = OrderedDict()
        self._moved: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Take *event*."""
        self.conversations(event)
        self._meet(event)
        taker = _TAKERS.get(type(event))
        if taker is not None:
            taker(self, event)

    def _meet(self, event: Event) -> None:
        """A connection's first event: mostly its beginning, but a socketpair() has none."""
        id: str | None = getattr(event, "connection", None)
        if id is None or id in self._open or isinstance(event, Closed | Note):
            return
        peer, local, kind = (getattr(event, name, "") for name in ("peer", "local", "transport"))
        now = self.publisher.now
        self._open[id] = OpenStream(id, event.service, peer, local, kind, event.ns, now)

    def _received(self, event: Received) -> None:
        self._open[event.connection].bytes_in += event.bytes

    def _sent(self, event: Sent) -> None:
        self._open[event.connection].bytes_out += event.bytes

    def _closed(self, event: Closed) -> None:
        self._open.pop(event.connection, None)

    def _listening(self, event: Listening) -> None:
        self._ports[event.transport, event.local] = PortView(event.transport, event.local)

    def _not_listening(self, event: NotListening) -> None:
        self._ports.pop((event.transport, event.local), None)

    def _datagram_received(self, event: DatagramReceived) -> None:
        talk = self._talk(event)
        talk.datagrams_in += 1
        talk.bytes_in += event.bytes
        self._moved += Counter(datagrams_in=1, datagram_bytes_in=event.bytes)

    def _datagram_sent(self, event: DatagramSent) -> None:
        talk = self._talk(event)
        talk.datagrams_out += 1
        talk.bytes_out += event.bytes
        self._moved += Counter(datagrams_out=1, datagram_bytes_out=event.bytes)

    def _talk(self, event: DatagramReceived | DatagramSent) -> Talk:
        key = event.service, event.peer
        talk = self._talks.get(key)
        if talk is None:
            talk = self._talks[key] = Talk(event.ns, event.ns, 0)
            if len(self._talks) > TALKS_KEPT:
                self._talks.popitem(last=False)
        talk.last = event.ns
        return talk

    def ended(self, status: int, findings: Sequence[Finding]) -> None:
        """It has ended with *status*, and these were its mistakes."""
        self._status = status
        self.findings = findings

    # -- what the page asks -----------------------------------------------------------------------

    def views(self) -> list[ServiceView]:
        """What it has now, for the metrics."""
        streams = self._open.values()
        bytes_in, bytes_out = (
            sum(one.bytes_in for one in streams),
            sum(one.bytes_out for one in streams),
        )
        return [
            ServiceView(
                self._name,
                datagrams=True,
                open=len(streams),
                bytes_in=bytes_in,
                bytes_out=bytes_out,
                datagrams_in=self._moved["datagrams_in"],
                datagrams_out=self._moved["datagrams_out"],
                datagram_bytes_in=self._moved["datagram_bytes_in"],
                datagram_bytes_out=self._moved["datagram_bytes_out"],
            )
        ]

    def summaries(self) -> list[ServiceSummary]:
        """All there is to say of it."""
        (view,), totals = self.views(), self.totals(self._name)
        return [
            ServiceSummary(
                self._name,
                "program",
                " ".join(self._words),
                "serving" if self._status is None else "ended",
                tuple(self._ports.values()),
                view.open,
                totals.accepted,
                {reason: count for reason, count in totals.closed.items() if count},
                {},
                totals.bytes_in + view.bytes_in,
                totals.bytes_out + view.bytes_out,
                view.datagrams_in,
                view.datagrams_out,
                view.datagram_bytes_in,
                view.datagram_bytes_out,
                {},
                (),
            )
        ]

    def service(self, name: str) -> None:
        """None: a program's ports are its own to close."""

    def streams(self) -> list[OpenStream]:
        """The open streams, the newest first."""
        return list(reversed(self._open.values()))

    def stream(self, id: str) -> OpenStream | None:
        """The open stream *id*."""
        return self._open.get(id)

    def transport(self, event: Event) -> str:
        """What the connection of *event* goes over; "" where that is not known."""
        kept = self.conversations.get(getattr(event, "connection", None) or "")
        return "" if kept is None else kept.transport

    def closed(self) -> Iterator[Conversation]:
        """The closed connections that are kept, the newest first."""
        return (one for one in self.conversations.newest() if one.closed is not None)

    def talks(self) -> list[tuple[Conversation, Talk]]:
        """The datagram peers that are kept, with their totals; the last heard of first."""
        found = [
            (kept, self._talks[kept.service, kept.peer])
            for kept in self.conversations.newest()
            if kept.key < 0 and (kept.service, kept.peer) in self._talks
        ]
        return sorted(found, key=lambda pair: -pair[1].last)

    def talk(self, id: str) -> tuple[Conversation, Talk] | None:
        """The datagram peer *id*, with its totals."""
        return next((pair for pair in self.talks() if pair[0].id == id), None)

    def forgotten_talks(self) -> int:
        """How many datagram peers had to make room for others."""
        return self.conversations.forgotten_talks

    def follow(self, what: Followed, followed: bool) -> None:
        """Every event of a program is built anyway."""

    def other(self, id: str) -> str | None:
        """The connection that is the other end of *id*, where the program made both."""
        one = self._open.get(id) or self.conversations.get(id)
        if one is None or not one.peer:
            return None
        ends: list[OpenStream | Conversation] = [
            *self._open.values(),
            *self.conversations.newest(),
        ]
        crossed = (end.id for end in ends if (end.local, end.peer) == (one.peer, one.local))
        return next((found for found in crossed if found != id), None)

    @staticmethod
    def kernel(stream: OpenStream) -> TcpInfo | str:
        """None: the socket is another process's."""
        return "the socket is the program's: only itself may ask the kernel"

    @staticmethod
    def close(stream: OpenStream) -> None:
        """Not ours to do."""
        raise NotOurs("the program is watched, and its connections are its own to close")

    reset = close

    def note(self, text: str) -> None:
        """Say that something is wrong with the page itself."""
        self.publisher.offer(Note, "page", "page", text)

    def facts(self) -> dict[str, Any]:
        """What is so of it as a whole."""
        program = {"name": self._name, "words": list(self._words), "status": self._status}
        findings = list(map(_finding, self.findings))
        return {
            "ns": self.publisher.now(), "draining": False, "program": program, "findings": findings,
        }  # fmt: skip


def _finding(finding: Finding) -> dict[str, Any]:
    mistake = finding.mistake
    return {
        "mistake": mistake.name,
        "title": mistake.title,
        "place": finding.where,
        "says": finding.says,
        "why": mistake.why,
        "mend": mistake.mend,
        "connection": finding.connection,
    }


_TAKERS: dict[type[Event], Callable[[Watched, Any], None]] = {
    Received: Watched._received,
    Sent: Watched._sent,
    Closed: Watched._closed,
    Listening: Watched._listening,
    NotListening: Watched._not_listening,
    DatagramReceived: Watched._datagram_received,
    DatagramSent: Watched._datagram_sent,
}

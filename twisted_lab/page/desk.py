"""What the page knows of the bench, and what it may do to it: the one place that touches both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted_lab import kernel
from twisted_lab.addresses import show_pair
from twisted_lab.bench import Bench
from twisted_lab.conversation import Conversation, key_of
from twisted_lab.conversations import Conversations
from twisted_lab.events import CloseReason, Event, Note, TcpInfo
from twisted_lab.page.subject import Followed
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService
from twisted_lab.service_views import ServiceSummary
from twisted_lab.talks import Talk
from twisted_lab.wrapping import Stream


class Desk:
    """The bench, as a :class:`~twisted_lab.page.subject.Subject`.

    *summaries* says all there is to say of each service.
    """

    here = "bench"

    def __init__(
        self,
        bench: Bench,
        conversations: Conversations,
        publisher: Publisher,
        summaries: Callable[[], Sequence[ServiceSummary]],
    ) -> None:
        self.bench = bench
        self.summaries = summaries
        self.conversations = conversations
        self.publisher = publisher

    @property
    def draining(self) -> bool:
        """Whether the bench is about to stop."""
        return self.bench.draining

    @property
    def services(self) -> Sequence[LabService]:
        """The services of the bench."""
        return self.bench.services

    def service(self, name: str) -> LabService | None:
        """The service called *name*."""
        return next((one for one in self.services if one.called == name), None)

    def streams(self) -> list[Stream]:
        """The open streams, the newest first."""
        return sorted(self.bench.streams(), key=lambda stream: -(key_of(stream.id) or 0))

    def stream(self, id: str) -> Stream | None:
        """The open stream *id*."""
        return next((one for one in self.bench.streams() if one.id == id), None)

    def transport(self, event: Event) -> str:
        """What the connection of *event* goes over; "" where that is not known."""
        connection: str | None = getattr(event, "connection", None)
        kept = None if connection is None else self.conversations.get(connection)
        return "" if kept is None else kept.transport

    def closed(self) -> Iterator[Conversation]:
        """The closed connections that are kept, the newest first."""
        return (one for one in self.conversations.newest() if one.closed is not None)

    def talks(self) -> list[tuple[Conversation, Talk]]:
        """The datagram peers that are kept, with their totals; the last heard of first."""
        totals = self._totals()
        found = [
            (kept, totals[kept.service, kept.peer])
            for kept in self.conversations.newest()
            if kept.key < 0 and (kept.service, kept.peer) in totals
        ]
        return sorted(found, key=lambda pair: -pair[1].last)

    def talk(self, id: str) -> tuple[Conversation, Talk] | None:
        """The datagram peer *id*, with its totals."""
        return next((pair for pair in self.talks() if pair[0].id == id), None)

    def _totals(self) -> dict[tuple[str, str], Talk]:
        return {
            (service.called, show_pair(*peer)): talk
            for service in self.services
            for peer, talk in service.talks.by_peer.items()
        }

    def forgotten_talks(self) -> int:
        """How many datagram peers had to make room for others."""
        return self.conversations.forgotten_talks

    def follow(self, what: Followed, followed: bool) -> None:
        """Have every event of a conversation built from now on, or no more."""
        if isinstance(what, str):
            self._follow_stream(what, followed)
        else:
            self._follow_talk(what, followed)

    def _follow_stream(self, id: str, followed: bool) -> None:
        stream = self.stream(id)
        if stream is None:
            return
        if followed:
            now = self.publisher.now()
            self.conversations.resume(id, now, stream.bytes_in, stream.bytes_out)
        stream.layer.follow(stream, followed)

    def _follow_talk(self, what: tuple[str, str], followed: bool) -> None:
        service = self.service(what[0])
        assert service is not None  # services live as long as the bench
        for peer, talk in service.talks.by_peer.items():
            if show_pair(*peer) == what[1]:
                self._resume_talk(what, talk, followed)
                service.talks.follow(peer, followed)

    def _resume_talk(self, what: tuple[str, str], talk: Talk, followed: bool) -> None:
        kept = self.conversations.of_peer(*what)
        if followed and kept is not None:
            now = self.publisher.now()
            self.conversations.resume(kept.id, now, talk.bytes_in, talk.bytes_out)

    @staticmethod
    def other(id: str) -> None:
        """None: of its connections a bench is one end."""

    @staticmethod
    def kernel(stream: Stream) -> TcpInfo | str:
        """The kernel's view of *stream* now, or why there is none."""
        sock = kernel.socket_of(stream.lowest)
        found = None if sock is None else kernel.tcp_info(sock)
        return found or "this socket has no TCP_INFO: only TCP on Linux has"

    @staticmethod
    def close(stream: Stream) -> None:
        """FIN, after what was written."""
        stream.end(CloseReason.LOCAL, "closed from the page")

    @staticmethod
    def reset(stream: Stream) -> None:
        """RST, now."""
        stream.abort(CloseReason.ABORTED, "reset from the page")

    def note(self, text: str) -> None:
        """Say that something is wrong with the page itself."""
        self.publisher.offer(Note, "page", "page", text)

    def facts(self) -> dict[str, Any]:
        """What is so of the bench as a whole."""
        return {"ns": self.publisher.now(), "draining": self.draining}

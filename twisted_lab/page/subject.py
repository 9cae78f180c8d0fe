"""What the page is of: a bench, or a program that is watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from twisted_lab.conversation import Conversation
from twisted_lab.conversations import Conversations
from twisted_lab.events import Event, TcpInfo
from twisted_lab.publishing import Publisher
from twisted_lab.service_views import ServiceSummary
from twisted_lab.talks import Talk

#: What a conversation is to those who follow it: a connection's id, or service and peer.
Followed = str | tuple[str, str]


class Open(Protocol):
    """An open stream. ``age`` is in seconds; ``proxy`` is how a balancer passed it on, or None."""

    local: str
    kind: str
    bytes_in: int
    bytes_out: int
    ending: bool
    detail: str

    @property
    def id(self) -> str:
        """Its short name, unique in the run."""

    @property
    def service(self) -> str:
        """Whose it is."""

    @property
    def peer(self) -> str:
        """The peer's address as text."""

    @property
    def age(self) -> float:
        """For how many seconds it is open."""

    @property
    def proxy(self) -> Any:
        """How a balancer passed it on, or None."""

    @property
    def reason(self) -> Any:
        """Why it is about to end, or None."""


class Subject(Protocol):
    """All that the page knows and does."""

    publisher: Publisher
    conversations: Conversations
    #: What stands over our lifeline.
    here: str

    @property
    def draining(self) -> bool:
        """Whether it is about to stop."""

    def summaries(self) -> Sequence[ServiceSummary]:
        """All there is to say of each service."""

    def service(self, name: str) -> Any:
        """The service *name*, which can be suspended and resumed; None where there is none."""

    def streams(self) -> Sequence[Open]:
        """The open streams, the newest first."""

    def stream(self, id: str) -> Any:
        """The open stream *id*, an :class:`Open`, or None."""

    def transport(self, event: Event) -> str:
        """What the connection of *event* goes over; "" where that is not known."""

    def closed(self) -> Iterator[Conversation]:
        """The closed connections that are kept, the newest first."""

    def talks(self) -> Sequence[tuple[Conversation, Talk]]:
        """The datagram peers that are kept, with their totals; the last heard of first."""

    def talk(self, id: str) -> tuple[Conversation, Talk] | None:
        """The datagram peer *id*, with its totals."""

    def forgotten_talks(self) -> int:
        """How many datagram peers had to make room for others."""

    def follow(self, what: Followed, followed: bool) -> None:
        """Have every event of a conversation built from now on, or no more."""

    def other(self, id: str) -> str | None:
        """The connection that is the other end of *id*, where that was seen, too."""

    def kernel(self, stream: Any) -> TcpInfo | str:
        """The kernel's view of *stream* now, or why there is none."""

    def close(self, stream: Any) -> None:
        """FIN, after what was written; raises :class:`SocketlabError` where that is not ours."""

    def reset(self, stream: Any) -> None:
        """RST, now; raises :class:`SocketlabError` where that is not ours."""

    def note(self, text: str) -> None:
        """Say that something is wrong with the page itself."""

    def facts(self) -> dict[str, Any]:
        """What is so of it as a whole."""

"""The seams: what the parts promise each other.

Ours are :class:`typing.Protocol`; Twisted's own stay zope interfaces. A policy implements only the
hooks it needs; a hook nobody installed costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twisted_lab.addresses import Host
from twisted_lab.events import CloseReason, Event
from twisted_lab.proxy import Proxy


class Observer(Protocol):
    """Anything that can be called with an event. It may raise; it is then removed."""

    def __call__(self, event: Event, /) -> object: ...


class Form(Protocol):
    """How events stand in a file."""

    def begin(self) -> bytes:
        """What stands before the first event: of a new file, or of what is appended to one."""

    def of(self, event: Event) -> bytes:
        """*event*; nothing when it has no place in this form."""

    def whole(self, data: bytes, length: int) -> int:
        """How many of the first *length* bytes of *data* can stand without what follows."""


class Clock(Protocol):
    """Time by the door: a reactor, or :class:`twisted.internet.task.Clock` in tests."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Any, /, *args: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A gate's no: the gate's short name, and one sentence for the person at the other end."""

    gate: str
    text: str


class StreamView(Protocol):
    """What a policy, and a protocol that wants to know, may see and do of one stream.

    Every protocol finds this on its ``self.transport``, beside Twisted's ITCPTransport.
    Times are in seconds of the layer's clock.
    """

    host: Host
    #: The listener's transport in one word: ``tcp``, ``tls``, ``unix`` …
    kind: str
    #: How a balancer passed the stream on; None: its peer came itself.
    proxy: Proxy | None
    secure: bool
    established: bool
    opened_at: float
    last_activity: float
    bytes_in: int
    bytes_out: int

    @property
    def id(self) -> str: ...

    @property
    def peer(self) -> str: ...

    @property
    def tls(self) -> dict[str, str | None] | None: ...

    @property
    def ending(self) -> bool: ...

    @property
    def message_begun_at(self) -> float | None: ...

    @property
    def answering(self) -> bool: ...

    def touch(self) -> None: ...

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None: ...

    def abort(self, reason: CloseReason, detail: str = "") -> None: ...

    def hold(self, by: str) -> None: ...

    def release(self, by: str) -> None: ...

    def limit_reads(self, size: int) -> None: ...

    def limit_writes(self, size: int) -> None: ...

    def free_limits(self) -> None: ...

    def unsent(self) -> int: ...

    def progress(self) -> tuple[int, ...]: ...

    def note(self, kind: str, text: str) -> None: ...

    def tell(self, text: str) -> None: ...


class Policy(Protocol):
    """The hooks a policy may have; each is optional, none is called unless it is there.

    ======================  ====================================================================
    ``admit(host)``         a gate: None lets the connection in, a :class:`Refusal` does not
    ``entered(host)``       all gates let it in; ``left(host)`` follows exactly once
    ``opened(stream)``      the stream exists, before any TLS handshake; or, when the policy came
                            while streams were open, the policy does
    ``received(stream, n)`` one recv() gave *n* bytes
    ``sent(stream, n)``     the protocol wrote *n* bytes
    ``check(stream, now)``  end the stream, or return the time at which to be asked again
    ``closed(stream)``      the stream is gone
    ``let_go(stream)``      the policy goes, and the stream stays: undo what was done to it
    ``inherit(old)``        the policy replaces *old*, of its class, made of other settings
    ======================  ====================================================================

    A true attribute ``spares_loopback``: the first three are not called for loopback hosts. A true
    ``only_secure``: they are called for TLS listeners alone. A true ``at_accept``: ``admit``, its
    only gate hook, is asked about a balancer when it connects, not about the host it names later.
    """


class Framed(Protocol):
    """A protocol that knows whether a message is half received, or an answer still to come.

    Both are optional; timers ask for them, and so does a stop.
    """

    message_begun_at: float | None
    answering: bool

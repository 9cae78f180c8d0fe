"""A stream as a policy sees it, and one log of what the policy asked of it."""

from __future__ import annotations

from twisted_lab.addresses import Host, host
from twisted_lab.events import CloseReason
from twisted_lab.interfaces import StreamView
from twisted_lab.proxy import Proxy

LOCAL_HOST = host("127.0.0.1")
FAR_HOST = host("192.0.2.7")


class FakeStream:
    """A :class:`~twisted_lab.interfaces.StreamView` of which a test sets the facts.

    ``calls`` is the log of what was asked; ``reason`` and ``detail`` are those of its end.
    """

    def __init__(
        self, host: Host = FAR_HOST, *, secure: bool = False, opened_at: float = 0.0
    ) -> None:
        self.id = "c1"
        self.peer = "192.0.2.7:53412"
        self.host = host
        self.kind = "tls" if secure else "tcp"
        self.proxy: Proxy | None = None
        self.secure = secure
        self.tls: dict[str, str | None] | None = {} if secure else None
        self.established = not secure
        self.opened_at = self.last_activity = opened_at
        self.bytes_in = 0
        self.bytes_out = 0
        self.ending = False
        self.message_begun_at: float | None = None
        self.answering = False
        self.waiting = 0
        self.taken = 0
        self.read_size = self.write_size = 2**16
        self.holds: set[str] = set()
        self.reason: CloseReason | None = None
        self.detail = ""
        self.calls: list[str] = []

    def end(self, reason: CloseReason, detail: str = "", *, linger: bool = False) -> None:
        self._end("end and linger" if linger else "end", reason, detail)

    def abort(self, reason: CloseReason, detail: str = "") -> None:
        self._end("abort", reason, detail)

    def _end(self, how: str, reason: CloseReason, detail: str) -> None:
        self.calls.append(how)
        self.ending = True
        if self.reason is None:
            self.reason, self.detail = reason, detail

    def hold(self, by: str) -> None:
        self.holds.add(by)

    def release(self, by: str) -> None:
        self.holds.discard(by)

    def touch(self) -> None:
        self.calls.append("touch")

    def limit_reads(self, size: int) -> None:
        self.read_size = size

    def limit_writes(self, size: int) -> None:
        self.write_size = size

    def free_limits(self) -> None:
        self.read_size = self.write_size = 2**16

    def unsent(self) -> int:
        return self.waiting

    def progress(self) -> tuple[int, ...]:
        return (self.bytes_in, self.bytes_out, self.waiting, self.taken)

    def note(self, kind: str, text: str) -> None:
        self.calls.append(f"note {kind}: {text}")

    def tell(self, text: str) -> None:
        self.calls.append(f"tell: {text}")

    # -- for tests ------------------------------------------------------------------------

    def moved(self, now: float, *, received: int = 0, sent: int = 0) -> None:
        """Bytes were read from the peer, or written by the protocol, at *now*."""
        self.bytes_in += received
        self.bytes_out += sent
        self.last_activity = now


def ended_at(policy: object, stream: FakeStream, until: float, meanwhile: object = None) -> float:
    """When *policy* ended *stream*, asked as a stream asks: at the time it said; inf if never.

    *meanwhile(now)* is called before each look, to let the peer act.
    """
    view: StreamView = stream
    now = stream.opened_at
    looks = 0
    while now <= until:
        if meanwhile is not None:
            meanwhile(now)  # type: ignore[operator]
        again = policy.check(view, now)  # type: ignore[attr-defined]
        if stream.ending:
            return now
        looks += 1
        if again <= now or looks > 100_000:
            raise AssertionError(f"asked again at {again}, at {now}")
        now = again
    return float("inf")

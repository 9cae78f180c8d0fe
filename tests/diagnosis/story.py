"""What a program did, made up call by call, as evidence."""

from __future__ import annotations

from typing import Any

from twisted_lab.diagnosis import Evidence, Finding, diagnose
from twisted_lab.events import (
    Accepted,
    Call,
    Called,
    Closed,
    CloseReason,
    Event,
    LocalShutdown,
    Note,
    PeerShutdown,
    Received,
    Sent,
)

MS = 1_000_000
PEER, LOCAL = "127.0.0.1:5", "127.0.0.1:9000"


class Story:
    """One accepted connection; each step is 1 ms after the last, or *after* so many."""

    def __init__(self) -> None:
        self.ns = 0
        self.events: list[Event] = []
        self._add(Accepted, PEER, LOCAL, "tcp", call=self._call("accept"))

    def _call(self, name: str, **known: Any) -> Call:
        line = len(self.events) + 1
        said = {"arguments": "", "result": "0", "error": None, "duration": 0.0} | known
        return Call(name, process=1, thread=1, file="server.py", line=line, **said)

    def _add(self, kind: type[Event], *fields: Any, after: int = 1, **named: Any) -> None:
        self.ns += after * MS
        self.events.append(kind(self.ns, "server.py", "c1", *fields, **named))  # type: ignore[call-arg, arg-type]

    def came(self, data: bytes) -> None:
        self._add(Received, len(data), data, call=self._call("recv"))

    def went(self, data: bytes, given: int | None = None, rest: bytes = b"") -> None:
        size = len(data) if given is None else given
        more = {"arguments": f"{size} bytes", "rest": rest.hex() or None}
        self._add(Sent, len(data), data, call=self._call("send", **more))

    def failed(self, name: str, error: str) -> None:
        self._add(Called, call=self._call(name, result=None, error=error))

    def uncaught(self) -> None:
        """Nobody caught the last error."""
        last = self.events[-1]
        self.events.append(Note(self.ns, "server.py", "uncaught", "…", "c1", call=last.call))

    def fin_came(self) -> None:
        self._add(PeerShutdown, call=self._call("recv"))

    def fin_went(self) -> None:
        self._add(LocalShutdown, call=self._call("shutdown"))

    def closed(self, unread: int = 0, after: int = 1) -> None:
        reason = CloseReason.ABORTED if unread else CloseReason.LOCAL
        out = sum(one.bytes for one in self.events if isinstance(one, Sent))
        detail = f"{unread} bytes were not read, so the kernel sent RST" if unread else ""
        fields = (PEER, LOCAL, reason, 0, out, 0.1, detail)
        self._add(Closed, *fields, after=after, call=self._call("close"))

    @property
    def findings(self) -> list[Finding]:
        return diagnose(Evidence(self.events))

    @property
    def mistakes(self) -> list[str]:
        return [one.mistake.name for one in self.findings]

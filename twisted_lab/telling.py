"""The client's own events, as lines beside the text: what each call of ours was, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_lab.escaping import escape
from twisted_lab.events import (
    Closed,
    CloseReason,
    Connected,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Resumed,
    Sent,
    Tls,
)
from twisted_lab.explaining import counted, span

_ENDS = {
    CloseReason.PEER_FIN: "the peer ended it first (FIN)",
    CloseReason.LOCAL: "we ended it first (FIN)",
    CloseReason.RESET: "the peer reset it (RST): what was on its way is lost",
    CloseReason.ABORTED: "we reset it (RST)",
    CloseReason.TRUNCATED: "FIN without TLS close_notify: what was meant to come may be cut",
    CloseReason.HANDSHAKE: "the TLS handshake failed",
}


def tell(event: Event, secure: bool = False) -> str | None:
    """*event* in a few words, safe to show; None for what is not worth a line.

    *secure*: it is of a stream over TLS, where close_notify says what FIN says below it.
    """
    teller = _TELLERS.get(type(event))
    if secure:
        teller = _TLS_TELLERS.get(type(event), teller)
    return None if teller is None else teller(event)


def line(event: Event, secure: bool = False) -> str | None:
    """The same with its time since the client began."""
    said = tell(event, secure)
    return None if said is None else f"[{span(event.ns, 4):>9}] {said}"


def _connected(event: Connected) -> str:
    took = "" if event.duration is None else f" in {span(round(event.duration * 1e9))}"
    where = f"{escape(event.peer)} from {escape(event.local)}"
    return f"connected to {where} ({escape(event.transport)}){took}"


def _tls(event: Tls) -> str:
    if event.error is not None:
        return f"TLS failed: {escape(event.error)}"
    name = f", for {escape(event.sni)}" if event.sni else ""
    suite = escape(f"{event.version} {event.cipher}")
    certificate = escape(event.peer_certificate or "nobody")
    return f"{suite}{name}; the certificate is of {certificate}"


def ending(event: Closed) -> str:
    """Who ended it first, and how."""
    detail = f": {escape(event.detail)}" if event.detail else ""
    return _ENDS.get(event.reason, escape(event.reason)) + detail


def _closed(event: Closed) -> str:
    moved = f"{counted(event.bytes_out)} sent, {counted(event.bytes_in)} received"
    return f"closed, {ending(event)}; {moved} in {span(round(event.duration * 1e9))}"


def _dropped(event: DatagramDropped) -> str:
    return f"{counted(event.count, 'datagram')} lost: {escape(event.reason)}"


def _flow(event: Paused | Resumed) -> str | None:
    if event.direction == "in":
        return None  # ours alone: stdout is slower than the peer
    full = isinstance(event, Paused)
    return "send() would block: the peer does not read" if full else "the peer reads again"


_TELLERS: dict[type[Event], Callable[[Any], str | None]] = {
    Connected: _connected,
    Tls: _tls,
    Received: lambda event: f"recv() returned {counted(event.bytes)}",
    Sent: lambda event: f"sent {counted(event.bytes)}",
    PeerShutdown: lambda event: "the peer sent FIN: recv() returned 0 bytes",
    LocalShutdown: lambda event: "sent FIN: shutdown(SHUT_WR)",
    Paused: _flow,
    Resumed: _flow,
    Note: lambda event: escape(event.text),
    Closed: _closed,
    DatagramReceived: lambda event: f"recvfrom() returned one datagram of {counted(event.bytes)}",
    DatagramSent: lambda event: f"sent one datagram of {counted(event.bytes)}",
    DatagramDropped: _dropped,
}

_TLS_TELLERS: dict[type[Event], Callable[[Any], str | None]] = {
    Received: lambda event: f"one TLS record gave {counted(event.bytes)}",
    PeerShutdown: lambda event: "the peer sent TLS close_notify: it will send no more",
    LocalShutdown: lambda event: "sent TLS close_notify: we will send no more",
    Closed: lambda event: _closed(event).replace("(FIN)", "(TLS close_notify)", 1),
}

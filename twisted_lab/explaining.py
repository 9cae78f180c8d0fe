"""Each event in a sentence for a person, with the system call it stands for.

Rule: what a peer said is escaped here; the sentences say what happened and what it means, and
nothing that the event does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted_lab.escaping import escape
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    Connected,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    Listening,
    LocalShutdown,
    Note,
    NotListening,
    Paused,
    PeerShutdown,
    Received,
    Refused,
    Resumed,
    Sent,
    Tls,
)

#: Closes of ours that are an RST: what was not sent is lost.
RESETS = frozenset({CloseReason.ABORTED, CloseReason.STALLED})

_RESET_CALL = "setsockopt(SO_LINGER, 0) + close()"


@dataclass(frozen=True, slots=True)
class Explanation:
    """``says`` is one sentence, safe to show; ``call`` is None where no system call is meant."""

    says: str
    call: str | None = None


def explain(event: Event) -> Explanation:
    """What *event* was, and what it meant."""
    return _EXPLAINERS[type(event)](event)


def counted(number: int, noun: str = "byte") -> str:
    """``1 byte``, ``2,048 bytes``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def span(ns: int, digits: int = 3) -> str:
    """*ns* nanoseconds as a person says it: ``0``, ``15 µs``, ``1.2 ms``, ``3.4 s``, ``2 min``."""
    for size, unit in ((1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")):
        rounded = float(f"{ns / size:.{digits}g}")
        if rounded < (100 if unit == "s" else 1000):
            return f"{rounded:g} {unit}" if ns else "0"
    minutes, seconds = divmod(round(ns / 1_000_000_000), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def _listening(event: Listening) -> Explanation:
    where = escape(event.local)
    if event.transport == "udp":
        return Explanation(f"{where} is open: bind() took the address.", "bind()")
    queue = "" if event.backlog is None else f"; {event.backlog} connections may wait for accept()"
    return Explanation(f"{where} is open{queue}.", "bind(), listen()")


def _not_listening(event: NotListening) -> Explanation:
    return Explanation(f"{escape(event.local)} is closed: who comes now is refused.", "close()")


def _accepted(event: Accepted) -> Explanation:
    came = f"accept() gave us the connection of {escape(event.peer) or 'a peer without a name'}"
    if event.proxy is not None:
        return Explanation(
            f"{came}, as the PROXY header of {escape(event.proxy)} names it.", "accept()"
        )
    if event.transport.endswith("unix"):
        return Explanation(f"{came}.", "accept()")
    return Explanation(f"{came}; the kernel had finished the TCP handshake before.", "accept()")


def _connected(event: Connected) -> Explanation:
    return Explanation(f"connect() made the connection to {escape(event.peer)}.", "connect()")


def _refused(event: Refused) -> Explanation:
    who = counted(event.count, "connection") if event.count > 1 else escape(event.peer)
    why = f": {escape(event.detail)}" if event.detail else ""
    return Explanation(f"{who} turned away by {escape(event.reason)}{why}.", "close()")


def _tls(event: Tls) -> Explanation:
    if event.error is not None:
        return Explanation(f"The TLS handshake failed: {escape(event.error)}.")
    said = [
        escape(event.version or "TLS"),
        escape(event.cipher or ""),
        f"for the name {escape(event.sni)}" if event.sni else "",
        f"to speak {escape(event.alpn)}" if event.alpn else "",
    ]
    return Explanation(f"The TLS handshake is done: {', '.join(filter(None, said))}.")


def _received(event: Received) -> Explanation:
    return Explanation(
        f"One recv() returned {counted(event.bytes)}; the peer may have sent them in more pieces,"
        " or fewer.",
        "recv()",
    )


def _sent(event: Sent) -> Explanation:
    return Explanation(
        f"The service wrote {counted(event.bytes)} at once; the peer may get them in more pieces,"
        " or fewer.",
        "send()",
    )


_HOLDERS = {
    "output": "what we wrote is not taken, so we ask for no more",
    "protocol": "the service asked for silence",
}


def _paused(event: Paused) -> Explanation:
    if event.direction == "out":
        return Explanation(
            "The peer does not read: its window and the kernel's buffers are full, so what we"
            " write waits.",
            "send() = EAGAIN",
        )
    why = _HOLDERS.get(event.reason, f"{escape(event.reason)} holds it")
    return Explanation(
        f"We stopped reading ({why}): what comes waits in the kernel, until the window we offer"
        " is closed."
    )


def _resumed(event: Resumed) -> Explanation:
    if event.direction == "out":
        return Explanation("The peer has taken what waited for it.", "send()")
    return Explanation("We read again.")


def _peer_shutdown(event: PeerShutdown) -> Explanation:
    return Explanation(
        "The peer sent FIN: it will send no more, and still reads. recv() returned 0 bytes.",
        "recv() = 0",
    )


def _local_shutdown(event: LocalShutdown) -> Explanation:
    return Explanation("We sent FIN: we will send no more, and still read.", "shutdown(SHUT_WR)")


def _note(event: Note) -> Explanation:
    return Explanation(f"{escape(event.kind)}: {escape(event.text)}")


_CLOSES = {
    CloseReason.PEER_FIN: "The peer ended it first, with FIN, and both directions are done",
    CloseReason.LOCAL: "The service ended it, with FIN",
    CloseReason.RESET: "The peer reset it (RST), or the network gave up: what was on its way is"
    " lost",
    CloseReason.IDLE: "Nothing moved for too long, so we ended it",
    CloseReason.SLOW: "It moved too slowly, so we ended it",
    CloseReason.STALLED: "The peer took nothing of what waited for it, so we reset it (RST)",
    CloseReason.LIFETIME: "It had lasted as long as it may, so we ended it",
    CloseReason.HANDSHAKE: "The TLS handshake did not come to its end",
    CloseReason.TRUNCATED: "FIN came without TLS close_notify: what the peer meant to send may be"
    " cut",
    CloseReason.LIMIT: "It was more than may be, so we ended it",
    CloseReason.DRAIN: "The bench stops, so we ended it",
    CloseReason.FAULT: "A fault on purpose ended it",
    CloseReason.ERROR: "The service failed, so we ended it",
    CloseReason.ABORTED: "The service reset it (RST): what was on its way is lost",
}


def _closed(event: Closed) -> Explanation:
    detail = f" ({escape(event.detail)})" if event.detail else ""
    moved = f"{counted(event.bytes_in)} came and {counted(event.bytes_out)} went"
    lasted = span(round(event.duration * 1e9))
    said = f"{_CLOSES[event.reason]}{detail}; {moved} in {lasted}."
    if event.reason is CloseReason.RESET:
        return Explanation(said, "recv() = ECONNRESET")
    return Explanation(said, _RESET_CALL if event.reason in RESETS else "close()")


def _datagram_received(event: DatagramReceived) -> Explanation:
    return Explanation(
        f"recvmsg() returned one datagram of {counted(event.bytes)}, whole, as it was sent.",
        "recvmsg()",
    )


def _datagram_sent(event: DatagramSent) -> Explanation:
    return Explanation(
        f"One datagram of {counted(event.bytes)} was handed to the kernel; nobody says whether it"
        " arrives.",
        "sendto()",
    )


_DROPS = {
    "kernel": "the socket's receive buffer was full",
    "truncated": "longer than we read at once",
    "broadcast": "sent to a broadcast address",
    "multicast": "sent to a multicast group",
    "loop-port": "from a port whose owner would answer our answer",
    "loop-served": "from a port we serve ourselves: answers would go round for ever",
    "bad-source": "from an address nobody can have",
    "rate": "more from one source than it may send",
    "amplification": "the answer is longer than its request may get",
}


def _datagram_dropped(event: DatagramDropped) -> Explanation:
    why = _DROPS.get(event.reason)
    if why is None and event.reason.startswith("send-"):
        why = f"the kernel refused to send it: {event.reason[5:].upper()}"
    number = counted(event.count, "datagram")
    return Explanation(f"{number} dropped: {escape(why or event.reason)}.")


def _gap(event: Gap) -> Explanation:
    moved = f"{counted(event.bytes_in)} came and {counted(event.bytes_out)} went"
    lasted = span(event.until - event.ns)
    number = "Events" if event.count is None else counted(event.count, "event")
    said = {
        "unwatched": f"Nobody watched for {lasted}, so no events were made; {moved}.",
        "evicted": f"{number} of {lasted} made room for newer ones; {moved}.",
        "overrun": f"{number} of {lasted} came faster than they can be shown; recordings have"
        " them.",
    }
    return Explanation(said[event.reason])


_EXPLAINERS: dict[type[Event], Callable[[Any], Explanation]] = {
    Listening: _listening,
    NotListening: _not_listening,
    Accepted: _accepted,
    Connected: _connected,
    Refused: _refused,
    Tls: _tls,
    Received: _received,
    Sent: _sent,
    Paused: _paused,
    Resumed: _resumed,
    PeerShutdown: _peer_shutdown,
    LocalShutdown: _local_shutdown,
    Note: _note,
    Closed: _closed,
    DatagramReceived: _datagram_received,
    DatagramSent: _datagram_sent,
    DatagramDropped: _datagram_dropped,
    Gap: _gap,
}

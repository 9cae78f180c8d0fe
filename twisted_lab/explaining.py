"""Each event in a sentence for a person, with the system call it stands for.

Rule: what a peer said is escaped here; the sentences say what happened and what it means, and
nothing that the event does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from twisted_lab.escaping import escape
from twisted_lab.events import (
    RESETS,
    Accepted,
    Called,
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
from twisted_lab.explaining_calls import UNCLOSED, explain_call, explain_result, shown

_RESET_CALL = "setsockopt(SO_LINGER, 0) + close()"

#: What ends one direction where there is no FIN, or where it is not what counts.
_ENDS = {"tls": "close_notify", "unix": "end of stream"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """``says`` is one sentence, safe to show; ``call`` is None where no system call is meant."""

    says: str
    call: str | None = None


def explain(event: Event, transport: str = "") -> Explanation:
    """What *event* was, and what it meant.

    *transport* is its connection's (:func:`transport_of`): a FIN is one on ``tcp`` alone. Without
    it the sentence holds for all.
    """
    words = _WORDS.get(transport, _ANY)
    explainer = _STREAM_EXPLAINERS.get(type(event))
    found = explainer(event, words) if explainer else _EXPLAINERS[type(event)](event)
    if event.call is None:
        return found
    says = explain_result(event.call) or found.says
    for bench, program in _OF_A_PROGRAM:
        says = says.replace(bench, program)
    return Explanation(says, shown(event.call))


#: The words of a sentence that are the bench's, and what they are in a watched program.
_OF_A_PROGRAM = (
    ("The service", "The program"),
    ("We sent", "The program sent"),
    ("we will send", "it will send"),
    ("gave us", "gave the program"),
)


def transport_of(events: Iterable[Event]) -> str:
    """What the connection of *events* goes over: ``tcp``, ``tls``, ``unix`` …; "" for unknown."""
    for event in events:
        if isinstance(event, Accepted | Connected):
            return event.transport
        if isinstance(event, Tls):
            return "tls"
    return ""


def end_of_direction(transport: str) -> str:
    """What ends one direction of a stream over *transport*, in a word or two: ``FIN`` on most."""
    return _ENDS.get(transport, "FIN")


def is_answer(reason: str) -> bool:
    """Whether a datagram that was dropped for *reason* was ours to send."""
    return reason == "amplification" or reason.startswith("send-")


@dataclass(frozen=True, slots=True)
class _Words:
    """What a stream's calls and its end are called on one transport."""

    recv: str
    sends: str
    recv_call: str
    send_call: str
    #: What the peer's end is, and ours; and how one hears of it, or does it.
    end: str
    ended_call: str
    end_call: str
    #: How its end came, how ours went, and what a reset is.
    by_peer: str
    by_us: str
    rst: str


_TCP = _Words(
    recv="One recv() returned",
    sends="a stream has no message boundaries, so the peer may have sent them in more pieces, or"
    " fewer",
    recv_call="recv()",
    send_call="send()",
    end="FIN",
    ended_call="recv() = 0",
    end_call="shutdown(SHUT_WR)",
    by_peer=", with FIN",
    by_us=", with FIN if the peer took what was left, else with RST",
    rst=" (RST)",
)
_TLS = replace(
    _TCP,
    recv="One TLS record brought",
    recv_call="SSL_read()",
    send_call="SSL_write()",
    end="TLS close_notify",
    ended_call="SSL_read() = 0",
    end_call="SSL_shutdown()",
    by_peer=", with TLS close_notify",
    by_us=", with close_notify and FIN if the peer took what was left, else with RST",
)
_UNIX = replace(_TCP, end="the end of its stream", by_peer="", by_us="", rst="")
_ANY = replace(
    _TCP,
    recv="One recv() (or TLS record) gave",
    sends="the peer may have sent more or fewer at once",
    end="FIN (over TLS: close_notify)",
    by_peer=", with FIN (over TLS: close_notify)",
)
_WORDS = {"tcp": _TCP, "tls": _TLS, "unix": _UNIX}


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


_GATES = {
    "access": "it is not let in (--allow, --deny)",
    "max-connections": "as many are open as may be (--max-connections)",
    "max-per-peer": "its peer has as many open as it may (--max-per-peer)",
    "accept-rate": "its peer comes more often than it may (--accept-rate)",
    "proxy": "its PROXY header is missing or wrong",
    "proxy-from": "its PROXY header is not believed (--proxy-from)",
    "handshakes": "too many others have not finished their TLS handshake",
    "descriptors": "this process has nearly no descriptor left (ulimit -n)",
    "protocol": "the service would not have it",
}


def _refused(event: Refused) -> Explanation:
    who = escape(event.peer) or "A peer without a name"
    whose = f"{event.count:,} connections were" if event.count > 1 else f"{who} was"
    why = _GATES.get(event.reason) or escape(event.reason)
    detail = f" ({escape(event.detail)})" if event.detail else ""
    return Explanation(f"{whose} turned away: {why}{detail}.", "accept(), close()")


def _tls(event: Tls) -> Explanation:
    if event.error is not None:
        return Explanation(f"The TLS handshake failed: {escape(event.error)}.", "SSL_accept()")
    said = [
        escape(event.version or "TLS"),
        escape(event.cipher or ""),
        f"for the name {escape(event.sni)}" if event.sni else "",
        f"to speak {escape(event.alpn)}" if event.alpn else "",
    ]
    done = f"The TLS handshake is done: {', '.join(filter(None, said))}."
    return Explanation(done, "SSL_accept()")


def _received(event: Received, words: _Words) -> Explanation:
    return Explanation(f"{words.recv} {counted(event.bytes)}; {words.sends}.", words.recv_call)


def _sent(event: Sent, words: _Words) -> Explanation:
    return Explanation(
        f"The service wrote {counted(event.bytes)} at once; the peer may get them in more pieces,"
        " or fewer.",
        words.send_call,
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


def _peer_shutdown(event: PeerShutdown, words: _Words) -> Explanation:
    # Whether it called shutdown() or close() nobody can see.
    return Explanation(
        f"The peer sent {words.end}: it will send no more, but may still read.", words.ended_call
    )


def _local_shutdown(event: LocalShutdown, words: _Words) -> Explanation:
    end = words.end.replace("its", "our")
    return Explanation(f"We sent {end}: we will send no more, and still read.", words.end_call)


def _note(event: Note) -> Explanation:
    return Explanation(f"{escape(event.kind)}: {escape(event.text)}")


def _called(event: Called) -> Explanation:
    return Explanation("A call." if event.call is None else explain_call(event.call))


_CLOSES = {
    CloseReason.PEER_FIN: "The peer ended it first{by_peer}, and both directions are done",
    CloseReason.LOCAL: "The service ended it first{by_us}",
    CloseReason.RESET: "The peer reset it{rst}, or the network gave up: what was on its way is"
    " lost",
    CloseReason.IDLE: "Nothing moved for too long, so we ended it",
    CloseReason.SLOW: "It moved too slowly, so we ended it",
    CloseReason.STALLED: "The peer took nothing of what waited for it, so we reset it{rst}",
    CloseReason.LIFETIME: "It had lasted as long as it may, so we ended it",
    CloseReason.HANDSHAKE: "The TLS handshake did not come to its end",
    CloseReason.TRUNCATED: "FIN came without TLS close_notify: what the peer meant to send may be"
    " cut",
    CloseReason.LIMIT: "It was more than may be, so we ended it",
    CloseReason.DRAIN: "The bench stops, so we ended it",
    CloseReason.FAULT: "A fault on purpose ended it",
    CloseReason.ERROR: "The service failed, so we ended it",
    CloseReason.ABORTED: "The service reset it{rst}: what was on its way is lost",
}


def _closed(event: Closed, words: _Words) -> Explanation:
    detail = f" ({escape(event.detail)})" if event.detail else ""
    moved = f"{counted(event.bytes_in)} came and {counted(event.bytes_out)} went"
    lasted = span(round(event.duration * 1e9))
    why = _CLOSES[event.reason].format(by_peer=words.by_peer, by_us=words.by_us, rst=words.rst)
    said = f"{why}{detail}; {moved} in {lasted}."
    if event.detail == UNCLOSED:
        said = f"The program ended, and the kernel closed what it had open; {moved} in {lasted}."
        return Explanation(said)
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
    "access": "its source is not let in (--allow, --deny)",
    "loop-port": "from a port whose owner would answer our answer",
    "loop-served": "from a port we serve ourselves: answers would go round for ever",
    "bad-source": "from an address nobody can have",
    "rate": "more from one source than it may send",
    "amplification": "the answer is longer than its request may get",
}


def _datagram_dropped(event: DatagramDropped) -> Explanation:
    why = _DROPS.get(event.reason)
    if why is None and is_answer(event.reason):
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
        "overrun": f"{number} of {lasted} were too many to show; recordings have them.",
    }
    return Explanation(said[event.reason])


_EXPLAINERS: dict[type[Event], Callable[[Any], Explanation]] = {
    Listening: _listening,
    NotListening: _not_listening,
    Accepted: _accepted,
    Connected: _connected,
    Refused: _refused,
    Tls: _tls,
    Paused: _paused,
    Resumed: _resumed,
    Note: _note,
    Called: _called,
    DatagramReceived: _datagram_received,
    DatagramSent: _datagram_sent,
    DatagramDropped: _datagram_dropped,
    Gap: _gap,
}

#: Those that are something else on another transport.
_STREAM_EXPLAINERS: dict[type[Event], Callable[[Any, _Words], Explanation]] = {
    Received: _received,
    Sent: _sent,
    PeerShutdown: _peer_shutdown,
    LocalShutdown: _local_shutdown,
    Closed: _closed,
}

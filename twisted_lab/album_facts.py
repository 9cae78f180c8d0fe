"""What is known of a conversation as a whole, in a few words each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from twisted_lab.album import Chapter
from twisted_lab.escaping import escape
from twisted_lab.events import Accepted, Closed, Connected, Event, TcpInfo, Tls
from twisted_lab.explaining import counted, span


def facts(chapter: Chapter, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Terms and what is to be said of them, safe to show; *events* are those of *chapter*."""
    yield "Peer", escape(chapter.peer) or "without a name"
    yield "Program" if chapter.watched else "Bench", escape(chapter.local)
    for event in events:
        if isinstance(event, Accepted | Connected | Tls):
            yield from _opened(event)
    yield "Began", _began(chapter, events[0])
    yield "Moved", f"{counted(chapter.bytes_in)} came, {counted(chapter.bytes_out)} went"
    closed = next((one for one in reversed(events) if isinstance(one, Closed)), None)
    if closed is not None:
        yield from _closed(closed)
    elif not chapter.id.startswith("d"):  # datagrams have no end
        yield "End", "still open when the recording ends"


def _opened(event: Accepted | Connected | Tls) -> Iterator[tuple[str, str]]:
    if isinstance(event, Tls):
        done = f"{event.version}, {event.cipher}"
        yield "TLS", escape(done if event.error is None else f"failed: {event.error}")
    else:
        yield "Over", escape(event.transport)
    if isinstance(event, Accepted) and event.proxy is not None:
        yield "Through", escape(event.proxy)


def _began(chapter: Chapter, event: Event) -> str:
    seconds = (chapter.start.epoch + event.ns) / 1e9
    began = datetime.fromtimestamp(seconds, chapter.start.started.tzinfo)
    return f"{began:%Y-%m-%d at %H:%M:%S.%f %Z}"


def _closed(event: Closed) -> Iterator[tuple[str, str]]:
    lasted = span(round(event.duration * 1e9))
    detail = f": {escape(event.detail)}" if event.detail else ""
    yield "End", f"{event.reason}{detail}, after {lasted}"
    if event.tcp_info is not None:
        yield "Kernel", _kernel(event.tcp_info)


def _kernel(info: TcpInfo) -> str:
    """Its view as the end began (tcp(7), TCP_INFO)."""
    return (
        f"{escape(info.state)}, rtt {span(1000 * info.rtt_us)}, cwnd {info.snd_cwnd},"
        f" {info.unacked} unacked, {counted(info.notsent_bytes)} not sent,"
        f" {info.total_retrans} retransmitted"
    )

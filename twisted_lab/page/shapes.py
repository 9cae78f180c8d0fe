"""The shapes of the interface: a connection, a talk, a refusal as JSON's types."""

from __future__ import annotations

from typing import Any

from twisted_lab.conversation import Conversation
from twisted_lab.events import Refused
from twisted_lab.page.subject import Open
from twisted_lab.talks import Talk


def opened_at(stream: Open, now: int) -> int:
    """When *stream* was opened, in ns of the publisher, whose *now* this is."""
    return max(0, now - round(stream.age * 1e9))


def open_connection(stream: Open, now: int) -> dict[str, Any]:
    """*stream*; *now* is ns of the publisher."""
    opened = opened_at(stream, now)
    said = {
        "id": stream.id,
        "service": stream.service,
        "peer": stream.peer,
        "local": stream.local,
        "transport": stream.kind,
        "state": "ending" if stream.ending else "open",
        "opened_ns": opened,
        "duration": round((now - opened) / 1e9, 6),
        "bytes_in": stream.bytes_in,
        "bytes_out": stream.bytes_out,
    }
    if stream.proxy is not None:
        said["proxy"] = stream.proxy.balancer
    if stream.reason is not None:
        said |= {"reason": stream.reason.value, "detail": stream.detail}
    return said


def closed_connection(kept: Conversation) -> dict[str, Any]:
    """A connection that is over, as it is kept."""
    said = {
        "id": kept.id,
        "service": kept.service,
        "peer": kept.peer,
        "local": kept.local,
        "transport": kept.transport,
        "state": "closed",
        "opened_ns": kept.opened,
        "closed_ns": kept.closed,
        "duration": kept.duration,
        "bytes_in": kept.bytes_in,
        "bytes_out": kept.bytes_out,
        "reason": kept.reason,
        "detail": kept.detail,
    }
    return said if kept.proxy is None else said | {"proxy": kept.proxy}


def talk(kept: Conversation, totals: Talk) -> dict[str, Any]:
    """The datagrams of one peer with one service."""
    return {
        "id": kept.id,
        "service": kept.service,
        "peer": kept.peer,
        "local": kept.local,
        "first_ns": totals.first,
        "last_ns": totals.last,
        "datagrams_in": totals.datagrams_in,
        "bytes_in": totals.bytes_in,
        "datagrams_out": totals.datagrams_out,
        "bytes_out": totals.bytes_out,
        "dropped": totals.dropped,
    }


def refusal(event: Refused) -> dict[str, Any]:
    """A connection that a gate turned away."""
    names = ("ns", "service", "peer", "local", "reason", "detail", "count")
    return {name: getattr(event, name) for name in names}

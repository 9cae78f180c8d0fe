"""The answers of the interface, each a function; :data:`ROUTES` says which request gets which."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from twisted_lab import __version__
from twisted_lab.conversation import KEPT, Conversation
from twisted_lab.diagram import End, draw, draw_both
from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.events import CATALOGUE, CloseReason, Connected, Event, Gap
from twisted_lab.explaining import transport_of
from twisted_lab.page import shapes
from twisted_lab.page.entries import entry
from twisted_lab.page.interest import Interest
from twisted_lab.page.routes import ApiError, Route
from twisted_lab.page.subject import Open, Subject
from twisted_lab.page.viewers import Viewers
from twisted_lab.service_views import as_json as summary_as_json

#: How many of a list are given when nobody says, and at most.
LISTED, MOST = 200, 1000


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that is not JSON."""

    content_type: str
    data: bytes
    status: int = 200


def as_json(said: dict[str, Any], status: int = 200) -> Body:
    """*said* as an answer."""
    return Body("application/json", json.dumps(said, separators=(",", ":")).encode(), status)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its parameters, what the bench knows, who else watches, what is measured."""

    desk: Subject
    viewers: Viewers
    about: Mapping[str, Any]
    parameters: Mapping[str, str]
    request: Any

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """The whole number *name*; raises :class:`ApiError` 400."""
        text = self.parameters.get(name)
        if text is None:
            return default
        is_number = text.isascii() and text.isdecimal() and len(text) < 20
        if not is_number or not least <= int(text) <= most:
            raise ApiError(400, f"{name}='{escape(text)}': expected {least} to {most}")
        return int(text)

    def word(self, name: str, words: Sequence[str]) -> str | None:
        """The parameter *name*, which is one of *words*; raises :class:`ApiError` 400."""
        text = self.parameters.get(name)
        if text is not None and text not in words:
            raise ApiError(400, f"{name}='{escape(text)}': expected {', '.join(words)}")
        return text


def bench(asked: Asked) -> dict[str, Any]:
    """The bench as a whole."""
    capture = asked.desk.publisher.capture
    return {
        "version": __version__,
        **asked.about,
        **asked.desk.facts(),
        "capture": capture,
        "kept": KEPT,
    }


def services(asked: Asked) -> dict[str, Any]:
    """Every service."""
    return {"services": [summary_as_json(one) for one in asked.desk.summaries()]}


def suspend(asked: Asked, name: str) -> dict[str, Any]:
    """Close a service's ports."""
    return _change(asked, name, "suspend")


def resume(asked: Asked, name: str) -> dict[str, Any]:
    """Open them again."""
    return _change(asked, name, "resume")


def _change(asked: Asked, name: str, what: str) -> dict[str, Any]:
    service = asked.desk.service(name)
    if service is None:
        raise ApiError(404, f"there is no service '{escape(name)}'")
    if asked.desk.draining:
        raise ApiError(409, "the bench is stopping")
    try:
        getattr(service, what)()
    except SocketlabError as error:
        raise ApiError(409, str(error)) from None
    (said,) = (one for one in asked.desk.summaries() if one.name == name)
    return {"service": summary_as_json(said)}


def connections(asked: Asked) -> dict[str, Any]:
    """The connections that match, open ones first."""
    desk, limit = asked.desk, asked.number("limit", LISTED, 1, MOST)
    state = asked.word("state", ("open", "closed"))
    asked.word("reason", [reason.value for reason in CloseReason])
    streams = desk.streams()
    closed = list(desk.closed())
    open_ones = [] if state == "closed" else [one for one in streams if _matches(asked, one)]
    closed_ones = [] if state == "open" else [one for one in closed if _matches(asked, one)]
    now = desk.publisher.now()
    shown = [shapes.open_connection(one, now) for one in open_ones[:limit]]
    shown += map(shapes.closed_connection, closed_ones[: limit - len(shown)])
    return {
        "connections": shown,
        "open": len(streams),
        "closed": len(closed),
        "matching": len(open_ones) + len(closed_ones),
        "forgotten": desk.conversations.forgotten,
        "ns": now,
    }


def _matches(asked: Asked, one: Open | Conversation) -> bool:
    wanted = asked.parameters
    return (
        wanted.get("service") in (None, one.service)
        and wanted.get("peer", "") in one.peer
        and wanted.get("reason") in (None, one.reason)
    )


def connection(asked: Asked, id: str) -> dict[str, Any]:
    """One connection with its events."""
    stream, kept = _connection(asked, id)
    now = asked.desk.publisher.now()
    if stream is not None:
        said = shapes.open_connection(stream, now)
    else:
        assert kept is not None
        said = shapes.closed_connection(kept)
    if (other := asked.desk.other(id)) is not None:
        said["other"] = other
    return {"connection": said, **_events(_events_of(stream, kept, now), now)}


def _connection(asked: Asked, id: str) -> tuple[Open | None, Conversation | None]:
    stream = asked.desk.stream(id)
    kept = asked.desk.conversations.get(id) if id.startswith("c") else None
    if stream is None and (kept is None or kept.closed is None):
        raise ApiError(404, f"no connection '{escape(id)}' is open or kept")
    return stream, kept


def _events_of(stream: Open | None, kept: Conversation | None, now: int) -> list[Event]:
    if stream is None:
        return [] if kept is None else kept.events(now, kept.bytes_in, kept.bytes_out)
    if kept is not None:
        return kept.events(now, stream.bytes_in, stream.bytes_out)
    since, moved = shapes.opened_at(stream, now), (stream.bytes_in, stream.bytes_out)
    return [Gap(since, stream.service, now, "evicted", stream.id, *moved)]


def _events(events: Sequence[Event], now: int) -> dict[str, Any]:
    transport = transport_of(events)
    return {"events": [entry(event, transport) for event in events], "seq": now, "ns": now}


def connection_kernel(asked: Asked, id: str) -> dict[str, Any]:
    """What the kernel knows of a connection now."""
    stream, _ = _connection(asked, id)
    closed = "the connection is closed: the kernel has dropped it"
    found = closed if stream is None else asked.desk.kernel(stream)
    now = asked.desk.publisher.now()
    if isinstance(found, str):
        return {"tcp_info": None, "ns": now, "why": found}
    return {"tcp_info": asdict(found), "ns": now}


def connection_svg(asked: Asked, id: str) -> Body:
    """A connection's sequence diagram; ``scale=both``: of both its ends, where that is known."""
    other = asked.desk.other(id) if asked.parameters.get("scale") == "both" else None
    if other is not None:
        return _both_drawn(asked, _end_of(asked, id), _end_of(asked, other))
    stream, kept = _connection(asked, id)
    events = _events_of(stream, kept, asked.desk.publisher.now())
    one = stream or kept
    assert one is not None
    return _drawn(asked, events, one.peer, one.local)


def _end_of(asked: Asked, id: str) -> End:
    stream, kept = _connection(asked, id)
    one = stream or kept
    assert one is not None
    events = sorted(_events_of(stream, kept, asked.desk.publisher.now()), key=lambda one: one.ns)
    connected = any(isinstance(event, Connected) for event in events[:1])
    return End(events, "client" if connected else "server", one.local)


def _both_drawn(asked: Asked, one: End, other: End) -> Body:
    left, right = (one, other) if one.name == "client" else (other, one)
    width = asked.number("width", 720, 240, 2000)
    return Body("image/svg+xml", draw_both(left, right, width=width, standalone=False).encode())


def _drawn(asked: Asked, events: Sequence[Event], peer: str, local: str) -> Body:
    even = asked.word("scale", ("time", "even", "both")) == "even"
    width = asked.number("width", 720, 240, 2000)
    svg = draw(
        events,
        scale="even" if even else "time",
        peer=peer,
        local=local,
        names=("peer", asked.desk.here),
        width=width,
        standalone=False,
    )
    return Body("image/svg+xml", svg.encode())


def close(asked: Asked, id: str) -> Body:
    """End a connection with FIN."""
    return _end(asked, id, "close")


def reset(asked: Asked, id: str) -> Body:
    """End a connection with RST."""
    return _end(asked, id, "reset")


def _end(asked: Asked, id: str, what: str) -> Body:
    stream, _ = _connection(asked, id)
    if stream is None:
        raise ApiError(409, f"connection {escape(id)} is closed already")
    try:
        getattr(asked.desk, what)(stream)
    except SocketlabError as error:
        raise ApiError(409, str(error)) from None
    return as_json({"connection": id, "doing": what}, 202)


def datagrams(asked: Asked) -> dict[str, Any]:
    """The datagram peers that match, the last heard of first."""
    desk, limit, wanted = asked.desk, asked.number("limit", LISTED, 1, MOST), asked.parameters
    matching = [
        (kept, totals)
        for kept, totals in desk.talks()
        if wanted.get("service") in (None, kept.service) and wanted.get("peer", "") in kept.peer
    ]
    return {
        "talks": [shapes.talk(*pair) for pair in islice(matching, limit)],
        "matching": len(matching),
        "forgotten": desk.forgotten_talks(),
        "ns": desk.publisher.now(),
    }


def talk(asked: Asked, id: str) -> dict[str, Any]:
    """One datagram peer with its events."""
    kept, totals = _talk(asked, id)
    now = asked.desk.publisher.now()
    events = kept.events(now, totals.bytes_in, totals.bytes_out)
    return {"talk": shapes.talk(kept, totals), **_events(events, now)}


def _talk(asked: Asked, id: str) -> Any:
    found = asked.desk.talk(id)
    if found is None:
        raise ApiError(404, f"no datagrams '{escape(id)}' are kept")
    return found


def talk_svg(asked: Asked, id: str) -> Body:
    """A datagram peer's sequence diagram."""
    kept, totals = _talk(asked, id)
    events = kept.events(asked.desk.publisher.now(), totals.bytes_in, totals.bytes_out)
    return _drawn(asked, events, kept.peer, kept.local)


def refusals(asked: Asked) -> dict[str, Any]:
    """The last connections that a gate turned away, newest first."""
    newest = reversed(asked.desk.conversations.refusals)
    return {"refusals": [shapes.refusal(one) for one in newest]}


def events(asked: Asked) -> None:
    """The stream of events; it ends when either side does."""
    interest = _interest(asked)
    asked.request.setHeader("Content-Type", "text/event-stream")
    if asked.request.method == b"HEAD":
        asked.request.finish()
        return
    asked.request.channel.answering = True
    last = asked.request.getHeader("Last-Event-ID") or ""
    after = int(last) if last.isascii() and last.isdecimal() and len(last) < 20 else None
    asked.viewers.add(asked.request, interest, after)


def _interest(asked: Asked) -> Interest:
    wanted = asked.parameters
    kinds = frozenset(wanted["kinds"].split(",")) if "kinds" in wanted else frozenset(CATALOGUE)
    unknown = sorted(kinds - set(CATALOGUE))
    if unknown:
        raise ApiError(400, f"there is no event '{escape(unknown[0])}'")
    peer = None
    if "talk" in wanted:
        kept, _ = _talk(asked, wanted["talk"])
        peer = (kept.service, kept.peer)
    for name in ("connection", "follow"):
        if name in wanted:
            _connection(asked, wanted[name])
    return Interest(
        kinds, wanted.get("service"), wanted.get("connection"), peer, wanted.get("follow")
    )


ROUTES = (
    Route("GET", "/api/bench", bench),
    Route("GET", "/api/services", services),
    Route("POST", "/api/services/{name}/suspend", suspend),
    Route("POST", "/api/services/{name}/resume", resume),
    Route("GET", "/api/connections", connections, ("service", "peer", "state", "reason", "limit")),
    Route("GET", "/api/connections/{id}.svg", connection_svg, ("scale", "width")),
    Route("GET", "/api/connections/{id}", connection),
    Route("GET", "/api/connections/{id}/kernel", connection_kernel),
    Route("POST", "/api/connections/{id}/close", close),
    Route("POST", "/api/connections/{id}/reset", reset),
    Route("GET", "/api/datagrams", datagrams, ("service", "peer", "limit")),
    Route("GET", "/api/datagrams/{id}.svg", talk_svg, ("scale", "width")),
    Route("GET", "/api/datagrams/{id}", talk),
    Route("GET", "/api/refusals", refusals),
    Route("GET", "/api/events", events, ("service", "connection", "talk", "follow", "kinds")),
)

"""What a bench knows now: the answers of its HTTP interface that are asked for again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from twisted_lab.live import values
from twisted_lab.live.http_reading import Reader

#: How many connections are asked for, and how many while a filter looks for one: the most there is.
SOME, MOST = 200, 1000
#: How many datagram peers are asked for.
TALKS = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """How many connections there are: ``closed`` are those still kept; ``ns`` is when."""

    open: int = 0
    closed: int = 0
    matching: int = 0
    forgotten: int = 0
    talks: int = 0
    ns: int = 0


NONE = Counts()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at everything; open connections first, the newest first."""

    services: tuple[values.Service, ...] = ()
    connections: tuple[values.Connection, ...] = ()
    talks: tuple[values.Talk, ...] = ()
    counts: Counts = NONE


EMPTY = Snapshot()


@dataclass(frozen=True, slots=True)
class Story:
    """One conversation with the events that the bench kept; ``seq`` is the last of them."""

    about: values.Connection | values.Talk
    entries: tuple[values.Entry, ...]
    seq: int


def is_talk(conversation: str) -> bool:
    """Whether *conversation* is the id of a datagram peer."""
    return conversation.startswith("d")


def stream_query(conversation: str) -> dict[str, str]:
    """What the event stream is asked to follow *conversation* alone."""
    return {"talk" if is_talk(conversation) else "connection": conversation}


def path_of(conversation: str) -> str:
    """Where *conversation* is."""
    family = "datagrams" if is_talk(conversation) else "connections"
    return f"/api/{family}/{quote(conversation, safe='')}"


def read_documents(reader: Reader, service: str | None, limit: int) -> dict[str, dict[str, Any]]:
    """The three answers of a look as they came, of *service* alone if that is given."""
    of_service = {} if service is None else {"service": service}
    connections = urlencode({**of_service, "limit": limit})
    datagrams = urlencode({**of_service, "limit": TALKS})
    return {
        "services": reader.get("/api/services"),
        "connections": reader.get(f"/api/connections?{connections}"),
        "datagrams": reader.get(f"/api/datagrams?{datagrams}"),
    }


def services(document: dict[str, Any]) -> tuple[values.Service, ...]:
    """What ``/api/services`` says."""
    return tuple(map(values.service, values.objects(document, "services")))


def snapshot(documents: dict[str, dict[str, Any]]) -> Snapshot:
    """What :func:`read_documents` brought, as values."""
    streams, datagrams = documents["connections"], documents["datagrams"]
    known = {name: values.optional(streams, name) or 0 for name in ("open", "closed", "matching")}
    return Snapshot(
        services(documents["services"]),
        tuple(map(values.connection, values.objects(streams, "connections")[:MOST])),
        tuple(map(values.talk, values.objects(datagrams, "talks")[:MOST])),
        Counts(
            **known,
            forgotten=values.optional(streams, "forgotten") or 0,
            talks=values.optional(datagrams, "matching") or 0,
            ns=values.optional(streams, "ns") or 0,
        ),
    )


def read_story(reader: Reader, conversation: str) -> Story:
    """*conversation* as the bench has it now."""
    said = reader.get(path_of(conversation))
    events = tuple(map(values.entry, values.objects(said, "events")))
    seq = values.optional(said, "seq") or 0
    if is_talk(conversation):
        return Story(values.talk(_object(said, "talk")), events, seq)
    return Story(values.connection(_object(said, "connection")), events, seq)


def _object(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}

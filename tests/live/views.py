"""Models with something in them, for the tests of what is shown and of the keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.live.fake_bench import connection, entry, service, talk
from twisted_lab.live import values
from twisted_lab.live.model import Data, Model, choose, looked
from twisted_lab.live.opened import Opened
from twisted_lab.live.polling import Counts, Snapshot, Story

BENCH = values.Bench("0.1.0", "epoll", "2026-03-01T12:00:00+00:00")


def entries(*numbers: int, **fields: Any) -> tuple[values.Entry, ...]:
    """``received`` events with these seqs."""
    return tuple(values.entry(entry(number, **fields)) for number in numbers)


def now(
    *connections: dict[str, Any], talks: tuple[dict[str, Any], ...] = (), **counts: int
) -> Snapshot:
    """A look at these, at echo and at line."""
    found = tuple(map(values.connection, connections))
    opened = sum(each.state == "open" for each in found)
    known = {"open": opened, "closed": len(found) - opened, "ns": 10**10, **counts}
    names = ("echo", "line")
    services = tuple(values.service(service(name)) for name in names)
    return Snapshot(services, found, tuple(map(values.talk, talks)), Counts(**known))


def model(*connections: dict[str, Any], **fields: Any) -> Model:
    """A model of a bench with these connections, two if none is given, and a datagram peer."""
    given = connections or (connection(2), connection(1, state="closed", reason="reset"))
    empty = Model("http://127.0.0.1:9002", token=True, data=Data(bench=BENCH))
    shown = looked(empty, now(*given, talks=(talk(1),)))
    return choose(replace(shown, **fields))


def opened(*events: dict[str, Any], about: dict[str, Any] | None = None) -> Opened:
    """A conversation that is looked at, with these events."""
    known = connection(1, opened_ns=0) if about is None else about
    read = values.talk if known["id"].startswith("d") else values.connection
    story = Story(read(known), tuple(map(values.entry, events)), 0)
    return Opened(known["id"]).told(story)

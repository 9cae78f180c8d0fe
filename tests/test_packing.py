"""Every event comes back from its few bytes as it was."""

from __future__ import annotations

import dataclasses
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import CATALOGUE, Call, Closed, CloseReason, Event, Gap, TcpInfo
from twisted_lab.packing import pack, unpack

#: A value for each type a field may have.
VALUES: dict[str, Any] = {
    "int": 2**40,
    "str": "wörd",
    "float": 0.25,
    "CloseReason": CloseReason.RESET,
    "Payload": b"\0\xff",
    "TcpInfo": TcpInfo("ESTABLISHED", *range(9)),
    "Call": Call("recv", "100", "5", None, 0.25, 42, 7, "s3", "/x/server.py", 12, "serve"),
}


def example(kind: type[Event], empty: bool) -> Event:
    """An event of *kind*; *empty*: with None wherever that may be."""
    said: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        kinds = str(field.type).split(" | ")
        optional = "None" in kinds or kinds == ["Payload"]
        said[field.name] = None if empty and optional else VALUES[kinds[0]]
    return kind(
        **said | {"service": "echo", **({"connection": "c7"} if "connection" in said else {})}
    )


class PackingTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Whatever there is to be said of an event is there again, None too."""
        for kind in (*CATALOGUE.values(), Gap):
            for empty in (False, True):
                event = example(kind, empty)
                connection = getattr(event, "connection", None)
                self.assertEqual(list(unpack(pack(event), "echo", connection)), [event])

    def test_many(self) -> None:
        """Packed events are joined end to end."""
        events = [example(kind, False) for kind in CATALOGUE.values() if "peer" in kind.__slots__]
        events = [event for event in events if not hasattr(event, "connection")]
        packed = bytearray().join(map(pack, events))
        self.assertEqual(list(unpack(packed, "echo", None)), events)
        self.assertEqual(list(unpack(b"", "echo", None)), [])

    def test_reason(self) -> None:
        """A reason is a reason again, not only its word."""
        (event,) = unpack(pack(example(Closed, False)), "echo", "c7")
        assert isinstance(event, Closed)
        self.assertIs(event.reason, CloseReason.RESET)

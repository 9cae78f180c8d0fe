"""The events in code are the catalogue that was promised."""

from __future__ import annotations

import dataclasses

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab import events
from twisted_lab.events import CATALOGUE, TRAFFIC, Closed, CloseReason, Event, Gap, Received

#: The catalogue, word for word.
DESIGNED = frozenset(
    """
    listening not-listening accepted connected refused tls received sent paused resumed
    peer-shutdown local-shutdown note fault closed
    datagram-received datagram-sent datagram-dropped called
    """.split()
)

#: In the table, and nothing emits them: there are no faults on demand.
NOT_YET = frozenset({"fault"})

#: The reasons of ``closed``.
REASONS = """
    peer-fin local reset idle slow stalled lifetime handshake truncated limit drain fault error
    aborted
    """.split()

#: The common fields, with their one type each.
COMMON = {"ns": "int", "service": "str", "local": "str", "bytes": "int"}


def kinds() -> list[type[Event]]:
    return [
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, Event) and value not in (Event, Gap)
    ]


class CatalogueTests(SynchronousTestCase):
    def test_complete(self) -> None:
        """Every event there is stands in the catalogue under its own name; what is missing not."""
        self.assertEqual({kind.event: kind for kind in kinds()}, CATALOGUE)
        self.assertNotIn(Gap.event, CATALOGUE)

    def test_words(self) -> None:
        """The names are those of the design, all of them and no others."""
        self.assertEqual(set(CATALOGUE), DESIGNED - NOT_YET)

    def test_traffic(self) -> None:
        """What comes once a message is exactly what carries a message."""
        carriers = {kind.event for kind in kinds() if "data" in kind.__dataclass_fields__}
        self.assertEqual(TRAFFIC, carriers)

    def test_close_reasons(self) -> None:
        """The close reasons are the design's closed list."""
        self.assertEqual([reason.value for reason in CloseReason], REASONS)


class ShapeTests(SynchronousTestCase):
    def test_frozen_and_slotted(self) -> None:
        """No event can be changed, or carry what is not in its class."""
        for kind in (*kinds(), events.TcpInfo):
            self.assertTrue(kind.__dataclass_params__.frozen, kind)
            self.assertFalse(hasattr(object.__new__(kind), "__dict__"), kind)

    def test_common_fields(self) -> None:
        """A word means the same in every event: the same field has the same type."""
        for kind in kinds():
            types = {field.name: field.type for field in dataclasses.fields(kind)}
            self.assertLessEqual({"ns", "service"}, types.keys())
            for name, expected in COMMON.items():
                self.assertEqual(types.get(name, expected), expected, f"{kind.event} {name}")

    def test_streams_have_a_connection(self) -> None:
        """What happens on a stream names its connection; what happens on a port does not."""
        of_ports = "listening not-listening refused datagram-received datagram-sent".split()
        for kind in kinds():
            has = "connection" in kind.__dataclass_fields__
            self.assertEqual(has, kind.event not in (*of_ports, "datagram-dropped"), kind)

    def test_closed_says_all(self) -> None:
        """The end of a stream carries its peer, our address, its totals, duration and reason."""
        required = [
            field.name
            for field in dataclasses.fields(Closed)
            if field.default is dataclasses.MISSING
        ]
        self.assertEqual(
            required,
            "ns service connection peer local reason bytes_in bytes_out duration".split(),
        )

    def test_equal_by_value(self) -> None:
        """Two events that say the same are equal, and can be kept in a set."""
        made = Received(1, "echo", "c1", 5, b"hello")
        self.assertEqual(made, Received(1, "echo", "c1", 5, b"hello"))
        self.assertEqual(len({made, Received(1, "echo", "c1", 5, b"hello")}), 1)
        self.assertRaises(dataclasses.FrozenInstanceError, setattr, made, "ns", 2)

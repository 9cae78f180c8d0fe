"""What a bench says becomes values that are bounded and safe to show, whatever it says."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.live.fake_bench import connection, entry, service, talk
from twisted_lab.escaping import escape
from twisted_lab.live import values

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
#: Objects with the names of the interface, and anything in them.
NAMES = sorted({*connection(), *entry(), *service(), *talk(), "reason", "detail", "error", "until"})
ANY_OBJECT = st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=12)
READERS = (values.bench, values.service, values.connection, values.talk, values.entry)


class ReadingTests(SynchronousTestCase):
    def test_connection(self) -> None:
        """A connection's word is its state, or why it was closed."""
        found = values.connection(connection(7))
        self.assertEqual((found.id, found.word, found.bytes_in), ("c7", "open", 5))
        closed = values.connection(connection(7, state="closed", reason="idle"))
        self.assertEqual(closed.word, "idle")

    def test_service(self) -> None:
        """Counts by reason are summed, and each port is named once."""
        found = values.service(
            service(dropped={"rate": 2, "kernel": 3}, ports=[{"local": "a"}, {"local": "a"}])
        )
        self.assertEqual((found.refused, found.dropped, found.ports), (2, 5, ("a",)))

    def test_talk(self) -> None:
        """A datagram peer has its own counts."""
        found = values.talk(talk(2))
        self.assertEqual((found.id, found.datagrams_in, found.dropped), ("d2", 3, 1))

    def test_entry(self) -> None:
        """An event has what was moved as text, in front of what happened."""
        found = values.entry(entry(9))
        self.assertEqual((found.seq, found.text, found.bytes), (9, "hello", 5))
        self.assertEqual(found.told, '"hello" 5 bytes: hello')
        self.assertIsNone(values.entry(entry(None, "gap")).seq)

    def test_cut(self) -> None:
        """Of a large message the begin is shown, and that it is one."""
        found = values.entry(entry(data="QUFB" * 100))
        self.assertEqual(found.text, "A" * 64 + "…")
        self.assertEqual(values.entry(entry(data="!")).text, "")


class HostileTests(SynchronousTestCase):
    def test_controls(self) -> None:
        """Nothing that a peer or a bench says can write to the terminal."""
        nasty = "a\x1b[31m\x00\u202e\n[bold]"
        for said in (connection(peer=nasty), entry(says=nasty, peer=nasty), service(nasty)):
            found = READERS[2](said), READERS[4](said), READERS[1](said)
            for text in texts(found):
                self.assertTrue(text.isprintable(), text)

    def test_sentence(self) -> None:
        """What the bench has escaped is not escaped again, and what it has not, is."""
        found = values.entry(entry(says="a\\x1b and \x1b and \\\\"))
        self.assertEqual(found.says, "a\\x1b and \\x1b and \\\\")

    @given(ANY_OBJECT)
    def test_anything(self, said: dict[str, Any]) -> None:
        """Whatever JSON it is, there is a value, with safe and bounded text."""
        document = json.loads(json.dumps(said))
        for read in READERS:
            found = read(document)
            for text in texts((found,)):
                said = text.replace("\\", "")
                self.assertEqual(escape(said, 4000), said)
                self.assertLess(len(text), 4000)


def texts(found: tuple[Any, ...]) -> list[str]:
    """Every text in these values."""
    fields = [value for each in found for value in dataclasses.astuple(each)]
    return [value for value in fields if isinstance(value, str)]

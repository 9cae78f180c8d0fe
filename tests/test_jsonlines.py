"""An event is one line of JSON that says what the event says."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import (
    CATALOGUE,
    Call,
    Closed,
    CloseReason,
    Event,
    Listening,
    Note,
    Received,
    TcpInfo,
)
from twisted_lab.jsonlines import as_dict, line, read_event

CALL = Call("recv", "100", "5", None, 0.25, 42, 7, "s3", "/x/server.py", 12, "serve")
INFO = TcpInfo("ESTABLISHED", 40, 20, 10, 0, 0, 0, 0, 100, 200)


def events() -> st.SearchStrategy[Event]:
    """Any event whatever, its texts and bytes chosen by nobody kind."""
    texts = st.text(st.characters(), max_size=20)
    values = {
        "int": st.integers(0, 2**63),
        "str": texts,
        "float": st.floats(0, 1e9),
        "float | None": st.none() | st.floats(0, 1e9),
        "Payload": st.none() | st.binary(max_size=20),
        "CloseReason": st.sampled_from(CloseReason),
        "Call | None": st.sampled_from([None, CALL]),
        "TcpInfo | None": st.sampled_from([None, INFO]),
        "str | None": st.none() | texts,
        "int | None": st.none() | st.integers(0, 2**31),
    }
    return st.one_of(
        *(
            st.builds(
                kind,
                **{
                    field.name: values[str(field.type)]
                    for field in kind.__dataclass_fields__.values()
                    if field.name != "event"
                },
            )
            for kind in CATALOGUE.values()
        )
    )


class DictTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """The event's name comes first, then its fields by their names."""
        self.assertEqual(
            list(as_dict(Listening(5, "echo", "127.0.0.1:7", "tcp", 4096)).items()),
            [
                ("event", "listening"),
                ("ns", 5),
                ("service", "echo"),
                ("local", "127.0.0.1:7"),
                ("transport", "tcp"),
                ("backlog", 4096),
            ],
        )

    def test_left_out(self) -> None:
        """What does not apply is left out, not null."""
        self.assertNotIn("backlog", as_dict(Listening(5, "echo", "127.0.0.1:7", "udp")))
        self.assertNotIn("data", as_dict(Received(5, "echo", "c1", 3)))

    def test_data(self) -> None:
        """Bytes are base64, with the true count beside them; no bytes are none, not nothing."""
        said = as_dict(Received(5, "echo", "c1", 300, b"\x00\xff"))
        self.assertEqual((said["bytes"], base64.b64decode(said["data"])), (300, b"\x00\xff"))
        self.assertEqual(as_dict(Received(5, "echo", "c1", 0, b""))["data"], "")

    def test_nested(self) -> None:
        """The kernel's view is an object of its own, the close reason its word."""
        closed = Closed(9, "echo", "c1", "p", "l", CloseReason.PEER_FIN, 1, 2, 0.5, "", INFO)
        said = json.loads(line(closed))
        self.assertEqual(said["reason"], "peer-fin")
        self.assertEqual(said["tcp_info"]["rtt_us"], 40)


class LineTests(SynchronousTestCase):
    @given(events())
    def test_any_event(self, event: Event) -> None:
        """Whatever the event, it is one line of plain ASCII that reads as what it says."""
        said = line(event)
        self.assertTrue(said.endswith(b"\n"))
        text = said[:-1].decode("ascii")
        self.assertTrue(text.isprintable())
        self.assertEqual(json.loads(text), as_dict(event))

    def test_hostile(self) -> None:
        """A peer's newlines, controls and bytes that are not UTF-8 stay inside their string."""
        nasty = "a\r\n\x1b]0;x\x07\u2028\u202e\udc80\x9b"
        said = line(Note(1, "line", "kind", nasty))
        self.assertEqual(len(said.splitlines()), 1)
        self.assertTrue(said[:-1].decode("ascii").isprintable())
        self.assertEqual(json.loads(said)["text"], nasty)

    def test_dictionary(self) -> None:
        """A dictionary of JSON's types is a line too."""
        self.assertEqual(line({"socketlab": 1}), b'{"socketlab":1}\n')


class ReadTests(SynchronousTestCase):
    @given(events())
    def test_back(self, event: Event) -> None:
        """What is read back is the event that was written, of the same class and types."""
        back = read_event(json.loads(line(event)))
        self.assertEqual((type(back), back), (type(event), event))
        if isinstance(event, Closed):
            self.assertIsInstance(back.reason, CloseReason)  # type: ignore[attr-defined]

    def test_wrong(self) -> None:
        """An event, a field or a reason that there is not is an error, not another event."""
        said = as_dict(Note(1, "echo", "exception", "x"))
        self.assertRaises(KeyError, read_event, {**said, "event": "mote"})
        self.assertRaises(TypeError, read_event, {**said, "more": 1})

    def test_types(self) -> None:
        """A value of another type, or a number that nothing can be, is an error too."""
        end = Closed(9, "echo", "c1", "p", "l", CloseReason.LOCAL, 5, 0, 1.0, tcp_info=INFO)
        said = json.loads(line(end))
        self.assertEqual(read_event({**said, "duration": 1}), end)
        for wrong in (
            {"ns": "9"},
            {"ns": True},
            {"bytes_in": -1},
            {"bytes_in": 1.5},
            {"bytes_out": 2**64},
            {"duration": float("nan")},
            {"duration": float("inf")},
            {"peer": 5},
            {"connection": None},
            {"tcp_info": {**said["tcp_info"], "rtt_us": "40"}},
        ):
            self.assertRaises(TypeError, read_event, {**said, **wrong})

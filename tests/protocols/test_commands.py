"""Each slash command: the steps it asks for, its bounds, and what it says of a mistake."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.protocols.fakes import NOON, FakeStream, PlainTransport
from twisted_lab.protocols.commands import APART, COMMANDS, PATTERN, perform
from twisted_lab.protocols.framing import Line
from twisted_lab.protocols.steps import Act, Refusal, Step, Until, Wait
from twisted_lab.proxy import Proxy, ProxyHeader


class FakeSession:
    """What the service tells a command."""

    def __init__(self, transport: PlainTransport | None = None, now: datetime = NOON) -> None:
        self.transport = transport or FakeStream()
        self.now = lambda: now
        self.lines_in = 3
        self.bytes_in = 40


def steps(text: bytes, ending: bytes = b"\n", session: FakeSession | None = None) -> list[Step]:
    return list(perform(Line(text, ending), session or FakeSession()))


def said(text: bytes, ending: bytes = b"\n", session: FakeSession | None = None) -> bytes:
    (reply,) = steps(text, ending, session)
    assert isinstance(reply, bytes)
    return reply


def refused(text: bytes) -> str:
    (refusal,) = steps(text)
    assert isinstance(refusal, Refusal), refusal
    return refusal.answer


class AnswerTests(SynchronousTestCase):
    def test_help(self) -> None:
        """One line for each command, with its arguments and bounds."""
        lines = said(b"/help").decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines], list(COMMANDS))
        self.assertTrue(lines[6].startswith("/bytes N "), lines[6])
        self.assertIn("0 to 1048576", lines[6])
        for line in lines:
            self.assertLessEqual(len(line), 80)

    def test_who(self) -> None:
        """Both addresses, the connection's id, and what carries it."""
        expected = b"you are 127.0.0.1:53412, connection c7, on 127.0.0.1:9001 over tcp\r\n"
        self.assertEqual(said(b"/who", b"\r\n"), expected)

    def test_who_over_tls(self) -> None:
        """TLS is named."""
        stream = FakeStream()
        stream.kind = "tls"
        self.assertIn(b"over tls", said(b"/who", session=FakeSession(stream)))

    def test_who_on_a_plain_transport(self) -> None:
        """Without a connection id the answer does without."""
        expected = b"you are 127.0.0.1:53412, on 127.0.0.1:9001 over tcp\n"
        self.assertEqual(said(b"/who", session=FakeSession(PlainTransport())), expected)

    def test_who_through_a_balancer(self) -> None:
        """A balancer that passed the connection on is named."""
        stream = FakeStream()
        stream.proxy = Proxy(ProxyHeader(1), "10.0.0.1:50000")
        self.assertIn(
            b"over tcp through 10.0.0.1:50000\n", said(b"/who", session=FakeSession(stream))
        )

    def test_who_over_unix(self) -> None:
        """A UNIX socket has a path."""
        stream = FakeStream()
        stream.kind = "unix"
        stream.hostAddr, stream.peerAddr = UNIXAddress(b"/run/line"), UNIXAddress(None)
        expected = b"you are unix:, connection c7, on unix:/run/line over unix\n"
        self.assertEqual(said(b"/who", session=FakeSession(stream)), expected)

    def test_time(self) -> None:
        """ISO 8601 in UTC, whatever zone the clock is in."""
        self.assertEqual(said(b"/time"), b"2026-03-01T12:00:00.250Z\n")
        tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
        self.assertEqual(said(b"/time", session=FakeSession(now=tokyo)), said(b"/time"))

    def test_count(self) -> None:
        """Lines and bytes, as the service counts them."""
        self.assertEqual(said(b"/count"), b"lines 3 bytes 40\n")

    def test_upper(self) -> None:
        """Text by Unicode; other bytes by their ASCII letters."""
        self.assertEqual(said("/upper straße é".encode()), "STRASSE É\n".encode())
        self.assertEqual(said(b"/upper a\xffb\0"), b"A\xffB\0\n")
        self.assertEqual(said(b"/upper"), b"\n")

    def test_reverse(self) -> None:
        """Text by characters; other bytes by bytes. Spaces after the first are text."""
        self.assertEqual(said("/reverse  añb".encode()), "bña \n".encode())
        self.assertEqual(said(b"/reverse a\xffb"), b"b\xffa\n")

    def test_bytes(self) -> None:
        """As many bytes as asked for, and the ending beside them."""
        self.assertEqual(said(b"/bytes 64"), PATTERN + b"01\n")
        self.assertEqual(said(b"/bytes 0", b"\r\n"), b"\r\n")
        self.assertEqual(len(said(b"/bytes 1048576")), 1048577)

    def test_lines(self) -> None:
        """Numbered lines, each with the request's ending."""
        self.assertEqual(said(b"/lines 2", b"\r\n"), b"line 1\r\nline 2\r\n")
        self.assertEqual(said(b"/lines 0"), b"")
        self.assertEqual(said(b"/lines 10000").count(b"\n"), 10000)

    def test_lines_without_an_ending(self) -> None:
        """A request that only FIN ended: LF between the lines, nothing after the last."""
        self.assertEqual(said(b"/lines 2", b""), b"line 1\nline 2")


class TimedTests(SynchronousTestCase):
    def test_drip(self) -> None:
        """One byte at a time, evenly, and the ending when the time is up."""
        drips = [Until(0.0), b"0", Until(0.25), b"1", Until(0.5), b"\n"]
        self.assertEqual(steps(b"/drip 2 0.5"), [Act.NO_DELAY, *drips])

    def test_delay(self) -> None:
        """The text after the time; it may be empty."""
        self.assertEqual(steps(b"/delay 1.5 a  b"), [Wait(1.5), b"a  b\n"])
        self.assertEqual(steps(b"/delay 0"), [Wait(0.0), b"\n"])

    def test_chunks(self) -> None:
        """Writes of the given sizes, apart; what remains is one more."""
        chunks = [Wait(APART), b"abc", Wait(APART), b"d", Wait(APART), b"efg\n", Wait(APART)]
        self.assertEqual(steps(b"/chunks 3,1 abcdefg"), [Act.NO_DELAY, *chunks])

    def test_chunks_that_cut_the_ending(self) -> None:
        """The ending is cut like the text: CR in one write, LF in the next."""
        chunks = [step for step in steps(b"/chunks 2,1 a", b"\r\n") if isinstance(step, bytes)]
        self.assertEqual(chunks, [b"a\r", b"\n"])

    def test_more_chunks_than_text(self) -> None:
        """Sizes that find nothing left are not used."""
        chunks = [step for step in steps(b"/chunks 9,9,9 abc") if isinstance(step, bytes)]
        self.assertEqual(chunks, [b"abc\n"])

    def test_silence(self) -> None:
        """A wait and no word."""
        self.assertEqual(steps(b"/silence 300"), [Wait(300.0)])


class EndingTests(SynchronousTestCase):
    def test_endings(self) -> None:
        """The commands that end something say nothing, but for /quit."""
        self.assertEqual(steps(b"/half-close"), [Act.HALF_CLOSE])
        self.assertEqual(steps(b"/close"), [Act.CLOSE])
        self.assertEqual(steps(b"/reset"), [Wait(APART), Act.RESET])
        self.assertEqual(steps(b"/quit"), [b"bye\n", Act.QUIT])


class MistakeTests(SynchronousTestCase):
    def test_unknown(self) -> None:
        """The name is shown, safe and cut."""
        self.assertEqual(refused(b"/foo bar"), "unknown command /foo; try /help")
        self.assertEqual(refused(b"//text"), "unknown command //text; try /help")
        self.assertEqual(refused(b"/"), "unknown command /; try /help")
        self.assertEqual(refused(b"/HELP"), "unknown command /HELP; try /help")
        self.assertEqual(refused(b"/\x1b[2J\xff"), r"unknown command /\x1b[2J\xff; try /help")
        self.assertEqual(refused(b"/" + b"x" * 99), f"unknown command /{'x' * 39}…; try /help")

    def test_out_of_bounds(self) -> None:
        """The bounds and the value are named."""
        for text, complaint in {
            b"/bytes 99999999999": "/bytes takes 0 to 1048576, not 99999999999",
            b"/bytes 1048577": "/bytes takes 0 to 1048576, not 1048577",
            b"/lines 10001": "/lines takes 0 to 10000, not 10001",
            b"/drip 0 1": "/drip takes 1 to 10000 bytes, not 0",
            b"/drip 10001 1": "/drip takes 1 to 10000 bytes, not 10001",
            b"/drip 1 300.1": "/drip takes 0 to 300 seconds, not 300.1",
            b"/delay 301 x": "/delay takes 0 to 300 seconds, not 301",
            b"/silence 1e9": "/silence takes 0 to 300 seconds, not 1e9",
            b"/chunks 1,0 x": "/chunks takes 1 to 65536 bytes each, not 0",
            b"/chunks 65537 x": "/chunks takes 1 to 65536 bytes each, not 65537",
            b"/chunks " + b"1," * 100 + b"1 x": "/chunks takes at most 100 sizes, not 101",
        }.items():
            self.assertEqual(refused(text), f"{complaint}; try /help")

    def test_at_the_bounds(self) -> None:
        """The bounds themselves are taken."""
        for text in (
            *(b"/bytes 1048576", b"/lines 10000", b"/drip 1 0", b"/drip 10000 300"),
            *(b"/delay 300 x", b"/chunks 1,65536 x", b"/chunks " + b"1," * 99 + b"1 x"),
        ):
            self.assertNotIsInstance(steps(text)[0], Refusal)

    def test_only_plain_decimal(self) -> None:
        """What Python's int() and float() take beside digits is no number here."""
        for word in ("nan", "inf", "1_000", "٣", "+1", "-1", "0x10", "1e2", ".5", "5.", "9" * 5000):
            for text in (f"/silence {word}", f"/bytes {word}", f"/drip 5 {word}"):
                self.assertRegex(refused(text.encode()), r" takes 0 to \d+.*, not .*; try /help")
        self.assertIn("not 1.5;", refused(b"/bytes 1.5"))

    def test_too_few(self) -> None:
        """What is needed is shown, with an example."""
        for text, needs in {
            b"/bytes": "/bytes needs N, for example /bytes 100",
            b"/lines  ": "/lines needs N, for example /lines 3",
            b"/drip 5": "/drip needs N SECONDS, for example /drip 5 2",
            b"/delay": "/delay needs SECONDS T, for example /delay 2 hello",
            b"/chunks": "/chunks needs SIZES T, for example /chunks 3,1,5 hello world",
            b"/silence": "/silence needs SECONDS, for example /silence 5",
        }.items():
            self.assertEqual(refused(text), f"{needs}; try /help")

    def test_too_many(self) -> None:
        """More than a command takes is a mistake too."""
        alone = [command.name for command in COMMANDS.values() if not command.arguments]
        self.assertEqual(len(alone), 8)
        for name in alone:
            expected = f"{name} takes nothing after it, not x y; try /help"
            self.assertEqual(refused(f"{name} x y".encode()), expected)
        self.assertEqual(refused(b"/bytes 1 2"), "/bytes takes 0 to 1048576, not 1 2; try /help")
        expected = "/drip takes two arguments, not 1 2 3; try /help"
        self.assertEqual(refused(b"/drip 1 2 3"), expected)

    def test_spaces_round_numbers(self) -> None:
        """A person's stray space is forgiven."""
        self.assertEqual(said(b"/bytes  3 "), b"012\n")
        self.assertEqual(said(b"/count "), said(b"/count"))

    def test_examples_work(self) -> None:
        """What an error suggests is itself taken."""
        for command in COMMANDS.values():
            example = command.example or command.name
            self.assertNotIsInstance(steps(example.encode())[0], Refusal)


#: Lines that are nearly commands, and lines that are nothing of the kind.
command_lines = st.one_of(
    st.binary(max_size=300),
    st.tuples(
        st.sampled_from(sorted(COMMANDS)).map(str.encode),
        st.sampled_from([b"", b" ", b"  ", b"\t"]),
        st.one_of(st.binary(max_size=60), st.from_regex(rb"[0-9 ,.]{0,30}", fullmatch=True)),
    ).map(b"".join),
).map(lambda tail: b"/" + tail.removeprefix(b"/").replace(b"\n", b""))


class AnyLineTests(SynchronousTestCase):
    @given(command_lines)
    def test_any_line(self, text: bytes) -> None:
        """No line crashes a command, and no mistake gives back a control byte."""
        for step in steps(text):
            if isinstance(step, Refusal):
                self.assertIsNone(re.search("[\x00-\x1f\x7f-\x9f]", step.answer), step.answer)
                self.assertLess(len(step.answer), 300)
                self.assertTrue(step.answer.endswith("; try /help"))

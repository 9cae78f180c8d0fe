"""The line service, talked to over a fake transport and a clock that stands still."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.protocols.fakes import FakeStream, GreedyStream, PlainTransport, connect
from tests.protocols.test_commands import command_lines
from twisted_lab.protocols.commands import APART
from twisted_lab.protocols.line import LINES_A_TURN


class Case(SynchronousTestCase):
    """A connection: ``self.stream`` is what the service sees, ``self.calls`` what it did."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.talk_over(FakeStream())

    def talk_over(self, stream: PlainTransport, max_line: int = 16384) -> None:
        self.stream = stream
        self.service = connect(stream, self.clock, max_line)
        self.calls = stream.calls

    def send(self, data: bytes) -> None:
        self.service.dataReceived(data)

    def fin(self) -> None:
        self.service.readConnectionLost()

    def lose(self) -> None:
        self.service.connectionLost(Failure(ConnectionDone()))

    def wait(self, *seconds: float) -> None:
        self.clock.pump(seconds)


class LineTests(Case):
    def test_interface(self) -> None:
        """It may be half closed, and what writes for it may be paused."""
        verifyObject(IHalfCloseableProtocol, self.service)
        verifyObject(IPushProducer, self.stream.producer)

    def test_comes_back(self) -> None:
        """A line comes back as it is, with the ending it had."""
        self.send(b"LF\nCRLF\r\n\n\0\xff\xc3\n")
        self.assertEqual(self.calls, [b"LF\nCRLF\r\n\n\0\xff\xc3\n"])

    def test_one_write(self) -> None:
        """All complete lines of a read are answered with one write."""
        lines = b"".join(b"line %d\r\n" % number for number in range(20_000))
        self.send(lines + b"unfinished")
        self.assertEqual(self.calls, [lines])

    def test_one_write_with_commands(self) -> None:
        """Quick commands are no reason for another write."""
        self.send(b"a\n/upper b\n/foo\nc\n")
        self.assertEqual(self.calls, [b"a\nB\nunknown command /foo; try /help\nc\n"])

    def test_turns(self) -> None:
        """Thousands of commands in a read are answered in turns, so that others have theirs."""
        asked = b"/upper x\n" * (2 * LINES_A_TURN + 1)
        self.send(asked)
        self.assertEqual(b"".join(c for c in self.calls if c != "pause"), b"X\n" * LINES_A_TURN)
        self.wait(0, 0)
        answered = b"".join(call for call in self.calls if isinstance(call, bytes))
        self.assertEqual(answered, b"X\n" * (2 * LINES_A_TURN + 1))

    def test_a_line_in_two_reads(self) -> None:
        """A line that came in pieces is answered when it is whole."""
        self.send(b"/upp")
        self.send(b"er x\r")
        self.assertEqual(self.calls, [])
        self.send(b"\n")
        self.assertEqual(self.calls, [b"X\r\n"])

    def test_fin_ends_the_last_line(self) -> None:
        """A last line without an ending is answered without one, then we close."""
        self.send(b"a\nlast")
        self.fin()
        self.assertEqual(self.calls, [b"a\n", b"last", "close"])

    def test_command_ended_by_fin(self) -> None:
        """The last line may be a command."""
        self.send(b"/upper last")
        self.fin()
        self.assertEqual(self.calls, [b"LAST", "close"])

    def test_fin_alone(self) -> None:
        """Nothing left to answer: close."""
        self.fin()
        self.assertEqual(self.calls, ["close"])

    def test_fin_reported_twice(self) -> None:
        """A transport that reports the FIN again changes nothing."""
        self.send(b"/delay 1 a\nlast")
        self.fin()
        self.fin()
        self.wait(1)
        self.assertEqual(self.calls, ["pause", b"a\nlast", "close"])

    def test_count(self) -> None:
        """/count knows its own line and those before it, not those after it in the same read."""
        self.send(b"ab\r\n/count\nc\n/count\n")
        self.assertEqual(self.calls, [b"ab\r\nlines 2 bytes 11\nc\nlines 4 bytes 20\n"])

    def test_bad_command_is_noted(self) -> None:
        """A mistake is an event, too; its text is as it came, for who shows an event escapes it."""
        self.send(b"/foo\n/\x1b[31m\xff\n/bytes " + b"9" * 100 + b"\n")
        self.assertEqual(
            self.stream.notes,
            [
                ("bad-command", "unknown command /foo"),
                ("bad-command", "unknown command /\x1b[31m\udcff"),
                ("bad-command", f"/bytes takes 0 to 1048576, not {'9' * 40}…"),
            ],
        )
        self.assertIn(b"/\\x1b[31m\\xff; try /help", self.stream.value())


class TooLongTests(Case):
    def setUp(self) -> None:
        self.clock = Clock()
        self.talk_over(FakeStream(), max_line=9)

    END = "end limit linger=True line too long"

    def test_told_then_closed(self) -> None:
        """Earlier lines are answered, the reason is told in the same write, and we close."""
        self.send(b"short\n" + b"x" * 10)
        self.assertEqual(self.calls, [b"short\nline too long (limit 9)\n", self.END])
        note = ("line-too-long", "line too long (limit 9), after 1 lines")
        self.assertEqual(self.stream.notes, [note])

    def test_no_line_seen(self) -> None:
        """Without an ending to copy, it is CRLF."""
        self.send(b"x" * 10)
        self.assertEqual(self.calls, [b"line too long (limit 9)\r\n", self.END])

    def test_after_the_verdict(self) -> None:
        """What comes afterwards is dropped."""
        self.send(b"x" * 10)
        self.send(b"x\ny\n")
        self.assertEqual(self.calls[1:], [self.END])
        self.assertIsNone(self.service.message_begun_at)

    def test_in_its_turn(self) -> None:
        """A command before it finishes first."""
        self.send(b"/delay 1\n" + b"x" * 10)
        self.assertEqual(self.calls, ["pause"])
        self.wait(1)
        self.assertEqual(self.calls[1:], [b"\nline too long (limit 9)\n", "resume", self.END])

    def test_found_at_fin(self) -> None:
        """A CR past the limit could have become CRLF; at FIN it is one byte too many."""
        self.send(b"x" * 9 + b"\r")
        self.assertEqual(self.calls, [])
        self.fin()
        self.assertEqual(self.calls, [b"line too long (limit 9)\r\n", self.END])


class TelnetTests(Case):
    def test_noted_once_and_kept(self) -> None:
        """Telnet's commands are data here, and a note says what they are."""
        hello = b"\xff\xfd\x03\xff\xfb\x18\xff\xfa\xc8hi\n"
        self.send(hello)
        self.send(b"\xff\xf4\n")
        self.assertEqual(self.calls, [hello, b"\xff\xf4\n"])
        text = "telnet commands, taken as data: DO SUPPRESS-GO-AHEAD, WILL TERMINAL-TYPE, SB 200"
        self.assertEqual(self.stream.notes, [("telnet", text)])

    def test_cut_by_reads(self) -> None:
        """A command that came byte by byte is found as well."""
        for byte in (b"\xff", b"\xfd", b"\x01"):
            self.assertEqual(self.stream.notes, [])
            self.send(byte)
        self.assertEqual(self.stream.notes, [("telnet", "telnet commands, taken as data: DO ECHO")])

    def test_other_bytes(self) -> None:
        """A lone 0xFF is no telnet."""
        self.send(b"\xff\xff\x00 \xff\n")
        self.assertEqual(self.stream.notes, [])

    def test_named_to_a_bound(self) -> None:
        """Of very many only a few are named."""
        self.send(b"\xff\xf4" * 1000)
        self.assertEqual(self.stream.notes[0][1].count("IP"), 8)


class BegunTests(Case):
    def test_begun_at(self) -> None:
        """It is the moment the unfinished line began, and None between lines."""
        seen = []
        for data in (b"a", b"b", b"\n", b"c\nd", b"e", b"f\ng"):
            self.clock.advance(1)
            self.send(data)
            seen.append(self.service.message_begun_at)
        self.assertEqual(seen, [1, 1, None, 4, 4, 6])

    def test_not_while_we_do_not_read(self) -> None:
        """During a command nobody is late; the time begins anew when we read on."""
        self.send(b"/silence 5\nhalf")
        self.assertIsNone(self.service.message_begun_at)
        self.wait(5)
        self.assertEqual(self.service.message_begun_at, 5)

    def test_none_after_fin(self) -> None:
        """After FIN no line is unfinished."""
        self.send(b"half")
        self.fin()
        self.assertIsNone(self.service.message_begun_at)


class OrderTests(Case):
    def test_slow_between_fast(self) -> None:
        """What is answered goes out, reading stops, and the rest comes after the slow command."""
        self.send(b"a\n/delay 2 b\nc\n/upper d\n")
        self.assertEqual(self.calls, [b"a\n", "pause"])
        self.wait(1.9)
        self.assertEqual(self.calls, [b"a\n", "pause"])
        self.wait(0.1)
        self.assertEqual(self.calls, [b"a\n", "pause", b"b\nc\nD\n", "resume"])

    def test_data_in_spite_of_the_pause(self) -> None:
        """What a transport still delivers (TLS may) is answered in its turn."""
        self.send(b"/delay 1 a\n")
        self.send(b"b\n")
        self.wait(1)
        self.assertEqual(self.calls, ["pause", b"a\nb\n", "resume"])

    def test_two_slow_ones(self) -> None:
        """One pause covers both."""
        self.send(b"/delay 1 a\n/delay 1 b\nc\n")
        self.wait(1, 1)
        self.assertEqual(self.calls, ["pause", b"a\n", b"b\nc\n", "resume"])

    def test_fin_in_the_middle(self) -> None:
        """All that came before the FIN is answered, then we close; reading is not resumed."""
        self.send(b"/delay 1 a\nb\nlast")
        self.fin()
        self.assertEqual(self.calls, ["pause"])
        self.wait(1)
        self.assertEqual(self.calls, ["pause", b"a\nb\nlast", "close"])

    def test_slow_command_ended_by_fin(self) -> None:
        """A slow command may be the last line of all."""
        self.send(b"/delay 1 a")
        self.fin()
        self.wait(1)
        self.assertEqual(self.calls, [b"a", "close"])

    def test_lost_in_the_middle(self) -> None:
        """A lost connection leaves no timer behind and writes nothing."""
        for command in (b"/delay 9 a", b"/drip 9 9", b"/chunks 1,1 abc", b"/silence 9", b"/reset"):
            self.talk_over(FakeStream())
            self.send(command + b"\nb\n")
            self.lose()
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.assertEqual(self.stream.written(), [])


class TimedCommandTests(Case):
    def test_answering(self) -> None:
        """While a command takes its time the service says so: it is not the peer who is silent."""
        self.assertFalse(self.service.answering)
        for command in (b"/delay 3 x\n", b"/silence 3\n", b"/drip 3 3\n"):
            self.send(command)
            self.assertTrue(self.service.answering)
            before = self.stream.touched
            self.wait(1, 1, 1)
            self.assertFalse(self.service.answering)
            self.assertGreater(self.stream.touched, before)

    def test_silence(self) -> None:
        """Nothing for so long, then everything."""
        self.send(b"/silence 3\nb\n")
        self.wait(2.9)
        self.assertEqual(self.calls, ["pause"])
        self.wait(0.1)
        self.assertEqual(self.calls, ["pause", b"b\n", "resume"])

    def test_drip(self) -> None:
        """One byte to a write, at even moments; the ending when the time is up."""
        self.send(b"/drip 4 2\nnext\n")
        moments = []
        for _ in range(9):
            moments.append(len(self.stream.written()))
            self.clock.advance(0.25)
        self.assertEqual(moments, [0, 1, 2, 2, 3, 3, 4, 4, 5])
        self.assertEqual(self.stream.written(), [b"0", b"1", b"2", b"3", b"\nnext\n"])
        self.assertEqual(self.calls[:2], ["no-delay True", "pause"])

    def test_drip_keeps_time(self) -> None:
        """A reactor that is late at every byte makes the whole no longer."""
        self.send(b"/drip 100 10\n")
        for _ in range(11):
            self.clock.advance(0.99)
            for _ in range(20):  # what is overdue comes at once
                self.clock.advance(0)
        self.assertEqual(len(self.stream.written()), 101)

    def test_chunks(self) -> None:
        """Exactly these writes, apart from each other and from what stands round them."""
        self.send(b"before\n/chunks 3,1 abcdefg\nafter\n")
        self.wait(*[APART / 2] * 10)
        self.assertEqual(
            self.calls,
            ["no-delay True", b"before\n", "pause", b"abc", b"d", b"efg\n", b"after\n", "resume"],
        )

    def test_chunks_without_tcp(self) -> None:
        """A transport without that option is none the worse."""

        def refuse(enabled: bool) -> None:
            raise OSError(95, "Operation not supported")

        self.stream.setTcpNoDelay = refuse  # type: ignore[method-assign]
        self.send(b"/chunks 1 a\n")
        self.wait(*[APART] * 3)
        self.assertEqual(self.stream.written(), [b"a", b"\n"])


class EndingCommandTests(Case):
    def test_half_close(self) -> None:
        """Earlier answers, our FIN, and then we read and drop until the peer's."""
        self.send(b"a\n/half-close\nb\n")
        self.send(b"c\n")
        self.assertEqual(self.calls, [b"a\n", "half-close"])
        self.fin()
        self.assertEqual(self.calls, [b"a\n", "half-close", "close"])

    def test_half_close_as_the_last_line(self) -> None:
        """When the peer's FIN is in, ours is the close."""
        self.send(b"/half-close")
        self.fin()
        self.assertEqual(self.calls, ["close"])

    def test_close(self) -> None:
        """Earlier answers, then close; later lines are not answered."""
        self.send(b"a\n/close\nb\n")
        self.assertEqual(self.calls, [b"a\n", "close"])

    def test_reset(self) -> None:
        """Earlier answers get the time to leave before the abort would drop them."""
        self.send(b"a\n/reset\nb\n")
        self.assertEqual(self.calls, [b"a\n", "pause"])
        self.wait(APART)
        self.assertEqual(self.calls, [b"a\n", "pause", "resume", "reset"])

    def test_quit(self) -> None:
        """Bye, then a close that lingers."""
        self.send(b"a\n/quit\r\nb\n")
        self.assertEqual(self.calls, [b"a\nbye\r\n", "end local linger=True"])

    def test_reading_again_before_the_end(self) -> None:
        """After a slow command reading goes on, for a lingering close reads and drops."""
        self.send(b"/delay 1 a\n/quit\n")
        self.wait(1)
        self.assertEqual(self.calls, ["pause", b"a\nbye\n", "resume", "end local linger=True"])

    def test_nothing_is_registered_at_the_end(self) -> None:
        """Twisted closes nothing while a producer is registered."""
        for command in (b"/half-close", b"/close", b"/quit", b"x" * 20_000):
            self.talk_over(FakeStream())
            self.assertIsNotNone(self.stream.producer)
            self.send(command + b"\n")
            self.assertIsNone(self.stream.producer)


class PlainTransportTests(Case):
    """Students copy the service; Twisted's own transports have no end() and no note()."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.talk_over(PlainTransport(), max_line=9)

    def test_quit(self) -> None:
        """Bye and a plain close."""
        self.send(b"/quit\n")
        self.assertEqual(self.calls, [b"bye\n", "close"])

    def test_too_long(self) -> None:
        """Told, and a plain close."""
        self.send(b"x" * 10)
        self.assertEqual(self.calls, [b"line too long (limit 9)\r\n", "close"])

    def test_notes(self) -> None:
        """What would be noted is only answered."""
        self.send(b"\xff\xf4\n/foo\n")
        self.assertEqual(self.calls, [b"\xff\xf4\nunknown command /foo; try /help\n"])


class BackPressureTests(Case):
    def setUp(self) -> None:
        self.clock = Clock()
        self.talk_over(GreedyStream())

    def test_a_peer_that_does_not_read(self) -> None:
        """A read full of large requests makes one answer, not five hundred."""
        self.send(b"/bytes 100000\n" * 500)
        self.assertEqual([len(data) for data in self.stream.written()], [100_001])
        self.assertEqual(self.calls[1:], ["pause"])

    def test_it_goes_on(self) -> None:
        """Each time the peer has read, the next is answered; nothing is lost."""
        self.send(b"/bytes 100000\n" * 3 + b"end\n")
        self.stream.drain()
        self.stream.drain()
        self.stream.drain()
        self.assertEqual(len(b"".join(self.stream.written())), 3 * 100_001 + 4)
        self.assertEqual(self.calls[-2:], [b"end\n", "resume"])

    def test_many_small_answers(self) -> None:
        """A read full of /help goes out 64 KiB at a time."""
        self.send(b"/help\n" * 10_000)
        self.assertLess(len(self.stream.written()[0]), 68_000)
        self.assertEqual(len(self.stream.written()), 1)

    def test_waiting_and_full(self) -> None:
        """A slow command that ends while the peer does not read waits for the peer."""
        self.send(b"/bytes 100000\n/delay 1 x\n")
        self.wait(5)
        self.stream.drain()
        self.wait(1)
        self.assertEqual(self.stream.written()[1:], [b"x\n"])

    def test_fin_while_full(self) -> None:
        """The close comes after the last answer."""
        self.send(b"/bytes 100000\nlast")
        self.fin()
        self.assertNotIn("close", self.calls)
        self.stream.drain()
        self.assertEqual(self.calls[-2:], [b"last", "close"])

    def test_close_while_full(self) -> None:
        """An end asked for in the same read comes once the peer has read."""
        self.send(b"/bytes 100000\n/close\n")
        self.stream.drain()
        self.assertEqual(self.calls[-1], "close")


#: The ends and waits are left out: they are tested by name.
_QUIET = re.compile(rb"/(half-close|close|reset|quit|drip|delay|chunks|silence|bytes)")


class AnyInputTests(SynchronousTestCase):
    @given(st.lists(st.one_of(command_lines, st.binary(max_size=40)), max_size=6))
    def test_every_line_is_answered(self, texts: list[bytes]) -> None:
        """No line crashes the service, and one that can be answered at once is."""
        lines = [text.replace(b"\n", b"") + b"\n" for text in texts if not _QUIET.match(text)]
        stream = FakeStream()
        service = connect(stream, Clock())
        service.dataReceived(b"".join(lines) + b"end\n")
        self.assertTrue(stream.value().endswith(b"end\n"))
        self.assertEqual(service.lines_in, len(lines) + 1)

    @given(st.lists(command_lines, max_size=6), st.booleans())
    def test_every_connection_ends(self, texts: list[bytes], fin: bool) -> None:
        """Whatever is asked, in whatever order: after FIN it ends, and no timer is left."""
        clock, stream = Clock(), FakeStream()
        service = connect(stream, clock)
        service.dataReceived(b"\n".join(texts))
        if fin:
            service.readConnectionLost()
            while calls := clock.getDelayedCalls():
                clock.advance(max(0.0, calls[0].getTime() - clock.seconds()))
            self.assertTrue(stream.disconnecting)
        service.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(clock.getDelayedCalls(), [])

"""Each event has its sentence, and a peer cannot write it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.test_packing import example
from twisted_lab.events import (
    CATALOGUE,
    Accepted,
    Closed,
    CloseReason,
    DatagramDropped,
    Event,
    Gap,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Refused,
    Tls,
)
from twisted_lab.explaining import (
    counted,
    end_of_direction,
    explain,
    is_answer,
    span,
    transport_of,
)

ENDS = "127.0.0.1:5", "127.0.0.1:9000"

#: What nobody may be made to show: an escape, a right-to-left override, a NUL, a new line.
HOSTILE = "<b>\x1b[31m\u202e\x00\n"


def closed(reason: CloseReason, detail: str = "") -> Closed:
    return Closed(1, "echo", "c1", *ENDS, reason, 1, 2048, 61.5, detail)


class ExplainTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Whatever can happen is explained in one sentence that ends."""
        for kind in CATALOGUE.values():
            for empty in (False, True):
                said = explain(example(kind, empty)).says
                self.assertTrue(said.endswith(".") or kind is Note, said)
                self.assertNotIn("None", said)

    def test_gaps(self) -> None:
        """So is what is missing, for each reason."""
        for reason in ("unwatched", "evicted", "overrun"):
            for count in (None, 1, 5):
                said = explain(Gap(0, "echo", 10**9, reason, "c1", 7, 8, count)).says
                self.assertIn("1 s", said)

    def test_calls(self) -> None:
        """Each names the system call it stands for."""
        for event, call in (
            (Received(1, "echo", "c1", 5), "recv()"),
            (example(CATALOGUE["sent"], True), "send()"),
            (example(CATALOGUE["accepted"], True), "accept()"),
            (example(CATALOGUE["peer-shutdown"], True), "recv() = 0"),
            (example(CATALOGUE["local-shutdown"], True), "shutdown(SHUT_WR)"),
            (closed(CloseReason.LOCAL), "close()"),
            (closed(CloseReason.RESET), "recv() = ECONNRESET"),
            (closed(CloseReason.ABORTED), "setsockopt(SO_LINGER, 0) + close()"),
            (Paused(1, "echo", "c1", "out", "output"), "send() = EAGAIN"),
            (example(CATALOGUE["datagram-sent"], True), "sendto()"),
        ):
            self.assertEqual(explain(event).call, call)
        self.assertIsNone(explain(example(CATALOGUE["note"], True)).call)

    def test_close_reasons(self) -> None:
        """Each close reason has its own sentence, with the totals."""
        said = {explain(closed(reason)).says for reason in CloseReason}
        self.assertEqual(len(said), len(CloseReason))
        for one in said:
            self.assertIn("1 byte came and 2,048 bytes went in 61.5 s.", one)

    def test_drops(self) -> None:
        """A drop says why, also one that the kernel refused, or a gate of another's."""
        for reason, why in (
            ("kernel", "receive buffer"),
            ("send-emsgsize", "EMSGSIZE"),
            ("access", "--allow"),
            ("moon", "moon"),
        ):
            said = explain(DatagramDropped(1, "echo", ENDS[1], reason, count=3)).says
            self.assertIn("3 datagrams", said)
            self.assertIn(why, said)

    def test_unix(self) -> None:
        """On a UNIX socket nobody speaks of a TCP handshake, of FIN or of RST."""
        event = Accepted(1, "echo", "c1", "", "unix:/s", "unix")
        self.assertNotIn("TCP", explain(event).says)
        others = [PeerShutdown(1, "echo", "c1"), LocalShutdown(1, "echo", "c1")]
        reasons = set(CloseReason) - {CloseReason.TRUNCATED}  # which TLS alone has
        for one in [*others, *map(closed, reasons)]:
            self.assertNotRegex(explain(one, "unix").says, "FIN|RST")

    def test_tls(self) -> None:
        """Over TLS a read is one record, and what ends a direction is a close_notify."""
        said = explain(Received(1, "echo", "c1", 5), "tls")
        self.assertIn("One TLS record brought 5 bytes", said.says)
        self.assertEqual(said.call, "SSL_read()")
        for event in (PeerShutdown(1, "echo", "c1"), LocalShutdown(1, "echo", "c1")):
            self.assertIn("close_notify", explain(event, "tls").says)
            self.assertIn("FIN", explain(event, "tcp").says)
            self.assertNotIn("close_notify", explain(event, "tcp").says)

    def test_any_transport(self) -> None:
        """Where nobody says what it goes over, the sentence holds for TCP and for TLS."""
        self.assertIn("One recv() (or TLS record) gave", explain(Received(1, "e", "c", 5)).says)
        self.assertIn("FIN (over TLS: close_notify)", explain(PeerShutdown(1, "e", "c")).says)

    def test_boundaries(self) -> None:
        """A read is not a message, and the sentence says so."""
        said = explain(Received(1, "echo", "c1", 7), "tcp").says
        self.assertTrue(said.startswith("One recv() returned 7 bytes; a stream has no message"))

    def test_may_read(self) -> None:
        """Who sent FIN may have closed: nobody can see whether it still reads."""
        self.assertIn("may still read", explain(PeerShutdown(1, "echo", "c1"), "tcp").says)

    def test_gates(self) -> None:
        """Each gate has its sentence, with how many it turned away."""
        for gate, why in (("max-connections", "as many are open"), ("mine", "mine")):
            event = Refused(1, "echo", *ENDS, gate, count=3)
            self.assertIn(why, explain(event).says)
            self.assertIn("3 connections were turned away", explain(event).says)

    def test_transport(self) -> None:
        """What a connection goes over is told by its beginning, or by its handshake."""
        over = Accepted(1, "echo", "c1", *ENDS, "unix"), Tls(2, "echo", "c1", "TLSv1.3")
        self.assertEqual(transport_of(over), "unix")
        self.assertEqual(transport_of(over[1:]), "tls")
        self.assertEqual(transport_of([closed(CloseReason.LOCAL)]), "")

    def test_hostile(self) -> None:
        """What a peer chose is escaped."""
        hostile: list[Event] = [
            Note(1, "line", "bad-command", HOSTILE, "c1"),
            Tls(1, "echo", "c1", "TLSv1.3", "x", HOSTILE, HOSTILE),
            Tls(1, "echo", "c1", error=HOSTILE),
            closed(CloseReason.ERROR, HOSTILE),
            Refused(1, "echo", HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            Accepted(1, "echo", "c1", HOSTILE, HOSTILE, "tcp", HOSTILE),
            DatagramDropped(1, "echo", HOSTILE, HOSTILE, HOSTILE),
        ]
        for event in hostile:
            said = explain(event).says
            self.assertTrue(said.isprintable(), said)
            self.assertNotIn("\u202e", said)


class WordsTests(SynchronousTestCase):
    def test_span(self) -> None:
        """Times read as a person says them, and round to the next unit where they must."""
        for ns, said in {
            0: "0",
            7: "7 ns",
            1_500: "1.5 µs",
            999_999: "1 ms",
            15_300_000: "15.3 ms",
            999_600_000: "1 s",
            99_940_000_000: "99.9 s",
            99_960_000_000: "1 min 40 s",
            120_000_000_000: "2 min",
        }.items():
            self.assertEqual(span(ns), said)
        self.assertEqual(span(1_234_567, 4), "1.235 ms")

    def test_counted(self) -> None:
        """One is one, and more are many."""
        self.assertEqual(counted(1), "1 byte")
        self.assertEqual(counted(0, "event"), "0 events")
        self.assertEqual(counted(2048), "2,048 bytes")

    def test_end_of_direction(self) -> None:
        """It is called FIN where a FIN is what counts."""
        found = [end_of_direction(transport) for transport in ("tcp", "tls", "unix", "")]
        self.assertEqual(found, ["FIN", "close_notify", "end of stream", "FIN"])

    def test_is_answer(self) -> None:
        """What we did not send is told from what we did not take."""
        reasons = "amplification", "send-emsgsize", "rate", "kernel", "access"
        self.assertEqual(
            [is_answer(reason) for reason in reasons], [True, True, False, False, False]
        )

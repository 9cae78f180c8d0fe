"""Each event of a client in a few words."""

from __future__ import annotations

import dataclasses
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import (
    CATALOGUE,
    Closed,
    CloseReason,
    Connected,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Resumed,
    Sent,
    Tls,
)
from twisted_lab.telling import line, tell

CLOSED = Closed(5, "connect", "c1", "h:7", "l:9", CloseReason.PEER_FIN, 2, 1024, 0.5)


def closed(reason: CloseReason, detail: str = "") -> Closed:
    return dataclasses.replace(CLOSED, reason=reason, detail=detail)


def note(kind: str, text: str = "so it was") -> Note:
    return Note(1, "connect", kind, text, "c1")


class TellTests(SynchronousTestCase):
    def assert_told(self, event: Event, said: str | None) -> None:
        self.assertEqual(tell(event), said)

    def test_connected(self) -> None:
        """Both addresses, the transport, and how long connect() took."""
        event = Connected(1, "connect", "c1", "[::1]:7", "[::1]:9", "tcp", 0.0012)
        self.assert_told(event, "connected to [::1]:7 from [::1]:9 (tcp) in 1.2 ms")

    def test_tls(self) -> None:
        """What the handshake came to, or why it did not."""
        up = Tls(1, "connect", "c1", "TLSv1.3", "AES", "a.example", None, "CN=a.example")
        self.assert_told(up, "TLSv1.3 AES, for a.example; the certificate is of CN=a.example")
        self.assert_told(Tls(1, "connect", "c1", error="expired"), "TLS failed: expired")

    def test_traffic(self) -> None:
        """Sizes, and the calls they stand for."""
        self.assert_told(Received(1, "connect", "c1", 1), "recv() returned 1 byte")
        self.assert_told(Sent(1, "connect", "c1", 2048), "sent 2,048 bytes")
        self.assert_told(
            PeerShutdown(1, "connect", "c1"), "the peer sent FIN: recv() returned 0 bytes"
        )
        self.assert_told(LocalShutdown(1, "connect", "c1"), "sent FIN: shutdown(SHUT_WR)")

    def test_over_tls(self) -> None:
        """Over TLS it is close_notify that ends a direction, and a record that gives bytes."""
        for event, said in (
            (Received(1, "connect", "c1", 5), "one TLS record gave 5 bytes"),
            (
                PeerShutdown(1, "connect", "c1"),
                "the peer sent TLS close_notify: it will send no more",
            ),
            (LocalShutdown(1, "connect", "c1"), "sent TLS close_notify: we will send no more"),
            (Sent(1, "connect", "c1", 5), "sent 5 bytes"),
        ):
            self.assertEqual(tell(event, secure=True), said)
        said = tell(CLOSED, secure=True) or ""
        self.assertTrue(said.startswith("closed, the peer ended it first (TLS close_notify); "))

    def test_flow(self) -> None:
        """That the peer does not read is said; that our own stdout is slow is our own affair."""
        full = Paused(1, "connect", "c1", "out", "output")
        self.assert_told(full, "send() would block: the peer does not read")
        self.assert_told(Resumed(1, "connect", "c1", "out"), "the peer reads again")
        self.assert_told(Paused(1, "connect", "c1", "in", "protocol"), None)

    def test_datagrams(self) -> None:
        """One line for each datagram."""
        about = (1, "connect", "h:7", "l:9")
        self.assert_told(DatagramSent(*about, 1), "sent one datagram of 1 byte")
        said = "recvfrom() returned one datagram of 0 bytes"
        self.assert_told(DatagramReceived(*about, 0), said)
        lost = DatagramDropped(1, "connect", "l:9", "no buffer", "h:7", 3)
        self.assert_told(lost, "1 datagram lost: no buffer")

    def test_closed(self) -> None:
        """Who ended it first, and the totals."""
        totals = "; 1,024 bytes sent, 2 bytes received in 500 ms"
        self.assert_told(CLOSED, "closed, the peer ended it first (FIN)" + totals)
        failed = closed(CloseReason.HANDSHAKE, "expired")
        self.assert_told(failed, "closed, the TLS handshake failed: expired" + totals)
        self.assert_told(closed(CloseReason.ERROR), "closed, error" + totals)

    def test_time(self) -> None:
        """A line begins with the time since the start; what is not told has no line."""
        self.assertEqual(
            line(dataclasses.replace(note("x"), ns=1_500_000)), "[   1.5 ms] so it was"
        )
        self.assertIsNone(line(Resumed(1, "connect", "c1", "in")))

    def test_hostile(self) -> None:
        """No event can write to the terminal, whatever the peer put in it."""
        for kind in CATALOGUE.values():
            fields = {field.name: "\x1b[2J\n\u202e" for field in dataclasses.fields(kind)}
            numbers: dict[str, Any] = dict.fromkeys(
                ("ns", "bytes", "count", "bytes_in", "bytes_out", "duration"), 1
            )
            event = kind(**{**fields, **{k: v for k, v in numbers.items() if k in fields}})
            self.assertTrue((tell(event) or "").isprintable(), kind)

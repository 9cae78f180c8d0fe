"""The pictures of docs/diagram.md: ``python -m tests.diagram.examples`` draws them again."""

from __future__ import annotations

from pathlib import Path

from twisted_lab.diagram import draw
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramDropped,
    DatagramReceived,
    DatagramSent,
    Event,
    Gap,
    LocalShutdown,
    Note,
    Paused,
    PeerShutdown,
    Received,
    Resumed,
    Sent,
    Tls,
)

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PEER, LOCAL = "127.0.0.1:50122", "127.0.0.1:9001"
MS = 1_000_000

STREAM: list[Event] = [
    Accepted(0, "line", "c7", PEER, LOCAL, "tcp"),
    Received(40 * MS, "line", "c7", 7, b"hello\r\n"),
    Sent(40 * MS + 90_000, "line", "c7", 7, b"hello\r\n"),
    Received(75 * MS, "line", "c7", 13, b"/frobnicate\r\n"),
    Note(75 * MS + 60_000, "line", "bad-command", "unknown command /frobnicate", "c7"),
    Received(9075 * MS, "line", "c7", 65_536, b"y" * 256),
    Sent(9075 * MS + 120_000, "line", "c7", 65_536, b"y" * 256),
    Paused(9080 * MS, "line", "c7", "out", "output"),
    Paused(9080 * MS + 20_000, "line", "c7", "in", "output"),
    Resumed(9140 * MS, "line", "c7", "out"),
    Resumed(9140 * MS + 20_000, "line", "c7", "in"),
    Gap(9150 * MS, "line", 60_000 * MS, "unwatched", "c7", 102_400, 88_200),
    PeerShutdown(60_020 * MS, "line", "c7"),
    Sent(60_020 * MS + 80_000, "line", "c7", 5, b"bye\r\n"),
    Closed(60_045 * MS, "line", "c7", PEER, LOCAL, CloseReason.PEER_FIN, 167_956, 153_748, 60.045),
]

RESET: list[Event] = [
    Accepted(0, "line", "c8", PEER, LOCAL, "tls"),
    Tls(3 * MS, "line", "c8", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "localhost"),
    Received(5 * MS, "line", "c8", 7, b"hello\r\n"),
    Sent(6 * MS, "line", "c8", 7, b"hello\r\n"),
    LocalShutdown(8 * MS, "line", "c8"),
    Closed(12 * MS, "line", "c8", PEER, LOCAL, CloseReason.RESET, 7, 7, 0.012),
]

DATAGRAMS: list[Event] = [
    DatagramReceived(0, "echo", PEER, "127.0.0.1:9000", 5, b"hello"),
    DatagramSent(MS, "echo", PEER, "127.0.0.1:9000", 5, b"hello"),
    DatagramDropped(3 * MS, "echo", "127.0.0.1:9000", "rate", PEER, 9, 12),
    DatagramDropped(4 * MS, "echo", "127.0.0.1:9000", "send-emsgsize", PEER, 65_000, 1),
]

PICTURES = {
    "diagram-stream.svg": draw(STREAM, peer=PEER, local=LOCAL),
    "diagram-reset.svg": draw(RESET, peer=PEER, local=LOCAL),
    "diagram-datagrams.svg": draw(DATAGRAMS, peer=PEER, local="127.0.0.1:9000"),
}


def draw_all() -> None:
    """Write them."""
    for name, picture in PICTURES.items():
        (FOLDER / name).write_text(picture, "utf-8")


if __name__ == "__main__":
    draw_all()

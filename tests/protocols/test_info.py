"""Info: the line of JSON, on streams and datagrams, with and without TLS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from twisted.internet.address import IPv4Address

from tests.streams import StreamCase
from tests.transports.test_tls import TlsCase
from twisted_lab.protocols.info import describe_datagram, describe_stream
from twisted_lab.protocols.replying import Reply

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
KEYS = "peer local transport tls proxy instance connection time".split()


def said(line: bytes) -> Any:
    """What *line* says; it is one line, in ASCII, with every key in its place."""
    text = line.decode("ascii")
    assert text.endswith("}\r\n"), text
    assert text.count("\n") == 1, text
    answer = json.loads(text)
    assert list(answer) == KEYS, text
    return answer


def info() -> Reply:
    return Reply(lambda stream: describe_stream(stream, "host/7", NOON))


class PlainTests(StreamCase):
    def test_stream(self) -> None:
        """A plain stream: both addresses, which server, which connection, when."""
        peer = self.talk(info())
        ours = peer.transport.getHost()
        self.assertEqual(
            said(peer.received),
            {
                "peer": f"{ours.host}:{ours.port}",
                "local": "127.0.0.1:9000",
                "transport": "tcp",
                "tls": None,
                "proxy": None,
                "instance": "host/7",
                "connection": "c1",
                "time": "2026-03-01T12:00:00.250+00:00",
            },
        )

    def test_datagram(self) -> None:
        """A datagram belongs to no connection."""

        class Port:
            getHost = staticmethod(lambda: IPv4Address("UDP", "127.0.0.1", 9000))

        answer = said(describe_datagram(Port(), ("2001:db8::1", 5000), "host/7", NOON))
        self.assertEqual(answer["peer"], "[2001:db8::1]:5000")
        self.assertEqual((answer["local"], answer["transport"]), ("127.0.0.1:9000", "udp"))
        self.assertEqual((answer["connection"], answer["tls"], answer["proxy"]), (None, None, None))


class SecureTests(TlsCase):
    def test_tls(self) -> None:
        """Over TLS it says what the handshake came to, in the words of the ``tls`` event."""
        peer = self.talk(info())
        answer = said(bytes(peer.plain))
        (tls,) = self.seen.of("tls")
        self.assertEqual(
            answer["tls"],
            {
                "version": tls.version,
                "cipher": tls.cipher,
                "sni": None,
                "alpn": None,
                "peer_certificate": None,
            },
        )

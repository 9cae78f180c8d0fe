"""What a PROXY header said, as plain JSON."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.proxy import InetName, Proxy, ProxyHeader, Ssl, Tlvs, UnixName


class JsonTests(SynchronousTestCase):
    def test_full(self) -> None:
        """Everything there is, in words a person knows."""
        ssl = Ssl(5, 18, "TLSv1.3", "client", "AES", "RSA-SHA256", "RSA2048")
        tlvs = Tlvs(b"h2", "bench.example", True, b"\x01id", ssl, "blue")
        header = ProxyHeader(
            2, "PROXY", "INET6", "STREAM", InetName("::1", 1), InetName("::2", 2), tlvs
        )
        said = Proxy(header, "127.0.0.1:5000").as_json()
        self.assertEqual(json.loads(json.dumps(said)), said)
        self.assertEqual(
            said,
            {
                "balancer": "127.0.0.1:5000",
                "version": 2,
                "command": "PROXY",
                "family": "INET6",
                "protocol": "STREAM",
                "source": "[::1]:1",
                "destination": "[::2]:2",
                "tlvs": {
                    "alpn": "h2",
                    "authority": "bench.example",
                    "crc32c": True,
                    "unique_id": r"\x01id",
                    "ssl": {
                        "client": ["ssl", "cert-sess"],
                        "verify": 18,
                        "version": "TLSv1.3",
                        "cn": "client",
                        "cipher": "AES",
                        "sig_alg": "RSA-SHA256",
                        "key_alg": "RSA2048",
                    },
                    "netns": "blue",
                },
            },
        )

    def test_least(self) -> None:
        """What is not there is left out."""
        self.assertEqual(
            ProxyHeader(1).as_json(),
            {"version": 1, "command": "PROXY", "family": "UNSPEC", "protocol": "UNSPEC"},
        )

    def test_unix(self) -> None:
        """The name of a UNIX socket reads as our own addresses do."""
        self.assertEqual(str(UnixName(b"/run/s")), "unix:/run/s")
        self.assertEqual(str(UnixName(b"")), "unix:")
        self.assertEqual(str(UnixName(b"/\xff")), r"unix:/\xff")

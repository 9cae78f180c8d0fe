"""A bench is scraped as Prometheus does it, and tells what just happened to it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import urllib.request
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, read_all, wait_for
from tests.integration.peers import reset

#: What Prometheus 2 sends.
ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


class ScrapingTests(SynchronousTestCase):
    def bench(self, *arguments: str) -> Child:
        child = Child("--port", "0", *arguments).__enter__()
        self.addCleanup(child.__exit__)
        found = re.search(r"open: (http://\S+)/#", child.output)
        assert found is not None, child.output
        self.address = found[1]
        return child

    def get(self, path: str, accept: str = ACCEPT) -> tuple[str, str]:
        """The content type and the body of the answer."""
        asked = urllib.request.Request(self.address + path, headers={"Accept": accept})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def value(self, name: str, **labels: str) -> float:
        for family in read(self.get("/metrics")[1]):
            for sample in family.samples:
                if (sample.name, sample.labels) == (f"socketlab_{name}", labels):
                    return float(sample.value)
        raise AssertionError(f"no {name} {labels}")

    def test_scrape(self) -> None:
        """Connections, ends, bytes and datagrams of a real bench stand in its metrics."""
        child = self.bench()
        self.assertEqual(self.value("connections_accepted_total", service="echo"), 0)
        with child.connect() as first, child.connect() as second:
            for sock in (first, second):
                sock.sendall(b"hello")
                self.assertEqual(sock.recv(5), b"hello")
            self.assertEqual(self.value("connections", service="echo", state="open"), 2)
            self.assertEqual(self.value("stream_bytes_total", service="echo", direction="in"), 10)
            reset(second)
            first.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(first), b"")
        wait_for(lambda: self.value("connections", service="echo", state="open") == 0)
        for reason in ("reset", "peer-fin"):
            ended = self.value("connections_closed_total", service="echo", reason=reason)
            self.assertEqual(ended, 1, reason)
        self.assertEqual(self.value("stream_bytes_total", service="echo", direction="out"), 10)
        self.assertEqual(self.value("connection_duration_seconds_count", service="echo"), 2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            sock.sendto(b"datagram", ("127.0.0.1", child.port("echo", "udp")))
            self.assertEqual(sock.recv(100), b"datagram")
        for direction in ("in", "out"):
            labels = {"service": "echo", "direction": direction}
            self.assertEqual(self.value("datagrams_total", **labels), 1)
            self.assertEqual(self.value("datagram_bytes_total", **labels), 8)
        wait_for(lambda: self.value("event_loop_lag_seconds_count") >= 1)

    def test_handshakes(self) -> None:
        """A TLS handshake counts by how it ended: done, not TLS at all, or left in its midst."""
        child = self.bench("--listen", "tls:0")
        at = ("127.0.0.1", child.port("echo", "tls"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(at, 20) as raw, context.wrap_socket(raw) as sock:
            sock.sendall(b"hello")
            self.assertEqual(sock.recv(5), b"hello")
        with socket.create_connection(at, 20) as sock:
            sock.sendall(b"this is no ClientHello\r\n")
            read_all(sock)
        with socket.create_connection(at, 20):
            pass
        reset(socket.create_connection(at, 20))
        labels = {"service": "echo", "result": "failed"}
        wait_for(lambda: self.value("tls_handshakes_total", **labels) == 3)
        self.assertEqual(self.value("tls_handshakes_total", service="echo", result="done"), 1)

    def test_text(self) -> None:
        """Whoever does not ask for OpenMetrics gets the older text."""
        self.bench()
        content_type, body = self.get("/metrics", "*/*")
        self.assertEqual(content_type, "text/plain; version=0.0.4; charset=utf-8")
        self.assertIn('socketlab_build_info{reactor="', body)

    def test_tries(self) -> None:
        """What the page gives to paste begins with the line that was printed at the start."""
        child = self.bench("--listen", "tls:0")
        services: list[Any] = json.loads(self.get("/api/services")[1])["services"]
        printed = re.findall(r"try: (.+)", child.output)
        given = [one["text"] for service in services for one in service["try"]]
        self.assertEqual([text for text in given if text in printed], printed)
        self.assertGreater(len(given), 2 * len(printed))

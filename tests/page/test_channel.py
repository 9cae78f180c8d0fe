"""What a peer may send to the page, and for how long."""

from __future__ import annotations

from tests.page.kit import ALLOWED, HOST, PageCase, request
from twisted_lab.page.channel import BODY, CONNECTIONS, HEADER, REQUEST_TIME


class SizeTests(PageCase):
    path = "/api/services/echo/suspend"

    def test_header(self) -> None:
        """A header that is too long is refused before it is all there."""
        peer = self.open()
        peer.send(b"GET / HTTP/1.1\r\n")
        for number in range(20):
            peer.send(b"X-%d: %s\r\n" % (number, b"x" * (HEADER // 16)))
        self.network.pump()
        self.assertIn(b" 400 ", peer.received)
        self.assertEqual(peer.end, "fin")

    def test_header_lines(self) -> None:
        """So is one of too many lines."""
        lines = b"".join(b"X: y\r\n" for _ in range(200))
        peer = self.send(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        self.assertIn(b" 400 ", peer.received)

    def test_body(self) -> None:
        """A body that will be too long is refused before any of it came."""
        headers = ALLOWED | {"Content-Length": str(BODY + 1)}
        peer = self.send(request("POST", self.path, headers))
        self.assertTrue(peer.received.startswith(b"HTTP/1.1 413 "), peer.received)
        self.assertEqual(peer.end, "fin")
        self.assertEqual(self.services[0].suspended, ())

    def test_body_to_its_end(self) -> None:
        """Who sends all of it nevertheless still reads the answer, once."""
        peer = self.send(request("POST", self.path, ALLOWED, b"x" * (3 * BODY)))
        self.assertEqual(peer.received.count(b"HTTP/1.1"), 1)
        self.assertTrue(peer.received.startswith(b"HTTP/1.1 413 "))
        self.assertEqual(peer.end, "fin")

    def test_chunks(self) -> None:
        """In chunks it is refused when there are too many."""
        headers = ALLOWED | {"Transfer-Encoding": "chunked"}
        peer = self.send(request("POST", self.path, headers))
        for _ in range(BODY // 2**10 + 1):
            peer.send(b"400\r\n" + b"x" * 2**10 + b"\r\n")
            self.network.pump()
        self.assertEqual(peer.received.count(b"HTTP/1.1 413 "), 1)

    def test_allowed_body(self) -> None:
        """A body of the longest kind is read and does no harm."""
        self.assertEqual(self.ask(self.path, ALLOWED, "POST", b"x" * BODY).status, 200)

    def test_nonsense(self) -> None:
        """What is no HTTP is told so, or nothing, and its connection closed."""
        for said in (
            b"\x16\x03\x01\x02\x00\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nx\r\n\r\n",
        ):
            peer = self.send(said)
            self.assertIsNotNone(peer.end, said)

    def test_nul(self) -> None:
        """NUL and escapes in the request line are only an address there is not."""
        peer = self.send(b"GET /\x00\x1b[31m HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n\r\n")
        self.assertNotIn(b"\x1b", peer.received)
        self.assertTrue(peer.received.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")))


class NotReadingTests(PageCase):
    def test_asks_on(self) -> None:
        """Who asks on without reading the answers is answered when it reads, each in its turn."""
        for _ in range(300):
            self.talk().close()
        self.network.pump()
        ask = request("GET", "/api/connections?limit=1000")
        peer = self.open()
        peer.send(ask)
        self.network.pump()
        size = len(peer.received)
        self.assertGreater(size, 2**16)
        peer.transport.pauseProducing()
        peer.send(ask * 20 + ask[:10])
        self.network.pump()
        (stream,) = self.layer.streams
        self.assertLess(len(stream.lowest.dataBuffer), 4 * size)
        peer.send(ask[10:])
        peer.transport.resumeProducing()
        self.network.pump()
        self.assertEqual(peer.received.count(b"HTTP/1.1 200 "), 22)

    def test_no_more_time(self) -> None:
        """Reading an answer takes nothing from the time of the next request."""
        peer = self.open()
        peer.transport.pauseProducing()
        peer.send(request("GET", "/static/main.js") * 40)
        self.network.pump()
        peer.transport.resumeProducing()
        self.network.advance(REQUEST_TIME - 1)
        self.assertIsNone(peer.end)
        peer.send(request("GET", "/healthz"))
        self.network.pump()
        self.assertTrue(peer.received.endswith(b"ok\n"))


class TimeTests(PageCase):
    def test_slow_request(self) -> None:
        """A request must be whole in time, however steadily it drips."""
        peer = self.send(b"GET / HTTP/1.1\r\n")
        for _ in range(12):
            self.network.advance(REQUEST_TIME / 10)
            if not peer.end:
                peer.send(b"X: y\r\n")
        self.network.advance(1.0)
        self.assertIsNotNone(peer.end)
        self.assertEqual(peer.received, b"")

    def test_slow_body(self) -> None:
        """Its body, too."""
        peer = self.send(request("POST", "/x", ALLOWED | {"Content-Length": "50"}))
        for _ in range(12):
            self.network.advance(REQUEST_TIME / 10)
            if not peer.end:
                peer.send(b"x")
        self.network.advance(1.0)
        self.assertIsNotNone(peer.end)

    def test_idle(self) -> None:
        """A connection that asks nothing more is closed."""
        peer = self.send(request("GET", "/healthz"))
        self.network.advance(REQUEST_TIME - 1)
        self.assertIsNone(peer.end)
        self.network.advance(2)
        self.assertEqual(peer.end, "fin")

    def test_again(self) -> None:
        """One that does ask has its time anew for each request."""
        peer = self.send(request("GET", "/healthz"))
        for _ in range(5):
            self.network.advance(REQUEST_TIME * 0.7)
            peer.send(request("GET", "/healthz"))
            self.network.pump()
        self.assertEqual(peer.received.count(b"HTTP/1.1 200"), 6)

    def test_stream(self) -> None:
        """A stream of events may last, as long as its viewer is there."""
        peer = self.send(request("GET", "/api/events"))
        for _ in range(10):
            self.network.advance(REQUEST_TIME)
        self.assertIsNone(peer.end)
        self.assertIn(b": alive", peer.received)


class ManyTests(PageCase):
    def test_connections(self) -> None:
        """Only so many connections are served at once; there is room again when one goes."""
        peers = [self.open() for _ in range(CONNECTIONS)]
        self.network.pump()
        self.assertEqual(self.open().end or "own", "own")
        self.network.pump()
        self.assertEqual(len(self.layer.streams), CONNECTIONS)
        peers[0].close()
        self.network.pump()
        self.assertEqual(self.ask("/healthz").status, 200)

"""One request: the answer, or one sentence that says what is wrong with whom."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace
from typing import Any

import trustme

from tests.live.case import FakeBenchTestCase
from tests.live.fake_bench import FakeBench
from twisted_lab.live import http_reading
from twisted_lab.live.address import Address
from twisted_lab.live.http_reading import Lost, NotOurs, Reader, Refused, Stream


class ReaderTests(FakeBenchTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.reader = Reader(self.address)
        self.addCleanup(self.reader.close)

    def refusal(self, kind: type[Exception], path: str = "/api/bench") -> str:
        return str(self.assertRaises(kind, self.reader.get, path))

    def test_get(self) -> None:
        """The JSON object comes; many requests go over one connection."""
        for _ in range(3):
            self.assertEqual(self.reader.get("/api/bench")["version"], "0.1.0")
        self.assertEqual(self.fake.paths("GET"), ["/api/bench"] * 3)
        self.assertEqual(self.fake.accepted, 1)

    def test_post(self) -> None:
        """A change brings the token, as JSON."""
        self.fake.documents["/api/connections/c1/close"] = {"connection": "c1"}
        self.assertEqual(self.reader.post("/api/connections/c1/close"), {"connection": "c1"})
        ((method, _, headers),) = self.fake.asked
        self.assertEqual(method, "POST")
        self.assertEqual(headers["Authorization"], "Bearer secret-token")
        self.assertEqual(headers["Content-Type"], "application/json")

    def test_no_token(self) -> None:
        """Without a token none is sent."""
        reader = Reader(replace(self.address, token=None))
        self.addCleanup(reader.close)
        reader.get("/api/bench")
        self.assertNotIn("Authorization", self.fake.asked[0][2])

    def test_kept_and_closed(self) -> None:
        """A connection that the bench closed meanwhile is made anew."""
        self.reader.get("/api/bench")
        self.fake.drop_connections()
        self.assertEqual(self.reader.get("/api/bench")["reactor"], "epoll")

    def test_never_twice(self) -> None:
        """What changes something is not asked again when the connection broke."""
        self.reader.get("/api/bench")
        self.fake.drop_connections()
        self.assertRaises(Lost, self.reader.post, "/api/connections/c1/close")
        self.assertEqual(self.fake.paths("POST"), [])

    def test_refused(self) -> None:
        """The bench's own sentence is what is said, and it cannot write to the terminal."""
        self.fake.documents["/api/bench"] = {"error": "no such \x1b[31m thing"}
        self.fake.statuses["/api/bench"] = 404
        error = self.assertRaises(Refused, self.reader.get, "/api/bench")
        self.assertEqual((error.status, str(error)), (404, "no such \\x1b[31m thing"))

    def test_not_json(self) -> None:
        """Another server is called what it is."""
        for body in (b"<html>", b"[1]", b"[" * 100_000):
            self.fake.documents["/api/bench"] = body
            self.assertIn("is not a page of socketlab", self.refusal(NotOurs))

    def test_without_end(self) -> None:
        """An answer has an end."""
        self.patch(http_reading, "LARGEST", 10)
        self.assertIn("answers without end", self.refusal(NotOurs))

    def test_nobody(self) -> None:
        """Where nobody listens, that is said with the address and without the token."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            reader = Reader(Address("http", "127.0.0.1", port, "t0ken"))
            said = str(self.assertRaises(Lost, reader.get, "/"))
        self.assertEqual(said, f"cannot reach http://127.0.0.1:{port}: Connection refused")

    def test_no_http(self) -> None:
        """A server that does not speak HTTP, such as our own echo, is called what it is."""
        port = self.serve(lambda sock: sock.sendall(sock.recv(2**16)))
        reader = Reader(Address("http", "127.0.0.1", port))
        said = str(self.assertRaises(NotOurs, reader.get, "/"))
        self.assertIn("does not speak HTTP", said)

    def test_silent(self) -> None:
        """A server that says nothing is given up."""
        self.patch(http_reading, "PATIENCE", 0.05)
        done = threading.Event()
        self.addCleanup(done.set)
        port = self.serve(lambda sock: done.wait())
        reader = Reader(Address("http", "127.0.0.1", port))
        self.assertIn("it does not answer", str(self.assertRaises(Lost, reader.get, "/")))
        done.set()

    def serve(self, answer: Any) -> int:
        """A port whose first connection gets *answer*."""
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with listener, listener.accept()[0] as sock:
                answer(sock)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return int(listener.getsockname()[1])


class StreamTests(FakeBenchTestCase):
    def open(self, path: str = "/api/events", last: str = "") -> Stream:
        stream = Stream(self.address, None, path, last, patience=20)
        self.addCleanup(stream.close)
        return stream

    def test_read(self) -> None:
        """Bytes come as the bench sends them, until it ends the stream."""
        stream = self.open("/api/events?connection=c1", last="7")
        there = self.fake.stream()
        self.assertEqual((there.query, there.last), ({"connection": "c1"}, "7"))
        self.assertEqual(stream.read(), b": ok\n\n")
        there.finish("enough")
        self.assertIn(b"enough", stream.read())
        self.assertEqual(stream.read(), b"")

    def test_broken(self) -> None:
        """A bench that goes without a word is lost."""
        stream = self.open()
        stream.read()
        self.fake.stream().end()
        said = str(self.assertRaises(Lost, stream.read))
        self.assertIn("it closed the connection", said)

    def test_interrupt(self) -> None:
        """A read that waits ends when another thread says so."""
        stream = self.open()
        stream.read()
        threading.Timer(0.05, stream.interrupt).start()
        self.assertRaises(Lost, stream.read)

    def test_no_stream(self) -> None:
        """What answers without a stream is no page of socketlab; a no is the bench's own."""
        self.fake.documents["/api/events"] = {"error": "unknown kind"}
        self.assertRaises(NotOurs, self.open)
        self.fake.statuses["/api/events"] = 400
        self.assertEqual(str(self.assertRaises(Refused, self.open)), "unknown kind")


class TlsTests(FakeBenchTestCase):
    """Its page over TLS."""

    def setUp(self) -> None:
        super().setUp()
        self.authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        self.secure = FakeBench(context)
        self.secure.__enter__()
        self.addCleanup(self.secure.__exit__)
        self.address = Address("https", "127.0.0.1", self.secure.port)

    def reader(self, context: ssl.SSLContext) -> Reader:
        reader = Reader(self.address, context)
        self.addCleanup(reader.close)
        return reader

    def test_trusted(self) -> None:
        """A certificate that is trusted is taken, for a request and for the stream."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        self.assertEqual(self.reader(context).get("/api/bench")["version"], "0.1.0")
        stream = Stream(self.address, context, "/api/events", "", patience=20)
        self.addCleanup(stream.close)
        self.assertEqual(stream.read(), b": ok\n\n")

    def test_stranger(self) -> None:
        """Another certificate is not, and the sentence says so."""
        reader = self.reader(ssl.create_default_context())
        said = str(self.assertRaises(Lost, reader.get, "/api/bench"))
        self.assertIn("its certificate is not trusted", said)

    def test_interrupt(self) -> None:
        """A read over TLS that waits ends too."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        stream = Stream(self.address, context, "/api/events", "", patience=20)
        self.addCleanup(stream.close)
        stream.read()
        threading.Timer(0.05, stream.interrupt).start()
        try:
            self.assertEqual(stream.read(), b"")
        except Lost as problem:
            self.assertIn("cannot reach", str(problem))

"""A bench's page as ``socketlab watch`` sees it: real HTTP on a free port, canned JSON, events
when the test says so."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

#: Seconds after which a test that waits for a request has failed.
PATIENCE = 20.0

TOKEN = "secret-token"


def connection(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A Connection of the interface."""
    return {
        "id": f"c{number}",
        "service": "echo",
        "peer": f"127.0.0.1:{50000 + number}",
        "local": "127.0.0.1:9000",
        "transport": "tcp",
        "state": "open",
        "opened_ns": number * 10**9,
        "duration": 1.5,
        "bytes_in": 5,
        "bytes_out": 5,
        **fields,
    }


def talk(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A Talk of the interface."""
    return {
        "id": f"d{number}",
        "service": "echo",
        "peer": f"127.0.0.1:{40000 + number}",
        "local": "127.0.0.1:9000",
        "first_ns": number * 10**9,
        "last_ns": number * 10**9 + 5,
        "datagrams_in": 3,
        "bytes_in": 30,
        "datagrams_out": 2,
        "bytes_out": 20,
        "dropped": 1,
        **fields,
    }


def service(name: str = "echo", **fields: Any) -> dict[str, Any]:
    """A Service of the interface."""
    return {
        "name": name,
        "kind": name,
        "summary": "sends back every byte",
        "state": "serving",
        "ports": [{"transport": "tcp", "local": "127.0.0.1:9000"}],
        "open": 1,
        "accepted": 4,
        "closed": {"peer-fin": 3},
        "refused": {"access": 2},
        "bytes_in": 2048,
        "bytes_out": 12345,
        "datagrams_in": 0,
        "datagrams_out": 0,
        "datagram_bytes_in": 0,
        "datagram_bytes_out": 0,
        "dropped": {},
        "try": [],
        **fields,
    }


def entry(seq: int | None = 1, event: str = "received", **fields: Any) -> dict[str, Any]:
    """An Entry of the interface."""
    common = {"event": event, "ns": (seq or 1) * 10**6, "service": "echo", "connection": "c1"}
    if event in ("received", "sent"):
        common |= {"bytes": 5, "data": "aGVsbG8=", "call": "recv()", "says": "5 bytes: hello"}
    if seq is not None:
        common["seq"] = seq
    return {**common, "says": f"{event} happened", **common, **fields}


class FakeBench:
    """A page on a free port of 127.0.0.1; a context manager.

    ``documents`` maps a path without its query to what is answered: JSON, or bytes as they are.
    ``asked`` has every request: method, path with query, headers.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.documents: dict[str, Any] = {
            "/api/bench": {
                "version": "0.1.0",
                "reactor": "epoll",
                "started": "2026-03-01T12:00:00+00:00",
                "ns": 10**10,
                "draining": False,
                "capture": 256,
                "kept": 32,
            },
            "/api/services": {"services": [service()]},
        }
        self.connections(connection())
        self.talks()
        self.statuses: dict[str, int] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.streams: list[Streaming] = []
        #: Called for each stream that is opened, in a thread of its own.
        self.on_stream: Callable[[Streaming], object] = lambda stream: None
        self.changed = threading.Condition()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self.over = False
        self.scheme = "http"
        if tls is not None:
            self.scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def connections(self, *found: dict[str, Any], **fields: Any) -> None:
        """What ``/api/connections`` says, and each of them with no events."""
        opened = sum(each["state"] == "open" for each in found)
        counts = {"open": opened, "closed": len(found) - opened, "matching": len(found)}
        self.documents["/api/connections"] = {
            "connections": list(found),
            **counts,
            "forgotten": 0,
            "ns": 10**10,
            **fields,
        }
        for each in found:
            self.story(each)

    def story(self, about: dict[str, Any], *events: dict[str, Any], seq: int = 0) -> None:
        """What one conversation says."""
        known = {"events": list(events), "seq": seq, "ns": 10**10}
        if about["id"].startswith("d"):
            self.documents[f"/api/datagrams/{about['id']}"] = {"talk": about, **known}
        else:
            self.documents[f"/api/connections/{about['id']}"] = {"connection": about, **known}

    def talks(self, *found: dict[str, Any]) -> None:
        """What ``/api/datagrams`` says, and each of them with no events."""
        self.documents["/api/datagrams"] = {
            "talks": list(found),
            "matching": len(found),
            "forgotten": 0,
            "ns": 10**10,
        }
        for each in found:
            self.story(each)

    def __enter__(self) -> FakeBench:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()
        return self

    @property
    def accepted(self) -> int:
        """How many connections viewers made."""
        return self._server.accepted

    def drop_connections(self) -> None:
        """End every connection of a viewer, and wait until it is."""
        self._server.drop_all()

    def __exit__(self, *error: object) -> None:
        if self.over:
            return
        with self.changed:
            self.over = True
            for stream in self.streams:
                stream.end()
        self._server.shutdown()
        self._server.drop_all()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, true: Callable[[], Any]) -> Any:
        """What *true()* says, once it is true; it is looked at after each request."""
        with self.changed:
            if not self.changed.wait_for(true, PATIENCE):
                raise AssertionError(f"it never came true; asked was {self.asked}")
            return true()

    def stream(self, number: int = 0) -> Streaming:
        """The event stream that was opened as number *number*, once it is there."""
        self.wait_for(lambda: len(self.streams) > number)
        return self.streams[number]

    def paths(self, method: str) -> list[str]:
        """What was asked for with *method*."""
        return [path for how, path, _ in self.asked if how == method]


class Streaming:
    """One event stream that a viewer has open."""

    def __init__(self, handler: _Handler, query: dict[str, str]) -> None:
        self.query = query
        self.last = handler.headers.get("Last-Event-ID")
        self._handler = handler
        self.over = threading.Event()

    def send(self, *entries: dict[str, Any]) -> None:
        """These events, each in a chunk of its own."""
        for said in entries:
            number = f"id: {said['seq']}\n" if "seq" in said else ""
            self.raw(f"{number}event: {said['event']}\ndata: {json.dumps(said)}\n\n")

    def raw(self, text: str) -> None:
        """*text* as one chunk."""
        data = text.encode()
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def finish(self, why: str) -> None:
        """As a bench that stops."""
        self.raw(f"event: end\ndata: {json.dumps({'why': why})}\n\n")
        self._handler.wfile.write(b"0\r\n\r\n")
        self.end()

    def end(self) -> None:
        """Break off."""
        self.over.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    fake: FakeBench

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()
        self.accepted = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self.accepted += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_all(self) -> None:
        """Viewers keep their connections: end them."""
        for request in list(self._open):
            try:
                request.shutdown(2)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer may go whenever it likes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *words: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/api/events" and parts.path not in self.server.fake.documents:
            self._stream(dict(parse_qsl(parts.query)))
        else:
            self._document(parts.path)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._document(urlsplit(self.path).path)

    def _document(self, path: str) -> None:
        fake = self.server.fake
        known = path in fake.documents
        said = fake.documents.get(path, {"error": "there is no such thing"})
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        status = fake.statuses.get(path, 200 if known else 404)
        self._told()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        stream = Streaming(self, query)
        stream.raw(": ok\n\n")
        fake = self.server.fake
        with fake.changed:
            fake.streams.append(stream)
            if fake.over:
                stream.end()
        self._told()
        fake.on_stream(stream)
        stream.over.wait()
        self.close_connection = True

    def _told(self) -> None:
        fake = self.server.fake
        with fake.changed:
            fake.asked.append((self.command, self.path, dict(self.headers)))
            fake.changed.notify_all()

"""Whoever asks the page of a bench over real sockets: answers, changes, streams of events."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.integration.child import Child

#: Seconds in which an answer comes: these machines are slow and shared.
PATIENCE = 30.0

_OPEN = re.compile(r"^  page +(https?) +open: \w+://(\S+):(\d+)/(?:#token=(\S+))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks the page at *host* and *port*; ``token`` goes with every change."""

    def __init__(self, host: str, port: int, token: str = "", tls: bool = False) -> None:
        self.host, self.port, self.token, self.tls = host, port, token, tls

    @classmethod
    def of(cls, child: Child) -> Client:
        """Of the page that *child* announced."""
        found = _OPEN.search(child.output)
        if found is None:
            raise AssertionError(f"no page was announced: {child.output}")
        scheme, host, port, token = found.groups()
        return cls(host.strip("[]"), int(port), token, scheme == "https")

    @property
    def name(self) -> str:
        """What a browser says as Host."""
        return f"{self.host}:{self.port}"

    def connect(self, sni: str | None = None) -> socket.socket:
        """A connection; over TLS nobody's certificate is verified."""
        sock = socket.create_connection((self.host, self.port), PATIENCE)
        if not self.tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(sock, server_hostname=sni)

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
        sni: str | None = None,
    ) -> Answer:
        """One request on a connection of its own; *headers* are added to Host."""
        with self.opened(path, headers, method, body, sni) as response:
            answer = response.read()
            return Answer(response.status, dict(response.headers), answer)

    @contextmanager
    def opened(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
        sni: str | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The same; the answer is not read yet."""
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = self.connect(sni)
        try:
            said = {"Host": self.name, **(headers or {})}
            connection.request(method, path, body, said)
            yield connection.getresponse()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        """What is answered 200."""
        answer = self.ask(path)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        return answer.json

    def losses(self) -> float:
        """How many events viewers missed, as the metrics have it."""
        said = self.ask("/metrics").body.decode()
        found = re.search(r'^socketlab_\w+\{observer="page"\} (\S+)', said, re.MULTILINE)
        return float(found[1]) if found else 0.0

    @property
    def allowed(self) -> dict[str, str]:
        """The headers of a change."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def change(self, path: str) -> Answer:
        """A POST with all it needs."""
        return self.ask(path, self.allowed, "POST", b"{}")

    def raw(self, data: bytes, fin: bool = False) -> bytes:
        """All that comes back for *data*, and our FIN after it, until the page closes."""
        with self.connect() as sock:
            sock.sendall(data)
            if fin:
                sock.shutdown(socket.SHUT_WR)
            pieces = []
            try:
                while piece := sock.recv(2**16):
                    pieces.append(piece)
            except ConnectionResetError:
                pass
            return b"".join(pieces)

    def viewer(self, query: str = "") -> socket.socket:
        """A stream of events that has begun, as a bare socket: for who reads late, or never."""
        sock = self.connect()
        sock.sendall(f"GET /api/events?{query} HTTP/1.1\r\nHost: {self.name}\r\n\r\n".encode())
        seen = b""
        while b": ok" not in seen:
            seen += sock.recv(4096)
        return sock

    @contextmanager
    def stream(self, query: str = "", last: int | None = None) -> Iterator[Stream]:
        """A stream of events that has begun, from *last* on."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        with self.opened(f"/api/events?{query}", headers) as response:
            if response.status != 200:
                raise AssertionError(response.read())
            stream = Stream(response)
            stream.until(lambda frame: frame.get("comment") == ": ok")
            yield stream


class Stream:
    """A stream of events being read; frames are entries, with ``named`` and ``id``."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.seen: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each frame until the end of the stream; a comment is ``{"comment": …}``."""
        lines: dict[str, str] = {}
        while line := self._response.readline():
            text = line.decode().removesuffix("\n")
            if text.startswith(":"):
                yield {"comment": text}
            elif text:
                name, _, value = text.partition(": ")
                lines[name] = value
            elif lines:
                yield json.loads(lines["data"]) | {"named": lines["event"], "id": lines.get("id")}
                lines = {}

    def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first frame that is *wanted*; all before it are in ``seen``."""
        end = time.monotonic() + PATIENCE
        for frame in self:
            self.seen.append(frame)
            if wanted(frame):
                return frame
            if time.monotonic() > end:
                break
        raise AssertionError(f"it never came: {self.seen[-5:]}")

    def next(self, named: str) -> dict[str, Any]:
        """The next frame called *named*."""
        return self.until(lambda frame: frame.get("named") == named)

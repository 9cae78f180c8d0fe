"""One request to a bench's page, and what went wrong as one sentence."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import suppress
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any

from twisted_lab.errors import SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.live.address import Address

#: Seconds without an answer, or a byte of one, after which the bench counts as lost.
PATIENCE = 5.0

#: Bytes of an answer at most: a thousand connections take less than one.
LARGEST = 2**24


class Lost(SocketlabError):
    """The bench did not answer, or no longer does; the text says why."""


class NotOurs(Lost):
    """Something answers there, but not a page of socketlab."""


class Refused(SocketlabError):
    """The bench answered that it will not, with this sentence and ``status``."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Reader:
    """Asks a page, one request after the other over one connection; for one thread.

    *tls* is for ``https`` alone. Every method raises :class:`Lost`, :class:`NotOurs` or
    :class:`Refused`.
    """

    def __init__(self, address: Address, tls: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._tls = tls
        self._connection: HTTPConnection | None = None

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at *path*."""
        return self._ask("GET", path)

    def post(self, path: str) -> dict[str, Any]:
        """Change something; needs the token."""
        return self._ask("POST", path)

    def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        fresh = self._connection is None
        try:
            return self._once(method, path)
        except Lost:
            # One that was kept may have been closed meanwhile. What changes something is never
            # asked twice.
            if fresh or method != "GET":
                raise
            return self._once(method, path)

    def _once(self, method: str, path: str) -> dict[str, Any]:
        try:
            if self._connection is None:
                self._connection = connect(self._address, self._tls, PATIENCE)
            self._connection.request(method, path, *_body(method, self._address))
            response = self._connection.getresponse()
            body = response.read(LARGEST + 1)
            if response.will_close:
                self.close()
        except (OSError, HTTPException, ValueError) as problem:
            self.close()
            raise lost(self._address, problem) from None
        if len(body) > LARGEST:
            self.close()
            raise no_page(self._address, "it answers without end")
        return _answer(self._address, response.status, body)


class Stream:
    """The event stream at *path*, resumed after the event *last* if that is not empty.

    *patience* is how many seconds it may be silent. Raises as :class:`Reader` does.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        path: str,
        last: str,
        patience: float,
    ) -> None:
        self._address = address
        headers = {"Accept": "text/event-stream", **_authorised(address)}
        if last:
            headers["Last-Event-ID"] = last
        try:
            self._connection = connect(address, tls, PATIENCE)
        except (OSError, HTTPException, ValueError) as problem:
            raise lost(address, problem) from None
        self._sock = self._connection.sock
        self._sock.settimeout(patience)
        try:
            self._response = self._begin(path, headers)
        except BaseException:
            self.close()
            raise

    def _begin(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        try:
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
            if response.status != 200:
                _answer(self._address, response.status, response.read(LARGEST))
                raise no_page(self._address, f"its event stream has status {response.status}")
        except (OSError, HTTPException, ValueError) as problem:
            raise lost(self._address, problem) from None
        if response.getheader("Content-Type", "").partition(";")[0] != "text/event-stream":
            response.close()
            raise no_page(self._address, "it has no event stream")
        return response

    def read(self) -> bytes:
        """What has come, at least one byte; nothing at the end of the stream."""
        try:
            return self._response.read1(2**16)
        except (OSError, HTTPException, ValueError) as problem:
            raise lost(self._address, problem) from None

    def interrupt(self) -> None:
        """End a :meth:`read` that waits in another thread."""
        with suppress(OSError):
            # An SSLSocket's own would take from the reading thread what it reads with.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        with suppress(AttributeError):  # it never began
            self._response.close()
        self._connection.close()
        self._sock.close()


def connect(address: Address, tls: ssl.SSLContext | None, patience: float) -> HTTPConnection:
    """A connection that is open; raises OSError."""
    connection: HTTPConnection
    if address.scheme == "https":
        connection = HTTPSConnection(address.host, address.port, timeout=patience, context=tls)
    else:
        connection = HTTPConnection(address.host, address.port, timeout=patience)
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


def lost(address: Address, problem: Exception) -> Lost:
    """What *problem* means, as a sentence that names *address*."""
    if isinstance(problem, HTTPException) and not isinstance(problem, OSError | IncompleteRead):
        return no_page(address, "it does not speak HTTP as we do")
    return Lost(f"cannot reach {address}: {_why(problem)}")


def _why(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return "it does not answer"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({escape(problem.verify_message)})"
    if isinstance(
        problem, ConnectionResetError | IncompleteRead
    ):  # and http.client.RemoteDisconnected
        return "it closed the connection"
    said = problem.strerror if isinstance(problem, OSError) else None
    return escape(str(said or problem))


def no_page(address: Address, why: str) -> NotOurs:
    """Something else answers at *address*, as *why* says."""
    return NotOurs(f"{address} is not a page of socketlab: {why}")


def _authorised(address: Address) -> dict[str, str]:
    return {"Authorization": f"Bearer {address.token}"} if address.token else {}


def _body(method: str, address: Address) -> tuple[bytes | None, dict[str, str]]:
    headers = _authorised(address)
    if method == "GET":
        return None, headers
    return b"{}", {**headers, "Content-Type": "application/json"}


def _answer(address: Address, status: int, body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise no_page(address, f"it answers {status} without a JSON object")
    if status >= 300:
        sentence = said.get("error")
        raise Refused(status, escape(sentence) if isinstance(sentence, str) else f"status {status}")
    return said

"""The page's port under whoever may not ask, asks wrongly, asks for too much, or does not read."""

from __future__ import annotations

import contextlib
import re
import socket
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.page_client import Client
from tests.integration.peers import MIB, meanwhile, round_trips
from twisted_lab.page.channel import BODY, CONNECTIONS, HEADER, REQUEST_TIME

#: What a viewer that does not read, and whoever asks and does not read, may cost: what waits in
#: the page and in its transport, with what Python's allocator makes of it.
BOUNDED = 12 * MIB


class HostileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.child = Child("--port", "0").__enter__()
        self.addCleanup(self.child.__exit__)
        self.page = Client.of(self.child)
        self.talking = self.child.connect()
        self.addCleanup(self.talking.close)
        round_trips(self.talking, 1)

    def check_unchanged(self) -> None:
        """The bench serves, and nobody ended its connection."""
        round_trips(self.talking, 1)
        states = [one["state"] for one in self.page.json("/api/services")["services"]]
        self.assertEqual(states, ["serving", "serving"])

    def head(self, request: str, *lines: str, host: str | None = None) -> bytes:
        """The bytes of a request that is the connection's last."""
        said = [f"Host: {self.page.name if host is None else host}", "Connection: close", *lines]
        return "\r\n".join([request, *said, "", ""]).encode("latin-1")

    def status(self, request: bytes) -> int:
        """The status of the one answer to *request*."""
        answer = self.page.raw(request)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
        return int(answer.split()[1])


class GuardTests(HostileTests):
    reset = "/api/connections/c1/reset"

    def test_foreign_host(self) -> None:
        """A name that only resolves to this machine is not the page's: 421, whatever is asked."""
        for name in ("evil.example", f"evil.example:{self.page.port}", "127.0.0.1", "localhost:1"):
            for path in ("/", "/healthz", "/api/connections", "/api/events", "/metrics"):
                answer = self.page.ask(path, {"Host": name})
                self.assertEqual((answer.status, b"c1" in answer.body), (421, False), (name, path))
        for path in (self.reset, "/api/services/echo/suspend"):
            headers = self.page.allowed | {"Host": "evil.example"}
            self.assertEqual(self.page.ask(path, headers, "POST", b"{}").status, 421)
        self.check_unchanged()

    def test_foreign_origin(self) -> None:
        """Another page may not ask, not even with the token; no answer allows it to."""
        for origin in ("http://evil.example", "null", f"http://{self.page.name}.evil.example"):
            for path, method in (("/api/connections", "GET"), (self.reset, "POST")):
                answer = self.page.ask(path, self.page.allowed | {"Origin": origin}, method)
                self.assertEqual((answer.status, b"c1" in answer.body), (403, False), path)
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
        for site in ("cross-site", "same-site"):
            answer = self.page.ask("/api/events", {"Sec-Fetch-Site": site})
            self.assertEqual(answer.status, 403)
        self.check_unchanged()

    def test_no_token(self) -> None:
        """Without the token nothing changes; 401 says which one is wanted."""
        for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"token={self.page.token}"}):
            answer = self.page.ask(
                self.reset, headers | {"Content-Type": "application/json"}, "POST", b"{}"
            )
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.headers["WWW-Authenticate"], 'Bearer realm="socketlab"')
        self.assertEqual(self.page.ask(f"{self.reset}?token={self.page.token}").status, 405)
        self.check_unchanged()

    def test_get_changes_nothing(self) -> None:
        """A GET changes nothing, token or not; 405 says what would."""
        for path in (self.reset, "/api/connections/c1/close", "/api/services/echo/suspend"):
            answer = self.page.ask(path, self.page.allowed)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST"))
        self.check_unchanged()

    def test_form(self) -> None:
        """What a form of another page can send is refused, though it had the token."""
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; x"):
            headers = self.page.allowed | {"Content-Type": kind}
            self.assertEqual(self.page.ask(self.reset, headers, "POST", b"a=b").status, 415)
        self.check_unchanged()


class RequestTests(HostileTests):
    def test_escapes(self) -> None:
        """Broken percent escapes, encoded slashes, NUL: there is nothing at such an address."""
        for path in (
            "/api/connections/%", "/api/connections/%zz", "/api/connections/c1%00",
            "/static/%2e%2e%2fsite.py", "/static/..%5csite.py", "/%", "//", "/api//connections",
            "/api/connections/%ff%fe", "/api/connections/%c3%bc",
        ):  # fmt: skip
            self.assertEqual(self.status(self.head(f"GET {path} HTTP/1.1")), 404, path)
        for query in ("limit=%", "limit=-1", "limit=1e3", "limit=" + "9" * 5000, "state=%00"):
            request = self.head(f"GET /api/connections?{query} HTTP/1.1")
            self.assertEqual(self.status(request), 400, query)
        self.check_unchanged()

    def test_whole_address(self) -> None:
        """A request may name the whole address (RFC 9112 3.2.2), whose host then counts."""
        own = f"http://{self.page.name}"
        for target, host, status in (
            (f"{own}/healthz", None, 200),
            (f"{own.upper()}/healthz", None, 200),
            (f"{own}/healthz", "evil.example", 200),
            ("http://evil/", None, 421),
            ("http://evil/healthz", "evil", 421),
            (f"http://{self.page.name}@evil/healthz", None, 421),
            (f"https://{self.page.name}/healthz", None, 404),
            ("http:///healthz", None, 421),
        ):
            request = self.head(f"GET {target} HTTP/1.1", host=host)
            self.assertEqual(self.status(request), status, target)

    def test_not_for_us(self) -> None:
        """We are nobody's proxy."""
        self.assertEqual(self.status(self.head("CONNECT evil:443 HTTP/1.1")), 401)
        self.assertIn(self.status(self.head("OPTIONS * HTTP/1.1")), (401, 404))

    def test_old(self) -> None:
        """HTTP/1.0 is answered, and closed; without a Host it is 421."""
        answer = self.page.raw(f"GET /healthz HTTP/1.0\r\nHost: {self.page.name}\r\n\r\n".encode())
        self.assertTrue(answer.endswith(b"\r\n\r\nok\n"), answer)
        self.assertIn(b" 421 ", self.page.raw(b"GET /healthz HTTP/1.0\r\n\r\n"))
        self.assertIn(b" 421 ", self.page.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))

    def test_pipelined(self) -> None:
        """Requests sent together are answered in their order, each looked at on its own."""
        good = f"GET /healthz HTTP/1.1\r\nHost: {self.page.name}\r\n\r\n".encode()
        bad = b"GET /api/bench HTTP/1.1\r\nHost: evil\r\n\r\n"
        answer = self.page.raw(good * 300 + bad + good + self.head("GET /readyz HTTP/1.1"))
        statuses = re.findall(rb"HTTP/1.1 (\d+)", answer)
        self.assertEqual(statuses, [b"200"] * 300 + [b"421", b"200", b"200"])
        self.assertTrue(answer.endswith(b"ready\n"))

    def test_head(self) -> None:
        """HEAD is GET without its body, and without an end that never comes."""
        for path in ("/", "/api/bench", "/api/events", "/metrics", "/static/main.js"):
            answer = self.page.raw(self.head(f"HEAD {path} HTTP/1.1"))
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), path)
            self.assertTrue(answer.endswith(b"\r\n\r\n"), path)

    def test_continue(self) -> None:
        """Who waits for 100 before a body hears it, unless the body is too long anyway."""
        path = "POST /api/services/line/resume HTTP/1.1"
        lines = [f"{name}: {value}" for name, value in self.page.allowed.items()]
        for length, first in ((2, b"HTTP/1.1 100 "), (BODY + 1, b"HTTP/1.1 413 ")):
            with self.page.connect() as sock:
                waits = ("Expect: 100-continue", f"Content-Length: {length}")
                sock.sendall(self.head(path, *lines, *waits))
                self.assertTrue(sock.recv(1000).startswith(first))
                if length == 2:
                    sock.sendall(b"{}")
                    self.assertTrue(sock.recv(2**16).startswith(b"HTTP/1.1 200 "))

    def test_chunks(self) -> None:
        """A body in chunks is taken; one whose chunks are nonsense, or said twice, is refused."""
        lines = [f"{name}: {value}" for name, value in self.page.allowed.items()]
        path, chunked = "POST /api/services/line/resume HTTP/1.1", "Transfer-Encoding: chunked"
        head = self.head(path, *lines, chunked)
        self.assertEqual(self.status(head + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), 200)
        self.assertEqual(self.status(head + b"zz\r\n{}\r\n"), 400)
        both = self.head(path, *lines, chunked, "Content-Length: 2")
        self.assertEqual(self.status(both + b"{}"), 400)
        for length in ("-1", "+2", "2, 2", "0x2", ""):
            request = self.head(path, *lines, f"Content-Length: {length}")
            self.assertEqual(self.status(request + b"{}"), 400, length)
        self.check_unchanged()

    def test_number_without_end(self) -> None:
        """A length of more digits than Python reads costs its sender the connection alone."""
        request = self.head("POST / HTTP/1.1", "Content-Length: " + "9" * 5000)
        self.assertNotIn(b"HTTP/1.1 2", self.page.raw(request))
        self.check_unchanged()
        self.assertNotIn("Traceback", self.child.log_text)

    def test_nonsense(self) -> None:
        """What is no HTTP is refused and closed; nothing is logged for it."""
        for said in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"\0" * 100 + b"\r\n", b"GET\r\n\r\n"):
            self.assertRegex(self.page.raw(said), rb"^(HTTP/1.1 400 |$)")
        self.assertNotIn("Traceback", self.child.log_text)
        self.check_unchanged()


class TooMuchTests(HostileTests):
    def test_header(self) -> None:
        """A header that is too long is refused before its end is there."""
        for request in (
            self.head("GET / HTTP/1.1", *["X: " + "x" * 1000] * (HEADER // 1000 + 1)),
            self.head("GET / HTTP/1.1", *["X: y"] * 200),
            self.head("GET /" + "x" * HEADER + " HTTP/1.1"),
        ):
            self.assertRegex(self.page.raw(request), rb"^(HTTP/1.1 400 |$)")
        self.assertEqual(self.page.raw(b"x" * 10 * HEADER), b"")
        self.check_unchanged()

    def test_body(self) -> None:
        """So is a body, as soon as it is known to be too long; who sends on still reads why."""
        lines = [f"{name}: {value}" for name, value in self.page.allowed.items()]
        path = "POST /api/services/echo/suspend HTTP/1.1"
        announced = self.head(path, *lines, f"Content-Length: {20 * BODY}")
        chunk = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
        chunks = self.head(path, *lines, "Transfer-Encoding: chunked") + chunk * 3
        for request in (announced, announced + b"x" * 20 * BODY, chunks):
            self.assertEqual(self.status(request), 413)
        self.check_unchanged()

    def test_slow(self) -> None:
        """A request must be whole in 10 s: header or body, dripping or silent; idle ones go too."""
        lines = [f"{name}: {value}" for name, value in self.page.allowed.items()]
        body = self.head("POST /api/services/echo/suspend HTTP/1.1", *lines, "Content-Length: 100")
        alive = f"GET /healthz HTTP/1.1\r\nHost: {self.page.name}\r\n\r\n".encode()
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            ended: dict[bytes, float] = {}
            opened = {}
            for start in (b"", b"GET / HTTP/1.1\r\n", body, alive):
                opened[start] = stack.enter_context(self.page.connect())
                opened[start].sendall(start)
                opened[start].settimeout(0.3)
            while len(ended) < 4 and time.monotonic() < began + 3 * REQUEST_TIME:
                for start in opened.keys() - ended.keys():
                    if _is_over(opened[start], b"x" if start in (body,) else b"X: y\r\n", start):
                        ended[start] = time.monotonic() - began
        self.assertEqual(len(ended), 4, ended)
        for start, took in ended.items():
            self.assertGreater(took, REQUEST_TIME - 0.5, start)
            self.assertLess(took, REQUEST_TIME + 5.0, start)  # the machine is shared
        self.check_unchanged()

    def test_connections(self) -> None:
        """The 17th at once is closed at once; as soon as one goes there is room again."""
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS):
                stack.enter_context(self.page.stream("kinds=closed"))
            with self.page.connect() as one_too_many, contextlib.suppress(ConnectionResetError):
                one_too_many.sendall(self.head("GET /healthz HTTP/1.1"))
                self.assertEqual(one_too_many.recv(1000), b"")
        round_trips(self.talking, 1)
        wait_for(lambda: _answers(self.page))
        # The page's own are never among the bench's.
        said = self.page.json("/api/connections")
        self.assertEqual((said["open"], said["closed"]), (1, 0))
        self.assertEqual(self.page.json("/api/refusals")["refusals"], [])


def _answers(page: Client) -> bool:
    try:
        return page.ask("/healthz").status == 200
    except OSError:
        return False


def _is_over(sock: socket.socket, more: bytes, start: bytes) -> bool:
    """Whether the page ended *sock*; else sends *more* where *start* had begun something."""
    try:
        if sock.recv(2**16) == b"":
            return True
    except TimeoutError:
        pass
    except ConnectionError:
        return True
    if start and b"healthz" not in start:
        with contextlib.suppress(ConnectionError):
            sock.sendall(more)
    return False


class NotReadingTests(HostileTests):
    def test_viewer(self) -> None:
        """A viewer that stops reading, in a flood of events, costs bounded memory."""
        with self.child.connect() as busy, self.page.connect() as viewer:
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            viewer.sendall(self.head("GET /api/events HTTP/1.1"))
            self.assertIn(b" 200 ", viewer.recv(100))
            before = self.child.rss()
            with meanwhile(lambda: round_trips(busy, 50, b"x" * 256)):
                wait_for(lambda: self.page.losses() > 20_000)
            self.assertLess(self.child.rss() - before, BOUNDED)
        self.check_unchanged()

    def test_asker(self) -> None:
        """Who asks again and again and reads no answer is asked to wait, and costs little."""
        for _ in range(600):
            self.child.connect().close()
        wait_for(lambda: self.page.json("/api/connections?limit=1")["closed"] == 600)
        self.assertGreater(len(self.page.ask("/api/connections?limit=1000").body), 100_000)
        ask = f"GET /api/connections?limit=1000 HTTP/1.1\r\nHost: {self.page.name}\r\n\r\n".encode()
        before = self.child.rss()
        with self.page.connect() as sock:
            sock.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(2000):
                    sock.sendall(ask)
            time.sleep(1)
            self.assertLess(self.child.rss() - before, BOUNDED)
        self.check_unchanged()

"""Who may ask, and who may change."""

from __future__ import annotations

from tests.page.kit import ALLOWED, HOST, TOKEN, PageCase, request
from twisted_lab.page.site import HEADERS


class HostTests(PageCase):
    def test_own(self) -> None:
        """On loopback the page answers to loopback's three names, with its port."""
        for name in ("127.0.0.1:9000", "[::1]:9000", "localhost:9000", "LOCALHOST:9000"):
            self.assertEqual(self.ask("/healthz", {"Host": name}).status, 200, name)

    def test_foreign(self) -> None:
        """A name that only resolves to us is none of ours, whatever is asked, and is not echoed."""
        for name in ("evil.example", "evil.example:9000", "127.0.0.1", "127.0.0.1:80", "", "\x1b"):
            for path in ("/", "/api/connections", "/nothing"):
                answer = self.ask(path, {"Host": name})
                self.assertEqual(answer.status, 421, (name, path))
                self.assertNotIn(b"\x1b", answer.body)

    def test_none(self) -> None:
        """Nor is no name, or two."""
        self.assertEqual(self.ask("/", {"Host": None}).status, 421)  # type: ignore[dict-item]
        two = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: {HOST}\r\n\r\n".encode()
        self.assertIn(b" 421 ", self.send(two).received)

    def test_before_the_rest(self) -> None:
        """The name is looked at before anything else, so nothing is learnt without it."""
        headers = {"Host": "evil.example", "Origin": "http://evil.example"}
        self.assertEqual(self.ask("/api/connections/c1/reset", headers, "POST").status, 421)


class AddressTests(PageCase):
    """A request may name the whole address (RFC 9112 3.2.2), whose host then counts."""

    def test_own(self) -> None:
        """It is the same as its path, whatever Host says."""
        for host in (HOST, "evil.example"):
            answer = self.ask(f"HTTP://{HOST}/healthz", {"Host": host})
            self.assertEqual(answer.status, 200)
        self.assertEqual(self.ask(f"http://{HOST}/api/connections?limit=0").status, 400)

    def test_foreign(self) -> None:
        """Another's is not ours, whatever Host says."""
        for target in ("http://evil/", f"http://{HOST}@evil/", "http:///healthz", "http://"):
            self.assertEqual(self.ask(target).status, 421, target)
        for target in (f"https://{HOST}/healthz", f"ftp://{HOST}/healthz", f"//{HOST}/healthz"):
            self.assertEqual(self.ask(target).status, 404, target)


class OriginTests(PageCase):
    def test_own(self) -> None:
        """The page itself may ask."""
        for path in ("/", "/api/bench"):
            self.assertEqual(self.ask("/api/bench", {"Origin": f"http://{HOST}"}).status, 200, path)

    def test_foreign(self) -> None:
        """No other page may, with or without the token."""
        for origin in ("http://evil.example", "null", f"https://{HOST}", "http://localhost:9000"):
            for headers in ({"Origin": origin}, ALLOWED | {"Origin": origin}):
                self.assertEqual(self.ask("/api/connections", headers).status, 403, origin)
                self.assertEqual(self.ask("/x", headers, "POST").status, 403, origin)

    def test_fetched_elsewhere(self) -> None:
        """A browser that says another site asks is believed, for every kind of request."""
        for site in ("cross-site", "same-site"):
            for path in ("/", "/api/events", "/metrics"):
                self.assertEqual(self.ask(path, {"Sec-Fetch-Site": site}).status, 403, path)
        for site in ("same-origin", "none"):
            self.assertEqual(self.ask("/metrics", {"Sec-Fetch-Site": site}).status, 200)

    def test_twice(self) -> None:
        """What is said twice is not believed."""
        for name in ("Origin", "Sec-Fetch-Site"):
            said = f"http://{HOST}" if name == "Origin" else "same-origin"
            twice = {name: f"{said}\r\n{name}: {said}"}
            self.assertEqual(self.ask("/api/bench", twice).status, 403, name)
        twice = ALLOWED | {"X-Socketlab-Token": f"{TOKEN}\r\nX-Socketlab-Token: {TOKEN}"}
        self.assertEqual(self.ask(TokenTests.path, twice, "POST").status, 401)

    def test_link(self) -> None:
        """A link elsewhere may lead to the page, and to nothing else of it."""
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        self.assertEqual(self.ask("/", link).status, 200)
        self.assertEqual(self.ask("/api/connections", link).status, 403)
        self.assertEqual(self.ask("/", link, "POST").status, 403)


class TokenTests(PageCase):
    path = "/api/services/echo/suspend"

    def test_none(self) -> None:
        """Without the token nothing changes, and the sentence says where it is."""
        self.talk()
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": "Bearer"},
            {"X-Socketlab-Token": ""},
            {"X-Socketlab-Token": TOKEN + "x"},
            {"Cookie": f"token={TOKEN}"},
            {"Authorization": "Bearer \u00fc"},
        ):
            for path in (self.path, "/api/connections/c1/reset", "/api/connections/c1/close"):
                json = {"Content-Type": "application/json"}
                answer = self.ask(path, headers | json, "POST")
                self.assertEqual(answer.status, 401, headers)
                self.assertEqual(answer.headers["WWW-Authenticate"], 'Bearer realm="socketlab"')
                self.assertIn("#token=", answer.json["error"])
        self.assertEqual(self.ask("/api/connections").json["open"], 1)

    def test_in_query(self) -> None:
        """A token in the query, which ends in logs and histories, is none."""
        headers = {"Content-Type": "application/json"}
        self.assertEqual(self.ask(f"{self.path}?token={TOKEN}", headers, "POST").status, 401)

    def test_other_methods(self) -> None:
        """Whatever is not reading needs it."""
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "FROBNICATE"):
            self.assertEqual(self.ask("/api/connections/c1", {}, method).status, 401, method)

    def test_given(self) -> None:
        """With it changes are made, in either header."""
        json = {"Content-Type": "application/json"}
        for header in ({"Authorization": f"bearer  {TOKEN}"}, {"X-Socketlab-Token": TOKEN}):
            self.assertEqual(self.ask(self.path, header | json, "POST").status, 200)

    def test_content_type(self) -> None:
        """A change says its body is JSON, which no form of another page can say."""
        for said in (
            None,
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonx",
        ):
            headers = ALLOWED | {"Content-Type": said}
            self.assertEqual(self.ask(self.path, headers, "POST", b"a=b").status, 415, said)
        headers = ALLOWED | {"Content-Type": "Application/JSON; charset=utf-8"}
        self.assertEqual(self.ask(self.path, headers, "POST").status, 200)

    def test_get_changes_nothing(self) -> None:
        """No GET changes anything, token or not."""
        self.talk()
        for what in ("close", "reset"):
            answer = self.ask(f"/api/connections/c1/{what}", ALLOWED)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST"))
        answer = self.ask("/api/bench", ALLOWED, "PUT")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.ask("/api/connections").json["open"], 1)


class HeaderTests(PageCase):
    def test_always(self) -> None:
        """Every answer, also a no, forbids the browser what the page does not need."""
        for answer in (
            self.ask("/"),
            self.ask("/", {"Host": "evil.example"}),
            self.ask("/api/bench", {"Origin": "null"}),
            self.ask("/api/nothing"),
            self.ask(TokenTests.path, {}, "POST"),
        ):
            for name, value in HEADERS.items():
                self.assertEqual(answer.headers.get(name), value, (name, answer.status))
            self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
            self.assertNotIn("Set-Cookie", answer.headers)
        self.assertIn("default-src 'none'", HEADERS["Content-Security-Policy"])
        self.assertNotIn("unsafe", HEADERS["Content-Security-Policy"])

    def test_preflight(self) -> None:
        """Another page that asks whether it may hears no."""
        headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        self.assertEqual(self.ask(TokenTests.path, headers, "OPTIONS").status, 403)


class PipelineTests(PageCase):
    def test_each(self) -> None:
        """Each request of a connection is looked at, not only its first."""
        good, bad = request("GET", "/healthz"), request("GET", "/", {"Host": "evil.example"})
        peer = self.send(good + bad + good)
        self.assertEqual(peer.received.count(b"HTTP/1.1 200"), 2)
        self.assertEqual(peer.received.count(b"HTTP/1.1 421"), 1)

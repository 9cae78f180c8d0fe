"""The page's port of a real bench: where it is, who may ask, and that it holds nothing up."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, read_all, wait_for
from tests.integration.page_client import Client
from tests.integration.peers import reset
from tests.programs import SOCKETLAB, run

#: Bytes of traffic that are more than a viewer who does not read may cost.
MIB = 2**20


class PageTestCase(SynchronousTestCase):
    def bench(self, *arguments: str) -> tuple[Child, Client]:
        child = Child(*(arguments or ("--port", "0"))).__enter__()
        self.addCleanup(child.__exit__)
        return child, Client.of(child)


class WhereTests(PageTestCase):
    def test_bench(self) -> None:
        """A bench has a page on both loopback addresses, unless it is told otherwise."""
        _child, page = self.bench()
        self.assertFalse(page.tls)
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, page.port), 5):
                pass
        with Child("--port", "0", "--no-page") as without:
            self.assertNotIn("page", without.output)
        self.assertEqual(len(page.token), 43)

    def test_service(self) -> None:
        """A service alone has one where it was asked for, and else none."""
        with Child("echo", "--port", "0") as without:
            self.assertNotIn("page", without.output)
        _, page = self.bench("echo", "--port", "0", "--page", "tcp:127.0.0.1:0")
        (service,) = page.json("/api/services")["services"]
        self.assertEqual((service["name"], service["state"]), ("echo", "serving"))

    def test_config(self) -> None:
        """A file of services says where its page is."""
        with Child("echo", "--port", "0") as other:
            file = other.folder / "s.toml"
            file.write_text('page = "0"\n[[service]]\nkind = "line"\nport = 0\nname = "chat"\n')
            _, page = self.bench("--config", str(file))
            self.assertEqual(page.json("/api/services")["services"][0]["name"], "chat")

    def refused(self, *arguments: str) -> str:
        done = run(*SOCKETLAB, "serve", *arguments)
        self.assertIn(done.status, (1, 2))
        return done.last_line

    def test_wrong(self) -> None:
        """What cannot be is one sentence that names it."""
        for words, said in (
            (("--page", "udp:0"), "--page 'udp:0'"),
            (("--page", "tcp:0.0.0.0:0"), "tls: alone"),
            (("--page", "0", "--no-page"), "--page and --no-page"),
            (("--port", "65534"), "65536"),
        ):
            self.assertIn(said, self.refused(*words))

    def test_taken(self) -> None:
        """A port that somebody has is named, with the ways out; the bench opens nothing then."""
        with socket.socket() as thief:
            thief.bind(("127.0.0.1", 0))
            thief.listen()
            number = thief.getsockname()[1]
            said = self.refused("--port", "0", "--page", f"tcp:127.0.0.1:{number}")
        self.assertIn(f"127.0.0.1:{number}", said)
        self.assertIn("--no-page", said)

    def test_itself(self) -> None:
        """The page's own connections are none of the bench's."""
        _, page = self.bench()
        with page.viewer():
            for _ in range(3):
                page.json("/api/bench")
            self.assertEqual(page.json("/api/connections")["matching"], 0)
            self.assertNotIn(b'service="page"', page.ask("/metrics").body)

    def test_beyond_loopback(self) -> None:
        """Beyond loopback there is TLS, and whoever reads needs the token; the page itself none."""
        child = Child("--port", "0", "--page", "tls:0:interface=0.0.0.0").__enter__()
        self.addCleanup(child.__exit__)
        page = Client.of(child)
        page.host = "127.0.0.1"  # loopback is one of its addresses
        self.assertEqual(page.ask("/api/connections").status, 200)
        (own, *_) = _own_addresses()
        page.host = own
        for path, status in (
            ("/", 200),
            ("/static/page.css", 200),
            ("/healthz", 200),
            ("/api/connections", 401),
            ("/metrics", 401),
            ("/api/events", 401),
        ):
            self.assertEqual(page.ask(path).status, status, path)
        token = {"Authorization": f"Bearer {page.token}"}
        self.assertEqual(page.ask("/api/connections", token).status, 200)
        self.assertEqual(page.ask("/", {"Host": f"evil.example:{page.port}"}).status, 421)


def _own_addresses() -> list[str]:
    said = subprocess.run(
        ["ip", "-4", "-o", "addr", "show", "scope", "global"], capture_output=True, text=True
    ).stdout
    found = re.findall(r"inet (\S+)/", said)
    return found or ["127.0.0.1"]


class AskedTests(PageTestCase):
    """What a stranger may send, and what comes of it."""

    def test_strangers(self) -> None:
        """P14: a foreign Host, a foreign Origin, no token, a GET that would change: all refused,
        and nothing is changed."""
        child, page = self.bench()
        with child.connect() as sock:
            sock.sendall(b"x")
            sock.recv(1)
            json_type = {"Content-Type": "application/json"}
            token = {"Authorization": f"Bearer {page.token}"}
            reset_it = "/api/connections/c1/reset"
            for method, path, headers, status in (
                ("GET", "/", {"Host": "evil.example"}, 421),
                ("POST", reset_it, {"Host": "evil.example", **json_type, **token}, 421),
                ("GET", "/api/connections", {"Origin": "http://evil.example"}, 403),
                ("POST", reset_it, {"Origin": "null", **json_type, **token}, 403),
                ("GET", "/api/events", {"Sec-Fetch-Site": "cross-site"}, 403),
                ("POST", reset_it, json_type, 401),
                ("POST", f"{reset_it}?token={page.token}", json_type, 401),
                ("POST", reset_it, token, 415),
                ("GET", reset_it, token, 405),
            ):
                self.assertEqual(page.ask(path, headers, method).status, status, (path, headers))
            sock.sendall(b"y")
            self.assertEqual(sock.recv(1), b"y")
        self.assertEqual(page.json("/api/services")["services"][0]["state"], "serving")

    def test_odd_requests(self) -> None:
        """Whatever is sent, the answer is a status of HTTP or a close, and the next one is fine."""
        _, page = self.bench()
        host = f"Host: 127.0.0.1:{page.port}\r\n".encode()
        for data, status in (
            (b"GET http://evil/ HTTP/1.1\r\n" + host + b"\r\n", b"421"),
            (b"GET / HTTP/1.0\r\n\r\n", b"421"),
            (b"GET /%zz%00/%ff HTTP/1.1\r\n" + host + b"\r\n", b"404"),
            (b"GET /static/..%2f..%2fpy.typed HTTP/1.1\r\n" + host + b"\r\n", b"404"),
            (b"GET /api/connections?peer=%ff HTTP/1.1\r\n" + host + b"\r\n", b"200"),
            (b"GET " + b"/x" * 20_000 + b" HTTP/1.1\r\n" + host + b"\r\n", b""),
            (b"\x16\x03\x01\x00\xa5\x01\x00\x00", b""),
        ):
            answer = page.raw(data, fin=True)
            self.assertEqual(answer[9:12] if status else b"", status, answer[:80])
            self.assertEqual(page.ask("/healthz").body, b"ok\n")

    def test_expect(self) -> None:
        """curl's way with a body: it is asked for, read, and left unread by us."""
        _child, page = self.bench()
        done = run(
            "curl", "-s", "-H", "Expect: 100-continue", "-H", f"X-Socketlab-Token: {page.token}",
            "-H", "Content-Type: application/json", "-d", "{}",
            f"http://127.0.0.1:{page.port}/api/services/line/suspend",
        )  # fmt: skip
        self.assertIn('"state":"suspended"', done.out)


class TruthTests(PageTestCase):
    def test_followed(self) -> None:
        """Of a connection the first events are kept; who comes later sees the gap, to the byte,
        and from then on everything."""
        child, page = self.bench()
        with child.connect() as sock:
            for _ in range(100):
                sock.sendall(b"hello")
                self.assertEqual(sock.recv(5), b"hello")
            with page.viewer("connection=c1") as viewer:
                sock.sendall(b"later")
                self.assertEqual(sock.recv(5), b"later")
                seen = b""
                while seen.count(b"event: ") < 2:
                    seen += viewer.recv(4096)
            said = page.json("/api/connections/c1")
        events = said["events"]
        (gap,) = [one for one in events if one["event"] == "gap"]
        moved = {"received": 0, "sent": 0}
        for one in events:
            if one["event"] in moved:
                moved[one["event"]] += one["bytes"]
        self.assertEqual(moved["received"] + gap["bytes_in"], 505)
        self.assertEqual(moved["sent"] + gap["bytes_out"], 505)
        self.assertEqual([one["event"] for one in events[-2:]], ["received", "sent"])
        self.assertEqual(len(events), 32 + 1 + 2)

    def test_ends(self) -> None:
        """Close and reset from the page are FIN and RST at the client."""
        child, page = self.bench()
        with child.connect() as first, child.connect() as second:
            wait_for(lambda: page.json("/api/connections")["open"] == 2)
            self.assertEqual(page.change("/api/connections/c1/close").status, 202)
            self.assertEqual(first.recv(1), b"")
            self.assertEqual(page.change("/api/connections/c2/reset").status, 202)
            self.assertRaises(ConnectionResetError, second.recv, 1)

    def test_suspended(self) -> None:
        """A service that is suspended refuses who comes, keeps who is there, and comes back."""
        child, page = self.bench()
        with child.connect() as sock:
            self.assertEqual(page.change("/api/services/echo/suspend").status, 200)
            self.assertRaises(ConnectionRefusedError, child.connect)
            sock.sendall(b"still")
            self.assertEqual(sock.recv(5), b"still")
            self.assertEqual(page.change("/api/services/echo/resume").status, 200)
            with child.connect() as other:
                other.sendall(b"again")
                self.assertEqual(other.recv(5), b"again")

    def test_datagrams(self) -> None:
        """Each peer's datagrams have their totals and their events."""
        child, page = self.bench()
        to = "127.0.0.1", child.port(transport="udp")
        with (
            socket.socket(type=socket.SOCK_DGRAM) as one,
            socket.socket(type=socket.SOCK_DGRAM) as two,
        ):
            for sock, times in ((one, 3), (two, 40)):
                sock.settimeout(20)
                for _ in range(times):
                    sock.sendto(b"ping", to)
                    sock.recv(10)
        talks = {talk["datagrams_in"]: talk for talk in page.json("/api/datagrams")["talks"]}
        self.assertEqual(set(talks), {3, 40})
        self.assertEqual(talks[40]["bytes_out"], 160)
        names = [one["event"] for one in page.json(f"/api/datagrams/{talks[40]['id']}")["events"]]
        self.assertEqual(len(names), 33)
        self.assertEqual(names[-1], "gap")

    def test_kinds_of_streams(self) -> None:
        """TLS has the kernel's view, a UNIX socket says why it has none, a balancer is named."""
        child = Child("echo", "--listen", "tls:0", "--listen", "haproxy:tcp:0", "--listen",
                      "unix:s", "--page", "0").__enter__()  # fmt: skip
        self.addCleanup(child.__exit__)
        page = Client.of(child)
        trusting = ssl._create_unverified_context()
        where = "127.0.0.1", child.port(transport="tls")
        with trusting.wrap_socket(socket.create_connection(where, 20)) as sock:
            sock.sendall(b"x")
            sock.recv(1)
            kernel = page.json("/api/connections/c1/kernel")["tcp_info"]
            self.assertEqual(kernel["state"], "ESTABLISHED")
            names = [one["event"] for one in page.json("/api/connections/c1")["events"]]
            self.assertEqual(names, ["accepted", "tls", "received", "sent"])
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(child.folder / "s"))
            sock.sendall(b"x")
            sock.recv(1)
            self.assertIn("TCP_INFO", page.json("/api/connections/c2/kernel")["why"])
        where = "127.0.0.1", child.port(transport="haproxy:tcp")
        with socket.create_connection(where, 20) as sock:
            sock.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 7\r\nx")
            sock.recv(1)
            said = page.json("/api/connections/c3")["connection"]
            self.assertEqual(said["peer"], "192.0.2.7:5000")
            self.assertTrue(said["proxy"].startswith("127.0.0.1:"))


class BoundTests(PageTestCase):
    def test_viewer_who_does_not_read(self) -> None:
        """A viewer who never reads costs bounded memory, and nobody else anything."""
        child, page = self.bench()
        with page.viewer() as viewer, child.connect() as sock:
            page.json("/api/services")
            before = child.rss()
            message = b"x" * 256
            for _ in range(12_000):
                sock.sendall(message)
                self.assertEqual(len(sock.recv(256, socket.MSG_WAITALL)), 256)
            self.assertLess(child.rss() - before, 8 * MIB)
            text = page.ask("/metrics").body.decode()
            (lost,) = re.findall(r'socketlab_\w+\{observer="page"\} (\S+)', text)
            self.assertGreater(float(lost), 1000)
            viewer.close()

    def test_history(self) -> None:
        """5,000 short connections are kept in a few MiB, and the last is there with its events."""
        child, page = self.bench()
        before = child.rss()
        for _ in range(5000):
            with child.connect() as sock:
                sock.sendall(b"x")
                sock.recv(1)
        wait_for(lambda: page.json("/api/connections?limit=1")["open"] == 0)
        self.assertLess(child.rss() - before, 8 * MIB)
        said = page.json("/api/connections?limit=1")
        self.assertEqual((said["closed"], said["forgotten"]), (5000, 0))
        self.assertEqual(len(page.json("/api/connections/c5000")["events"]), 5)

    def test_comers_and_goers(self) -> None:
        """Viewers who come and go leave no descriptor behind."""
        child, page = self.bench()
        page.ask("/healthz")
        before = child.descriptors()
        with child.connect() as sock:
            sock.sendall(b"x")
            sock.recv(1)
            for number in range(200):
                viewer = page.viewer("connection=c1" if number % 2 else "kinds=accepted")
                reset(viewer)
        wait_for(lambda: child.descriptors() <= before)


class StopTests(PageTestCase):
    def test_drain(self) -> None:
        """While a stop lets a connection finish the page says so; then its streams end, and hold
        nothing up."""
        child, page = self.bench("--port", "0", "--drain", "20s")
        viewer, deaf = page.viewer(), page.viewer()
        self.addCleanup(viewer.close)
        self.addCleanup(deaf.close)
        with child.connect("line") as sock:
            sock.sendall(b"/drip 20 2\r\n")  # for about two seconds something moves
            sock.recv(1)
            child.send_signal(signal.SIGTERM)
            wait_for(lambda: page.ask("/readyz").status == 503)
            self.assertEqual(page.ask("/readyz").body, b"draining\n")
            self.assertTrue(page.json("/api/bench")["draining"])
            self.assertEqual(page.ask("/healthz").body, b"ok\n")
            self.assertEqual(len(read_all(sock)), 21)
        began = time.monotonic()
        said = read_all(viewer)
        self.assertEqual(child.wait(), 0)
        self.assertLess(time.monotonic() - began, 5.0)
        self.assertIn(b"event: closed", said)
        self.assertIn(b'event: end\ndata: {"why":"the bench has stopped"}', said)

"""What the page's interface says of real traffic, from the first byte to the stop."""

from __future__ import annotations

import signal
import socket
import sys
import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, read_all, wait_for
from tests.integration.page_client import Client
from tests.integration.peers import recorded, round_trips
from tests.programs import run


class PageTestCase(SynchronousTestCase):
    def bench(self, *arguments: str) -> tuple[Child, Client]:
        child = Child(*(arguments or ("--port", "0"))).__enter__()
        self.addCleanup(child.__exit__)
        return child, Client.of(child)


class StartTests(PageTestCase):
    def test_daemon(self) -> None:
        """As a daemon it finds out before the fork that the page's port is taken."""
        with socket.socket() as thief:
            thief.bind(("127.0.0.1", 0))
            thief.listen()
            twistd = "import sys; from twisted.scripts.twistd import run; sys.exit(run())"
            number = thief.getsockname()[1]
            done = run(sys.executable, "-c", twistd, "--pidfile=", "--logfile=/dev/null",
                       "socketlab", "--port", "0", "--page", str(number))  # fmt: skip
        self.assertEqual(done.status, 1)
        self.assertIn(f":{number}", done.last_line)
        self.assertIn("--no-page", done.last_line)

    def test_quiet(self) -> None:
        """With --quiet the page is there to be read, and its token is nowhere."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            number = free.getsockname()[1]
        child = Child("--port", "0", "--page", str(number), "--quiet")
        self.addCleanup(child.__exit__)
        page = Client("127.0.0.1", number)
        wait_for(lambda: _answers(page), lambda: child.output)
        self.assertEqual(child.output, "")
        self.assertNotIn("token", child.log_text)
        self.assertEqual(page.change("/api/services/echo/suspend").status, 401)

    def test_well_known(self) -> None:
        """The well-known ports, which belong to no N, have a page where it was asked for."""
        child = Child("--well-known", "--page", "0")
        self.addCleanup(child.__exit__)
        wait_for(lambda: "Ctrl-C" in child.output or child.process.poll() is not None)
        if child.process.poll() is None:  # may this user open port 7?
            self.assertEqual(len(Client.of(child).json("/api/services")["services"]), 6)
        else:
            self.assertIn("cannot listen", child.output)


def _answers(page: Client) -> bool:
    try:
        return page.ask("/healthz").status == 200
    except OSError:
        return False


class BeyondLoopbackTests(PageTestCase):
    def test_address(self) -> None:
        """On all addresses, the one that is printed works, and its certificate can be compared."""
        child, page = self.bench("--port", "0", "--page", "tls:0:interface=0.0.0.0")
        self.assertEqual(page.ask("/").status, 200)
        self.assertEqual(page.change("/api/services/echo/suspend").status, 200)
        certificate = r"page +https +open: .+\n +certificate SHA-256 [0-9A-F:]{95}\n"
        self.assertRegex(child.output, certificate)
        self.assertIn("open to other machines, at: ", child.output)

    def test_name(self) -> None:
        """By the name TLS was asked for it answers, and to no other: RFC 9110 7.4."""
        _, page = self.bench("--port", "0", "--page", "tls:0")
        mine = {"Host": f"bench.example:{page.port}"}
        self.assertEqual(page.ask("/api/bench", mine, sni="bench.example").status, 200)
        self.assertEqual(page.ask("/api/bench", mine, sni="other.example").status, 421)
        self.assertEqual(page.ask("/api/bench", mine).status, 421)
        origin = mine | {"Origin": f"https://bench.example:{page.port}"}
        self.assertEqual(page.ask("/api/bench", origin, sni="bench.example").status, 200)
        origin = mine | {"Origin": f"http://bench.example:{page.port}"}
        self.assertEqual(page.ask("/api/bench", origin, sni="bench.example").status, 403)

    def test_stream(self) -> None:
        """Events come over TLS as they do without, to who has the token."""
        child, page = self.bench("--port", "0", "--page", "tls:0")
        with page.stream("kinds=closed") as stream:
            child.connect().close()
            self.assertEqual(stream.next("closed")["connection"], "c1")


class SuspendTests(PageTestCase):
    def test_datagrams(self) -> None:
        """A datagram peer keeps its totals and its place in the list over a suspension."""
        child, page = self.bench()
        to = "127.0.0.1", child.port(transport="udp")
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            for change in ("suspend", "resume"):
                sock.sendto(b"ping", to)
                self.assertEqual(sock.recv(10), b"ping")
                before = page.json("/api/datagrams")["talks"]
                self.assertEqual(page.change(f"/api/services/echo/{change}").status, 200)
                self.assertEqual(page.json("/api/datagrams")["talks"], before)
                if change == "suspend":
                    sock.sendto(b"lost", to)
                    page.change("/api/services/echo/resume")
            (talk,) = page.json("/api/datagrams")["talks"]
            self.assertEqual((talk["datagrams_in"], talk["bytes_out"]), (2, 8))
            events = page.json(f"/api/datagrams/{talk['id']}")["events"]
            self.assertEqual([one["event"] for one in events], [
                "datagram-received", "datagram-sent"] * 2)  # fmt: skip
        (service, _) = page.json("/api/services")["services"]
        self.assertEqual((service["datagrams_in"], service["datagrams_out"]), (2, 2))

    def test_unix(self) -> None:
        """A UNIX socket's path is gone while it is suspended, and then the same again."""
        child, page = self.bench("echo", "--listen", "unix:s", "--page", "0")
        path = child.folder / "s"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            round_trips(sock, 1)
            said = page.change("/api/services/echo/suspend").json["service"]
            self.assertEqual((said["state"], said["ports"], said["open"]), ("suspended", [], 1))
            self.assertFalse(path.exists())
            self.assertEqual(page.change("/api/services/echo/suspend").status, 200)
            round_trips(sock, 1)
            said = page.change("/api/services/echo/resume").json["service"]
            self.assertEqual(len(said["ports"]), 1)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            round_trips(sock, 1)

    def test_taken_meanwhile(self) -> None:
        """A port that somebody took meanwhile is a 409 that names it, until it is free again."""
        child, page = self.bench("echo", "--listen", "tcp:0", "--page", "0")
        at = "127.0.0.1", child.port()
        page.change("/api/services/echo/suspend")
        with socket.socket() as thief:
            thief.bind(at)
            thief.listen()
            answer = page.change("/api/services/echo/resume")
            self.assertEqual(answer.status, 409)
            self.assertIn(f"{at[0]}:{at[1]}", answer.json["error"])
            (service,) = page.json("/api/services")["services"]
            self.assertEqual(service["state"], "suspended")
        self.assertEqual(page.change("/api/services/echo/resume").status, 200)
        with child.connect() as sock:
            round_trips(sock, 1)


class StreamTests(PageTestCase):
    def test_comes_back(self) -> None:
        """A viewer whose connection broke goes on where it was: nothing missing, nothing twice."""
        child, page = self.bench()
        with child.connect() as sock:
            last, seen = None, []
            for number in range(5):
                with page.stream("connection=c1&kinds=received", last) as stream:
                    for size in (1, 2):
                        round_trips(sock, 1, b"x" * (10 * number + size))
                    frame = stream.until(lambda frame: frame.get("bytes", 0) % 10 == 1)
                    last = int(frame["id"])
                    seen += [one["bytes"] for one in stream.seen if "bytes" in one]
            with page.stream("connection=c1&kinds=received", last) as stream:
                stream.until(lambda frame: frame.get("bytes") == 42)
                seen += [one["bytes"] for one in stream.seen if "bytes" in one]
        self.assertEqual(seen, [10 * number + size for number in range(5) for size in (1, 2)])

    def test_flood(self) -> None:
        """In a flood a viewer is shown what can be shown, and told to the event what was not."""
        child, page = self.bench("--port", "0", "--capture", "0")
        to = "127.0.0.1", child.port(transport="udp")
        with (
            page.stream("kinds=datagram-received") as stream,
            socket.socket(type=socket.SOCK_DGRAM) as sock,
        ):
            began = time.monotonic()
            while page.losses() < 1000:
                for _ in range(2000):
                    sock.sendto(b"x", to)
            seconds = time.monotonic() - began
            wait_for(lambda: self._read_all(page))
            (service, _) = page.json("/api/services")["services"]
            told = 0

            def all_told(frame: dict[str, Any]) -> bool:
                nonlocal told
                told += frame.get("count", 1) if "named" in frame else 0
                return told >= service["datagrams_in"]

            stream.until(all_told)
        frames = [one for one in stream.seen if "named" in one]
        shown = [one["ns"] for one in frames if one["named"] == "datagram-received"]
        missed = [one["count"] for one in frames if one["named"] == "gap"]
        self.assertEqual(len(shown) + sum(missed), service["datagrams_in"])
        self.assertLess(len(shown), 4000 * (seconds + 2))
        self.assertEqual(shown, sorted(shown))

    @staticmethod
    def _read_all(page: Client) -> bool:
        """Nothing of the flood waits any more in the bench's socket."""
        (before, _) = page.json("/api/services")["services"]
        time.sleep(0.2)
        (after, _) = page.json("/api/services")["services"]
        return bool(after["datagrams_in"] == before["datagrams_in"])

    def test_early_bird(self) -> None:
        """Who looked early and left has not cost a connection its first events."""
        child, page = self.bench()
        with child.connect() as sock:
            with page.stream("connection=c1"):
                round_trips(sock, 3)
            wait_for(lambda: page.json("/api/bench")["ns"] and self._unfollowed(page, sock))
            events = page.json("/api/connections/c1")["events"]
        self.assertEqual([one["event"] for one in events[:32]], ["accepted"] + ["received", "sent"]
                         * 15 + ["received"])  # fmt: skip
        self.assertEqual({one["event"] for one in events[32:]}, {"gap"})

    @staticmethod
    def _unfollowed(page: Client, sock: socket.socket) -> bool:
        """Some seconds after the viewer has left events past the first are not built."""
        time.sleep(0.5)
        round_trips(sock, 1)
        events = page.json("/api/connections/c1")["events"]
        return any(one["event"] == "gap" for one in events)


class HistoryTests(PageTestCase):
    def test_many(self) -> None:
        """Of 20,000 short connections the last are kept; the others are counted, none twice."""
        child, page = self.bench()
        at = "127.0.0.1", child.port()
        for _ in range(20_000):
            with socket.create_connection(at) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wait_for(lambda: page.json("/api/connections?limit=1")["open"] == 0)
        began = time.monotonic()
        said = page.json("/api/connections?limit=1000")
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(said["closed"] + said["forgotten"], 20_000)
        self.assertGreater(said["forgotten"], 0)
        self.assertGreaterEqual(said["closed"], 10_000)
        ids = [one["id"] for one in said["connections"]]
        self.assertEqual(ids, [f"c{number}" for number in range(20_000, 19_000, -1)])
        (service, _) = page.json("/api/services")["services"]
        self.assertEqual(service["accepted"], 20_000)
        self.assertEqual(sum(service["closed"].values()), 20_000)
        self.assertEqual(page.ask("/api/connections/c1").status, 404)


class StopTests(PageTestCase):
    def test_recording(self) -> None:
        """A stop with viewers who read, do not read, and come back leaves a whole recording."""
        child, page = self.bench("--port", "0", "--record", "r.jsonl", "--drain", "20s")
        with page.stream() as reading, page.stream(), child.connect() as sock:
            round_trips(sock, 100)
            child.send_signal(signal.SIGTERM)
            wait_for(lambda: page.ask("/readyz").status == 503)
            self.assertEqual(page.change("/api/services/echo/resume").status, 409)
            round_trips(sock, 100)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(sock), b"")
            began = time.monotonic()
            self.assertEqual(reading.next("end")["why"], "the bench has stopped")
            self.assertEqual(child.wait(), 0)
            self.assertLess(time.monotonic() - began, 3.0)
        events = recorded(child.folder / "r.jsonl")
        sent = sum(one["bytes"] for one in events if one["event"] == "sent")
        (closed,) = [one for one in events if one["event"] == "closed"]
        self.assertEqual((sent, closed["bytes_out"], closed["reason"]), (1200, 1200, "peer-fin"))
        self.assertEqual(events[-1]["event"], "closed")
        self.assertEqual({one["service"] for one in events}, {"echo", "line"})
        self.assertNotIn("Traceback", child.log_text)

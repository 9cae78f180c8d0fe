"""What the interface answers, of a bench in memory."""

from __future__ import annotations

from typing import Any

from tests.page.kit import PageCase
from twisted_lab.conversation import KEPT
from twisted_lab.events import (
    Accepted,
    Closed,
    CloseReason,
    DatagramReceived,
    Refused,
)


class BenchTests(PageCase):
    def test_facts(self) -> None:
        """The bench says what it is, how long it runs, and how much it keeps."""
        self.clock.advance(2)
        said = self.ask("/api/bench").json
        self.assertEqual((said["reactor"], said["started"]), ("memory", "2026-01-01"))
        self.assertEqual((said["ns"], said["kept"], said["capture"]), (2 * 10**9, KEPT, 256))
        self.assertFalse(said["draining"])

    def test_draining(self) -> None:
        """A bench that stops says so, and is not ready; it is healthy until it is gone."""
        self.assertEqual(self.ask("/readyz").body, b"ready\n")
        self.bench.draining = True
        self.assertTrue(self.ask("/api/bench").json["draining"])
        ready = self.ask("/readyz")
        self.assertEqual((ready.status, ready.body), (503, b"draining\n"))
        self.assertEqual(self.ask("/healthz").body, b"ok\n")

    def test_metrics(self) -> None:
        """The metrics come in the form that was asked for."""
        answer = self.ask("/metrics", {"Accept": "application/openmetrics-text"})
        self.assertEqual(answer.body, b"accept application/openmetrics-text\n")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4")

    def test_head_of_stream(self) -> None:
        """HEAD of the stream of events ends, and is no viewer."""
        answer = self.ask("/api/events", method="HEAD")
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
        self.assertFalse(self.publisher.traffic)

    def test_bug(self) -> None:
        """A request whose answer fails is a 500 and a note; the next one is answered."""
        notes: list[Any] = []
        self.publisher.add(notes.append, ("note",))
        self.desk.summaries = lambda: 1 / 0  # type: ignore[assignment, return-value]
        answer = self.ask("/api/services?\x1b")
        self.assertEqual((answer.status, notes), (400, []))
        answer = self.ask("/api/services")
        self.assertEqual((answer.status, list(answer.json)), (500, ["error"]))
        self.assertIn("/api/services: ", notes[0].text)
        self.assertIn("division by zero", notes[0].text)
        self.assertEqual(self.ask("/api/bench").status, 200)

    def test_empty(self) -> None:
        """A parameter that is empty is as none."""
        self.talk()
        said = self.ask("/api/connections?service=&peer=&state=&reason=&limit=").json
        self.assertEqual(said["matching"], 1)
        self.assertEqual(self.ask("/api/connections/c1.svg?scale=&width=").status, 200)

    def test_head(self) -> None:
        """HEAD is GET without its body."""
        answer = self.ask("/healthz", method="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["Content-Length"], "3")


class FileTests(PageCase):
    def test_page(self) -> None:
        """The page itself, and its files, each with its type."""
        answer = self.ask("/")
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn(b"<title>", answer.body)

    def test_nothing_else(self) -> None:
        """No other file can be had."""
        for name in ("../site.py", "..%2Fsite.py", "%2Fetc%2Fpasswd", ".", "..", "", "__init__.py"):
            self.assertEqual(self.ask(f"/static/{name}").status, 404, name)


class ConnectionsTests(PageCase):
    def ids(self, query: str = "") -> list[str]:
        return [one["id"] for one in self.ask(f"/api/connections?{query}").json["connections"]]

    def test_open(self) -> None:
        """An open connection, as it is now."""
        self.clock.advance(1)
        self.say(self.talk())
        self.clock.advance(3)
        (said,) = self.ask("/api/connections").json["connections"]
        self.assertEqual((said["id"], said["service"], said["state"]), ("c1", "echo", "open"))
        self.assertEqual((said["peer"], said["local"]), ("127.0.0.1:50001", "127.0.0.1:9000"))
        self.assertEqual((said["bytes_in"], said["bytes_out"]), (5, 5))
        self.assertEqual((said["opened_ns"], said["duration"]), (10**9, 3.0))

    def test_closed(self) -> None:
        """A closed one, as it ended."""
        peer = self.talk()
        self.say(peer)
        self.clock.advance(2)
        peer.close()
        self.network.pump()
        self.clock.advance(2)
        answer = self.ask("/api/connections").json
        (said,) = answer["connections"]
        self.assertEqual((said["state"], said["reason"]), ("closed", "peer-fin"))
        self.assertEqual((said["duration"], said["closed_ns"]), (2.0, 2 * 10**9))
        self.assertEqual((answer["open"], answer["closed"], answer["matching"]), (0, 1, 1))

    def test_order(self) -> None:
        """Open ones first, then closed ones; the newest first in each."""
        peers = [self.talk() for _ in range(12)]
        for at in (2, 10):
            peers[at].close()
        self.network.pump()
        opened = ["c12", "c10", "c9", "c8", "c7", "c6", "c5", "c4", "c2", "c1"]
        self.assertEqual(self.ids(), [*opened, "c11", "c3"])

    def test_filters(self) -> None:
        """By service, by a part of the peer, by state, by reason; together, too."""
        for service in (0, 1, 1):
            self.talk(service)
        last = self.talk()
        last.reset()
        self.network.pump()
        self.assertEqual(self.ids("service=line"), ["c3", "c2"])
        self.assertEqual(self.ids("service="), ["c3", "c2", "c1", "c4"])
        self.assertEqual(self.ids("peer=50003"), ["c3"])
        self.assertEqual(self.ids("state=closed"), ["c4"])
        self.assertEqual(self.ids("state=open&service=echo"), ["c1"])
        self.assertEqual(self.ids("reason=reset"), ["c4"])
        self.assertEqual(self.ids("reason=idle"), [])
        self.assertEqual(self.ids("peer=%3Cscript%3E"), [])

    def test_limit(self) -> None:
        """Only so many are given, and how many there are is said."""
        for _ in range(5):
            self.talk()
        answer = self.ask("/api/connections?limit=2").json
        self.assertEqual([one["id"] for one in answer["connections"]], ["c5", "c4"])
        self.assertEqual((answer["open"], answer["matching"]), (5, 5))

    def test_wrong(self) -> None:
        """A wrong value is named in one sentence, and what a peer chose is escaped in it."""
        for query in (
            "limit=0",
            "limit=1001",
            "limit=x",
            "limit=%D9%A3",
            "state=new",
            "reason=bad",
        ):
            answer = self.ask(f"/api/connections?{query}")
            self.assertEqual(answer.status, 400, query)
            self.assertIn(query.split("=")[0], answer.json["error"])
        said = self.ask("/api/connections?state=%1B%5B31m").json["error"]
        self.assertIn("\\x1b", said)
        many = "&".join(["peer="] * 40)
        self.assertEqual(self.ask(f"/api/connections?{many}").status, 400)

    def test_ending(self) -> None:
        """One whose end is under way says so, and why."""
        peer = self.talk()
        peer.transport.pauseProducing()
        stream = self.desk.stream("c1")
        assert stream is not None
        stream.write(b"x" * 2**20)
        self.desk.close(stream)
        (said,) = self.ask("/api/connections").json["connections"]
        self.assertEqual((said["state"], said["reason"]), ("ending", "local"))


class ConnectionTests(PageCase):
    def names(self, id: str = "c1") -> list[str]:
        return [one["event"] for one in self.ask(f"/api/connections/{id}").json["events"]]

    def test_events(self) -> None:
        """A connection with its events, each explained."""
        self.say(self.talk())
        said = self.ask("/api/connections/c1").json
        self.assertEqual(said["connection"]["id"], "c1")
        self.assertEqual(self.names(), ["accepted", "received", "sent"])
        self.assertTrue(all(one["says"] for one in said["events"]))
        self.assertEqual(said["seq"], self.publisher.now())

    def test_gap(self) -> None:
        """What nobody watched is a gap, with its bytes."""
        peer = self.talk()
        for _ in range(40):
            self.say(peer)
        *_, gap = self.ask("/api/connections/c1").json["events"]
        self.assertEqual((gap["event"], gap["reason"]), ("gap", "unwatched"))
        moved = sum(one["bytes"] for one in self.ask("/api/connections/c1").json["events"][1:-1])
        self.assertEqual(moved + gap["bytes_in"] + gap["bytes_out"], 400)

    def test_closed(self) -> None:
        """A closed one is there as long as it is kept."""
        peer = self.talk()
        peer.close()
        self.network.pump()
        self.assertEqual(self.names(), ["accepted", "peer-shutdown", "closed"])

    def test_forgotten(self) -> None:
        """An open one whose events had to make room is still there, with a gap in their place."""
        self.clock.advance(2)
        self.say(self.talk())
        self.clock.advance(3)
        self.conversations._kept.clear()
        (gap,) = self.ask("/api/connections/c1").json["events"]
        self.assertEqual((gap["event"], gap["reason"], gap["connection"]), ("gap", "evicted", "c1"))
        self.assertEqual((gap["ns"], gap["until"]), (2 * 10**9, 5 * 10**9))
        self.assertEqual((gap["bytes_in"], gap["bytes_out"]), (5, 5))
        self.assertEqual(self.ask("/api/connections/c1.svg").status, 200)

    def test_none(self) -> None:
        """What there is not is named."""
        for id in ("c7", "d1", "x", "%3Cb%3E"):
            for what in ("", "/kernel", ".svg"):
                self.assertEqual(self.ask(f"/api/connections/{id}{what}").status, 404)

    def test_kernel(self) -> None:
        """Where there is no TCP_INFO a sentence says why."""
        peer = self.talk()
        said = self.ask("/api/connections/c1/kernel").json
        self.assertEqual(said["tcp_info"], None)
        self.assertIn("TCP_INFO", said["why"])
        peer.close()
        self.network.pump()
        self.assertIn("closed", self.ask("/api/connections/c1/kernel").json["why"])

    def test_svg(self) -> None:
        """Its picture, in either scale, without anything the page's policy forbids."""
        self.say(self.talk(), b"<script>\x1b\x00")
        for query in ("", "?scale=even", "?scale=time&width=360"):
            answer = self.ask(f"/api/connections/c1.svg{query}")
            self.assertEqual(answer.headers["Content-Type"], "image/svg+xml")
            self.assertTrue(answer.body.startswith(b"<svg"))
            for forbidden in (b"<style", b"style=", b"<script", b"\x1b", b"\x00"):
                self.assertNotIn(forbidden, answer.body)
        self.assertEqual(self.ask("/api/connections/c1.svg?scale=log").status, 400)
        self.assertEqual(self.ask("/api/connections/c1.svg?width=9").status, 400)


class ChangeTests(PageCase):
    def test_close(self) -> None:
        """Close sends FIN; the client sees it, and the record says who."""
        peer = self.talk()
        answer = self.change("/api/connections/c1/close")
        self.assertEqual(
            (answer.status, answer.json), (202, {"connection": "c1", "doing": "close"})
        )
        self.assertEqual(peer.end, "fin")
        (said,) = self.ask("/api/connections?reason=local").json["connections"]
        self.assertIn("page", said["detail"])

    def test_reset(self) -> None:
        """Reset sends RST."""
        peer = self.talk()
        self.assertEqual(self.change("/api/connections/c1/reset").status, 202)
        self.assertEqual(peer.end, "reset")

    def test_too_late(self) -> None:
        """One that is closed cannot be; one that never was is not found."""
        self.talk().close()
        self.network.pump()
        self.assertEqual(self.change("/api/connections/c1/reset").status, 409)
        self.assertEqual(self.change("/api/connections/c2/close").status, 404)
        self.assertEqual(self.change("/api/services/nope/suspend").status, 404)

    def test_draining(self) -> None:
        """A bench that stops opens nothing again."""
        self.bench.draining = True
        self.assertEqual(self.change("/api/services/echo/resume").status, 409)


class DatagramsTests(PageCase):
    """Peers of datagrams; the port itself needs a socket, so totals come by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.totals: dict[tuple[str, str], Any] = {}
        self.desk._totals = lambda: self.totals  # type: ignore[method-assign]

    def heard(self, peer: str, service: str = "echo", count: int = 1) -> None:
        from twisted_lab.talks import Talk

        for _ in range(count):
            self.clock.advance(1)
            local = "127.0.0.1:9000"
            ns = self.publisher.now()
            event = DatagramReceived(ns, service, peer, local, 3, b"abc")
            self.publisher.publish(event, sampled=True)
        totals = Talk(1, ns, 0, count, 3 * count, count, 3 * count, 0)
        self.totals[service, peer] = totals

    def test_peers(self) -> None:
        """Each peer with its totals, the last heard of first."""
        self.heard("127.0.0.1:1")
        self.heard("127.0.0.1:2", count=2)
        self.heard("127.0.0.1:1", "time")
        answer = self.ask("/api/datagrams").json
        self.assertEqual([one["id"] for one in answer["talks"]], ["d3", "d2", "d1"])
        said = answer["talks"][1]
        self.assertEqual(
            (said["datagrams_in"], said["bytes_out"], said["peer"]), (2, 6, "127.0.0.1:2")
        )
        self.assertEqual(len(self.ask("/api/datagrams?service=time").json["talks"]), 1)
        self.assertEqual(len(self.ask("/api/datagrams?peer=0.1:1").json["talks"]), 2)
        answer = self.ask("/api/datagrams?limit=1").json
        self.assertEqual((len(answer["talks"]), answer["matching"]), (1, 3))

    def test_one(self) -> None:
        """One peer with its events, and what of it is not kept."""
        self.heard("127.0.0.1:2", count=2)
        said = self.ask("/api/datagrams/d1").json
        names = [one["event"] for one in said["events"]]
        self.assertEqual(names, ["datagram-received", "datagram-received", "gap"])
        self.assertEqual(self.ask("/api/datagrams/d1.svg").status, 200)
        self.assertEqual(self.ask("/api/datagrams/d2").status, 404)
        self.assertEqual(self.ask("/api/datagrams/c1").status, 404)


class RefusalsTests(PageCase):
    def test_newest_first(self) -> None:
        """Who was turned away, and by which gate."""
        for reason in ("access", "max-per-peer"):
            self.publisher.publish(Refused(1, "echo", "192.0.2.1:5", "127.0.0.1:9000", reason))
        first, second = self.ask("/api/refusals").json["refusals"]
        self.assertEqual((first["reason"], second["reason"]), ("max-per-peer", "access"))
        self.assertEqual((first["peer"], first["count"]), ("192.0.2.1:5", 1))


class ManyTests(PageCase):
    def test_history(self) -> None:
        """With 10,000 connections in the history the first 200 are given, and all are counted."""
        ends = "127.0.0.1:5", "127.0.0.1:9000"
        for number in range(1, 10_001):
            id = f"c{number}"
            self.publisher.publish(Accepted(number, "echo", id, *ends, "tcp"))
            self.publisher.publish(Closed(number, "echo", id, *ends, CloseReason.RESET, 0, 0, 0.0))
        answer = self.ask("/api/connections").json
        self.assertEqual((answer["closed"], len(answer["connections"])), (10_000, 200))
        self.assertEqual(answer["connections"][0]["id"], "c10000")


class BugTests(PageCase):
    def test_own_bug(self) -> None:
        """A bug of the page is a note of the bench and one sentence, not a lost connection."""
        notes: list[Any] = []
        self.publisher.add(notes.append, ("note",))
        self.desk.facts = lambda: 1 // 0  # type: ignore[method-assign, return-value]
        answer = self.ask("/api/bench")
        self.assertEqual(answer.status, 500)
        self.assertIn("bug", answer.json["error"])
        self.assertIn("ZeroDivisionError", notes[0].text)

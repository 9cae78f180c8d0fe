"""Live streams: what a viewer gets, what it costs, what it misses."""

from __future__ import annotations

import gc
import json
from typing import Any

from tests.page.kit import PageCase, dechunked, request
from twisted_lab.conversation import KEPT
from twisted_lab.events import Note, Received
from twisted_lab.page.channel import Channel, PageRequest
from twisted_lab.page.viewer import QUEUE, Viewer
from twisted_lab.page.viewers import LINGER, RATE, RING
from twisted_lab.testing import Peer


class ViewerCase(PageCase):
    def view(self, query: str = "", last: int | None = None) -> Peer:
        """A viewer of ``/api/events?query``, who has seen everything until *last*."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        return self.send(request("GET", f"/api/events?{query}", headers))

    def frames(self, peer: Peer) -> list[dict[str, Any]]:
        """What *peer* was sent, each with its ``event:`` as ``named`` and its ``id:`` as ``id``."""
        self.network.advance(0.1)
        _, _, body = bytes(peer.received).partition(b"\r\n\r\n")
        text = b"".join(dechunked(body)).decode()
        found = []
        for block in text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
            if lines:
                about = {"named": lines["event"], "id": lines.get("id")}
                found.append(json.loads(lines["data"]) | about)
        return found

    def names(self, peer: Peer) -> list[str]:
        return [frame["named"] for frame in self.frames(peer)]


class InterestTests(ViewerCase):
    def test_all(self) -> None:
        """Without a word about it a viewer gets every event there is."""
        viewer = self.view()
        self.say(self.talk())
        self.assertEqual(self.names(viewer), ["accepted", "received", "sent"])

    def test_form(self) -> None:
        """Each comes with its ns as its id, a sentence, and what a recording has."""
        viewer = self.view()
        self.clock.advance(1.5)
        self.say(self.talk())
        received = self.frames(viewer)[1]
        self.assertEqual((received["bytes"], received["data"]), (5, "aGVsbG8="))
        self.assertEqual(received["id"], str(received["ns"]))
        self.assertEqual(received["seq"], received["ns"])
        self.assertTrue(received["says"])

    def test_at_once(self) -> None:
        """The stream says that it is open before anything happens."""
        self.assertIn(b": ok\n\n", self.view().received)
        self.assertIn(b"text/event-stream", self.view().received)

    def test_kinds(self) -> None:
        """Only the kinds that were asked for, and then nothing more is built."""
        viewer = self.view("kinds=accepted,closed")
        self.assertFalse(self.publisher.traffic)
        peer = self.talk()
        self.say(peer)
        peer.close()
        self.network.pump()
        self.assertEqual(self.names(viewer), ["accepted", "closed"])

    def test_service(self) -> None:
        """Only those of a service."""
        viewer = self.view("service=line&kinds=accepted")
        self.talk(0)
        self.talk(1)
        self.assertEqual([frame["service"] for frame in self.frames(viewer)], ["line"])

    def test_the_same_words(self) -> None:
        """What the stream says of an event the list says, and the picture at its arrow."""
        peer = self.talk()
        viewer = self.view("connection=c1")
        self.say(peer)
        (streamed,) = [one for one in self.frames(viewer) if one["event"] == "received"]
        listed = self.ask("/api/connections/c1").json["events"]
        self.assertIn(streamed["says"], [one["says"] for one in listed])
        self.assertIn("a stream has no message boundaries", streamed["says"])
        picture = self.ask("/api/connections/c1.svg").body.decode()
        self.assertIn(f"<title>{streamed['says']}", picture)

    def test_connection(self) -> None:
        """All of one connection, beyond its first ones, and no other's are built."""
        one, other = self.talk(), self.talk()
        viewer = self.view("connection=c1")
        for _ in range(50):
            self.say(one)
            self.say(other)
        frames = self.frames(viewer)
        self.assertEqual({frame["connection"] for frame in frames}, {"c1"})
        self.assertEqual(len(frames), 100)
        self.assertFalse(self.publisher.traffic)
        self.assertEqual(self.publisher.tally["received"], 50 + 16)

    def test_follow(self) -> None:
        """One stream has the comings and goings of all, and everything of one."""
        one, other = self.talk(), self.talk()
        viewer = self.view("kinds=accepted,closed&follow=c1")
        self.say(one)
        self.say(other)
        self.talk()
        seen = [(frame["named"], frame["connection"]) for frame in self.frames(viewer)]
        self.assertEqual(seen, [("received", "c1"), ("sent", "c1"), ("accepted", "c3")])

    def test_kinds_of_connection(self) -> None:
        """Both narrow: of this connection, and of these kinds."""
        peer = self.talk()
        viewer = self.view("connection=c1&kinds=sent")
        self.say(peer)
        self.assertEqual(self.names(viewer), ["sent"])

    def test_wrong(self) -> None:
        """What there is not is named: an event, a connection, datagrams, a parameter."""
        for query, status in (
            ("kinds=accepted,exploded", 400),
            ("connection=c77", 404),
            ("follow=d1", 404),
            ("talk=d1", 404),
            ("colour=red", 400),
        ):
            answer = self.ask(f"/api/events?{query}")
            self.assertEqual(answer.status, status, query)
            self.assertTrue(answer.json["error"])


class CostTests(ViewerCase):
    def test_nobody(self) -> None:
        """When the last viewer has gone for a while nothing is built for anybody."""
        self.talk()
        viewers = [self.view(), self.view("connection=c1")]
        self.assertTrue(self.publisher.traffic)
        for viewer in viewers:
            viewer.reset()
        self.network.advance(LINGER - 0.5)
        self.assertTrue(self.publisher.traffic)
        self.network.advance(1)
        self.assertFalse(self.publisher.traffic)
        stream = self.desk.stream("c1")
        assert stream is not None
        self.assertEqual(stream.sampled, KEPT - 1)  # its first, which are kept whoever looks

    def test_two(self) -> None:
        """A connection two viewers follow is followed until both are gone."""
        self.talk()
        one, two = self.view("connection=c1"), self.view("connection=c1&kinds=sent")
        one.reset()
        self.network.advance(LINGER + 1)
        stream = self.desk.stream("c1")
        assert stream is not None
        self.assertGreater(stream.sampled, 10**9)
        two.reset()
        self.network.advance(LINGER + 1)
        self.assertEqual(stream.sampled, KEPT - 1)

    def test_no_timers(self) -> None:
        """Nothing waits for its time when nobody watches."""
        viewer = self.view()
        self.say(self.talk())
        viewer.reset()
        self.network.advance(60)
        left = [call for call in self.clock.calls if "viewers" in call.func.__module__]
        self.assertEqual(left, [])


class TooMuchTests(ViewerCase):
    def publish(self, count: int, size: int = 3) -> None:
        for number in range(count):
            self.publisher.publish(Received(number, "echo", "c1", size, b"x" * size))

    def test_too_many(self) -> None:
        """More than a screen can show are dropped for the viewer, counted and shown."""
        viewer = self.view()
        recorded: list[Any] = []
        self.publisher.add(recorded.append)
        self.publish(round(RATE) + 500)
        frames = self.frames(viewer)
        self.assertEqual(frames[-1]["named"], "gap")
        self.assertEqual((frames[-1]["reason"], frames[-1]["count"]), ("overrun", 500))
        self.assertEqual(len(frames), RATE + 1)
        self.assertEqual(self.viewers.dropped, 500)
        self.assertEqual(len(recorded), RATE + 500)

    def test_what_nobody_wants(self) -> None:
        """The first events of others, which come anyway, cost a viewer none of its own."""
        viewer = self.view("kinds=note")
        for number in range(round(RATE) + 500):
            self.publisher.publish(Received(number, "echo", "c1", 3, b"abc"), sampled=True)
        self.publisher.publish(Note(10**9, "echo", "exception", "x"))
        self.assertEqual(self.names(viewer), ["note"])
        self.assertEqual(self.viewers.dropped, 0)

    def test_again(self) -> None:
        """After the gap events come again."""
        viewer = self.view()
        self.publish(round(RATE) + 1)
        self.frames(viewer)
        self.network.advance(1)
        self.publish(1)
        self.assertEqual(self.names(viewer)[-2:], ["gap", "received"])

    def test_not_reading(self) -> None:
        """A viewer that does not read costs bounded memory, and later hears what it missed."""
        viewer = self.view("kinds=note")
        viewer.transport.pauseProducing()
        for _ in range(10):
            for number in range(300):
                self.publisher.publish(Note(number, "echo", "exception", "x" * 1000))
            self.network.advance(1)
        (stream,) = self.layer.streams
        waiting = len(stream.lowest.dataBuffer) + sum(map(len, stream.lowest._tempDataBuffer))
        (one,) = self.viewers._viewers
        self.assertLess(waiting + one._waiting, 2.2 * QUEUE)
        self.assertGreater(self.viewers.dropped, 500)
        viewer.transport.resumeProducing()
        self.network.pump()
        missed = [frame for frame in self.frames(viewer) if frame["named"] == "gap"]
        self.assertEqual(sum(frame["count"] for frame in missed), self.viewers.dropped)


class ResumeTests(ViewerCase):
    def test_back(self) -> None:
        """Who comes back soon gets what it missed, and nothing twice."""
        viewer = self.view("kinds=accepted")
        self.talk()
        self.clock.advance(1)
        last = self.frames(viewer)[-1]["ns"]
        viewer.reset()
        self.network.pump()
        self.clock.advance(1)
        self.talk()
        again = self.view("kinds=accepted", last)
        self.assertEqual([frame.get("connection") for frame in self.frames(again)], ["c2"])

    def test_late(self) -> None:
        """Who comes back late is told that something may be missing."""
        viewer = self.view("kinds=accepted")
        self.clock.advance(1)
        self.talk()
        last = self.frames(viewer)[-1]["ns"]
        viewer.reset()
        self.network.advance(LINGER + 1)
        self.talk()
        (gap,) = self.frames(self.view("kinds=accepted", last))
        self.assertEqual((gap["named"], gap["ns"]), ("gap", last))

    def test_other_interest(self) -> None:
        """So is who comes back to what nobody asked for meanwhile, though others watch."""
        self.view("kinds=accepted")
        self.clock.advance(1)
        self.talk()
        (gap, *_) = self.frames(self.view("connection=c1", 5))
        self.assertEqual(gap["named"], "gap")

    def test_ring(self) -> None:
        """What had to make room in the ring is a gap, and what is there follows."""
        self.view("kinds=note")
        self.network.advance(1)
        for number in range(2 * RING):
            self.publisher.publish(Note(10**9 + number, "echo", "exception", "x"))
            if number % 1000 == 0:
                self.network.advance(1)
        frames = self.frames(self.view("kinds=note", 10**9))
        self.assertEqual(frames[0]["named"], "gap")
        self.assertEqual(frames[0]["until"], 10**9 + RING - 1)
        self.assertEqual(len(frames), RING + 1)

    def test_nonsense(self) -> None:
        """A last event that is no number is as none."""
        viewer = self.send(request("GET", "/api/events", {"Last-Event-ID": "x\x00"}))
        viewer = self.send(request("GET", "/api/events", {"Last-Event-ID": "9" * 40}))
        self.talk()
        self.assertEqual(self.names(viewer), ["accepted"])


class FailureTests(ViewerCase):
    def test_failure(self) -> None:
        """An event that cannot be shown ends the streams, which say so; it is noted, the page goes
        on, and whoever comes again sees what comes."""
        seen: list[Any] = []
        self.publisher.add(seen.append, ("note",))
        viewers = [self.view(), self.view("kinds=note")]
        bad: Any = Note(1, "echo", "exception", None)  # type: ignore[arg-type]
        self.publisher.publish(bad)
        for viewer in viewers:
            frame = self.frames(viewer)[-1]
            self.assertEqual(frame["named"], "end")
            self.assertIn("could not be shown", frame["why"])
        self.assertIn("observer Viewers failed and was removed", seen[-1].text)
        self.assertEqual(self.ask("/api/bench").status, 200)
        again = self.view()
        self.talk()
        self.network.advance(LINGER + 1)
        self.assertEqual(self.names(again), ["accepted"])


class LeakTests(ViewerCase):
    def test_comers_and_goers(self) -> None:
        """A thousand viewers who come and go, in every way, leave no object and no timer."""
        peer = self.talk()
        queries = ("", "connection=c1", "kinds=accepted&follow=c1", "service=line")
        for number in range(1000):
            viewer = self.view(queries[number % 4], last=number)
            if number % 50 == 0:
                self.say(peer)
            (viewer.reset if number % 2 else viewer.close)()
            self.network.pump()
        self.network.advance(60)
        viewer = peer = None  # type: ignore[assignment]
        gc.collect()
        left = [one for one in gc.get_objects() if isinstance(one, Viewer | PageRequest | Channel)]
        self.assertEqual(left, [])
        self.assertEqual(self.viewers._interests, {})
        self.assertEqual(self.viewers._followed, {})
        self.assertEqual(self.viewers._lingering, set())
        self.assertEqual(list(self.viewers._ring), [])
        calls = [call for call in self.clock.calls if "page" in call.func.__module__]
        self.assertEqual(calls, [])


class EndTests(ViewerCase):
    def test_end(self) -> None:
        """When the bench stops each stream has a last frame that says so, and then its end."""
        viewers = [self.view(), self.view("kinds=note")]
        self.viewers.end("the bench has stopped")
        for viewer in viewers:
            self.assertEqual(self.frames(viewer)[-1]["why"], "the bench has stopped")
        self.assertFalse(self.publisher.traffic)
        self.network.advance(60)
        self.assertEqual(
            [call.func for call in self.clock.calls if "page" in call.func.__module__], []
        )

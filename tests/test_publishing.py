"""Events reach those who asked for them, and an observer that fails harms nobody."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.events import CATALOGUE, TRAFFIC, Event, Listening, Note, Received, Refused
from twisted_lab.publishing import Publisher

LISTENING = Listening(1, "echo", "127.0.0.1:9000", "tcp")
RECEIVED = Received(2, "echo", "c1", 3, b"abc")


class Broken:
    """An observer that always raises."""

    def __init__(self, error: BaseException) -> None:
        self.calls = 0
        self._error = error

    def __call__(self, event: Event) -> None:
        self.calls += 1
        raise self._error


class Unspeakable(Exception):
    """An error that cannot even be shown."""

    def __repr__(self) -> str:
        raise ValueError("no words")

    __str__ = __repr__


class Unbuildable(Note):
    """A note that must not be built."""

    def __init__(self, *fields: object) -> None:
        raise AssertionError(fields)


class PublishTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.publisher = Publisher()
        self.seen: list[Event] = []

    def test_everything(self) -> None:
        """An observer that says nothing more gets every kind of event."""
        self.publisher.add(self.seen.append)
        for event in (LISTENING, RECEIVED):
            self.publisher.publish(event)
        self.assertEqual(self.seen, [LISTENING, RECEIVED])

    def test_kinds(self) -> None:
        """An observer gets only the kinds it asked for."""
        self.publisher.add(self.seen.append, ["received"])
        for event in (LISTENING, RECEIVED):
            self.publisher.publish(event)
        self.assertEqual(self.seen, [RECEIVED])

    def test_in_order(self) -> None:
        """Observers hear of an event in the order in which they were added."""
        said: list[str] = []
        for name in ("first", "second", "third"):
            self.publisher.add(lambda event, name=name: said.append(name))
        self.publisher.publish(LISTENING)
        self.assertEqual(said, ["first", "second", "third"])

    def test_added_twice(self) -> None:
        """An observer added again is told once, of the kinds it asked for last."""
        see = self.seen.append
        self.publisher.add(see, ["received"])
        self.publisher.add(see, ["listening"])
        for event in (LISTENING, RECEIVED):
            self.publisher.publish(event)
        self.assertEqual(self.seen, [LISTENING])

    def test_remove(self) -> None:
        """A removed observer hears no more, and removing one that is not there is no error."""
        see = self.seen.append
        self.publisher.add(see)
        self.publisher.remove(see)
        self.publisher.remove(see)
        self.publisher.publish(LISTENING)
        self.assertEqual(self.seen, [])

    def test_removes_itself(self) -> None:
        """An observer may remove itself while it is told; the others are told all the same."""

        def once(event: Event) -> None:
            self.publisher.remove(once)

        self.publisher.add(once)
        self.publisher.add(self.seen.append)
        self.publisher.publish(LISTENING)
        self.assertEqual(self.seen, [LISTENING])


class InterestTests(SynchronousTestCase):
    def test_nobody(self) -> None:
        """With no observer there is nothing to build an event for."""
        publisher = Publisher()
        self.assertFalse(publisher.active)
        self.assertFalse(publisher.traffic)

    def test_traffic(self) -> None:
        """Only who asks for it makes events be built once a message."""
        for kind in CATALOGUE:
            publisher = Publisher()
            publisher.add(print, [kind])
            self.assertTrue(publisher.active, kind)
            self.assertEqual(publisher.traffic, kind in TRAFFIC, kind)
            publisher.remove(print)
            self.assertFalse(publisher.active or publisher.traffic, kind)

    def test_wanted(self) -> None:
        """The kinds somebody wants are known, so that no other is built."""
        publisher = Publisher()
        publisher.add(print, ["note", "closed"])
        publisher.add(repr, ["closed"])
        self.assertEqual(publisher.wanted, {"note", "closed"})
        publisher.remove(print)
        self.assertEqual(publisher.wanted, {"closed"})

    def test_detailed(self) -> None:
        """The kernel's view is read only while somebody has a use for it."""
        publisher = Publisher()
        publisher.add(print, detailed=False)
        self.assertFalse(publisher.detailed)
        publisher.add(repr)
        self.assertTrue(publisher.detailed)
        publisher.remove(repr)
        self.assertFalse(publisher.detailed)

    def test_changed(self) -> None:
        """Who keeps a copy of these answers is told when they may have changed."""
        publisher = Publisher()
        heard: list[bool] = []
        publisher.changed.append(lambda: heard.append(publisher.traffic))
        publisher.add(print)
        publisher.remove(print)
        self.assertEqual(heard, [True, False])


class OfferTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.publisher = Publisher(lambda: 0)
        self.seen: list[Event] = []

    def offer(self, count: int) -> None:
        self.publisher.offer(Refused, "echo", "10.0.0.1:5", "127.0.0.1:7", "access", count=count)

    def test_wanted(self) -> None:
        """An event that somebody wants is built with its time, and published."""
        self.publisher.add(self.seen.append)
        self.offer(3)
        self.assertEqual(
            self.seen,
            [Refused(0, "echo", "10.0.0.1:5", "127.0.0.1:7", "access", count=3)],
        )

    def test_unwanted(self) -> None:
        """An event that nobody wants is not built."""
        self.publisher.add(self.seen.append, ["closed"])
        self.publisher.offer(Unbuildable, "echo")
        self.assertEqual(self.publisher.tally["note"], 1)

    def test_tally(self) -> None:
        """Built or not, each is counted, with as many as it stands for."""
        self.offer(3)
        self.publisher.add(self.seen.append)
        self.offer(2)
        self.publisher.offer(Note, "echo", "kind", "text")
        self.assertEqual(self.publisher.tally["refused"], 5)
        self.assertEqual(self.publisher.tally["note"], 1)
        self.assertEqual(self.publisher.tally["closed"], 0)

    def test_mute(self) -> None:
        """A muted kind reaches the others only, and the muted one again afterwards."""
        heard: list[Event] = []
        hear = heard.append
        self.publisher.add(hear)
        self.publisher.add(self.seen.append)
        self.publisher.mute(hear, "refused")
        self.offer(1)
        self.publisher.publish(LISTENING)
        self.publisher.unmute(hear, "refused")
        self.offer(2)
        self.assertEqual([event.event for event in heard], ["listening", "refused"])
        self.assertEqual(len(self.seen), 3)

    def test_mute_alone(self) -> None:
        """When the only one who wanted a kind is muted, it is not built."""
        self.publisher.add(print, ["note"])
        self.publisher.mute(print, "note")
        self.assertNotIn("note", self.publisher.wanted)
        self.assertTrue(self.publisher.active)


class FailureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.publisher = Publisher()
        self.seen: list[Event] = []

    def publish_twice_to(self, *observers: Broken) -> None:
        for observer in observers:
            self.publisher.add(observer)
        self.publisher.add(self.seen.append)
        self.publisher.publish(LISTENING)
        self.publisher.publish(LISTENING)

    def notes(self) -> list[Note]:
        return [event for event in self.seen if isinstance(event, Note)]

    def test_removed_and_said_once(self) -> None:
        """An observer that raises is removed, and one note says so."""
        broken = Broken(ValueError("disk on fire"))
        self.publish_twice_to(broken)
        self.assertEqual(broken.calls, 1)
        (note,) = self.notes()
        self.assertEqual((note.kind, note.service), ("observer", "echo"))
        self.assertIn("disk on fire", note.text)

    def test_others_hear_all(self) -> None:
        """The other observers get every event, the failing one's too."""
        self.publish_twice_to(Broken(ValueError()))
        self.assertEqual(self.seen.count(LISTENING), 2)

    def test_several(self) -> None:
        """Several failing observers are each removed and each said once."""
        self.publish_twice_to(Broken(ValueError("one")), Broken(KeyError("two")))
        self.assertEqual(len(self.notes()), 2)

    def test_alone(self) -> None:
        """When the only observer fails there is nobody left, and nothing is raised."""
        self.publisher.add(Broken(ValueError()))
        self.publisher.publish(LISTENING)
        self.assertFalse(self.publisher.active)

    def test_unspeakable(self) -> None:
        """An observer whose error cannot even be shown breaks nothing either."""
        self.publish_twice_to(Broken(Unspeakable()))
        self.assertEqual(self.seen.count(LISTENING), 2)
        self.assertEqual(len(self.notes()), 1)


class ClockTests(SynchronousTestCase):
    def test_from_the_start(self) -> None:
        """Times are nanoseconds since the publisher was made."""
        times = iter([1_000, 1_000, 3_500])
        publisher = Publisher(lambda: next(times))
        self.assertEqual([publisher.now(), publisher.now()], [0, 2_500])


class CaptureTests(SynchronousTestCase):
    def test_limit(self) -> None:
        """Of a message at most the capture limit is kept, as bytes of its own."""
        publisher = Publisher(capture=4)
        self.assertEqual(publisher.captured(b"hello"), b"hell")
        self.assertEqual(publisher.captured(b"hi"), b"hi")
        self.assertIsInstance(publisher.captured(bytearray(b"hello")), bytes)

    def test_empty_message(self) -> None:
        """An empty datagram is an empty message, not one that was not captured."""
        self.assertEqual(Publisher(capture=4).captured(b""), b"")

    def test_none(self) -> None:
        """A limit of 0 keeps nothing."""
        self.assertIsNone(Publisher(capture=0).captured(b"hello"))

"""Each address is tried, none for long alone, and why one failed is said."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectBindError, ConnectionRefusedError, TimeoutError, UserError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.client.calling import STAGGER, Caller, in_turns, of_family, why
from twisted_lab.targets import Target

V4, W4, V6, W6 = ("192.0.2.1", 7), ("192.0.2.2", 7), ("2001:db8::1", 7), ("2001:db8::2", 7)


class OrderTests(SynchronousTestCase):
    def test_turns(self) -> None:
        """The families take turns, that of the first address first; within one the order stays."""
        self.assertEqual(in_turns([V6, W6, V4, W4]), [V6, V4, W6, W4])
        self.assertEqual(in_turns([V4, W4, V6]), [V4, V6, W4])
        self.assertEqual(in_turns([V4, W4]), [V4, W4])

    def test_source(self) -> None:
        """From an IPv4 address one connects to IPv4 addresses."""
        self.assertEqual(of_family([V6, V4], ("127.0.0.1", 0)), [V4])
        self.assertEqual(of_family([V6, V4], ("::1", 0)), [V6])


class CallerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.failed: list[str] = []
        self.attempts: dict[str, Deferred[Any]] = {}
        self.cancelled: list[str] = []

    def call(self, *places: tuple[str, int]) -> Caller:
        """Begin to call; each attempt waits for the test to say what came of it."""
        test = self

        class Attempts(Caller):
            def _endpoint(self, place: tuple[str, int]) -> Any:
                class Endpoint:
                    def connect(self, factory: object) -> Deferred[Any]:
                        name = place[0]
                        done: Deferred[Any] = Deferred(lambda _: test.cancelled.append(name))
                        test.attempts[name] = done
                        return done

                return Endpoint()

        target = Target("tcp", ("h",), 7)
        caller = Attempts(
            self.clock, target, places, object, None, self.said.append, self.failed.append
        )
        caller.call()
        return caller

    def refuse(self, place: tuple[str, int]) -> None:
        self.attempts[place[0]].errback(ConnectionRefusedError(111))

    def test_first(self) -> None:
        """The first that answers is it; no other is tried."""
        self.call(V6, V4)
        self.attempts[V6[0]].callback(object())
        self.clock.advance(60)
        self.assertEqual(self.said, ["connect() to [2001:db8::1]:7"])
        self.assertEqual((self.clock.calls, self.failed), ([], []))

    def test_refused(self) -> None:
        """One that refuses makes room for the next at once, and is named with the reason."""
        self.call(V6, V4)
        self.refuse(V6)
        no = "no connection to [2001:db8::1]:7: Connection refused"
        there = ["connect() to [2001:db8::1]:7", no, "connect() to 192.0.2.1:7"]
        self.assertEqual(self.said, there)
        self.attempts[V4[0]].callback(object())
        self.assertEqual((self.failed, self.clock.calls), ([], []))

    def test_silent(self) -> None:
        """Beside one that is silent the next is tried; the slower one is given up."""
        self.call(V6, V4)
        self.clock.advance(STAGGER)
        self.attempts[V4[0]].callback(object())
        self.assertEqual(self.cancelled, [V6[0]])
        self.assertEqual((len(self.said), self.failed), (2, []))

    def test_none(self) -> None:
        """When none answers, all are named, each with its reason, once."""
        self.call(V6, V4)
        self.clock.advance(STAGGER)
        self.refuse(V4)
        self.assertEqual(self.failed, [])
        self.attempts[V6[0]].errback(TimeoutError())
        both = "192.0.2.1:7: Connection refused; [2001:db8::1]:7: no answer within 10 s"
        self.assertEqual(self.failed, [both])

    def test_stop(self) -> None:
        """Stopped, it gives up what it tries, tries no more, and calls that no failure."""
        self.call(V6, V4, W4).stop()
        self.clock.advance(60)
        self.assertEqual((self.cancelled, self.failed), ([V6[0]], []))
        self.assertEqual((len(self.said), self.clock.calls), (1, []))

    def test_unix(self) -> None:
        """A UNIX socket is one place, by its path."""
        target = Target("unix", path="/nowhere")
        caller = Caller(self.clock, target, [], object, None, self.said.append, self.failed.append)
        ((name, _),) = caller._left
        self.assertEqual(name, "unix:/nowhere")


class WhyTests(SynchronousTestCase):
    def test_words(self) -> None:
        """The kernel's words where there are some, else Twisted's, safe to show."""
        for error, words in (
            (ConnectionRefusedError(111), "Connection refused"),
            (ConnectBindError(99, "x"), "Cannot assign requested address"),
            (TimeoutError(), "no answer within 10 s"),
            (ValueError("a\x1b"), r"a\x1b"),
            (ValueError(), "ValueError"),
        ):
            self.assertEqual(why(Failure(error)), words)
        self.assertTrue(why(Failure(UserError())))

"""A run of cases: what rests on time is tried again, what ends the server is laid to its case."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.case import Case, Needs, Place, Run
from twisted_lab.conformance.exam import CannotReach, Exam, Result
from twisted_lab.conformance.probe import Pace, Probe
from twisted_lab.conformance.profiles import PROFILES
from twisted_lab.conformance.target import Server
from twisted_lab.conformance.verdicts import (
    Failed,
    Finding,
    Severity,
    Silence,
    Unreachable,
    Verdict,
    ok,
)

#: Times are short here, and nobody waits for them but those who shall.
FAST = Pace(slow=0.05)


def made(
    id: str,
    run: Run,
    *,
    alone: bool = False,
    place: Place = Place.ANYWHERE,
    needs: tuple[Needs, ...] = (),
) -> Case:
    nothing = frozenset[Any]()
    fields = (id, id, "does", "requires", "source", Severity.GRAVE, "wrong-reply", run)
    return Case(*fields, nothing, nothing, nothing, needs, alone, place)


def well(probe: Probe) -> Finding:
    return ok("well")


def failing(*errors: Exception | None) -> Run:
    """Fails so, one call after the other; then well."""
    left = list(errors)

    def run(probe: Probe) -> Finding:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return ok("well")

    return run


class Echo:
    """An echo on a real port, a thread for each client; ``close()`` ends it."""

    def __init__(self, one_at_a_time: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.server = Server("tcp", *self._listener.getsockname())
        self._one = one_at_a_time
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._one:
                    self._echo(client)
                else:
                    threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    @staticmethod
    def _echo(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while data := client.recv(65536):
                client.sendall(data)


class Dying:
    """A process that ends when it is told to, and whose echo can be started again."""

    pid = 0

    def __init__(self) -> None:
        self.started = 0
        self.echo = Echo()
        self.dead = False

    def ended(self) -> str | None:
        return "exit status 3" if self.dead else None

    def die(self) -> None:
        self.echo.close()
        self.dead = True

    stop = die

    def start(self, *, same_port: bool = False) -> Server:
        self.started += 1
        self.dead = False
        self.echo = Echo()
        return self.echo.server


class ExamCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        self.told: list[Result] = []

    def run_cases(self, *cases: Case, process: Dying | None = None) -> dict[str, Finding]:
        server = self.echo.server if process is None else process.echo.server
        exam = Exam(
            server, PROFILES["echo"], cases, pace=FAST, tell=self.told.append, process=process
        )
        results = exam.run()
        self.assertEqual([result.case.id for result in results], [case.id for case in cases])
        self.assertEqual(len(self.told), len(cases))
        return {result.case.id: result.finding for result in results}


class TimeTests(ExamCase):
    def test_gone_the_second_time(self) -> None:
        """Beside others it was too slow, alone it was not: nobody can tell."""
        found = self.run_cases(made("A", failing(Silence("slow"))))["A"]
        self.assertEqual(found.verdict, Verdict.COULD_NOT_TELL)
        self.assertIn("beside other cases it failed, alone it did not", found.reason)

    def test_there_the_second_time(self) -> None:
        """Too slow alone and twice as patiently, too: that is said of it."""
        seen: list[float] = []

        def slow(probe: Probe) -> Finding:
            seen.append(probe.patience)
            raise Silence("slow")

        found = self.run_cases(made("A", slow))["A"]
        self.assertEqual((found.verdict, found.reason), (Verdict.FAILED, "slow"))
        self.assertEqual(seen[1], 2 * seen[0])

    def test_alone(self) -> None:
        """A case that runs alone anyhow is believed when the second look is well."""
        found = self.run_cases(made("A", failing(Silence("slow")), alone=True))["A"]
        self.assertEqual(found.verdict, Verdict.OK)

    def test_not_timed(self) -> None:
        """What does not rest on time is believed at once."""
        found = self.run_cases(made("A", failing(Failed("wrong", "flood"))))["A"]
        self.assertEqual((found.verdict, found.bug), (Verdict.FAILED, "flood"))

    def test_late_machine(self) -> None:
        """A machine that is late itself accuses nobody of slowness."""

        def late(probe: Probe) -> Finding:
            probe.lateness._seen.append((time.monotonic() + 60, 10.0))
            raise Silence("slow")

        found = self.run_cases(made("A", late))["A"]
        self.assertEqual(found.verdict, Verdict.COULD_NOT_TELL)
        self.assertIn("this machine was 10.0 s late itself: slow", found.reason)

    def test_our_own_fault(self) -> None:
        """A case that breaks accuses nobody."""
        found = self.run_cases(made("A", failing(ZeroDivisionError("oh"))))["A"]
        self.assertEqual(found.verdict, Verdict.COULD_NOT_TELL)
        self.assertIn("the case itself broke: ", found.reason)


class OrderTests(ExamCase):
    def test_first(self) -> None:
        """Where the first request has no answer, the others are not tried, one by one."""
        found = self.run_cases(
            made("A", failing(*[Silence("nothing")] * 2), place=Place.FIRST), made("B", well)
        )
        self.assertEqual(found["A"].verdict, Verdict.FAILED)
        self.assertEqual(found["B"].verdict, Verdict.SKIPPED)
        self.assertIn("an answer to the first request", found["B"].reason)

    def test_needs(self) -> None:
        """What is missing is named."""
        found = self.run_cases(made("A", well, needs=(Needs.SPAWN,)), made("B", well))
        self.assertEqual(found["A"].reason, "needs --spawn: its own process")
        self.assertEqual(found["B"].verdict, Verdict.OK)

    def test_one_at_a_time(self) -> None:
        """One that serves one after the other is asked so, and told so to the cases."""
        self.echo.close()
        self.echo = Echo(one_at_a_time=True)
        seen: list[bool] = []

        def see(probe: Probe) -> Finding:
            seen.append(probe.one_at_a_time)
            probe.alive()
            return ok("well")

        cases = [made(letter, see) for letter in "ABCD"]
        found = self.run_cases(*cases, made("E", well, needs=(Needs.TWO_AT_ONCE,)))
        self.assertEqual(seen, [True] * 4)
        self.assertEqual({found[letter].verdict for letter in "ABCD"}, {Verdict.OK})
        self.assertEqual(found["E"].verdict, Verdict.SKIPPED)

    def test_nobody(self) -> None:
        """Where nobody listens there is nothing to check."""
        self.echo.close()
        wrong = self.assertRaises(CannotReach, self.run_cases, made("A", well))
        self.assertIn("connect() failed: Connection refused", str(wrong))


class EndTests(ExamCase):
    def setUp(self) -> None:
        super().setUp()
        self.process = Dying()
        self.addCleanup(lambda: self.process.echo.close())

    def dies(self, probe: Probe) -> Finding:
        self.process.die()
        raise Unreachable("gone")

    def test_blamed(self) -> None:
        """The case that ends the process is named; others have a new one, and are as before."""
        cases = made("A", self.dies, alone=True), made("B", self.asks, alone=True)
        found = self.run_cases(*cases, process=self.process)
        self.assertEqual((found["A"].verdict, found["A"].bug), (Verdict.FAILED, "dies"))
        self.assertIn("exit status 3", found["A"].reason)
        self.assertEqual(found["B"].verdict, Verdict.OK)

    def test_side_by_side(self) -> None:
        """Of those that ran beside it only the one is blamed."""
        found = self.run_cases(
            made("A", self.asks), made("B", self.dies), made("C", self.asks), process=self.process
        )
        self.assertEqual(found["B"].bug, "dies")
        self.assertEqual({found[one].verdict for one in "AC"}, {Verdict.OK})

    def test_not_ours(self) -> None:
        """Of a server that is not ours nobody knows which case it was; the last says it is gone."""

        def ends(probe: Probe) -> Finding:
            self.echo.close()
            raise Unreachable("gone")

        found = self.run_cases(
            made("A", ends, alone=True),
            made("B", self.asks, alone=True),
            made("N", self.asks, alone=True, place=Place.LAST),
        )
        self.assertEqual(found["B"].verdict, Verdict.COULD_NOT_TELL)
        self.assertIn("--spawn starts it again", found["B"].reason)
        self.assertEqual(found["N"].verdict, Verdict.FAILED)

    def test_does_not_start_again(self) -> None:
        """A process that does not start again is the last case's to tell of."""
        start: Callable[..., Server] = failing(*[Failed("no port")] * 9)  # type: ignore[assignment]
        self.process.start = lambda *, same_port=False: start(None)  # type: ignore[method-assign]
        found = self.run_cases(
            made("A", self.dies, alone=True),
            made("B", self.asks, alone=True),
            made("N", self.asks, alone=True, place=Place.LAST),
            process=self.process,
        )
        self.assertEqual(found["B"].verdict, Verdict.COULD_NOT_TELL)
        self.assertEqual((found["N"].verdict, found["N"].bug), (Verdict.FAILED, "dies"))

    @staticmethod
    def asks(probe: Probe) -> Finding:
        probe.alive()
        return ok("well")

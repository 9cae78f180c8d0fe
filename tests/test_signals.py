"""What a signal does: stop in order, stop now, reload, reopen; none kills in between."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.signals import Signals

TAKEN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class FakeReactor:
    """A reactor that runs when it is told, and logs that it was stopped."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._hooks: list[Callable[[], object]] = []
        self._queue: list[Callable[[], object]] = []
        self.triggers: dict[tuple[str, str], Callable[[], object]] = {}
        self.running = False
        self._stopped = False

    def callWhenRunning(self, hook: Callable[[], object]) -> None:
        self._hooks.append(hook)

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> None:
        self.triggers[phase, event] = call

    def callFromThread(self, action: Callable[[], object]) -> None:
        self._queue.append(action)

    def start(self) -> None:
        """Install handlers of its own, as Twisted's reactors do, and then call the hooks."""
        self.running = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *arguments: self._log.append("the reactor's own"))
        for hook in self._hooks:
            hook()

    def turn(self) -> None:
        queue, self._queue = self._queue, []
        for action in queue:
            action()

    def stop(self) -> None:
        self._log.append("reactor stopped")
        self._stopped = True


class FakeBench:
    """A bench whose drain ends when the test says so."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self.drained: Deferred[None] = Deferred()

    def drain(self) -> Deferred[None]:
        self._log.append("drain")
        return self.drained

    def abort(self) -> None:
        self._log.append("abort")


class SignalsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        # Cleanups run in reverse: first the handlers are restored, then signals are let through.
        self.addCleanup(
            signal.pthread_sigmask, signal.SIG_SETMASK, signal.pthread_sigmask(signal.SIG_BLOCK, ())
        )
        for number in TAKEN:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.log: list[str] = []
        self.reactor = FakeReactor(self.log)
        self.bench = FakeBench(self.log)

    def make(self, *reopen: Callable[[], object]) -> Signals:
        bench: Any = self.bench
        return Signals(self.reactor, bench, lambda text: self.log.append(f"say: {text}"), reopen)

    def run_with(self, *reopen: Callable[[], object]) -> None:
        """Install, and let the reactor run."""
        self.make(*reopen).install()
        self.reactor.start()

    def send(self, number: signal.Signals) -> list[str]:
        """What happens by that signal, one turn of the reactor later."""
        del self.log[:]
        signal.raise_signal(number)
        self.assertEqual(self.log, [])  # nothing inside the handler itself
        self.reactor.turn()
        return list(self.log)


class StopTests(SignalsTestCase):
    DRAINING = "say: stopping: no new connections, the open ones may finish"

    def test_in_order(self) -> None:
        """SIGTERM and SIGINT drain; after that the reactor is stopped, so the status is 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.setUp()
            self.run_with()
            self.assertEqual(self.send(number), [self.DRAINING, "drain"])
            self.bench.drained.callback(None)
            self.assertEqual(self.log[-1], "reactor stopped")

    def test_second(self) -> None:
        """A second one, of either kind, ends everything at once."""
        self.run_with()
        self.send(signal.SIGTERM)
        expected = ["say: stopping at once", "abort", "reactor stopped"]
        self.assertEqual(self.send(signal.SIGINT), expected)

    def test_stopped_once(self) -> None:
        """However many there are, and when the drain then ends too, the reactor is stopped once."""
        self.run_with()
        for _ in range(3):
            self.send(signal.SIGTERM)
        self.assertNotIn("reactor stopped", self.log)
        self.bench.drained.callback(None)
        self.assertNotIn("reactor stopped", self.log)

    def test_drain_fails(self) -> None:
        """A drain that fails stops the reactor all the same."""
        self.run_with()
        self.send(signal.SIGTERM)
        self.bench.drained.errback(ValueError("a bug"))
        self.assertEqual(self.log[-1], "reactor stopped")

    def test_reactor_gone(self) -> None:
        """A drain that ends when the reactor has been stopped by somebody else raises nothing."""
        self.run_with()
        self.send(signal.SIGTERM)
        self.reactor.running = False
        self.bench.drained.callback(None)
        self.assertNotIn("reactor stopped", self.log)


class StartTests(SignalsTestCase):
    def test_while_starting(self) -> None:
        """One that comes while we start kills nothing: it means what it means ever after."""
        self.make().install()
        signal.raise_signal(signal.SIGTERM)
        self.assertEqual(self.log, [])
        self.reactor.start()
        self.reactor.turn()
        self.assertEqual(self.log[-1], "drain")

    def test_over_the_reactors(self) -> None:
        """The handlers that a reactor installs when it runs are replaced."""
        self.run_with()
        self.assertNotIn("the reactor's own", self.send(signal.SIGINT))

    def test_nothing_blocked(self) -> None:
        """Once it runs no signal is blocked, for programs that are started inherit that."""
        self.run_with()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self.assertEqual(blocked & set(TAKEN), set())


class HangUpTests(SignalsTestCase):
    def test_one_sentence(self) -> None:
        """SIGHUP is one sentence in the log, as often as it comes, and nothing else."""
        self.run_with()
        for _ in range(3):
            (said,) = self.send(signal.SIGHUP)
            self.assertTrue(said.startswith("say: SIGHUP: "), said)

    def test_reload(self) -> None:
        """With something to read again SIGHUP reads it, each time, and says nothing itself."""
        bench: Any = self.bench
        reload = lambda: self.log.append("reload")  # noqa: E731
        Signals(self.reactor, bench, self.log.append, reload=reload).install()
        self.reactor.start()
        for _ in range(2):
            self.assertEqual(self.send(signal.SIGHUP), ["reload"])


class ReopenTests(SignalsTestCase):
    def log_call(self, name: str) -> Callable[[], None]:
        return lambda: self.log.append(name)

    def test_files(self) -> None:
        """SIGUSR1 reopens every file, each time."""
        self.run_with(self.log_call("one"), self.log_call("two"))
        for _ in range(2):
            self.assertEqual(self.send(signal.SIGUSR1), ["one", "two"])

    def test_one_fails(self) -> None:
        """A file that cannot be reopened is said, and the others are reopened."""

        def fail() -> None:
            raise OSError("no room")

        self.run_with(fail, self.log_call("two"))
        self.assertEqual(self.send(signal.SIGUSR1), ["say: could not reopen: no room", "two"])

    def test_twistd(self) -> None:
        """The handler that was there, as twistd's for its own log, is called after ours."""
        signal.signal(signal.SIGUSR1, lambda *arguments: self.log.append(f"twistd {arguments}"))
        self.run_with(self.log_call("one"))
        expected = ["one", f"twistd ({signal.SIGUSR1!r}, None)"]
        self.assertEqual(self.send(signal.SIGUSR1), expected)

    def test_no_handler(self) -> None:
        """Without one, ignored or deadly by default, nothing else happens."""
        for before in (signal.SIG_DFL, signal.SIG_IGN):
            self.setUp()
            signal.signal(signal.SIGUSR1, before)
            self.run_with()
            self.assertEqual(self.send(signal.SIGUSR1), [])


class WindowsTests(SignalsTestCase):
    def test_missing(self) -> None:
        """Where there is no SIGHUP and no SIGUSR1, the others work."""
        import twisted_lab.signals as module

        class Fewer:
            SIGTERM, SIGINT = signal.SIGTERM, signal.SIGINT
            signal = staticmethod(signal.signal)

        self.patch(module, "signal", Fewer)
        self.run_with()
        self.assertEqual(self.send(signal.SIGTERM)[-1], "drain")

"""What a signal does: stop in order, stop now, reload, reopen.

SIGTERM and SIGINT drain and then stop the reactor, so the exit status is 0; a second one aborts.
SIGUSR1 reopens our files and then calls the handler that was there (twistd rotates its log with
it). SIGHUP never kills.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted_lab.bench import Bench

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")


class Signals:
    """Installs the handlers; *say* takes a sentence to log.

    *reopen* are called on SIGUSR1, *reload* on SIGHUP, if there is something to read again.
    """

    def __init__(
        self,
        reactor: Any,
        bench: Bench,
        say: Callable[[str], object],
        reopen: tuple[Callable[[], object], ...] = (),
        reload: Callable[[], object] | None = None,
    ) -> None:
        self._reactor = reactor
        self._bench = bench
        self._say = say
        self._reopen = reopen
        self._reload = reload
        self._stopping = False
        self._previous_usr1: Any = None

    def install(self) -> None:
        """Take the signals over when the reactor runs, which installs handlers of its own first.

        Until then they wait: one that comes while we start means what it means ever after.
        """
        self._block(True)
        self._reactor.callWhenRunning(self._take_all)

    def _block(self, block: bool) -> None:
        if hasattr(signal, "pthread_sigmask"):
            numbers = {number for name in _NAMES if (number := getattr(signal, name, None))}
            signal.pthread_sigmask(signal.SIG_BLOCK if block else signal.SIG_UNBLOCK, numbers)

    def _take_all(self) -> None:
        self._take("SIGTERM", self._stop)
        self._take("SIGINT", self._stop)
        self._take("SIGHUP", self._hang_up)
        self._previous_usr1 = self._take("SIGUSR1", self._reopen_files)
        self._block(False)
        self._reactor.addSystemEventTrigger("after", "shutdown", self._ignore_more)

    def _ignore_more(self) -> None:
        """It is over. Python, as it ends, brings back what kills; the exit status is to be 0."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _take(self, name: str, action: Callable[[], object]) -> Any:
        number = getattr(signal, name, None)
        if number is None:  # Windows has no SIGHUP, no SIGUSR1
            return None

        def handle(number: int, frame: FrameType | None) -> None:
            self._reactor.callFromThread(action)

        return signal.signal(number, handle)

    def _stop(self) -> None:
        if self._stopping:
            self._say("stopping at once")
            self._bench.abort()
            self._stop_reactor()
            return
        self._stopping = True
        self._say("stopping: no new connections, the open ones may finish")
        self._bench.drain().addBoth(lambda result: self._stop_reactor())

    def _stop_reactor(self) -> None:
        if self._reactor.running and not self._reactor._stopped:
            self._reactor.stop()

    def _hang_up(self) -> None:
        if self._reload is not None:
            self._reload()
        else:
            self._say("SIGHUP: there is no --config file to read again, so nothing changes")

    def _reopen_files(self) -> None:
        for reopen in self._reopen:
            try:
                reopen()
            except Exception as error:
                self._say(f"could not reopen: {error}")
        if callable(self._previous_usr1):
            self._previous_usr1(signal.SIGUSR1, None)

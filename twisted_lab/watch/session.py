"""One run of a watched program: its events, and who gets them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import succeed
from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import LoopingCall

from twisted_lab.capturing import recorders
from twisted_lab.diagnosis import Evidence, diagnose
from twisted_lab.errors import SocketlabError
from twisted_lab.interfaces import Observer
from twisted_lab.publishing import Publisher
from twisted_lab.watch.lines import Lines
from twisted_lab.watch.options import ProgramOptions
from twisted_lab.watch.program import Program

if TYPE_CHECKING:
    from twisted_lab.page.opening import Page
    from twisted_lab.watch.subject import Watched

#: Seconds between two looks at what the program has done.
_STEP = 0.02


class Session:
    """One run on *reactor*, of what *options* say; *observers* are called with every event."""

    def __init__(
        self, reactor: Any, options: ProgramOptions, observers: Sequence[Observer] = ()
    ) -> None:
        self._reactor = reactor
        self._options = options
        self._publisher = publisher = Publisher(capture=options.capture)
        self._files = recorders(reactor, publisher, options["record"], options["pcapng"])
        for observer in observers:
            publisher.add(observer)
        if not options["quiet"]:
            publisher.add(Lines(_say, brief=bool(options["brief"]), dim=_dim()))
        self._evidence = Evidence()
        publisher.add(self._evidence)
        self._watched: Watched | None = None
        self._page: Page | None = None
        self._failure: SocketlabError | None = None
        self._over = False

    def run(self) -> int:
        """Until the program ends: its status. Raises :class:`ConfigurationError`."""
        zero = time.monotonic_ns() - self._publisher.now()
        options = self._options
        with Program(options.program, zero, options.capture, options["by"]) as program:
            look = LoopingCall(self._look, program)
            look.clock = self._reactor
            self._reactor.callWhenRunning(self._begin, program, look)
            self._reactor.run(installSignalHandlers=False)
            for file in self._files.values():
                file.close()
            if self._failure is not None:
                raise self._failure
            return program.status

    def _begin(self, program: Program, look: LoopingCall) -> None:
        try:
            self._open_page(program)
            program.start()
        except SocketlabError as error:
            self._failure = error
            self._stop()
            return
        look.start(_STEP)

    def _open_page(self, program: Program) -> None:
        if not self._options.page:
            return
        from twisted_lab.watch.page import page_of  # with twisted.web, which takes its time
        from twisted_lab.watch.subject import Watched

        watched = Watched(self._publisher, program.name, self._options.program)
        page = page_of(watched, self._reactor, self._publisher, self._options.page, self._files)
        page.open()
        page.start()
        self._watched, self._page = watched, page
        _say(f"socketlab watch: open {page.address}")

    def _look(self, program: Program) -> None:
        if self._over:
            if program.interrupted:
                self._stop()
            return
        ended = program.ended()
        for event in program.last_events() if ended else program.events():
            self._publisher.publish(event)
        if ended:
            self._end(program)

    def _end(self, program: Program) -> None:
        """The program has ended: what it did wrong is told, and noted in what is recorded."""
        self._over = True
        findings = diagnose(self._evidence)
        for finding in findings:
            self._publisher.publish(program.diagnosis(finding))
            _say("\n" + "\n".join(finding.told()))
        if self._watched is None:
            self._stop()
            return
        self._watched.ended(program.status, findings)
        _say(f"socketlab watch: it ended with {program.status}; the page stays until Ctrl-C")

    def _stop(self) -> None:
        """Let go of the page, and of the reactor."""
        page, self._page = self._page, None
        gone = succeed(None) if page is None else page.stop()
        gone.addBoth(self._stop_reactor)

    def _stop_reactor(self, result: object) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _dim() -> bool:
    return os.isatty(2) and not os.environ.get("NO_COLOR")


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)

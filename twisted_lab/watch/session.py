"""One run of a watched program: its events, and who gets them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import LoopingCall

from twisted_lab.capturing import recorders
from twisted_lab.diagnosis import Evidence, diagnose
from twisted_lab.errors import SocketlabError
from twisted_lab.interfaces import Observer
from twisted_lab.publishing import Publisher
from twisted_lab.watch.lines import Lines, told
from twisted_lab.watch.options import ProgramOptions
from twisted_lab.watch.program import Program

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
        self._failure: SocketlabError | None = None

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
            program.start()
        except SocketlabError as error:
            self._failure = error
            self._stop()
            return
        look.start(_STEP)

    def _look(self, program: Program) -> None:
        ended = program.ended()
        for event in program.last_events() if ended else program.events():
            self._publisher.publish(event)
        if ended:
            self._diagnose(program)
            self._stop()

    def _diagnose(self, program: Program) -> None:
        """What the program did wrong: told, and noted in what is recorded."""
        for finding in diagnose(self._evidence):
            self._publisher.publish(program.diagnosis(finding))
            for said in told(finding):
                _say(said)

    def _stop(self) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _dim() -> bool:
    return os.isatty(2) and not os.environ.get("NO_COLOR")


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)

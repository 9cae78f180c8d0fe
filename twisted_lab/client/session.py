"""One run of the command: its parts put together on a reactor."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

from twisted_lab.addresses import show_pair
from twisted_lab.capturing import recorders
from twisted_lab.client.calling import Caller, Place, in_turns, of_family
from twisted_lab.client.console import Console
from twisted_lab.client.datagrams import NAME, DatagramTalk
from twisted_lab.client.options import ConnectOptions
from twisted_lab.client.streams import Attempt
from twisted_lab.client.talk import Talk
from twisted_lab.client.trust import Trust, is_address
from twisted_lab.client.verdict import Verdict
from twisted_lab.client.words import (
    LONGEST,
    Hex,
    Lines,
    Raw,
    Readable,
    ReadableDatagrams,
    Shown,
    Text,
    Typed,
    as_typed,
    from_hex,
    with_crlf,
)
from twisted_lab.datagram_socket import LARGEST, READ_SIZE
from twisted_lab.escaping import escape
from twisted_lab.events import CloseReason, Event, Note
from twisted_lab.layer import GRACE, Layer
from twisted_lab.publishing import Publisher
from twisted_lab.targets import look_up
from twisted_lab.telling import line


class Session:
    """One run of the command on *reactor*; *trust* verifies who answers over TLS."""

    def __init__(self, reactor: Any, options: ConnectOptions, trust: Trust | None) -> None:
        self._reactor = reactor
        self._options = options
        self._trust = trust
        self._publisher = Publisher()
        self._console = Console(reactor)
        self._layer: Layer | None = None
        self._caller: Caller | None = None
        self._datagrams: DatagramTalk | None = None
        self._interrupted = False
        self.verdict = Verdict()

    def run(self) -> int:
        """Until it is over; the exit status. Raises ConfigurationError for a file."""
        self._reactor.seconds = time.monotonic
        files = recorders(
            self._reactor, self._publisher, self._options["record"], self._options["pcapng"]
        )
        self._publisher.add(self.verdict, ("note", "closed"), detailed=False)
        if not self._options["quiet"]:
            self._publisher.add(self._show, detailed=False)
        self._reactor.callWhenRunning(self._begin)
        self._reactor.run(installSignalHandlers=False)
        for file in files.values():
            file.close()
        return self.verdict.status

    # -- what a person sees ------------------------------------------------------------------

    def _show(self, event: Event) -> None:
        said = line(event, secure=self._trust is not None)
        if said is not None:
            dim = os.isatty(2) and not os.environ.get("NO_COLOR")
            self._tell(f"\x1b[2m{said}\x1b[22m" if dim else said)

    def _tell(self, said: str) -> None:
        if not self._console.tell(said):
            print(said, file=sys.stderr, flush=True)

    def _note(self, kind: str, text: str) -> None:
        self._publisher.offer(Note, NAME, kind, text)

    def _unsent(self, sentence: str) -> None:
        """Some input was not sent: a person types it again, a script has to know."""
        with suppress(OSError):
            self._tell(f"socketlab connect: {sentence}")
        if not os.isatty(0):
            self.verdict.failed("not all of the input was sent")

    def _deaf(self) -> None:
        """stdout takes no more. A pipe's reader may go when it likes; a full disk is an error."""
        if not stat.S_ISFIFO(os.fstat(1).st_mode):
            self.verdict.failed("stdout takes no more: what came after is lost")

    def _shown(self) -> Shown:
        if self._options["hex"]:
            return Hex()
        if not os.isatty(1):
            return Raw()
        return ReadableDatagrams() if self._options.target.kind == "udp" else Readable()

    # -- the beginning -----------------------------------------------------------------------

    def _begin(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._heard)
        if self._options.target.kind == "unix":
            self._call([])
        else:
            look_up(self._reactor, self._options.target).addCallbacks(self._found, self._not_found)

    def _not_found(self, failure: Failure) -> None:
        if not self._interrupted:
            self._fail(str(failure.value))

    def _found(self, places: list[Place]) -> None:
        if self._interrupted:
            return
        target, source = self._options.target, self._options.source
        if not is_address(target.host):
            there_are = ", ".join(host for host, _ in places)
            self._note("lookup", f"{target.host} is {there_are}")
        if source is not None:
            places = of_family(places, source)
        if source is not None and not places:
            self._fail(f"it has no address of the family of --source {escape(source[0])}")
        elif target.kind == "udp":
            self._open_datagrams(places[0])
        else:
            self._call(in_turns(places))

    def _call(self, places: list[Place]) -> None:
        options, numbers, nobody = self._options, itertools.count(1), None
        self._layer = layer = Layer(
            NAME,
            nobody,  # type: ignore[arg-type]  # no listener, so no factory of protocols
            self._reactor,
            self._publisher,
            numbers.__next__,
            [_Unheard(self._stop)],
        )
        typed: Typed = Lines(from_hex, LONGEST) if options["hex"] else Text(options["crlf"])
        stays = options["stay"] or not os.isatty(0)
        talk = Talk(
            self._console, self._shown(), typed, stays, self._unsent, self._deaf, self._stop
        )
        kind = options.target.kind
        self._caller = Caller(
            self._reactor,
            options.target,
            places,
            lambda: Attempt(layer, talk, kind, self._trust),
            options.source,
            lambda said: self._note("connect", said),
            lambda why: self._fail(f"cannot connect: {why}"),
        )
        self._caller.call()

    def _open_datagrams(self, place: Place) -> None:
        options = self._options
        means = from_hex if options["hex"] else with_crlf if options["crlf"] else as_typed
        longest = LARGEST * (3 if options["hex"] else 1)  # two digits and a space each
        self.verdict.ended()
        self._datagrams = DatagramTalk(
            self._reactor,
            self._publisher,
            self._console,
            place,
            self._shown(),
            Lines(means, longest),
            self._unsent,
            self.verdict.failed,
            self._deaf,
            self._stop,
        )
        address, port = options.source or ("::" if ":" in place[0] else "", 0)
        try:
            self._reactor.listenUDP(port, self._datagrams, address, READ_SIZE)
        except Exception as error:
            self._datagrams = None
            why = getattr(error, "socketError", error)
            said = escape(str(getattr(why, "strerror", None) or why))
            self._fail(f"cannot send from {escape(show_pair(address, port))}: {said}")

    # -- the end -----------------------------------------------------------------------------

    def _fail(self, sentence: str) -> None:
        self.verdict.failed(sentence)
        self._stop()

    def _heard(self, number: int, _: object) -> None:
        self._reactor.callFromThread(self._interrupt, number)

    def _interrupt(self, number: int) -> None:
        """End in order; at once when asked again, or when that takes too long."""
        self.verdict.interrupted(number)
        again, self._interrupted = self._interrupted, True
        if self._caller is not None:
            self._caller.stop()
        streams = tuple(self._layer.streams) if self._layer is not None else ()
        if again or not (streams or self._datagrams):
            self._stop()
            return
        self._reactor.callLater(GRACE, self._stop)
        for stream in streams:
            stream.end(CloseReason.LOCAL)
        if self._datagrams is not None:
            self._datagrams.stop()

    def _stop(self) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()


class _Unheard:
    """A policy that calls *stop* at the end of a stream whose protocol never heard of it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def closed(self, stream: Any) -> None:
        """It is gone: TLS may not have come up."""
        if not stream.established:
            self._stop()

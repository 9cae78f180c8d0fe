"""The command ``socketlab connect``: its options, and its parts put together."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from twisted.python import usage

from twisted_lab import __version__
from twisted_lab.addresses import host
from twisted_lab.client.target import Target, addresses, parse_target
from twisted_lab.client.telling import line, tell
from twisted_lab.client.words import Hex, Readable, Shown, Typed, raw
from twisted_lab.errors import ConfigurationError, SocketlabError
from twisted_lab.escaping import escape
from twisted_lab.events import Closed, CloseReason, Event, Note
from twisted_lab.publishing import Publisher

#: What a person's shell calls a program that SIGINT ended.
INTERRUPTED = 128 + signal.SIGINT

#: The ends that are in order.
_IN_ORDER = frozenset({CloseReason.PEER_FIN, CloseReason.LOCAL, CloseReason.ABORTED})


class ConnectOptions(usage.Options):
    """What ``socketlab connect`` takes."""

    synopsis = "Usage: socketlab connect ENDPOINT [options]"
    longdesc = (
        "ENDPOINT is a port on this machine, HOST:PORT, tcp:HOST:PORT, tls:HOST:PORT, "
        "udp:HOST:PORT or unix:/path. What you type is sent line by line; Ctrl-D sends FIN."
    )
    optFlags = [  # noqa: RUF012
        ["hex", None, "show and type bytes as hex"],
        ["crlf", None, "end each line with CR LF"],
        ["tls", None, "speak TLS; the same as tls:HOST:PORT"],
        ["insecure", None, "take any certificate"],
        ["stay", None, "go on sending after the peer's FIN"],
        ["quiet", None, "show no events"],
    ]
    optParameters = [  # noqa: RUF012
        ["cafile", None, None, "trust the certificates in this PEM file, not the system's"],
        ["sni", None, None, "the name to ask for and to verify, if not the host's"],
        ["source", None, None, "our own address, as ADDRESS or ADDRESS:PORT"],
        ["record", None, None, "write every event to this file as JSON lines"],
        ["pcapng", None, None, "write packets drawn from them to this file"],
    ]
    target: Target
    source: tuple[str, int] | None = None

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """The endpoint may stand before or after the options."""
        words = list(options or ())
        if words and not words[0].startswith("-"):
            words.append(words.pop(0))
        super().parseOptions(words)

    def opt_version(self) -> None:
        """Say the version of socketlab."""
        print(f"socketlab {__version__}")
        raise SystemExit(0)

    def parseArgs(self, *words: str) -> None:
        """One endpoint."""
        if len(words) != 1:
            said = f"one endpoint, not {len(words)}" if words else "the endpoint to connect to"
            raise usage.UsageError(f"expected {said}")
        try:
            self.target = parse_target(words[0])
        except SocketlabError as error:
            raise usage.UsageError(str(error)) from None

    def postOptions(self) -> None:
        """What does not go together is said now."""
        kind = self.target.kind
        if self["tls"] and kind == "tcp":
            self.target = Target("tls", self.target.hosts, self.target.port)
        elif self["tls"] and kind != "tls":
            raise usage.UsageError(f"--tls: there is no TLS over {kind} here")
        for name in ("insecure", "cafile", "sni"):
            if self[name] and self.target.kind != "tls":
                raise usage.UsageError(f"--{name} is for TLS: say --tls or tls:HOST:PORT")
        if self["source"] is not None:
            self.source = _source(self["source"], kind)


def _source(text: str, kind: str) -> tuple[str, int]:
    if kind == "unix":
        raise usage.UsageError(f"--source '{escape(text)}': a UNIX socket has none")
    address, port = text, "0"
    if text.count(":") == 1 or text.startswith("["):
        address, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "0")
    address = address.strip("[]")
    try:
        host(address)
        number = int(port) if port.isascii() and port.isdecimal() else -1
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise usage.UsageError(f"--source '{escape(text)}': expected ADDRESS or ADDRESS:PORT")
    return address, number


def connect(arguments: Sequence[str], install: Callable[[], object]) -> int:
    """Run ``socketlab connect``; *install* installs a reactor. The exit status.

    0: the talk ended in order; 1: no connection, or it was reset; 2: wrong usage.
    """
    options = ConnectOptions()
    try:
        options.parseOptions(arguments)
        places = [] if options.target.kind == "unix" else addresses(options.target)
        tls = _verifier(options)
    except usage.UsageError as error:
        return _complain(str(error), 2)
    except SocketlabError as error:
        return _complain(str(error), 1)
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    install()
    from twisted.internet import reactor

    return Session(reactor, options, places, tls).run()


def _complain(sentence: str, status: int) -> int:
    print(f"socketlab connect: {sentence}", file=sys.stderr)
    return status


def _verifier(options: ConnectOptions) -> Any:
    """What begins TLS and verifies the other end; None without TLS."""
    if options.target.kind != "tls":
        return None
    from twisted_lab.client.trust import Unverified, verifying

    name = options["sni"] or options.target.host
    if options["insecure"]:
        return Unverified(name)
    return verifying(name, options["cafile"])


class Session:
    """One run of the command on *reactor*."""

    def __init__(
        self, reactor: Any, options: ConnectOptions, places: list[tuple[str, int]], tls: Any
    ) -> None:
        self._reactor = reactor
        self._options = options
        self._places = places
        self._tls = tls
        self._publisher = Publisher()
        self._recorders: list[Any] = []
        self._status = 1
        self._was_reset = False
        self._talk: Any = None

    def run(self) -> int:
        """Until it is over; the exit status."""
        self._reactor.seconds = time.monotonic
        try:
            self._observe()
        except ConfigurationError as error:
            return _complain(str(error), 1)
        self._reactor.callWhenRunning(self._begin)
        self._reactor.run(installSignalHandlers=False)
        for recorder in self._recorders:
            recorder.close()
        return self._status

    def _observe(self) -> None:
        from twisted_lab.capturing import PcapngForm
        from twisted_lab.recording import JsonLines, Recorder

        publisher, reactor = self._publisher, self._reactor
        forms = {
            "record": JsonLines(publisher),
            "pcapng": PcapngForm(time.time_ns() - publisher.now()),
        }
        for name, form in forms.items():
            if self._options[name] is not None:
                recorder = Recorder(self._options[name], reactor, publisher, form)  # type: ignore[arg-type]
                self._recorders.append(recorder)
                publisher.add(recorder)
        publisher.add(self._judge, ("closed", "note"), detailed=False)
        if not self._options["quiet"]:
            publisher.add(_show, detailed=False)

    def _judge(self, event: Event) -> None:
        """Whether it ended in order; what did not is said, even if no events are."""
        if isinstance(event, Note):
            self._was_reset |= event.kind == "reset"
            bad = event.kind == "reset"
        else:
            assert isinstance(event, Closed)
            bad = event.reason not in _IN_ORDER
            if not (bad or self._was_reset) and self._status == 1:
                self._status = 0
        if bad and self._options["quiet"]:
            _say(f"{self._options.target}: {tell(event)}")

    def _begin(self) -> None:
        signal.signal(signal.SIGINT, lambda *_: self._reactor.callFromThread(self._interrupted))
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._interrupted))
        if self._options.target.kind == "udp":
            self._begin_datagrams()
        else:
            self._begin_stream()

    def _begin_stream(self) -> None:
        from twisted_lab.client.calling import Caller
        from twisted_lab.client.streams import ClientFactory
        from twisted_lab.client.talk import Talk
        from twisted_lab.layer import Layer

        options, numbers = self._options, itertools.count(1)
        typed = Typed(options["crlf"], options["hex"])
        self._talk = Talk(self._reactor, self._shown(), typed, _say, options["stay"], self._stop)
        nobody: Any = None  # no listener has it
        policies = [_Unheard(self._stop)]
        layer = Layer(
            "connect", nobody, self._reactor, self._publisher, lambda: next(numbers), policies
        )
        factory = ClientFactory(layer, self._talk, options.target.kind, self._tls)
        caller = Caller(
            self._reactor, options.target, self._places, factory, options.source, _say, self._stop
        )
        caller.call()

    def _begin_datagrams(self) -> None:
        from twisted_lab.client.datagrams import DatagramTalk

        place = self._places[0]
        self._status = 0

        def refused() -> None:
            self._status = 1
            _say(f"{self._options.target}: nobody listens there (ICMP port unreachable)")

        talk = DatagramTalk(
            self._reactor, self._publisher, place, self._shown(), refused, self._stop
        )
        self._talk = talk
        interface, port = self._options.source or ("::" if ":" in place[0] else "", 0)
        try:
            self._reactor.listenUDP(port, talk, interface)
        except Exception as error:
            self._status = 1
            _say(f"cannot send from {escape(interface)}: {escape(str(error))}")
            self._stop()

    def _shown(self) -> Shown:
        if self._options["hex"]:
            return Hex()
        return Readable() if os.isatty(1) else raw

    def _interrupted(self) -> None:
        self._status = INTERRUPTED
        if getattr(self._talk, "transport", None) is None:
            self._stop()
        else:
            self._talk.stop()

    def _stop(self) -> None:
        with suppress(Exception):  # it has stopped
            self._reactor.stop()


class _Unheard:
    """A policy that calls *stop* at the end of a stream whose protocol never heard of it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def closed(self, stream: Any) -> None:
        """It is gone: TLS may not have come up."""
        if not stream.established:
            self._stop()


def _show(event: Event) -> None:
    said = line(event)
    if said is not None:
        dim = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        print(f"\x1b[2m{said}\x1b[22m" if dim else said, file=sys.stderr, flush=True)


def _say(sentence: str) -> None:
    print(f"socketlab connect: {sentence}", file=sys.stderr, flush=True)

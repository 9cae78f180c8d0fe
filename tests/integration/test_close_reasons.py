"""1,000 connections whose endings we know, each recorded with the right reason and once."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import PATIENCE, TWISTD, Child
from tests.integration.recorded import RECORDING, ends
from tests.integration.roads import FOUR_ROADS, ROADS, Client, client_context, connect, open_socket

_PLAIN = ("tcp4", "tcp6", "unix")
_TCP = ("tcp4", "tcp6")
_OVER_TCP = (*_TCP, "tls")

Later = Callable[[], object]


@dataclass(frozen=True)
class Ending:
    """One way to end: what the client does, and what must be recorded of it.

    *act* may return what is to be done once all others have begun. None for bytes: not known.
    *bare*: no TLS handshake, whatever the road.
    """

    name: str
    act: Callable[[Client], Later | None]
    reason: str
    bytes_in: int | None
    bytes_out: int | None
    roads: tuple[str, ...] = ROADS
    times: int = 10
    bare: bool = False

    @property
    def count(self) -> int:
        return len(self.roads) * self.times

    def wrong(self, closed: dict[str, Any]) -> str:
        """What is not as it should be in *closed*; empty when all is."""
        seen = closed["reason"], closed["bytes_in"], closed["bytes_out"]
        known = self.reason, self.bytes_in, self.bytes_out
        right = all(k in (None, s) for k, s in zip(known, seen, strict=True))
        return "" if right else f"{self.name}: {seen}, {closed['detail']!r}"


def _hello(client: Client) -> None:
    client.send(b"hello\n")
    if client.receive_exactly(6) != b"hello\n":
        raise AssertionError(f"{client.name} was not answered")


def _say(text: bytes, answer: bytes = b"") -> Callable[[Client], None]:
    """Say hello, then *text*; hear *answer* and the end."""

    def act(client: Client) -> None:
        _hello(client)
        client.send(text)
        said = client.receive_all()
        if said != answer:
            raise AssertionError(f"{client.name} heard {said!r}")

    return act


def _half_close(client: Client) -> None:
    client.finish(b"hello\n" * 100)
    if client.receive_all() != b"hello\n" * 100:
        raise AssertionError(f"{client.name} was not answered in full")


def _unfinished_line(client: Client) -> None:
    client.finish(b"hel")
    if client.receive_all() != b"hel":
        raise AssertionError(f"{client.name} was not answered in full")


def _rst(client: Client) -> None:
    _hello(client)
    client.reset()


def _close_unread(client: Client) -> None:
    """Close with the answer unread: the kernel makes it an RST."""
    client.send(b"hello\n")
    select.select([client.socket], [], [], PATIENCE)


def _ask_for_reset(client: Client) -> Later:
    def expect_rst() -> None:
        try:
            client.receive_all()
        except ConnectionResetError:
            return
        if client.socket.family != socket.AF_UNIX:  # where there is no RST
            raise AssertionError(f"{client.name} saw FIN, not RST")

    _hello(client)
    client.send(b"/reset\n")
    return expect_rst


def _truncate(client: Client) -> None:
    _hello(client)
    client.socket.shutdown(socket.SHUT_WR)
    client.receive_all()


def _garbage(client: Client) -> None:
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        client.receive_all()


def _too_much(client: Client) -> None:
    # In pieces: what TLS answers exactly is what came in records that ended below the limit.
    for _ in range(15):
        client.send(b"x" * 1000)
    if client.receive_all() != b"x" * 10_000:
        raise AssertionError(f"{client.name} did not get what the limit allows")


def _wait_for_end(client: Client) -> Later:
    _hello(client)
    return client.receive_all


def _busy_until_end(client: Client) -> Later:
    """Be as busy as can be until the end."""

    def keep_busy() -> None:
        with contextlib.suppress(ConnectionError):
            while client.receive():
                client.send(b"hello\n")

    client.send(b"hello\n")
    return keep_busy


def _unfinished_until_end(client: Client) -> Later:
    client.send(b"hel")
    return client.receive_all


def _nothing_until_end(client: Client) -> Later:
    return client.receive_all


def _gone(client: Client) -> None:
    """Return when the connection is no more, without reading."""
    poll = select.poll()
    poll.register(client.socket, 0)
    if not poll.poll(PATIENCE * 1000):
        raise AssertionError(f"{client.name} is still connected")


def _ask_much(client: Client) -> Later:
    """Ask for more than the kernel holds, and never read."""
    client.send(b"/bytes 1048576\n" * 16)
    return lambda: _gone(client)


def _ask_much_and_finish(client: Client) -> Later:
    client.finish(b"/bytes 1048576\n" * 16)
    return lambda: _gone(client)


#: What a person is told before the end.
_IDLE = b"idle for 2 s, closing\r\n"
_TOO_LONG = b"line too long (limit 16384)\n"

#: Endings that need no time of their own.
QUICK = (
    Ending("FIN behind the data", _half_close, "peer-fin", 600, 600, times=35),
    Ending("FIN in a line", _unfinished_line, "peer-fin", 3, 3, times=15),
    Ending("closed by the client", _hello, "peer-fin", 6, 6, _PLAIN, times=25),
    Ending("RST", _rst, "reset", 6, 6, _OVER_TCP, times=20),
    Ending("RST at once", Client.reset, "reset", 0, 0, _TCP, times=20),
    Ending("closed unread", _close_unread, "reset", 6, 6, _PLAIN, times=20),
    Ending("/close", _say(b"/close\n"), "local", 13, 6, times=15),
    Ending("/quit", _say(b"/quit\n", b"bye\n"), "local", 12, 10, times=15),
    Ending("/half-close", _say(b"/half-close\n"), "local", 18, 6),
    Ending("/reset", _ask_for_reset, "aborted", 13, 6, times=15),
    Ending("too long", _say(b"x" * 16385, _TOO_LONG), "limit", 16391, 6 + len(_TOO_LONG), times=15),
    Ending("no close_notify", _truncate, "truncated", 6, 6, ("tls",), times=30),
    Ending("no TLS", _garbage, "handshake", 0, 0, ("tls",), times=30, bare=True),
    Ending("no TLS, FIN", Client.finish, "handshake", 0, 0, ("tls",), bare=True),
    Ending("no TLS, RST", Client.reset, "handshake", 0, 0, ("tls",), bare=True),
)
DRAINED = (Ending("drain", _wait_for_end, "drain", 6, 6, times=15),)
MAX_BYTES = (Ending("--max-bytes", _too_much, "limit", 15_000, 10_000),)
TIMED = (
    Ending("idle", _wait_for_end, "idle", 6, 6 + len(_IDLE), times=8),
    # Told that the line was not finished, or that it was idle: both are true at once.
    Ending("unfinished line", _unfinished_until_end, "idle", 3, None, times=4),
    Ending("never reads", _ask_much, "stalled", 240, None, times=4),
    # We do not read while we cannot write, so never see this FIN.
    Ending("never reads, FIN", _ask_much_and_finish, "stalled", 240, None, _PLAIN, times=2),
    Ending("silent", _nothing_until_end, "handshake", 0, 0, ("tls",), times=8, bare=True),
)
LIFETIME = (
    Ending("lifetime", _wait_for_end, "lifetime", 6, 6, times=3),
    Ending("lifetime, busy", _busy_until_end, "lifetime", None, None, times=2),
)
EXCEPTION = (Ending("exception", _nothing_until_end, "error", 0, 0, ("tcp4",), times=7),)

#: Starts a child whose echo raises as soon as it is connected: no service of ours is known to.
_RAISING = (
    sys.executable,
    "-c",
    "from twisted_lab.protocols.echo import Echo; "
    "Echo.connectionMade = lambda self: 1 / 0; "
    "import sys; from twisted.scripts.twistd import run; sys.exit(run())",
    *TWISTD[3:],
    *("--logfile=twistd.log", "socketlab"),
)


class Script:
    """Connections to *child* that end as told, and what of it was not recorded as it should be."""

    def __init__(self, child: Child, service: str) -> None:
        self._child = child
        self._service = service
        self._context = client_context()
        self._expected: dict[tuple[str, str], list[Ending]] = defaultdict(list)
        self._left: list[Later] = []
        self._clients = contextlib.ExitStack()

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *error: object) -> None:
        self._clients.close()

    def begin(self, endings: Iterable[Ending]) -> None:
        """Let every connection of *endings* begin; those that need no time end, too."""
        for ending in endings:
            for road in ending.roads:
                for _ in range(ending.times):
                    self._begin(ending, road)

    def _begin(self, ending: Ending, road: str) -> None:
        if ending.bare:
            client = Client(open_socket(self._child, self._service, road))
        else:
            # A small buffer, so that one who never reads is soon known for it.
            client = connect(self._child, self._service, road, self._context, receive_buffer=4096)
        self._clients.callback(client.close)
        self._expected[client.pair].append(ending)
        later = ending.act(client)
        if later is None:
            client.close()
        else:
            self._left.append(later)

    def finish(self) -> None:
        """Wait for the end of every connection that has not ended yet."""
        for later in self._left:
            later()
        self._clients.close()

    def wrong(self) -> str:
        """What the recording of the child, which has ended, says otherwise, a line each."""
        seen = defaultdict(list)
        for closed in ends(self._child):
            seen[closed["peer"], closed["local"]].append(closed)
        # Two ports may be connected twice, one after the other.
        assert {pair: len(one) for pair, one in seen.items()} == {
            pair: len(one) for pair, one in self._expected.items()
        }, "others were recorded than connected"
        return "\n".join(
            f"{pair} {wrong}"
            for pair, endings in self._expected.items()
            for ending, closed in zip(endings, seen[pair], strict=True)
            if (wrong := ending.wrong(closed))
        )


class CloseReasonTests(SynchronousTestCase):
    """The reason names who ended first; the totals are right; every accepted one closes once."""

    def _check(self, endings: Iterable[Ending], service: str, *options: str, **how: Any) -> None:
        with (
            Child(service, *FOUR_ROADS, *RECORDING, *options, **how) as child,
            Script(child, service) as script,
        ):
            script.begin(endings)
            script.finish()
            self.assertEqual(child.stop(), 0)
            self.assertEqual(script.wrong(), "")

    def test_thousand(self) -> None:
        """The tests of this class script a thousand connections."""
        scripted = (*QUICK, *DRAINED, *MAX_BYTES, *TIMED, *LIFETIME, *EXCEPTION)
        self.assertEqual(sum(ending.count for ending in scripted), 1000)

    def test_quick_endings_and_drain(self) -> None:
        """FIN, RST, what a line asks for, broken TLS; at last SIGTERM ends those still open."""
        with (
            Child("line", *FOUR_ROADS, *RECORDING) as child,
            Script(child, "line") as script,
        ):
            script.begin(QUICK)
            script.begin(DRAINED)
            child.send_signal(signal.SIGTERM)
            script.finish()
            self.assertEqual(child.wait(), 0)
            self.assertEqual(script.wrong(), "")

    def test_max_bytes(self) -> None:
        """A connection that sends more than --max-bytes ends with "limit"."""
        self._check(MAX_BYTES, "echo", "--max-bytes", "10000")

    def test_timed_endings(self) -> None:
        """Idle, a line not finished, a peer that never reads, a handshake that never begins."""
        self._check(TIMED, "line", "--idle-timeout", "2s", "--handshake-timeout", "1s")

    def test_lifetime(self) -> None:
        """A connection is over after --lifetime, idle or busy."""
        self._check(LIFETIME, "echo", "--lifetime", "2s")

    def test_exception(self) -> None:
        """A protocol that raises ends its connection with "error"."""
        self._check(EXCEPTION, "echo", started_by=_RAISING)

"""The gates and limits on every road: TCP over IPv4 and IPv6, UNIX, and TLS."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.peers import ROUNDS, p99
from tests.integration.recorded import RECORDING, recorded
from tests.integration.roads import FOUR_ROADS, ROADS, Client, client_context, connect, open_socket

#: Bytes a second for the greedy, and seconds one is measured.
_RATE = 100_000
_MEASURED = 2.5


def _let_in(child: Child, service: str, road: str, source: str | None = None) -> Client:
    """A client that was let in: it has been answered. :class:`ConnectionError` if it was not."""
    client = connect(child, service, road, source=source)
    try:
        client.send(b"hello\n")
        if client.receive_exactly(6) != b"hello\n":
            raise ConnectionError("turned away")
    except BaseException:
        client.close()
        raise
    return client


def _let_in_soon(child: Child, service: str, road: str, source: str | None = None) -> Client:
    """The same, once the server has seen that another left, or enough time is over."""
    let_in: list[Client] = []

    def attempt() -> bool:
        with contextlib.suppress(ConnectionError):
            let_in.append(_let_in(child, service, road, source))
        return bool(let_in)

    wait_for(attempt)
    return let_in[0]


@functools.cache
def _client_hello() -> bytes:
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        client_context().wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


def _heard(child: Child, service: str, road: str, source: str | None = None) -> tuple[str, bytes]:
    """Who connects and waits: its name, and every byte it is sent. On TLS it says hello first."""
    with open_socket(child, service, road, source) as sock:
        client = Client(sock)
        said = b""
        with contextlib.suppress(ConnectionError):
            if road == "tls":
                client.send(_client_hello())
            while piece := sock.recv(2**16):
                said += piece
        return client.name, said


class GateTests(SynchronousTestCase):
    """Who is turned away hears why on a plain line service, and not a byte anywhere else."""

    def _turn_away(
        self, child: Child, service: str, road: str, why: str, source: str | None = None
    ) -> str:
        """Check that one more is turned away, and what it hears; its name."""
        name, said = _heard(child, service, road, source)
        expected = f"{why}\r\n" if service == "line" and road != "tls" else ""
        self.assertEqual(said.decode(), expected, f"{service} {road}")
        return name

    def _check_refused(self, child: Child, gate: str, names: list[str]) -> None:
        """Stop *child*; each of *names* was refused once, by *gate*, and nobody by another."""
        self.assertEqual(child.stop(), 0)
        refused = recorded(child, "refused")
        self.assertEqual({event["reason"] for event in refused}, {gate})
        seen = Counter(event["peer"] for event in refused)
        self.assertEqual([seen[name] for name in names], [1] * len(names))

    def _check_max_per_peer(self, service: str) -> None:
        peer = {"tcp4": "127.0.0.1", "tcp6": "::/64", "unix": "unix", "tls": "127.0.0.1"}
        options = *FOUR_ROADS, *RECORDING, "--max-per-peer", "2"
        with Child(service, *options) as child, contextlib.ExitStack() as stack:
            names = []
            for road in ROADS:
                first, second = (_let_in_soon(child, service, road) for _ in range(2))
                stack.callback(second.close)
                why = f"too many connections from {peer[road]} (limit 2)"
                names.append(self._turn_away(child, service, road, why))
                first.close()
                _let_in_soon(child, service, road).close()
                second.close()
            self._check_refused(child, "max-per-peer", names)

    def test_max_per_peer_of_line(self) -> None:
        """A peer's third connection is turned away at --max-per-peer 2, until another leaves."""
        self._check_max_per_peer("line")

    def test_max_per_peer_of_echo(self) -> None:
        """The same on a service that does not speak in lines."""
        self._check_max_per_peer("echo")

    def test_max_per_peer_counts_each_peer(self) -> None:
        """A peer at its limit leaves room for another."""
        with Child("echo", *FOUR_ROADS, "--max-per-peer", "1") as child:
            for road in ("tcp4", "tls"):
                first = _let_in_soon(child, "echo", road, "127.0.0.1")
                second = _let_in_soon(child, "echo", road, "127.0.0.2")
                first.close()
                second.close()

    def test_max_connections(self) -> None:
        """Over --max-connections nobody is let in, and no TLS handshake completes."""
        options = *FOUR_ROADS, *RECORDING, "--max-connections", "2"
        with Child("line", *options) as child, contextlib.ExitStack() as stack:
            # The total is of all roads together.
            for road in ("tcp6", "tls"):
                stack.callback(_let_in(child, "line", road).close)
            why = "too many connections (limit 2)"
            names = [self._turn_away(child, "line", road, why) for road in ROADS]
            stack.close()
            for road in ROADS:
                _let_in_soon(child, "line", road).close()
            self._check_refused(child, "max-connections", names)
            # Those let in, and no other, shook hands.
            self.assertEqual([event.get("error") for event in recorded(child, "tls")], [None, None])

    def test_allow_and_deny(self) -> None:
        """--deny wins over --allow; who is in neither may not where there is an --allow."""
        options = "--allow", "127.0.0.0/8", "--deny", "127.0.0.2"
        with Child("line", *FOUR_ROADS, *RECORDING, *options) as child:
            for road, source in (("tcp4", "127.0.0.1"), ("tls", "127.0.0.3"), ("unix", None)):
                _let_in(child, "line", road, source).close()
            names = []
            for road, source in (("tcp4", "127.0.0.2"), ("tls", "127.0.0.2"), ("tcp6", "::1")):
                why = f"connections from {source} are not allowed here"
                names.append(self._turn_away(child, "line", road, why, source))
            self._check_refused(child, "access", names)

    def test_accept_rate(self) -> None:
        """--accept-rate 5/s lets ten in at once and then five a second, each peer by itself."""
        with Child("echo", *FOUR_ROADS, *RECORDING, "--accept-rate", "5/s") as child:
            turned_away = 0
            for road, source in (*((r, None) for r in ROADS[:3]), ("tls", "127.0.0.2")):
                began = time.monotonic()
                let_in = 0
                for _ in range(20):
                    with contextlib.suppress(ConnectionError):
                        _let_in(child, "echo", road, source).close()
                        let_in += 1
                took = time.monotonic() - began
                self.assertGreaterEqual(let_in, 10, road)
                self.assertLess(let_in, 10 + 5 * took + 1, road)
                turned_away += 20 - let_in
                _let_in_soon(child, "echo", road, source).close()
            self.assertEqual(child.stop(), 0)
            refused = recorded(child, "refused")
            self.assertEqual({event["reason"] for event in refused}, {"accept-rate"})
            self.assertGreaterEqual(len(refused), turned_away)


class VolumeTests(SynchronousTestCase):
    """How much and how fast."""

    def test_max_bytes_received(self) -> None:
        """--max-bytes bytes are answered, not one more, and the connection ends in order."""
        with Child("echo", *FOUR_ROADS, "--max-bytes", "1000") as child:
            for road in ROADS:
                with contextlib.closing(connect(child, "echo", road)) as client:
                    for number in range(15):
                        client.send(b"%100d" % number)
                    expected = b"".join(b"%100d" % number for number in range(10))
                    self.assertEqual(client.receive_all(), expected, road)
                    self.assertTrue(client.ended_well)

    def test_max_bytes_sent(self) -> None:
        """A connection that was sent more than --max-bytes is ended behind the answer."""
        with Child("line", *FOUR_ROADS, "--max-bytes", "1000") as child:
            for road in ROADS:
                with contextlib.closing(connect(child, "line", road)) as client:
                    client.send(b"/bytes 1200\n")
                    self.assertEqual(len(client.receive_all()), 1201, road)
                    self.assertTrue(client.ended_well)

    def test_throughput(self) -> None:
        """A greedy client gets --throughput within a tenth; a quiet one does not feel it."""
        with Child("echo", *FOUR_ROADS, "--throughput", "100kB/s") as child:
            for _ in range(ROUNDS):
                rates, waits = _greedy_beside_quiet(child)
                if max(waits.values()) < 0.05:
                    break
            self.assertLess(max(waits.values()), 0.05, waits)
            for road, rate in rates.items():
                self.assertLess(abs(rate - _RATE) / _RATE, 0.1, f"{road}: {rate:.0f} B/s")


def _greedy_beside_quiet(child: Child) -> tuple[dict[str, float], dict[str, float]]:
    """By road, the rate of a greedy client, and the p99 of a quiet one's round trips."""
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2 * len(ROADS)))
        rates, waits = {}, {}
        for road in ROADS:
            greedy, quiet = connect(child, "echo", road), connect(child, "echo", road)
            stack.callback(greedy.close)
            stack.callback(quiet.close)
            rates[road] = pool.submit(_rate_of_greedy, greedy)
            waits[road] = pool.submit(_p99_of_quiet, quiet)
        return (
            {road: rate.result() for road, rate in rates.items()},
            {road: wait.result() for road, wait in waits.items()},
        )


def _rate_of_greedy(client: Client) -> float:
    """Send all that is taken; how fast it comes back, in bytes a second."""
    # Encoded before: OpenSSL is not to be used by two threads at once.
    wire = client.encode(bytes(20 * _RATE))

    def send() -> None:
        with contextlib.suppress(OSError):
            client.socket.sendall(wire)

    sender = threading.Thread(target=send)
    sender.start()
    client.receive()
    began = last = time.monotonic()
    came = 0
    while last < began + _MEASURED:
        came += len(client.receive())
        last = time.monotonic()
    client.socket.shutdown(socket.SHUT_RDWR)
    sender.join()
    return came / (last - began)


def _p99_of_quiet(client: Client) -> float:
    """Fifty small round trips a second: what the slowest but one in a hundred took, in seconds."""
    took = []
    until = time.monotonic() + _MEASURED
    while time.monotonic() < until:
        began = time.perf_counter()
        client.send(b"quiet\n")
        client.receive_exactly(6)
        took.append(time.perf_counter() - began)
        time.sleep(0.02)
    return p99(took)

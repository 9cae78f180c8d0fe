"""PROXY headers over real sockets: nothing is lost, the client is believed, every end is seen."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.half_close import Exchange, payload, run
from tests.integration.peers import read_to_end, reset, seconds_until_end, send_and_fin
from tests.integration.recorded import RECORDING, ends, recorded
from tests.integration.roads import (
    FOUR_PROXIED_ROADS,
    ROADS,
    Client,
    SecureClient,
    client_context,
    open_socket,
)
from tests.transports.proxy_headers import AUTHORITY, inet, line, tlv, unix

CLIENT = "192.0.2.7:56324"
HEADERS = {
    "tcp4": line(),
    "tcp6": line("2001:db8::7", "2001:db8::1"),
    "unix": unix(b"/run/client", b"/run/server"),
    "tls": inet(tlv(AUTHORITY, b"bench.example")),
}
NAMES = {"tcp4": CLIENT, "tcp6": "[2001:db8::7]:56324", "unix": "unix:/run/client", "tls": CLIENT}

#: Bytes, and how many connections with so many at once.
SIZES = {0: 10, 1: 10, 2**16: 50, 2**20: 3}


def begin(child: Child, service: str, road: str, header: bytes) -> tuple[Client, bytes]:
    """A client on *road*, and what is still to be sent: the header, or TLS's last flight."""
    sock = open_socket(child, service, road, proxied=True)
    if road != "tls":
        return Client(sock), header
    client = SecureClient(sock, client_context())
    try:
        return client, client.shake_hands(before=header)
    except BaseException:
        sock.close()
        raise


class ProxiedCase(SynchronousTestCase):
    def serve(self, *arguments: str) -> Child:
        """A child that expects headers on TCP, unless told otherwise, and records."""
        listen = () if "--listen" in arguments else ("--listen", "haproxy:tcp:0")
        child = Child(*arguments, *listen, *RECORDING).__enter__()
        self.addCleanup(child.__exit__)
        return child

    def connect(self, child: Child, data: bytes = b"", service: str = "echo") -> socket.socket:
        """A connection over IPv4 that sent *data*."""
        sock = open_socket(child, service, "tcp4", proxied=True)
        self.addCleanup(sock.close)
        sock.sendall(data)
        return sock

    def refusals(self, child: Child, count: int) -> list[dict[str, Any]]:
        """The *count* refused events, once they are recorded; then the child has stopped."""
        self.assertEqual(child.stop(), 0)
        seen = recorded(child, "refused")
        self.assertEqual(len(seen), count, seen)
        self.assertNotIn("Traceback", child.log_text)
        return seen


class HalfCloseTests(ProxiedCase):
    def test_in_one_go(self) -> None:
        """Header, data and FIN without a gap: all comes back, on every road, at every size."""
        # The default limits of a peer act on 192.0.2.7, from which all of them come.
        limits = ("--max-per-peer", "1000", "--accept-rate", "100000/s")
        child = self.serve("echo", *FOUR_PROXIED_ROADS, *limits)
        faults = {}
        for road in ROADS:
            for size, times in SIZES.items():
                begun = [begin(child, "echo", road, HEADERS[road]) for _ in range(times)]
                for client, _ in begun:
                    self.addCleanup(client.close)
                exchanges = [Exchange(one, payload("echo", size), first) for one, first in begun]
                run(exchanges)
                found = Counter(one.fault() for one in exchanges)
                if set(found) != {""}:
                    faults[road, size] = found
        self.assertEqual(faults, {})
        self.assertEqual(child.stop(), 0)
        seen = Counter((end["peer"], end["reason"], end["bytes_in"]) for end in ends(child))
        expected: Counter[tuple[str, str, int]] = Counter()
        for road in ROADS:
            expected.update({(NAMES[road], "peer-fin", size): n for size, n in SIZES.items()})
        self.assertEqual(seen, expected)
        self.assertEqual(recorded(child, "refused"), [])

    def test_in_one_segment(self) -> None:
        """The same, where the kernel sends header, data and FIN as one segment."""
        child = self.serve("echo")
        for size in (0, 1, 1000):
            data = payload("echo", size)
            for _ in range(20):
                sock = self.connect(child)
                send_and_fin(sock, line() + data, one_segment=True)
                self.assertEqual(read_to_end(sock), data)

    def test_byte_by_byte(self) -> None:
        """A header that comes a byte at a time is a header."""
        child = self.serve("echo")
        for header in (line(), inet(tlv(AUTHORITY, b"a"))):
            sock = self.connect(child)
            for byte in header + b"hello":
                sock.sendall(bytes([byte]))
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(sock), b"hello")

    def test_line_first(self) -> None:
        """A line service behind a balancer says who the client is, and through whom."""
        child = self.serve("line")
        sock = self.connect(child, service="line")
        send_and_fin(sock, line() + b"/who\r\n")
        balancer = "{}:{}".format(*sock.getsockname())
        said = read_to_end(sock).decode()
        self.assertIn(f"you are {CLIENT}, ", said)
        self.assertIn(f"on 198.51.100.1:443 over tcp through {balancer}\r\n", said)


class AddressTests(ProxiedCase):
    def test_each_road(self) -> None:
        """The info service tells the client what the header said of it."""
        child = self.serve("info", *FOUR_PROXIED_ROADS)
        for road in ROADS:
            client, first = begin(child, "info", road, HEADERS[road])
            self.addCleanup(client.close)
            client.socket.sendall(first)
            said = json.loads(client.receive_all())
            self.assertEqual((said["peer"], said["transport"]), (NAMES[road], road.rstrip("46")))
            self.assertEqual(said["proxy"]["source"], NAMES[road])
            self.assertEqual(said["proxy"]["destination"], said["local"])
            self.assertEqual(said["proxy"]["balancer"], client.name)
            if road == "tls":
                self.assertEqual(said["proxy"]["tlvs"], {"authority": "bench.example"})
        self.assertEqual(child.stop(), 0)
        accepted = recorded(child, "accepted")
        self.assertEqual([event["peer"] for event in accepted], [NAMES[road] for road in ROADS])
        self.assertTrue(all(event["proxy"] for event in accepted))

    def test_unknown(self) -> None:
        """With UNKNOWN the connection's own addresses count."""
        child = self.serve("info")
        sock = self.connect(child, b"PROXY UNKNOWN\r\n", "info")
        said = json.loads(read_to_end(sock))
        self.assertEqual(said["peer"], "{}:{}".format(*sock.getsockname()))
        self.assertEqual(said["local"], "{}:{}".format(*sock.getpeername()))


class GateTests(ProxiedCase):
    def test_per_peer(self) -> None:
        """--max-per-peer counts each client by itself, and refuses its third connection."""
        child = self.serve("line", "--max-per-peer", "2")
        socks = []
        for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "2001:db8::1"):
            destination = "::1" if ":" in client else "127.0.0.1"
            socks.append(self.connect(child, line(client, destination) + b"hello\r\n", "line"))
            self.assertEqual(socks[-1].recv(7), b"hello\r\n")
        refused = self.connect(child, line("192.0.2.1") + b"hello\r\n", "line")
        self.assertIn(b"too many connections from 192.0.2.1", read_to_end(refused))
        socks[0].shutdown(socket.SHUT_WR)
        read_to_end(socks[0])
        again = self.connect(child, line("192.0.2.1") + b"hello\r\n", "line")
        self.assertEqual(again.recv(7), b"hello\r\n")
        for sock in (*socks, again):
            sock.close()
        (event,) = self.refusals(child, 1)
        self.assertEqual((event["reason"], event["peer"]), ("max-per-peer", "192.0.2.1:56324"))
        self.assertEqual(event["proxy"], "{}:{}".format(*refused.getsockname()))

    def test_deny(self) -> None:
        """--deny acts on the client, and --deny of the balancer's own network on nobody."""
        child = self.serve("echo", "--deny", "192.0.2.0/24", "--deny", "127.0.0.0/8")
        self.assertEqual(read_to_end(self.connect(child, line("192.0.2.9"))), b"")
        good = self.connect(child, line("198.51.100.9") + b"x")
        self.assertEqual(good.recv(1), b"x")
        good.close()
        (event,) = self.refusals(child, 1)
        self.assertEqual((event["reason"], event["peer"]), ("access", "192.0.2.9:56324"))

    def test_proxy_from(self) -> None:
        """A balancer that --proxy-from does not name is closed at once, before its header."""
        child = self.serve("line", "--proxy-from", "192.0.2.0/24", "--proxy-from", "::1")
        self.assertEqual(read_to_end(self.connect(child, service="line")), b"")
        good = open_socket(child, "line", "tcp6", proxied=True)
        self.addCleanup(good.close)
        send_and_fin(good, line() + b"x\n")
        self.assertEqual(read_to_end(good), b"x\n")
        (event,) = self.refusals(child, 1)
        self.assertEqual(event["reason"], "proxy-from")
        self.assertIn("127.0.0.1", event["detail"])

    def test_unix(self) -> None:
        """A UNIX peer is believed whatever --proxy-from says."""
        listen = ("--listen", "haproxy:unix:socket")
        child = self.serve("echo", *listen, "--proxy-from", "192.0.2.0/24")
        sock = open_socket(child, "echo", "unix", proxied=True)
        self.addCleanup(sock.close)
        send_and_fin(sock, line() + b"x")
        self.assertEqual(read_to_end(sock), b"x")


class RefusedTests(ProxiedCase):
    def test_wrong(self) -> None:
        """Everything that is no header ends at once, with an event each and no traceback."""
        child = self.serve("echo")
        wrong = {
            b"GET / HTTP/1.1\r\n\r\n": "is not the beginning of a PROXY header",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03": "is not the beginning of a PROXY header",
            b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n": "'::1' is not an IPv4 address",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n": "CR or LF alone",
            b"PROXY UNKNOWN " + b"x" * 200: "no CRLF in its first 107",
            inet()[:15] + b"\x01" + inet()[16:]: "says 1 bytes follow",
            inet()[:14] + b"\xff\xff": "65535 bytes follow",
        }
        for data in wrong:
            sock = self.connect(child, data)
            with contextlib.suppress(ConnectionResetError):  # where we had not read all it sent
                self.assertEqual(read_to_end(sock), b"")
        for event, said in zip(self.refusals(child, len(wrong)), wrong.values(), strict=True):
            self.assertEqual(event["reason"], "proxy")
            self.assertIn(said, event["detail"])

    def test_ended_before(self) -> None:
        """A FIN or an RST before the header is whole is an end like others, and seen."""
        child = self.serve("echo")
        for data in (b"", b"PROXY"):
            sock = self.connect(child, data)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(sock), b"")
        sock = self.connect(child, b"PROXY")
        reset(sock)
        wait_for(lambda: len(recorded(child, "refused")) == 3)
        details = [event["detail"] for event in self.refusals(child, 3)]
        self.assertIn("ended without a PROXY header", details[0])
        self.assertIn("ended 5 bytes into", details[1])
        self.assertIn("lost", details[2])

    def test_silent(self) -> None:
        """Silence, and a header that dribbles, end within --handshake-timeout; so does TLS."""
        listen = ("--listen", "haproxy:tcp:0", "--listen", "haproxy:tls:0")
        child = self.serve("echo", "--handshake-timeout", "1s", *listen)
        silent = [self.connect(child, b""), self.connect(child, b"PROXY TCP4")]
        secure = open_socket(child, "echo", "tls", proxied=True)
        self.addCleanup(secure.close)
        took: dict[int, float] = {}

        def watch(at: int, sock: socket.socket) -> None:
            took[at] = seconds_until_end(sock)

        threads = [
            threading.Thread(target=watch, args=pair) for pair in enumerate([*silent, secure])
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # the subject is time: header late, then no handshake
        secure.sendall(line())
        for thread in threads:
            thread.join()
        for seconds in took.values():
            self.assertGreater(seconds, 0.8)
            self.assertLess(seconds, 3)
        details = [event["detail"] for event in self.refusals(child, 2)]
        self.assertEqual(details, ["no complete PROXY header within 1 s"] * 2)
        (end,) = ends(child)
        self.assertEqual((end["reason"], end["peer"]), ("handshake", CLIENT))
        self.assertLess(end["duration"], 1.4)

    def test_many_silent(self) -> None:
        """Many silent ones at once are bounded, each has its event, and others are served."""
        child = self.serve("echo", "--handshake-timeout", "30s")
        socks = []
        for _ in range(1024):
            socks.append(open_socket(child, "echo", "tcp4", proxied=True))
            self.addCleanup(socks[-1].close)
        over = self.connect(child)
        self.assertEqual(read_to_end(over), b"")
        socks[0].close()
        wait_for(lambda: len(recorded(child, "refused")) >= 2)
        good = self.connect(child, line() + b"x")
        self.assertEqual(good.recv(1), b"x")
        good.close()
        reasons = Counter(event["detail"] for event in self.refusals(child, 1025))
        self.assertEqual(reasons["too many unfinished PROXY headers"], 1)
        self.assertEqual(reasons["the server stops, without a PROXY header"], 1023)


class StopTests(ProxiedCase):
    def test_pending(self) -> None:
        """A stop ends who is silent soon, serves whose header still comes, and exits 0."""
        child = self.serve("echo")
        silent, late = self.connect(child), self.connect(child, line()[:9])
        before = self.connect(child, line() + b"x")
        self.assertEqual(before.recv(1), b"x")
        child.send_signal(signal.SIGTERM)
        wait_for(lambda: recorded(child, "not-listening"))
        send_and_fin(late, line()[9:] + b"hello")
        self.assertEqual(read_to_end(late), b"hello")
        self.assertEqual(read_to_end(silent), b"")
        before.close()
        self.assertEqual(child.wait(), 0)
        (event,) = recorded(child, "refused")
        self.assertEqual(event["detail"], "the server stops, without a PROXY header")

    def test_waiting_in_the_kernel(self) -> None:
        """Whom the kernel has connected when a stop comes, header and all, is served."""
        child = self.serve("echo")
        child.send_signal(signal.SIGSTOP)
        socks = [self.connect(child) for _ in range(50)]
        for sock in socks:
            send_and_fin(sock, line() + b"hello")
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGCONT)
        self.assertEqual([read_to_end(sock) for sock in socks], [b"hello"] * 50)
        self.assertEqual(child.wait(), 0)

    def test_second_signal(self) -> None:
        """A second signal ends everything at once, the silent too."""
        child = self.serve("echo")
        silent = self.connect(child)
        self.connect(child, line() + b"x").recv(1)  # so the silent one is accepted, too
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGTERM)
        seconds_until_end(silent)
        self.assertEqual(child.wait(), 0)
        self.assertEqual(len(recorded(child, "refused")), 1)

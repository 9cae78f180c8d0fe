"""The cases D01 to D12 of the datagram services, and figures R4 and R7, over real sockets.

What takes a forged source or a second address runs in a network of its own (namespace.py), so
needs root; the rest runs on this machine's loopback.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.integration import flood
from tests.integration.child import TWISTD, Child, wait_for
from tests.integration.forge import Forger, Where, packet
from tests.integration.namespace import (
    BROADCAST4,
    CLIENT4,
    CLIENT4_TOO,
    CLIENT6,
    CLIENT6_TOO,
    NETWORK4,
    NETWORK6,
    SERVER4,
    SERVER4_TOO,
    SERVER6,
    SERVER6_TOO,
    STRANGER6,
    Namespace,
    lan,
    udp_counts,
    udp_waiting_and_drops,
)
from tests.integration.peers import (
    MIB,
    meanwhile,
    p99,
    read_exactly,
    read_to_end,
    recorded,
    round_trips,
    side_by_side,
)
from tests.integration.test_cases_stream import Case
from twisted_lab import kernel
from twisted_lab.protocols import KINDS

#: The largest payloads of IPv4 and, without jumbograms, of IPv6.
LARGEST4, LARGEST6 = 65_507, 65_527

LOOPBACKS = ("127.0.0.1", "::1")


class DatagramCase(Case):
    """With clients on this machine, unless :meth:`lan` or :meth:`alone` gave us networks."""

    network: Namespace | None = None  # where our clients are

    def alone(self, *arguments: str) -> Namespace:
        """Start a child in a network of its own, clients and forgers included."""
        self.network = self.enterContext(Namespace())
        self.child = self.enterContext(self.network.child(*arguments))
        return self.network

    def lan(self, *arguments: str) -> tuple[Namespace, Namespace]:
        """Start a child on one end of a cable; our clients are at the other."""
        server, self.network = self.enterContext(lan())
        self.child = self.enterContext(server.child(*arguments))
        return server, self.network

    def socket(self, source: str, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """A socket bound to *source*; IPv6 if that is."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        make = self.network.socket if self.network else socket.socket
        sock = self.enterContext(make(family, kind))
        sock.settimeout(20)
        sock.bind((source, 0))
        return sock

    def stream(self, source: str, to: Where) -> socket.socket:
        """A TCP connection from *source*."""
        sock = self.socket(source, socket.SOCK_STREAM)
        sock.connect(to)
        return sock

    def at(self, host: str, interface: str = "", service: str = "echo") -> Where:
        """Where to ask *service* at *host*; *interface* is what it listens on, if not *host*."""
        return host, self.child.port(service, "udp", interface or host)

    def ask(self, sock: socket.socket, to: Where, data: bytes) -> Where:
        """Send *data* and fail unless the next that comes is the same; where it comes from."""
        sock.sendto(data, to)
        answer, source = sock.recvfrom(2**16)
        self.assertTrue(answer == data, f"sent {len(data)} bytes, {len(answer)} came back")
        return source[:2]

    def waiting(self, sock: socket.socket) -> list[bytes]:
        """What has come and was not read.

        That is all there will be once a later datagram was answered: a port answers in order.
        """
        found = []
        sock.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(sock.recv(2**16))
        sock.settimeout(20)
        return found

    def drops(self) -> Counter[str]:
        """The drops recorded so far (``--record events``), by reason."""
        found: Counter[str] = Counter()
        for event in recorded(self.child.folder / "events", "datagram-dropped"):
            found[event["reason"]] += event["count"]
        return found

    def wait_for_drops(self, **expected: int) -> None:
        """Fail unless the drops become *expected*, an underscore for each hyphen."""
        counts = {name.replace("_", "-"): count for name, count in expected.items()}
        wait_for(lambda: self.drops() == counts, lambda: f"{self.drops()}, not {counts}", 10)

    def log_lines(self, event: str) -> list[str]:
        return [line for line in self.child.log_text.splitlines() if f" {event} " in line]


class WholeTests(DatagramCase):
    """What is asked comes back, whole, once."""

    def sizes(self, largest: int) -> list[int]:
        edges = {1, 548, 1232, 1472, 1473, 8191, 8192, 8193, 65000, largest - 1, largest}
        near = {size + more for size in (2**n for n in range(9, 16)) for more in (-1, 0, 1)}
        chance = {random.randrange(largest) for _ in range(100)}
        return sorted(edges | near | chance | set(range(1, 100)))

    def assert_whole(self, client: str, to: Where, largest: int = LARGEST4) -> None:
        sock = self.socket(client)
        for size in self.sizes(largest):
            self.ask(sock, to, os.urandom(size))

    def test_every_size(self) -> None:
        """D01: datagrams of 1 to 65,507 bytes, 65,527 on IPv6, come back whole."""
        self.any_bench()
        for host, largest in zip(LOOPBACKS, (LARGEST4, LARGEST6), strict=True):
            self.assert_whole(host, self.at(host), largest)

    def test_every_size_on_all_interfaces(self) -> None:
        """D01: the same from a server on every interface, which reads in another way."""
        for interface, host in (("0.0.0.0", "127.0.0.1"), ("::", "::1")):
            self.bench("--interface", interface, "--allow", host)
            self.assert_whole(host, self.at(host, interface))

    def test_datagram_service(self) -> None:
        """D01, D02: the service called datagram does as echo."""
        self.start("datagram", "--port", "0")
        to = self.at("127.0.0.1", service="datagram")
        for size in (0, 1, LARGEST4):
            self.ask(self.socket("127.0.0.1"), to, os.urandom(size))

    def test_empty(self) -> None:
        """D02: an empty datagram is answered by an empty one, 20 times of 20."""
        self.any_bench()
        for host in LOOPBACKS:
            sock = self.socket(host)
            for _ in range(20):
                self.ask(sock, self.at(host), b"")

    def test_askers_gone(self) -> None:
        """D05: 500 askers that left before their answer; it lives, and logs nothing of it."""
        self.bench()
        to = self.at("127.0.0.1")
        for number in range(500):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.sendto(b"%d" % number, to)
            if number % 100 == 99:  # there is room for 200
                wait_for(lambda: udp_waiting_and_drops(self.child.pid, to[1])[0] == 0)
        self.ask(self.socket("127.0.0.1"), to, b"alive")
        self.assertEqual(self.log_lines("datagram-dropped"), [])

    def test_in_flight(self) -> None:
        """D06: of 500 numbered datagrams, 16 in flight, none is lost, doubled or overtaken."""
        self.any_bench()
        for host in LOOPBACKS:
            sock, to = self.socket(host), self.at(host)
            came = []
            for number in range(500 + 16):
                if number < 500:
                    sock.sendto(b"%d" % number, to)
                if number >= 16:
                    came.append(int(sock.recv(99)))
            self.assertEqual(came, list(range(500)))
            self.assertEqual(self.waiting(sock), [])


class AmplificationTests(DatagramCase):
    """D07, R7: who has proved nothing gets no more than it sent."""

    def replies(self, sock: socket.socket, patience: float = 0.3) -> list[bytes]:
        """What comes until nothing does for *patience* seconds."""
        found = []
        sock.settimeout(patience)
        with contextlib.suppress(TimeoutError):
            while True:
                found.append(sock.recv(2**16))
        return found

    def test_every_service(self) -> None:
        """D07: each UDP service answers 0, 1, 2 and 600 bytes with no more than as many bytes,
        and with no more datagrams than it was sent."""
        kinds = [kind.name for kind in KINDS.values() if kind.datagram is not None]
        starting = [Child(name, "--port", "0") for name in kinds]
        children = [self.enterContext(child) for child in starting]
        asked = []
        for name, child in zip(kinds, children, strict=True):
            for size in (0, 1, 2, 600):
                sock = self.socket("127.0.0.1")
                sock.sendto(b"?" * size, ("127.0.0.1", child.port(name, "udp")))
                asked.append((name, size, sock))
        for name, size, sock in asked:
            replies = self.replies(sock, 0.05)
            self.assertLessEqual(len(replies), 1, name)
            self.assertLessEqual(sum(map(len, replies)), size, f"{name} to {size} bytes")

    def generous(self, *options: str) -> None:
        """A child whose service answers ``COUNT SIZE`` with so many datagrams of that size."""
        started_by = sys.executable, "-m", "tests.integration.generous", *TWISTD[3:]
        self.child = self.enterContext(
            Child(
                *("generous", "--port", "0", *options),
                started_by=(*started_by, "--logfile=twistd.log", "socketlab"),
                environment={"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )
        self.to = self.at("127.0.0.1", service="generous")

    def received_for(self, request: bytes) -> list[int]:
        sock = self.socket("127.0.0.1")
        sock.sendto(request, self.to)
        return [len(reply) for reply in self.replies(sock)]

    def test_withheld(self) -> None:
        """R7: a reply longer than its request is withheld, whole; a person is told the way out.

        Replies are counted with their headers (28 bytes on IPv4), so many short ones are too."""
        self.generous("--record", "events")
        self.assertEqual(self.received_for(b"1 3"), [3])
        self.assertEqual(self.received_for(b"1 4"), [])
        self.assertEqual(self.received_for(b"1 4 "), [4])
        self.assertEqual(self.received_for(b"50 0"), [0])
        self.assertEqual(self.received_for(b"50 0" + b" " * 24), [0, 0])
        self.wait_for_drops(amplification=1 + 49 + 48)
        self.assertIn("--allow-amplification", self.child.log_text)

    def test_allowed(self) -> None:
        """R7: with --allow-amplification it is sent."""
        self.generous("--allow-amplification")
        self.assertEqual(self.received_for(b"2 1000"), [1000, 1000])


class RunningTime:
    """For how long process *pid* really ran while a thread of ours waited for it: what others do
    with the machine does not count, nor when our thread could go on and was not let."""

    def __init__(self, pid: int) -> None:
        self._clock = ~pid << 3 | 2  # clock_getcpuclockid(3): the CPU time of another process
        self._known: list[tuple[float, float]] = []

    def look(self) -> float:
        """Take down how long it has run; the time on the wall. Always from the same thread."""
        now = time.monotonic()
        self._known.append((now, time.clock_gettime(self._clock) - self._held_up()))
        return now

    def _held_up(self) -> float:
        try:
            statistics = Path("/proc/thread-self/schedstat").read_text()
        except OSError:
            return 0.0  # a kernel that does not tell
        return int(statistics.split()[1]) / 1e9

    def since(self, moment: float) -> float:
        """How many seconds it ran since the last look before *moment*."""
        self.look()
        before = next(ran for when, ran in reversed(self._known) if when <= moment)
        return self._known[-1][1] - before


def retransmitted(sock: socket.socket) -> int:
    """How many segments of *sock* were sent again."""
    info = kernel.tcp_info(sock)
    assert info is not None
    return info.total_retrans


class FloodTests(DatagramCase):
    """D08, R4: who floods a UDP port hurts nobody else.

    What must not be late is measured in the time the server ran. A flooded server is never idle,
    so with a core to itself that is the time on the wall; on a loaded machine the wall's clock
    would measure who else runs there.
    """

    SECONDS = 3.0
    EACH = 0.01

    def latest_timer(self, line: socket.socket) -> float:
        """How long the server ran, at most, before it saw to one of its timers that was due.

        /drip sends a byte at each of many moments, counted from when it has the command. We count
        from when we sent that, and until we have read the byte: what we see is the lateness of the
        timer, with the way there and back on top.
        """
        count = round(self.SECONDS / self.EACH)
        running = RunningTime(self.child.pid)
        line.sendall(b"/drip %d %d\n" % (count, self.SECONDS))
        latest = max(self.at_each_moment(running, lambda: read_exactly(line, 1)))
        read_exactly(line, 1)  # the end of the line
        return latest

    def slow_echo(self, echo: socket.socket) -> float:
        """How long the server ran, in the p99, until it had echoed what we sent.

        What we sent may not have reached it: loopback has a queue for each core, and the kernel
        drops what comes on top (netdev_max_backlog), then sends it again after 200 ms. Such rounds
        do not count, and must be few.
        """
        running = RunningTime(self.child.pid)
        sent_again = []

        def ask() -> None:
            before = retransmitted(echo)
            round_trips(echo, 1)
            sent_again.append(retransmitted(echo) > before)

        took = self.at_each_moment(running, ask)
        self.assertLess(sum(sent_again), len(took) // 10)
        # A late round makes those that were due meanwhile late as well.
        late, counted = False, []
        for seconds, again in zip(took, sent_again, strict=True):
            late = again or (late and seconds > self.EACH)
            if not late:
                counted.append(seconds)
        self.assertGreater(len(counted), len(took) // 2)
        return p99(counted)

    def at_each_moment(self, running: RunningTime, action: Callable[[], object]) -> list[float]:
        """For how long it was *running* from each of many regular moments till *action* was done.

        From the moment, also when the action before took longer than that: else a long pause would
        be one slow action among thousands.
        """
        began = running.look()
        took = []
        for number in range(round(self.SECONDS / self.EACH)):
            due = began + self.EACH * number
            time.sleep(max(0.0, due - time.monotonic()))
            running.look()
            action()
            took.append(running.since(due))
        return took

    def assert_lively(self, echo: socket.socket, line: socket.socket) -> None:
        """TCP echo's p99 is within 100 ms and no timer more than 50 ms late."""
        slow, late = side_by_side(partial(self.slow_echo, echo), partial(self.latest_timer, line))
        figures = f"p99 {slow * 1000:.1f} ms, timer {late * 1000:.1f} ms late"
        self.assertLessEqual(slow, 0.1, figures)
        self.assertLessEqual(late, 0.05, figures)

    def test_flood(self) -> None:
        """D08, R4: under a flood of datagrams of 0 and 1 byte TCP echo's p99 is within 100 ms and
        no timer of the server is more than 50 ms late."""
        self.bench()
        echo, line = self.connect("echo"), self.connect("line")
        _, port = self.at("127.0.0.1")
        before = udp_counts(self.child.pid)["InDatagrams"]
        began = time.monotonic()
        with self.flooded(port):
            self.assert_lively(echo, line)
            served = udp_counts(self.child.pid)["InDatagrams"] - before
        self.assertGreater(served / (time.monotonic() - began), 5_000)
        _, dropped = udp_waiting_and_drops(self.child.pid, port)
        self.assertGreater(dropped, served // 4, "that was no flood")

    @contextlib.contextmanager
    def flooded(self, port: int) -> Iterator[None]:
        """Two processes send to *port* all they can, on other cores than the server's if there
        are any: on one core sender and server take turns, and a pause of the flood is all that a
        starved server needs."""
        cores = os.sched_getaffinity(0)
        own = {min(cores)}
        os.sched_setaffinity(self.child.pid, own)
        command = sys.executable, flood.__file__, "127.0.0.1", str(port), "60"
        flooders = [subprocess.Popen(command) for _ in range(2)]
        try:
            for flooder in flooders:
                os.sched_setaffinity(flooder.pid, cores - own or own)
            yield
        finally:
            for flooder in flooders:
                flooder.kill()
                flooder.wait()

    def test_forged_flood(self) -> None:
        """D04, R4, R9: under a flood from port 0 and from addresses nobody has it lives, no timer
        is more than 50 ms late, and the log has one line a second."""
        network = self.alone()
        forger = self.enterContext(Forger(network))
        to = self.at("127.0.0.1")
        sources = ("127.0.0.1", 0), ("255.255.255.255", 5000), ("224.0.0.1", 5000), ("127.0.0.1", 7)
        forged = [packet(source, to, b"x") for source in sources]

        def send() -> None:
            for one in forged:
                forger.send_packet(one, to[0])

        echo = self.stream("127.0.0.1", ("127.0.0.1", self.child.port("echo")))
        line = self.stream("127.0.0.1", ("127.0.0.1", self.child.port("line")))
        began = time.monotonic()
        with meanwhile(send):
            self.assert_lively(echo, line)
        took = time.monotonic() - began
        self.assertGreater(udp_counts(self.child.pid)["InDatagrams"], 5_000, "that was no flood")
        self.assertEqual(udp_counts(self.child.pid)["OutDatagrams"], 0)
        self.ask(self.socket("127.0.0.1"), to, b"alive")
        self.assertLessEqual(len(self.log_lines("datagram-dropped")), took + 1)
        self.assertNotIn("Traceback", self.child.log_text)


class ForgedTests(DatagramCase):
    """D03, D04, D10: a source that is not who it says it is."""

    def datagrams_in(self, seconds: float) -> int:
        """How many datagrams anyone in the network was given in so many seconds."""
        before = udp_counts(self.child.pid)["InDatagrams"]
        time.sleep(seconds)
        return udp_counts(self.child.pid)["InDatagrams"] - before

    def test_itself(self) -> None:
        """D03, R7: a datagram from the server's own address and port is the last one: nothing is
        answered, where 20 a second would be borne. The log says why."""
        network = self.alone()
        v4, v6 = (self.at(host) for host in LOOPBACKS)
        with Forger(network) as forger, Forger(network, ipv6=True) as forger6:
            forger.send(v4, v4)
            forger.send(("127.0.0.2", v4[1]), v4)  # as if from another interface of ours
            forger6.send(v6, v6)
            self.assertLessEqual(self.datagrams_in(1.0), 3)
        counts = udp_counts(self.child.pid)
        self.assertEqual((counts["InDatagrams"], counts["OutDatagrams"]), (3, 0))
        self.assertIn("reason=loop-served", self.child.log_text)
        for host, to in zip(LOOPBACKS, (v4, v6), strict=True):
            self.ask(self.socket(host), to, b"alive")

    def test_itself_on_all_interfaces(self) -> None:
        """D03, R7: the same for a server on every interface, asked over both protocols."""
        network = self.alone("--interface", "::", "--allow-reflector")
        _, port = self.at("::1", "::")
        with Forger(network) as forger, Forger(network, ipv6=True) as forger6:
            forger.send(("127.0.0.1", port), ("127.0.0.1", port))
            forger.send(("127.0.0.2", port), ("127.0.0.1", port))
            forger6.send(("::1", port), ("::1", port))
            self.assertLessEqual(self.datagrams_in(1.0), 3)
        counts = udp_counts(self.child.pid)
        self.assertEqual((counts["InDatagrams"], counts["OutDatagrams"]), (3, 0))

    def test_two_services(self) -> None:
        """D10: a datagram forged between two services of one process, of one kind or of two, is
        the last one, where 20 would be borne."""
        ports = "--listen", "udp:127.0.0.1:7001", "--listen", "udp:127.0.0.1:7002"
        network = self.alone("echo", "--port", "7000", *ports)
        with Forger(network) as forger:
            for source, to in ((7001, 7002), (7002, 7000), (7000, 7001)):
                forger.send(("127.0.0.1", source), ("127.0.0.1", to))
            self.assertLessEqual(self.datagrams_in(1.0), 3)
        counts = udp_counts(self.child.pid)
        self.assertEqual((counts["InDatagrams"], counts["OutDatagrams"]), (3, 0))

    def test_nobody(self) -> None:
        """D04: port 0, well-known ports and addresses nobody has are not answered; each is counted
        with its reason, as is an answer the kernel would not send."""
        network = self.alone("--record", "events")
        network.ip(f"address add {SERVER4}/24 brd {BROADCAST4} dev lo")
        to = self.at("127.0.0.1")
        with Forger(network) as forger:
            for port in (0, 7, 19, 1023):
                forger.send(("127.0.0.1", port), to)
            for host in ("255.255.255.255", "224.0.0.1", "239.1.2.3"):
                forger.send((host, 5000), to)
            forger.send((BROADCAST4, 5000), to)
        self.ask(self.socket("127.0.0.1"), to, b"alive")
        self.assertEqual(udp_counts(self.child.pid)["OutDatagrams"], 2)  # the question, the answer
        self.wait_for_drops(loop_port=4, bad_source=3, send_eacces=1)

    def test_many_sources(self) -> None:
        """D04, R2: 15,000 sources that are not there cost no more than 4 MiB: what is kept of
        peers is bounded. Another source is served."""
        server, _client = self.lan("--interface", SERVER4, "--allow-reflector")
        to = self.at(SERVER4)
        # Answers must go somewhere, if only to be thrown away.
        server.ip("route add blackhole 10.64.0.0/10")
        sock = self.socket(CLIENT4)
        self.ask(sock, to, b"before")
        with Forger(server) as forger:

            def forge(first: int, last: int) -> None:
                for number in range(first, last):
                    source = socket.inet_ntoa((0x0A400000 + number).to_bytes(4, "big"))
                    forger.send((source, 5000), to)
                    if number % 100 == 0:
                        self.ask(sock, to, b"%d" % number)  # no faster than it is taken

            forge(0, 16_000)  # what is bounded is full, the page's history of 8 MiB, too
            before = self.child.rss()
            forge(16_000, 31_000)
        self.assertGreater(udp_counts(self.child.pid)["InDatagrams"], 31_000)
        self.assertLess(self.child.rss() - before, 4 * MIB)


class KernelTests(DatagramCase):
    """D11: what the kernel had to drop."""

    lost = 0

    def test_stopped(self) -> None:
        """D11, R7: of 3,000 datagrams sent while it is stopped those lost are counted exactly: as
        many as the kernel says, as many as got no answer; on IPv4 and on IPv6, twice."""
        self.bench("--record", "events", "--capture", "0")
        for _ in range(2):
            self.lose()
            self.assertGreater(self.lost, 0)

    def lose(self) -> None:
        """Send 3,000 datagrams to each port of a stopped server, let it go on, and hold how many
        were lost since the start against what the kernel counts and what is recorded."""
        asking = [(self.socket(host), self.at(host)) for host in LOOPBACKS]
        self.child.send_signal(signal.SIGSTOP)
        try:
            stat = Path(f"/proc/{self.child.pid}/stat")
            wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
            for sock, to in asking:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
                for number in range(3000):
                    sock.sendto(b"%d" % number, to)
        finally:
            self.child.send_signal(signal.SIGCONT)
        port = asking[0][1][1]
        wait_for(lambda: udp_waiting_and_drops(self.child.pid, port)[0] == 0)
        for sock, to in asking:
            sock.sendto(b"last", to)  # comes after all for which there was room
            numbers = [int(answer) for answer in iter(partial(sock.recv, 99), b"last")]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.lost += 3000 - len(numbers)
        self.assertEqual(udp_waiting_and_drops(self.child.pid, port), (0, self.lost))
        self.wait_for_drops(kernel=self.lost)


class LimitTests(DatagramCase):
    """Who may ask, and how often."""

    def test_deny(self) -> None:
        """--deny: who is denied gets nothing, is counted, and others are answered."""
        self.bench("--deny", "127.0.0.2", "--record", "events")
        denied, other = self.socket("127.0.0.2"), self.socket("127.0.0.3")
        denied.sendto(b"let me in", self.at("127.0.0.1"))
        self.ask(other, self.at("127.0.0.1"), b"me too")
        self.assertEqual(self.waiting(denied), [])
        self.wait_for_drops(access=1)

    def test_allow(self) -> None:
        """--allow: only who is allowed is answered, unless denied as well."""
        allowed = "--allow", "127.0.0.0/30", "--allow", "::1", "--deny", "127.0.0.2"
        self.bench(*allowed, "--record", "events")
        others = [self.socket(host) for host in ("127.0.0.2", "127.0.0.9")]
        for sock in others:
            sock.sendto(b"let me in", self.at("127.0.0.1"))
        self.ask(self.socket("127.0.0.3"), self.at("127.0.0.1"), b"me too")
        self.ask(self.socket("::1"), self.at("::1"), b"me too")
        for sock in others:
            self.assertEqual(self.waiting(sock), [])
        self.wait_for_drops(access=2)

    def test_rate_on_loopback(self) -> None:
        """--datagram-rate holds on loopback, too: of 100 at once 10 are answered, then ten a
        second; another source is answered meanwhile. Without it loopback has no limit."""
        self.bench("--datagram-rate", "10/s")
        to = self.at("127.0.0.1")
        greedy, quiet = self.socket("127.0.0.2"), self.socket("127.0.0.3")
        began = time.monotonic()
        for number in range(100):
            greedy.sendto(b"%d" % number, to)
        self.ask(quiet, to, b"me too")
        taken = 10 + 10 * (time.monotonic() - began)
        answers = [int(answer) for answer in self.waiting(greedy)]
        self.assertEqual(answers[:10], list(range(10)))
        self.assertLessEqual(len(answers), taken)
        time.sleep(0.3)
        self.ask(greedy, to, b"again")
        self.assertIn("reason=rate", self.child.log_text)


class LanTests(DatagramCase):
    """A server open to others, asked over a cable."""

    EVERYWHERE = "--interface", "::", "--allow-reflector"

    def test_second_address(self) -> None:
        """D09: on 0.0.0.0 and on ::, asked at its second address, it answers from that one."""
        for interface in ("0.0.0.0", "::"):
            self.lan("--interface", interface, "--allow", NETWORK4, "--allow", NETWORK6)
            pairs = [(CLIENT4, SERVER4), (CLIENT4, SERVER4_TOO)]
            if interface == "::":
                pairs += [(CLIENT6, SERVER6), (CLIENT6, SERVER6_TOO), (STRANGER6, SERVER6)]
            for client, server in pairs:
                to = self.at(server, interface)
                self.assertEqual(self.ask(self.socket(client), to, b"who?"), to)
                sock = self.socket(client)
                sock.connect(to)  # takes answers of no one else
                sock.send(b"you")
                self.assertEqual(sock.recv(99), b"you")

    def test_to_everybody(self) -> None:
        """D12: what is sent to a broadcast address or to a multicast group is not answered; nor
        when another program has joined the group."""
        server, _ = self.lan("--interface", "0.0.0.0", "--allow-reflector", "--record", "events")
        _, port = self.at(SERVER4, "0.0.0.0")
        other = self.enterContext(server.socket(socket.AF_INET, socket.SOCK_DGRAM))
        group = socket.inet_aton("239.1.2.3") + socket.inet_aton(SERVER4)
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        sock = self.shouter(CLIENT4)
        for everybody in (BROADCAST4, "255.255.255.255", "224.0.0.1", "239.1.2.3"):
            sock.sendto(b"everybody?", (everybody, port))
        self.ask(sock, (SERVER4, port), b"only you")
        self.wait_for_drops(broadcast=2, multicast=2)

    def test_to_everybody_on_ipv6(self) -> None:
        """D12: the same for IPv6, and for a broadcast to a server of both."""
        self.lan(*self.EVERYWHERE, "--record", "events")
        _, port = self.at(SERVER6, "::")
        for client, server, everybody in (
            (CLIENT4, SERVER4, BROADCAST4),
            (CLIENT6, SERVER6, "ff02::1"),
        ):
            sock = self.shouter(client)
            sock.sendto(b"everybody?", (everybody, port))
            self.ask(sock, (server, port), b"only you")
        self.wait_for_drops(broadcast=1, multicast=1)

    def shouter(self, source: str) -> socket.socket:
        sock = self.socket(source)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"cable")
        return sock

    def test_bound_to_broadcast(self) -> None:
        """D12: nor is it by a server that listens at the broadcast address alone."""
        everybody = f"udp:{BROADCAST4}:9000"
        self.lan("datagram", "--listen", everybody, "--allow-reflector", "--record", "events")
        sock = self.shouter(CLIENT4)
        sock.sendto(b"everybody?", (BROADCAST4, 9000))
        wait_for(lambda: recorded(self.child.folder / "events", "datagram-dropped"), limit=3)
        self.assertEqual(self.waiting(sock), [])

    def test_rate(self) -> None:
        """R7: by default a source beyond loopback is answered 2,000 times a second, with a burst of
        as many; another source is answered meanwhile."""
        self.lan("--interface", SERVER4, "--allow-reflector")
        to = self.at(SERVER4)
        greedy, quiet = self.socket(CLIENT4), self.socket(CLIENT4_TOO)
        began = time.monotonic()
        answered = 0
        for number in range(6_000):
            greedy.sendto(b"%d" % number, to)
            if number % 50 == 0:
                self.ask(quiet, to, b"me too")  # and all before it were taken
                answered += len(self.waiting(greedy))
        answered += len(self.waiting(greedy))
        took = time.monotonic() - began
        self.assertGreaterEqual(answered, 2_000)
        self.assertLessEqual(answered, 2_000 * (1 + took))
        self.assertIn("reason=rate", self.child.log_text)

    def test_rate_of_a_64(self) -> None:
        """R7: a /64 of IPv6 is one source, and one more /64 another."""
        self.lan(*self.EVERYWHERE, "--datagram-rate", "0.02/s", "--record", "events")
        to = self.at(SERVER6, "::")
        one, same, other = (self.socket(host) for host in (CLIENT6, CLIENT6_TOO, STRANGER6))
        self.ask(one, to, b"first")
        same.sendto(b"second", to)
        self.ask(other, to, b"first of another")
        self.assertEqual(self.waiting(same), [])
        self.wait_for_drops(rate=1)

    def test_connections_of_a_peer(self) -> None:
        """S15: of 69 connections from one address beyond loopback 64 are served by default, the
        rest told why; another address is served."""
        self.lan(*self.EVERYWHERE)
        self.assert_limited([CLIENT4], SERVER4, CLIENT4_TOO, CLIENT4)

    def test_connections_of_a_64(self) -> None:
        """S15: two addresses of one /64 share that; one of another /64 is served."""
        self.lan(*self.EVERYWHERE)
        self.assert_limited([CLIENT6, CLIENT6_TOO], SERVER6, STRANGER6, "fd00:5::/64")

    def assert_limited(self, peers: list[str], server: str, other: str, called: str) -> None:
        to = server, self.child.port("line", "tcp", "::")
        lines = [self.stream(peers[number % len(peers)], to) for number in range(69)]
        for sock in lines:
            with contextlib.suppress(ConnectionError):
                sock.sendall(b"hello\n")
        for sock in lines[:64]:
            self.assertEqual(read_exactly(sock, 6), b"hello\n")
        told = f"too many connections from {called} (limit 64)\r\n".encode()
        for sock in lines[64:]:
            self.assertEqual(read_to_end(sock), told)
        round_trips(self.stream(other, to), 1)

    def test_announced(self) -> None:
        """Open to others, it prints the addresses they can use."""
        server, _ = self.enterContext(lan())
        server.ip(f"route add default via {CLIENT4}")
        server.ip(f"-6 route add default via {CLIENT6} src {SERVER6}")
        for interface, addresses in (
            (SERVER4_TOO, {SERVER4_TOO}),
            ("0.0.0.0", {SERVER4}),
            ("::", {SERVER4, SERVER6}),
        ):
            with server.child("--interface", interface, "--allow", NETWORK4) as child:
                self.assertEqual(self.announced(child), addresses)

    def test_announced_without_a_default_route(self) -> None:
        """The same in a network that leads nowhere else, as in a class room."""
        server, _ = self.enterContext(lan())
        with server.child("--interface", "0.0.0.0", "--allow", NETWORK4) as child:
            self.assertIn(SERVER4, self.announced(child))

    def announced(self, child: Child) -> set[str]:
        lines = child.output.splitlines()
        [line] = [line for line in lines if line.startswith("  open to other machines, at: ")]
        return set(line.partition(": ")[2].split())

    def assert_not_open(self, *lines: str) -> None:
        """Who starts one of these is told in the last line what to say, and gets exit status 1."""
        network = self.enterContext(Namespace())
        network.ip(f"address add {SERVER4}/24 dev lo")
        network.ip("-6 address add ::1:1/128 dev lo nodad")
        children = [network.child(*line.split()) for line in lines]
        for child in children:
            self.addCleanup(child.__exit__)
        for child, line in zip(children, lines, strict=True):
            wait_for(lambda: child.process.poll() is not None or "serves:" in child.output)  # noqa: B023
            self.assertNotIn("serves:", child.output, line)
            self.assertEqual(child.wait(), 1, line)
            *_, last = child.output.splitlines()
            self.assertIn("--allow CIDR, or --allow-reflector", last, line)

    def test_reflector(self) -> None:
        """UDP beyond loopback is not opened to everybody unless that is said."""
        self.assert_not_open(
            "--interface 0.0.0.0",
            "datagram --listen udp:[::]:9000",
            f"discard --interface {SERVER4}",
        )

    def test_reflector_close_to_loopback(self) -> None:
        """Nor is it on an address that only begins as loopback's does."""
        self.assert_not_open("--interface ::1:1")

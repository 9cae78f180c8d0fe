"""The datagram port on real sockets, asked by real clients."""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter
from typing import Any
from unittest import skipUnless

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import DatagramProtocol
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from twisted_lab.datagram_gates import DatagramSettings
from twisted_lab.datagram_socket import LARGEST
from twisted_lab.datagrams import DatagramPort
from twisted_lab.publishing import Publisher

LINUX = sys.platform == "linux"
ANYTHING = DatagramSettings(allow_amplification=True)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class Echo(DatagramProtocol):
    """Echoes, and lets a test await the datagrams that came."""

    noisy = False

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Any]] = []
        self._awaited: list[tuple[int, Deferred[None]]] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.got.append((datagram, addr))
        self.transport.write(datagram, addr)  # type: ignore[union-attr]
        while self._awaited and len(self.got) >= self._awaited[0][0]:
            self._awaited.pop(0)[1].callback(None)

    def total(self, count: int) -> Deferred[None]:
        """Fires when *count* datagrams came in all."""
        awaited: Deferred[None] = Deferred()
        if len(self.got) >= count:
            awaited.callback(None)
        else:
            self._awaited.append((count, awaited))
        return awaited


@implementer(IReadDescriptor)
class Client:
    """An unconnected UDP socket, read through the reactor."""

    def __init__(self, family: int = socket.AF_INET, address: tuple[str, int] = ("", 0)) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.fileno = self.socket.fileno
        self._awaited: list[Deferred[tuple[bytes, Any]]] = []

    def logPrefix(self) -> str:
        return "client"

    def connectionLost(self, reason: object = None) -> None:
        """The reactor's; nothing is lost."""

    def doRead(self) -> None:
        if self._awaited:
            self._awaited.pop(0).callback(self.socket.recvfrom(65536))
        if not self._awaited:
            reactor.removeReader(self)

    def receive(self) -> Deferred[tuple[bytes, Any]]:
        awaited: Deferred[tuple[bytes, Any]] = Deferred()
        self._awaited.append(awaited)
        reactor.addReader(self)
        return awaited.addTimeout(10, reactor)

    def nothing_came(self) -> bool:
        try:
            self.socket.recvfrom(65536)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        reactor.removeReader(self)
        self.socket.close()


class SocketCase(TestCase):
    timeout = 30

    def setUp(self) -> None:
        self.served: Counter[int] = Counter()
        self.publisher = Publisher()

    def listen(
        self,
        interface: str = "127.0.0.1",
        settings: DatagramSettings | None = None,
        protocol: DatagramProtocol | None = None,
        port: int = 0,
    ) -> DatagramPort:
        opened = DatagramPort(
            reactor,
            interface,
            port,
            protocol or Echo(),
            publisher=self.publisher,
            service="echo",
            served_ports=self.served,
            settings=settings or DatagramSettings(),
        )
        opened.startListening()
        self.addCleanup(opened.stopListening)
        return opened

    def client(self, *arguments: Any) -> Client:
        client = Client(*arguments)
        self.addCleanup(client.close)
        return client

    async def ask(self, client: Client, data: bytes, *to: Any) -> tuple[bytes, Any]:
        client.socket.sendto(data, to)
        return await client.receive()


class EchoTests(SocketCase):
    async def test_every_size(self) -> None:
        """Datagrams of 0 to 65,507 bytes come back whole and unchanged."""
        port = self.listen()
        client = self.client()
        for size in (0, 1, 512, 1472, 8192, 8193, 65000, LARGEST):
            data = os.urandom(size)
            answer, _source = await self.ask(client, data, "127.0.0.1", port.getHost().port)
            self.assertEqual(answer, data)
        self.assertEqual((port.received, port.sent, port.dropped), (8, 8, {}))

    @skipUnless(has_ipv6(), "no IPv6 on this machine")
    async def test_ipv6(self) -> None:
        """The same over IPv6."""
        port = self.listen("::1")
        client = self.client(socket.AF_INET6)
        for size in (0, 512, LARGEST):
            data = os.urandom(size)
            answer, source = await self.ask(client, data, "::1", port.getHost().port)
            self.assertEqual((answer, source[0]), (data, "::1"))

    async def test_order_of_a_burst(self) -> None:
        """More than one turn's worth comes back, each once and in order."""
        for interface in ("127.0.0.1", "0.0.0.0"):
            port = self.listen(interface)
            client = self.client()
            for number in range(150):
                client.socket.sendto(b"%d" % number, ("127.0.0.1", port.getHost().port))
            answers = [await client.receive() for _ in range(150)]
            self.assertEqual([int(data) for data, _source in answers], list(range(150)))

    async def test_port_in_use(self) -> None:
        """A second port on the same number is refused: nobody shares our datagrams."""
        port = self.listen()
        number = port.getHost().port
        self.assertRaises(CannotListenError, self.listen, "127.0.0.1", None, None, number)
        self.assertRaises(CannotListenError, self.listen, "localhost")

    async def test_stop_and_start_again(self) -> None:
        """A port that was stopped frees its number at once."""
        port = self.listen()
        number = port.getHost().port
        await port.stopListening()
        self.assertEqual(set(self.served), set())
        again = self.listen(port=number)
        answer, _source = await self.ask(self.client(), b"x", "127.0.0.1", number)
        self.assertEqual((answer, again.getHandle().type), (b"x", socket.SOCK_DGRAM))


@skipUnless(LINUX, "the address asked is known on Linux only")
class WildcardTests(SocketCase):
    async def test_answer_from_the_address_asked(self) -> None:
        """Asked at its second address, a server on all of them answers from that one."""
        port = self.listen("0.0.0.0")
        client = self.client()
        for asked in ("127.0.0.2", "127.0.0.1", "127.3.2.1"):
            number = port.getHost().port
            self.assertEqual(await self.ask(client, b"x", asked, number), (b"x", (asked, number)))

    async def test_later_answer_too(self) -> None:
        """So does an answer that is sent when the request is long over."""

        class Late(Echo):
            def datagramReceived(self, datagram: bytes, addr: Any) -> None:
                reactor.callLater(0, Echo.datagramReceived, self, datagram, addr)

        port = self.listen("0.0.0.0", protocol=Late())
        _answer, source = await self.ask(self.client(), b"later", "127.0.0.2", port.getHost().port)
        self.assertEqual(source[0], "127.0.0.2")

    @skipUnless(has_ipv6(), "no IPv6 on this machine")
    async def test_dual_socket(self) -> None:
        """On ``::`` both families are answered from the address asked."""
        port = self.listen("::")
        number = port.getHost().port
        _answer, source = await self.ask(self.client(socket.AF_INET6), b"x", "::1", number)
        self.assertEqual(source[0], "::1")
        _answer, source = await self.ask(self.client(), b"x", "127.0.0.2", number)
        self.assertEqual(source, ("127.0.0.2", number))

    async def test_broadcast(self) -> None:
        """A broadcast is not answered, a question after it is."""
        port = self.listen("0.0.0.0")
        number = port.getHost().port
        client = self.client()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.socket.sendto(b"everyone?", ("127.255.255.255", number))
        answer, _source = await self.ask(client, b"you?", "127.0.0.1", number)
        self.assertEqual((answer, port.dropped), (b"you?", {"broadcast": 1}))

    async def test_multicast(self) -> None:
        """Neither is a multicast, though the port is in its group."""
        port = self.listen("0.0.0.0")
        number = port.getHost().port
        loopback = socket.inet_aton("127.0.0.1")
        group = socket.inet_aton("239.1.2.3") + loopback
        port.getHandle().setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        client = self.client()
        client.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
        client.socket.sendto(b"everyone?", ("239.1.2.3", number))
        answer, _source = await self.ask(client, b"you?", "127.0.0.1", number)
        self.assertEqual((answer, port.dropped), (b"you?", {"multicast": 1}))

    async def test_cut(self) -> None:
        """A datagram longer than the read is noticed and dropped, never handed on cut."""
        port = self.listen(settings=DatagramSettings(read_size=100))
        number = port.getHost().port
        client = self.client()
        client.socket.sendto(b"x" * 101, ("127.0.0.1", number))
        answer, _source = await self.ask(client, b"y" * 100, "127.0.0.1", number)
        self.assertEqual((answer, port.dropped), (b"y" * 100, {"truncated": 1}))


class GateTests(SocketCase):
    async def test_from_a_port_we_serve(self) -> None:
        """Two services of one process never talk to each other, whoever forges the first word."""
        one, two = self.listen(), self.listen()
        one.getHandle().sendto(b"forged", ("127.0.0.1", two.getHost().port))
        await self.ask(self.client(), b"x", "127.0.0.1", two.getHost().port)
        self.assertEqual((two.dropped, two.received), ({"loop-served": 1}, 1))
        self.assertEqual(one.received, 0)

    async def test_from_ourselves(self) -> None:
        """A datagram from the port's own address ends there."""
        port = self.listen()
        number = port.getHost().port
        port.getHandle().sendto(b"forged", ("127.0.0.1", number))
        await self.ask(self.client(), b"x", "127.0.0.1", number)
        self.assertEqual((port.dropped, port.received), ({"loop-served": 1}, 1))

    async def test_from_a_well_known_port(self) -> None:
        """A client on a port below 1024 is not answered."""
        try:
            client = self.client(socket.AF_INET, ("127.0.0.1", 1023))
        except OSError as error:
            self.skipTest(f"port 1023 cannot be had here: {error.strerror}")
        port = self.listen()
        client.socket.sendto(b"x", ("127.0.0.1", port.getHost().port))
        await self.ask(self.client(), b"x", "127.0.0.1", port.getHost().port)
        self.assertEqual(port.dropped, {"loop-port": 1})
        self.assertTrue(client.nothing_came())

    async def test_rate(self) -> None:
        """Set for loopback, the rate holds there: of ten at once three are answered."""
        port = self.listen(settings=DatagramSettings(rate=3, rate_on_loopback=True))
        client = self.client(socket.AF_INET, ("127.0.0.1", 0))
        for number in range(10):
            client.socket.sendto(b"%d" % number, ("127.0.0.1", port.getHost().port))
        answers = [(await client.receive())[0] for _ in range(3)]
        self.assertEqual(answers, [b"0", b"1", b"2"])

    async def test_amplification(self) -> None:
        """A longer answer is withheld, unless that is allowed."""

        class Twice(DatagramProtocol):
            noisy = False

            def datagramReceived(self, datagram: bytes, addr: Any) -> None:
                self.transport.write(datagram * 2, addr)  # type: ignore[union-attr]

        client = self.client()
        port = self.listen(protocol=Twice())
        client.socket.sendto(b"abc", ("127.0.0.1", port.getHost().port))
        empty = await self.ask(client, b"", "127.0.0.1", port.getHost().port)
        self.assertEqual((empty[0], port.dropped), (b"", {"amplification": 1}))
        allowed = self.listen(protocol=Twice(), settings=ANYTHING)
        answer, _source = await self.ask(client, b"abc", "127.0.0.1", allowed.getHost().port)
        self.assertEqual(answer, b"abcabc")


class TroubleTests(SocketCase):
    async def test_sends_that_fail(self) -> None:
        """What cannot be sent is counted under the errno's name, and nothing is raised."""
        port = self.listen(settings=ANYTHING)
        port.write(b"x" * (LARGEST + 1), ("127.0.0.1", 9))
        port.write(b"x", ("127.0.0.1", 0))
        self.assertEqual(port.dropped["send-emsgsize"], 1)
        self.assertEqual(port.dropped["send-einval"], 1)
        port.write(b"x", ("192.0.2.1", 9))  # from loopback there is no way out
        self.assertEqual(sum(port.dropped.values()), 3)
        await port.stopListening()
        port.write(b"x", ("127.0.0.1", 9))
        self.assertEqual(port.dropped["send-ebadf"], 1)

    async def test_broadcast_must_be_allowed(self) -> None:
        """The kernel sends a broadcast only for who asked."""
        port = self.listen("0.0.0.0", settings=ANYTHING)
        self.assertFalse(port.getBroadcastAllowed())
        port.write(b"x", ("127.255.255.255", 9))
        self.assertEqual(port.dropped, {"send-eacces": 1})
        port.setBroadcastAllowed(True)
        self.assertTrue(port.getBroadcastAllowed())

    async def test_askers_that_left(self) -> None:
        """Hundreds of askers that left before their answer hurt nobody."""
        echo = Echo()
        port = self.listen(protocol=echo)
        for _ in range(100):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.sendto(b"x", ("127.0.0.1", port.getHost().port))
        await echo.total(100)
        answer, _source = await self.ask(self.client(), b"y", "127.0.0.1", port.getHost().port)
        self.assertEqual((answer, port.dropped), (b"y", {}))

    async def test_exception(self) -> None:
        """A protocol's exception costs its own datagram only."""

        class Picky(Echo):
            def datagramReceived(self, datagram: bytes, addr: Any) -> None:
                super().datagramReceived(b"%d" % int(datagram), addr)

        port = self.listen(protocol=Picky())
        client = self.client()
        client.socket.sendto(b"no number", ("127.0.0.1", port.getHost().port))
        answer, _source = await self.ask(client, b"7", "127.0.0.1", port.getHost().port)
        self.assertEqual((answer, port.received), (b"7", 2))

    @skipUnless(LINUX, "the kernel's drops are known on Linux only")
    async def test_kernel_drops(self) -> None:
        """While nobody reads, the kernel drops; sent is received plus dropped, exactly."""
        echo = Echo()
        port = self.listen(protocol=echo)
        port.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        port.stopReading()
        client = self.client()
        for _ in range(3000):
            client.socket.sendto(b"x" * 100, ("127.0.0.1", port.getHost().port))
        port.startReading()
        await client.receive()
        await port.stopListening()
        self.assertGreater(port.dropped["kernel"], 2900)
        self.assertEqual(port.received + port.dropped["kernel"], 3000)

    @skipUnless(LINUX, "the kernel's drops are known on Linux only")
    async def test_kernel_drops_are_told_soon(self) -> None:
        """They are told within about a second of traffic, not only at the end."""
        told: Deferred[Any] = Deferred()
        self.publisher.add(told.callback, ["datagram-dropped"])
        port = self.listen()
        port.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client = self.client()
        for _ in range(1000):
            client.socket.sendto(b"x" * 100, ("127.0.0.1", port.getHost().port))
        event = await told.addTimeout(10, reactor)
        self.assertEqual((event.reason, event.peer), ("kernel", None))
        self.assertEqual(port.received + event.count, 1000)


class BusyTests(SocketCase):
    async def test_flood_leaves_the_reactor_free(self) -> None:
        """In a turn at most 64 are served, so others are heard between two turns."""
        turns: list[int] = []
        echo = Echo()
        port = self.listen(protocol=echo)
        read = port.doRead

        def counted() -> None:
            before = port.received
            read()
            turns.append(port.received - before)

        port.doRead = counted  # type: ignore[method-assign]
        client = self.client()
        for _ in range(200):
            client.socket.sendto(b"", ("127.0.0.1", port.getHost().port))
        await echo.total(200)
        self.assertEqual(turns, [64, 64, 64])  # the fourth is the one we are in

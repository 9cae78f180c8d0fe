"""The bench: all services started together or not at all, drained together, closed in order."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any

from twisted.application.service import IService
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.clients import ReactorTestCase
from twisted_lab.bench import Bench, make_bench
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService
from twisted_lab.settings import Settings
from twisted_lab.shared import Shared
from twisted_lab.transports.endpoints import UnixListen, loopback_interfaces

LOOPBACK = loopback_interfaces()


class MakeTests(SynchronousTestCase):
    def made(self, **given: Any) -> dict[str, set[str]]:
        """By service, what it would listen on: ``tcp 9000`` and so on."""
        services = make_bench(Settings(**given), Shared(Clock(), Publisher()))
        return {
            service.kind.name: {
                f"{type(listen).__name__} {getattr(listen, 'port', '')}"
                for listen in service._listens
            }
            for service in services
        }

    def test_ports(self) -> None:
        """Echo on TCP N and UDP N, line on TCP N+1; N is 9000 unless told."""
        for given, echo, line in (({}, 9000, 9001), ({"port": 7}, 7, 8), ({"port": 0}, 0, 0)):
            self.assertEqual(
                self.made(**given),
                {"echo": {f"TcpListen {echo}", f"UdpListen {echo}"}, "line": {f"TcpListen {line}"}},
            )

    def test_listen(self) -> None:
        """An endpoint more is one more for echo."""
        made = self.made(listen=(UnixListen("/tmp/s"),))
        self.assertIn("UnixListen ", made["echo"])
        self.assertEqual(made["line"], {"TcpListen 9001"})

    def test_well_known(self) -> None:
        """--well-known is every service that has a port of its own, there; endpoints are echo's."""
        made = self.made(well_known=True, listen=(UnixListen("/tmp/s"),))
        ports = {"discard": 9, "chargen": 19, "daytime": 13, "time": 37, "qotd": 17}
        expected = {name: {f"TcpListen {n}", f"UdpListen {n}"} for name, n in ports.items()}
        self.assertEqual(made.pop("echo"), {"TcpListen 7", "UdpListen 7", "UnixListen "})
        self.assertEqual(made, expected)

    def test_last_port(self) -> None:
        """65535 leaves no port for line, and that is said."""
        error = self.assertRaises(ConfigurationError, self.made, port=65535)
        self.assertIn("65535", str(error))
        self.made(port=65534)


class BenchTestCase(ReactorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.started: list[Sequence[LabService]] = []
        self.closing = 0

    def close(self) -> None:
        self.closing += 1
        self.names_at_close = self.seen.names

    def make(self, drain: float = 5.0, **given: Any) -> Bench:
        services = make_bench(Settings(**({"port": 0} | given)), self.shared)
        bench = Bench(services, self.shared, drain, self.started.append, [self.close])
        self.addCleanup(bench.stopService)
        return bench

    def start(self, drain: float = 5.0, **given: Any) -> Bench:
        bench = self.make(drain, **given)
        bench.startService()
        return bench

    def number(self, bench: Bench, name: str) -> int:
        (service,) = (service for service in bench.services if service.kind.name == name)
        (number,) = {
            opened.port.getHost().port
            for opened in service.ports
            if hasattr(opened.port.getHost(), "port")
        }
        return int(number)


class StartTests(BenchTestCase):
    async def test_serves(self) -> None:
        """On port 0 echo has one number for TCP and UDP, line another, and both serve."""
        bench = self.start()
        verifyObject(IService, bench)
        echo, line = self.number(bench, "echo"), self.number(bench, "line")
        self.assertNotEqual(echo, line)
        for host in LOOPBACK:
            await self.echoes(await self.connect(echo, host))
            await self.echoes_datagram(echo, host)
            await self.echoes(await self.connect(line, host), b"hello\n")

    async def test_started(self) -> None:
        """That it serves is said once, when all ports are open."""
        bench = self.make()
        bench.privilegedStartService()
        self.assertEqual(self.started, [])
        bench.startService()
        self.assertEqual(self.started, [bench.services])
        self.assertTrue(all(service.running for service in bench.services))
        self.assertEqual(len(self.seen.of("listening")), 3 * len(LOOPBACK))

    async def test_all_or_nothing(self) -> None:
        """When line's port is taken, echo is not served either: its sockets and the file of its
        UNIX socket are gone, at once, and the sentence names the address."""
        number = self.free_before_a_taken_one()
        path = self.folder / "s"
        bench = self.make(port=number - 1, listen=(UnixListen(str(path)),))
        error = self.assertRaises(CannotServe, bench.startService)
        self.assertEqual(
            str(error), f"cannot listen on tcp 127.0.0.1:{number}: Address already in use"
        )
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(self.started, [])
        self.assertFalse(bench.running)
        self.assertEqual(set(self.shared.served_ports), set())
        await self.assert_refused(self.connect(number - 1))

    def free_before_a_taken_one(self) -> int:
        """A TCP port that is taken, where the port before it is free on TCP and UDP."""
        for _ in range(100):
            number = self.taken()
            try:
                for host in LOOPBACK:
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        with socket.socket(family, kind) as sock:
                            sock.bind((host, number - 1))
            except OSError:
                continue
            return number
        raise AssertionError("no such port")

    async def test_said_no_more(self) -> None:
        """After such a failure nothing is left that was said to listen."""
        number = self.free_before_a_taken_one()
        bench = self.make(port=number - 1)
        self.assertRaises(CannotServe, bench.startService)
        self.assertEqual(
            sorted(event.local for event in self.seen.of("listening")),
            sorted(event.local for event in self.seen.of("not-listening")),
        )

    async def test_own_conflict(self) -> None:
        """Two services that want the same port are the same failure."""
        number = self.free_before_a_taken_one() - 1
        bench = self.make(port=number - 1, listen=(UnixListen(str(self.folder / "s")),))
        other = self.make(port=number)
        other.services = [*bench.services, *other.services]
        self.assertRaises(CannotServe, other.privilegedStartService)
        self.assertEqual(os.listdir(self.folder), [])


class DrainTests(BenchTestCase):
    async def test_nobody(self) -> None:
        """With nobody connected a drain is done at once."""
        bench = self.start()
        self.successResultOf(bench.drain())

    async def test_quiet(self) -> None:
        """A connection that is quiet is closed by FIN, soon; new ones are refused at once."""
        bench = self.start()
        number = self.number(bench, "echo")
        peer = await self.connect(number)
        await self.echoes(peer)
        done = bench.drain()
        await self.assert_refused(self.connect(number))
        await self.until(lambda: peer.end)
        peer.close()
        await done
        self.assertEqual(peer.end, "fin")
        (closed,) = self.seen.of("closed")
        self.assertEqual((closed.reason, closed.detail), ("drain", "the server stops"))

    async def test_nothing_lost(self) -> None:
        """What was sent before the stop comes back, to a peer that reads late."""
        bench = self.start()
        peer = await self.connect(self.number(bench, "echo"))
        await self.echoes(peer)
        peer.transport.pauseProducing()
        data = os.urandom(300_000)
        peer.send(data)
        await self.until(lambda: self.seen.of("closed") == [] and bench.streams()[0].bytes_in > 5)
        done = bench.drain()
        peer.transport.resumeProducing()
        await self.until(lambda: peer.end)
        self.assertEqual(bytes(peer.received[5:]), data)
        peer.close()
        await done

    async def test_limit(self) -> None:
        """A peer that keeps talking is cut off when the time is up."""
        bench = self.start(drain=0.2)
        peer = await self.connect(self.number(bench, "echo"))
        await self.echoes(peer)
        done = bench.drain()
        sent = 5
        while not peer.end:
            peer.send(b"x")
            sent += 1
            await self.until(lambda sent=sent: peer.end or len(peer.received) == sent)
        await done
        self.assertEqual(peer.end, "reset")

    async def test_no_time(self) -> None:
        """With no time to drain everything is cut off at once."""
        bench = self.start(drain=0.0)
        peer = await self.connect(self.number(bench, "echo"))
        await self.echoes(peer)
        await bench.drain()
        await self.until(lambda: peer.end)
        self.assertEqual(peer.end, "reset")


class StopTests(BenchTestCase):
    async def test_closing_last(self) -> None:
        """Files are closed once, after the last event: every port and connection has its end."""
        bench = self.start()
        peers = [await self.connect(self.number(bench, name)) for name in ("echo", "line")]
        await self.echoes(peers[0])
        await self.until(lambda: len(bench.streams()) == 2)
        await bench.stopService()
        self.assertEqual(self.closing, 1)
        self.assertEqual(self.names_at_close.count("closed"), 2)
        self.assertEqual(self.names_at_close.count("not-listening"), 3 * len(LOOPBACK))
        for peer in peers:
            await self.until(lambda peer=peer: peer.end)

    async def test_stopped_while_draining(self) -> None:
        """The same when it is stopped while it drains."""
        bench = self.start()
        peer = await self.connect(self.number(bench, "echo"))
        await self.echoes(peer)
        done = bench.drain()
        bench.abort()
        await bench.stopService()
        self.assertEqual(self.names_at_close.count("closed"), 1)
        await done
        await self.until(lambda: peer.end)

    async def test_after_failure(self) -> None:
        """A bench that never started can be stopped."""
        bench = self.make(port=65534, listen=(UnixListen(str(self.folder / "no" / "s")),))
        self.assertRaises(CannotServe, bench.startService)
        await bench.stopService()
        self.assertEqual(self.closing, 1)

    async def test_abort(self) -> None:
        """Everything can be ended at once."""
        bench = self.start()
        peer = await self.connect(self.number(bench, "line"))
        await self.until(bench.streams)
        bench.abort()
        await self.until(lambda: peer.end)
        self.assertEqual((peer.end, bench.streams()), ("reset", []))

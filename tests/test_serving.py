"""Serve from Python, in one's own process."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from zope.interface.verify import verifyObject

from examples.shout import Shout
from tests.clients import ReactorTestCase
from tests.own_page import block
from tests.streams import echo
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.serving import OwnBench, serve
from twisted_lab.testing import Collector, Peer, RealServer, Spy


class Echo(Protocol):
    """The textbook's, which knows nothing of half-close."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]


class Refusing(Factory):
    """A factory that cannot be started."""

    protocol = Echo

    def startFactory(self) -> None:
        raise ValueError("not today")


class Unstoppable(Factory):
    """A factory that cannot be stopped."""

    protocol = Echo

    def stopFactory(self) -> None:
        raise ValueError("never")


class ServeTests(ReactorTestCase):
    def serve(self, what: Any, **options: object) -> OwnBench:
        options = {"port": 0, "interface": "127.0.0.1", **options}
        return serve(what, self.reactor, self.seen, **options)

    def port(self, bench: OwnBench) -> int:
        (address,) = bench.addresses()
        return int(address.rpartition(":")[2])

    async def test_under_a_parent(self) -> None:
        """It is an IService: it starts and stops with its parent, and its limits hold."""
        parent = MultiService()
        bench = self.serve(Echo, max_connections=1)
        verifyObject(IService, bench)
        bench.setServiceParent(parent)
        parent.startService()
        self.addCleanup(parent.stopService)
        port = self.port(bench)
        await self.echoes(await self.connect(port))
        await self.connect(port)
        await self.until(lambda: self.seen.of("refused"))
        await parent.stopService()
        await self.assert_refused(self.connect(port))
        self.assertEqual(bench.addresses(), [])

    async def test_stop_drains(self) -> None:
        """A stop serves what is connected until it is quiet, then ends it with FIN."""
        bench = self.serve(Echo)
        bench.startService()
        peer = await self.connect(self.port(bench))
        await self.echoes(peer)
        stopped = bench.stopService()
        await self.echoes(peer, b"still there")
        await stopped
        (closed,) = self.seen.of("closed")
        self.assertEqual((closed.reason, closed.service), ("drain", "Echo"))

    async def test_with_a_page(self) -> None:
        """Where its page is it says itself, and only while it is there; its stop leaves nothing."""
        bench = self.serve(Echo, page="0")
        self.assertIsNone(bench.page)
        bench.startService()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#token=([\w-]{43})", bench.page or "")
        assert found is not None, bench.page
        peer = await self.connect(int(found[1]))
        host = f"Host: 127.0.0.1:{found[1]}\r\n".encode()
        peer.transport.write(b"GET /api/events HTTP/1.1\r\n" + host + b"\r\n")
        await self.until(lambda: b": ok" in peer.received)
        await bench.stopService()
        await self.until(lambda: peer.end)
        self.assertIn(b"event: end", peer.received)
        self.assertIsNone(bench.page)
        await self.assert_refused(self.connect(int(found[1])))

    async def test_without_a_page(self) -> None:
        """A service has none unless it was asked for."""
        bench = self.serve(Echo)
        bench.startService()
        self.addCleanup(bench.stopService)
        self.assertIsNone(bench.page)

    async def test_named(self) -> None:
        """What is served may be named, as on the command line."""
        bench = self.serve("discard")
        self.assertEqual([one.kind.name for one in bench.services], ["discard"])
        bench = self.serve("tests.test_serving:Echo")
        self.assertEqual([one.kind.name for one in bench.services], ["Echo"])

    async def test_wrong(self) -> None:
        """A bad option, or what cannot be served, is a ConfigurationError at once."""
        for what, options in ((Echo, {"prt": 7}), (Echo, {"port": "x"}), (7, {}), ("ecko", {})):
            with self.assertRaises(ConfigurationError):
                serve(what, self.reactor, **options)

    async def test_taken(self) -> None:
        """A port that somebody has is a CannotServe at the start."""
        bench = self.serve(Echo, port=self.taken())
        with self.assertRaisesRegex(CannotServe, "cannot listen on tcp"):
            bench.startService()

    async def test_start_fails(self) -> None:
        """So is a factory whose start raises, in a sentence with what it raised."""
        bench = self.serve(Refusing())
        with self.assertRaisesRegex(CannotServe, "^Refusing: startFactory: ValueError: not today"):
            bench.startService()

    async def test_stop_fails(self) -> None:
        """One whose stop raises is noted, and stops all the same."""
        bench = self.serve(Unstoppable())
        bench.startService()
        await bench.stopService()
        self.assertIn("stopFactory: ValueError: never", self.seen.of("note")[0].text)
        self.assertIn("not-listening", self.seen.names)


class RealServerTests(ReactorTestCase):
    async def test_block(self) -> None:
        """For the time of a block it serves on a free port, and what happened is there after."""
        async with RealServer(Factory.forProtocol(Echo), self.reactor) as server:
            peer = await self.connect(server.port, server.host)
            await self.echoes(peer)
            peer.fin()
            await self.until(lambda: peer.end)
        self.assertIsInstance(server.seen, Collector)
        self.assertEqual(server.seen.of("closed")[0].reason, "peer-fin")
        await self.assert_refused(self.connect(*reversed(server.address)))

    async def test_page(self) -> None:
        """What docs/own.md shows of it runs."""
        names: dict[str, Any] = {"reactor": self.reactor, "Peer": Peer, "Shout": Shout}
        names |= {"RealServer": RealServer, "connectProtocol": connectProtocol}
        names |= {"TCP4ClientEndpoint": TCP4ClientEndpoint}
        exec(
            "async def shown():\n" + indent(block("RealServer("), "    ") + "    return peer", names
        )
        peer = await names["shown"]()
        await self.until(lambda: not peer.transport.connected)

    async def test_cleanup(self) -> None:
        """Its stop is there for addCleanup, and waits for nobody."""
        server = RealServer(lambda_factory(Spy(dataReceived=echo)), self.reactor)
        self.addCleanup(server.stop)
        await self.echoes(await self.connect(server.port))

    async def test_tls_and_datagrams(self) -> None:
        """Its address is that of what it serves: TLS alone, or datagrams."""
        async with RealServer(Echo, self.reactor, listen="tls:0:interface=127.0.0.1") as server:
            self.assertEqual(server.host, "127.0.0.1")
            await self.connect(server.port)
        async with RealServer("datagram", self.reactor) as server:
            await self.echoes_datagram(server.port)


def lambda_factory(protocol: Protocol) -> Factory:
    """A factory of this one protocol."""
    return Factory.forProtocol(lambda: protocol)  # type: ignore[arg-type]

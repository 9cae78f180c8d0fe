"""What the page and the metrics are told of a service is what it has."""

from __future__ import annotations

import json
from typing import Any

from tests.clients import Datagrams, ReactorTestCase
from tests.test_service import settings
from twisted_lab import service_views
from twisted_lab.loop_lag import LoopLag
from twisted_lab.metrics import KINDS, Metrics, ServiceView
from twisted_lab.service import LabService, make_service
from twisted_lab.service_views import ServiceSummary, ServiceViews, as_json

#: The fields the page's interface promises of a service, ``try`` among them.
PROMISED = """
    name kind summary state ports open accepted closed refused bytes_in bytes_out datagrams_in
    datagrams_out datagram_bytes_in datagram_bytes_out dropped try
    """.split()


class ViewsTestCase(ReactorTestCase):
    def start(self, name: str = "echo", **texts: Any) -> LabService:
        """The service, counted as a bench would have it."""
        self.service = make_service(name, settings(**texts), self.shared)
        self.views = ServiceViews([self.service])
        self.metrics = Metrics(self.views.views, LoopLag(self.reactor), {}, {})
        self.shared.publisher.add(self.views, service_views.KINDS, detailed=False)
        self.shared.publisher.add(self.metrics, KINDS, detailed=False)
        self.addCleanup(self.service.stopService)
        self.service.startService()
        return self.service

    def view(self) -> ServiceView:
        (view,) = self.views.views()
        return view

    def summary(self) -> ServiceSummary:
        (summary,) = self.views.summaries(self.metrics.of)
        return summary

    def number(self) -> int:
        return int(self.service.ports[0].port.getHost().port)

    async def send(self, *datagrams: bytes) -> None:
        """Each is answered by one as long."""
        client = Datagrams()
        listening = self.reactor.listenUDP(0, client, interface="127.0.0.1")
        try:
            for datagram in datagrams:
                listening.write(datagram, ("127.0.0.1", self.number()))
            await self.until(lambda: len(client.received) == len(datagrams))
        finally:
            await listening.stopListening()


class StreamTests(ViewsTestCase):
    async def test_open(self) -> None:
        """An open connection counts, with the bytes it moved so far; a closed one in the totals."""
        self.start("echo", listen=["tcp:127.0.0.1:0"])
        self.assertEqual(self.view(), ServiceView("echo", True, True))
        peer = await self.connect(self.number())
        await self.echoes(peer, b"hello")
        view = self.view()
        self.assertEqual((view.open, view.ending, view.bytes_in, view.bytes_out), (1, 0, 5, 5))
        before = self.summary()
        self.assertEqual((before.open, before.accepted, before.closed), (1, 1, {}))
        self.assertEqual((before.bytes_in, before.bytes_out), (5, 5))
        peer.transport.loseConnection()
        await self.until(lambda: not self.service.streams())
        after = self.summary()
        self.assertEqual((after.open, after.accepted, after.closed), (0, 1, {"peer-fin": 1}))
        self.assertEqual((after.bytes_in, after.bytes_out), (5, 5))

    async def test_ending(self) -> None:
        """A connection whose end has begun, and that is not gone, counts apart."""
        self.start("daytime", listen=["tcp:127.0.0.1:0"])
        await self.connect(self.number())
        await self.until(lambda: self.view().ending == 1)
        self.assertEqual((self.view().open, self.summary().open), (0, 1))

    async def test_refused(self) -> None:
        """Who was turned away counts by the gate."""
        self.start("line", listen=["tcp:127.0.0.1:0"], deny=["127.0.0.0/8"])
        await self.connect(self.number())
        await self.until(lambda: self.summary().refused == {"access": 1})


class DatagramTests(ViewsTestCase):
    async def test_counts(self) -> None:
        """Datagrams and their bytes are counted both ways, and drops by reason."""
        self.start("datagram", listen=["udp:127.0.0.1:0"])
        await self.send(b"hello", b"world!")
        view = self.view()
        self.assertEqual((view.streams, view.datagrams), (False, True))
        self.assertEqual((view.datagrams_in, view.datagrams_out), (2, 2))
        self.assertEqual((view.datagram_bytes_in, view.datagram_bytes_out), (11, 11))
        self.assertEqual(view.dropped, {})

    async def test_dropped(self) -> None:
        """What is not taken is no datagram of the service, and says why."""
        self.start("datagram", listen=["udp:127.0.0.1:0"], deny=["127.0.0.0/8"])
        client = self.reactor.listenUDP(0, Datagrams(), interface="127.0.0.1")
        self.addCleanup(client.stopListening)
        client.write(b"hello", ("127.0.0.1", self.number()))
        await self.until(lambda: self.view().dropped == {"access": 1})
        self.assertEqual(self.view().datagrams_in, 0)
        self.assertEqual(self.summary().dropped, {"access": 1})

    async def test_never_down(self) -> None:
        """Suspended and resumed, twice and unobserved in between, it has lost no count."""
        self.start("datagram", listen=["udp:127.0.0.1:0"])
        for sent in (1, 2):
            await self.send(b"hello")
            self.service.suspend()
            self.service.resume()
            self.assertEqual(self.view().datagrams_in, sent)
            self.assertEqual(self.view().datagram_bytes_out, 5 * sent)
        await self.send(b"hello")
        self.assertEqual(self.view().datagrams_in, 3)

    async def test_bounded(self) -> None:
        """Ports that are closed are counted once and then forgotten."""
        self.start("datagram", listen=["udp:127.0.0.1:0"])
        for _ in range(20):
            self.service.suspend()
            self.service.resume()
        self.assertEqual(len(self.views._datagrams["datagram"]._ports), 1)


class StateTests(ViewsTestCase):
    async def test_states(self) -> None:
        """It serves, is suspended, serves again, and stops; and says so."""
        self.start("echo", port="0")
        self.assertEqual(self.summary().state, "serving")
        self.assertFalse(self.view().suspended)
        self.service.suspend()
        self.assertEqual((self.summary().state, self.summary().ports), ("suspended", ()))
        self.assertTrue(self.view().suspended)
        self.service.resume()
        self.assertEqual(self.summary().state, "serving")
        await self.service.stop_listening()
        self.assertEqual(self.summary().state, "stopping")

    async def test_what_it_is(self) -> None:
        """Its name, its kind, what it does, and where it listens over what."""
        made = self.start("echo", listen=["tcp:127.0.0.1:0", "udp:127.0.0.1:0"])
        said = self.summary()
        self.assertEqual((said.name, said.kind, said.summary), ("echo", "echo", made.kind.summary))
        self.assertEqual(
            [(port.transport, port.local) for port in said.ports],
            [("tcp", made.ports[0].address), ("udp", made.ports[1].address)],
        )

    async def test_tries(self) -> None:
        """There is something to try for each transport, once, each under a title of its own."""
        self.start("echo", port="0", listen=["tls:0", f"unix:{self.folder}/s"])
        titles = [one.title for one in self.summary().tries]
        expected = ["openssl, tls", "Python, tls"]
        expected += [f"{name}, unix" for name in ("nc", "socat", "Python", "C")]
        expected += ["nc", "telnet", "Python", "C"]
        expected += [f"{name}, udp" for name in ("nc", "Python", "C")]
        self.assertEqual(titles, expected)

    async def test_json(self) -> None:
        """In JSON it has exactly the fields that were promised, of plain values."""
        self.start("echo", port="0")
        said = as_json(self.summary())
        self.assertEqual(sorted(said), sorted(PROMISED))
        self.assertEqual(json.loads(json.dumps(said)), said)
        self.assertEqual(said["try"][0]["title"], "nc")
        self.assertEqual(sorted(said["try"][0]), ["language", "text", "title"])
        self.assertEqual(sorted(said["ports"][0]), ["local", "transport"])

"""One service on its ports: opened all or none, closed in order, each failure one sentence."""

from __future__ import annotations

import gc
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any
from unittest import skipIf

from twisted.application.service import IService
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.clients import ReactorTestCase
from twisted_lab import kernel
from twisted_lab.errors import CannotServe, ConfigurationError
from twisted_lab.protocols import KINDS
from twisted_lab.publishing import Publisher
from twisted_lab.service import LabService, listens_of, make_service
from twisted_lab.settings import Settings, read_settings
from twisted_lab.shared import Shared
from twisted_lab.transports.endpoints import Listen, TcpListen, UdpListen, loopback_interfaces

LOOPBACK = loopback_interfaces()


def settings(**texts: Any) -> Settings:
    return read_settings({name.replace("_", "-"): text for name, text in texts.items()})


class ListensTests(SynchronousTestCase):
    def listens(self, kind: str, **texts: Any) -> tuple[Listen, ...]:
        return listens_of(KINDS[kind], settings(**texts))

    def refused(self, kind: str, **texts: Any) -> str:
        sentence = str(self.assertRaises(ConfigurationError, self.listens, kind, **texts))
        self.assertEqual(len(sentence.splitlines()), 1)
        return sentence

    def tcp(self, port: int) -> tuple[Listen, ...]:
        return tuple(TcpListen(one, port) for one in LOOPBACK)

    def udp(self, port: int) -> tuple[Listen, ...]:
        return tuple(UdpListen(one, port) for one in LOOPBACK)

    def test_default(self) -> None:
        """Without options a service has its own port, on loopback, in each form it has."""
        self.assertEqual(self.listens("echo"), self.tcp(9000) + self.udp(9000))
        self.assertEqual(self.listens("line"), self.tcp(9001))
        self.assertEqual(self.listens("datagram"), self.udp(9000))

    def test_port(self) -> None:
        """--port N is TCP N, and UDP N where there are datagrams."""
        self.assertEqual(self.listens("discard", port="7"), self.tcp(7) + self.udp(7))
        self.assertEqual(self.listens("line", port="7"), self.tcp(7))

    def test_listen(self) -> None:
        """--listen alone is what listens; with --port both do."""
        one = TcpListen("127.0.0.1", 7)
        self.assertEqual(self.listens("echo", listen=["tcp:127.0.0.1:7"]), (one,))
        self.assertEqual(
            self.listens("line", listen=["tcp:127.0.0.1:7"], port="8"), (one, *self.tcp(8))
        )

    def test_interface(self) -> None:
        """--interface is where --port listens, and there only."""
        self.assertEqual(
            self.listens("echo", port="7", interface="127.0.0.1"),
            (TcpListen("127.0.0.1", 7), UdpListen("127.0.0.1", 7)),
        )

    def test_form_it_has_not(self) -> None:
        """A transport that a service does not serve is said, with the service and the place."""
        sentence = self.refused("line", listen=["udp:127.0.0.1:7"])
        self.assertEqual(sentence, "line does not serve udp: 127.0.0.1:7")
        for endpoint in ("tcp:127.0.0.1:7", "unix:/tmp/s", "tls:127.0.0.1:7"):
            self.assertIn("datagram does not serve", self.refused("datagram", listen=[endpoint]))

    def test_well_known(self) -> None:
        """--well-known is the service's own port; without one, or with --port, it is refused."""
        for name, port in {
            "echo": 7,
            "discard": 9,
            "daytime": 13,
            "qotd": 17,
            "chargen": 19,
            "time": 37,
        }.items():
            listens = listens_of(KINDS[name], settings(well_known=True))
            self.assertEqual({listen.port for listen in listens}, {port})  # type: ignore[union-attr]
            self.assertEqual(len(listens), 2 * len(LOOPBACK))
        for name in ("line", "datagram", "info"):
            self.assertIn(name, self.refused(name, well_known=True))
        self.assertIn("'9000'", self.refused("echo", port="9000", well_known=True))

    def test_quotes(self) -> None:
        """A file of quotes that cannot be used is refused before anything starts."""
        asked = settings(quotes="/no/such/file")
        error = self.assertRaises(
            ConfigurationError, make_service, "qotd", asked, Shared(Clock(), Publisher())
        )
        self.assertIn("/no/such/file", str(error))

    def test_foreign(self) -> None:
        """An endpoint that this version cannot serve is refused before anything starts."""
        self.assertIn("stdio:", self.refused("line", listen=["stdio:"]))


class ReflectorTests(SynchronousTestCase):
    ELSEWHERE = ("0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "::2", "::1234", "128.0.0.1")

    def listens(self, interface: str, **texts: Any) -> tuple[Listen, ...]:
        return listens_of(KINDS["echo"], settings(port="7", interface=interface, **texts))

    def test_refused(self) -> None:
        """UDP beyond loopback, to everybody, is refused: the sentence names the place, the reason
        and both ways out."""
        served = []
        for interface in self.ELSEWHERE:
            try:
                served.append(self.listens(interface))
            except ConfigurationError as error:
                for word in (interface, "UDP", "forged", "--allow CIDR", "--allow-reflector"):
                    self.assertIn(word, str(error))
        self.assertEqual(served, [])

    def test_loopback(self) -> None:
        """On loopback it is not, nor without UDP."""
        for interface in ("127.0.0.1", "127.1.2.3", "::1"):
            self.assertEqual(len(self.listens(interface)), 2)
        line = listens_of(KINDS["line"], settings(port="7", interface="0.0.0.0"))
        self.assertEqual(line, (TcpListen("0.0.0.0", 7),))

    def test_allowed(self) -> None:
        """It is not when it is said who may ask, or that all may."""
        for more in ({"allow": ["10.0.0.0/8"]}, {"allow_reflector": True}):
            self.assertEqual(len(self.listens("0.0.0.0", **more)), 2)

    def test_deny_is_not_enough(self) -> None:
        """Who may not is not who may."""
        self.assertRaises(ConfigurationError, self.listens, "0.0.0.0", deny=["10.0.0.0/8"])

    def test_endpoint(self) -> None:
        """An endpoint is held to the same as --interface."""
        asked = settings(listen=["udp:0.0.0.0:7"])
        self.assertRaises(ConfigurationError, listens_of, KINDS["datagram"], asked)


class MakeTests(SynchronousTestCase):
    def make(self, name: str, **texts: Any) -> LabService:
        return make_service(name, settings(**texts), Shared(Clock(), Publisher()))

    def test_unknown(self) -> None:
        """A service that there is not is named, with those that there are."""
        sentence = str(self.assertRaises(ConfigurationError, self.make, "ecko"))
        self.assertIn("'ecko'", sentence)
        for name in KINDS:
            self.assertIn(name, sentence)

    def test_bad_certificate(self) -> None:
        """A certificate authority's file that is missing is named before anything starts."""
        sentence = str(
            self.assertRaises(
                ConfigurationError, self.make, "line", listen=["tls:0"], client_ca="/no/such.pem"
            )
        )
        self.assertIn("/no/such.pem", sentence)

    def test_client_ca_without_tls(self) -> None:
        """The same when nothing is TLS: an option is not taken and then forgotten."""
        self.assertRaises(ConfigurationError, self.make, "line", client_ca="/no/such.pem")

    def test_proxy_from_without_proxy(self) -> None:
        """The same for the balancers to believe, where no port expects a header."""
        sentence = str(
            self.assertRaises(ConfigurationError, self.make, "echo", proxy_from=["10.0.0.0/8"])
        )
        self.assertIn("--proxy-from '10.0.0.0/8'", sentence)
        self.make("echo", listen=["haproxy:tcp:0"], proxy_from=["10.0.0.0/8"])

    def test_interface(self) -> None:
        """It is one of Twisted's services, with the name of its kind."""
        made = self.make("echo")
        verifyObject(IService, made)
        self.assertEqual(made.name, "echo")


class ServiceTestCase(ReactorTestCase):
    def make(self, name: str = "echo", **texts: Any) -> LabService:
        made = make_service(name, settings(**texts), self.shared)
        self.addCleanup(made.stopService)
        return made

    def start(self, name: str = "echo", **texts: Any) -> LabService:
        made = self.make(name, **texts)
        made.startService()
        return made

    def number(self, service: LabService, kind: type = TcpListen) -> int:
        """The port number of its first port of that kind."""
        return next(
            opened.port.getHost().port
            for opened in service.ports
            if isinstance(opened.listen, kind)
        )


class OpenTests(ServiceTestCase):
    async def test_serves(self) -> None:
        """Echo on port 0 serves TCP and UDP on every loopback address, on one number."""
        service = self.start(port="0")
        numbers = {opened.port.getHost().port for opened in service.ports}
        self.assertEqual((len(service.ports), len(numbers)), (2 * len(LOOPBACK), 1))
        (number,) = numbers
        for host in LOOPBACK:
            await self.echoes(await self.connect(number, host))
            await self.echoes_datagram(number, host)

    async def test_opened_once(self) -> None:
        """Started with privileges and then for good, it opens its ports once."""
        service = self.make(port="0")
        service.privilegedStartService()
        opened = list(service.ports)
        service.privilegedStartService()
        service.startService()
        self.assertEqual(service.ports, opened)
        self.assertTrue(service.running)

    async def test_listening(self) -> None:
        """Each port that is opened is said, with its address, transport and backlog."""
        service = self.start(listen=["tcp:127.0.0.1:0:backlog=5", "udp:127.0.0.1:0"], backlog="64")
        said = [(e.service, e.local, e.transport, e.backlog) for e in self.seen.of("listening")]
        tcp, udp = (opened.address for opened in service.ports)
        self.assertEqual(said, [("echo", tcp, "tcp", 5), ("echo", udp, "udp", None)])

    @skipIf(not kernel._LINUX, "only Linux says a listener's backlog")
    async def test_backlog(self) -> None:
        """The backlog is the kernel's: 4096 unless told, as far as somaxconn goes."""
        most = int(Path("/proc/sys/net/core/somaxconn").read_text())
        for texts, expected in (({}, 4096), ({"backlog": "7"}, 7)):
            service = self.start("line", port="0", **texts)
            raw = kernel.raw_tcp_info(service.ports[0].port.socket)
            assert raw is not None
            # Of a listener tcpi_sacked is its backlog (tcp_get_info() of net/ipv4/tcp.c).
            self.assertEqual(struct.unpack_from("=I", raw, 8 + 4 * 5)[0], min(expected, most))

    async def test_port_zero_twice(self) -> None:
        """Two services on port 0 do not get in each other's way."""
        first, second = self.start(port="0"), self.start("discard", port="0")
        self.assertNotEqual(self.number(first), self.number(second))

    async def test_unix(self) -> None:
        """A UNIX socket is a file of the mode asked for, and serves."""
        path = self.folder / "s"
        self.start(listen=[f"unix:{path}:mode=600"])
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        await self.echoes(await self.connect_unix(path))

    async def test_max_line(self) -> None:
        """An option of the service's own reaches it."""
        service = self.start("line", port="0", max_line="10")
        peer = await self.connect(self.number(service))
        peer.send(b"12345678901\n")
        await self.until(lambda: peer.end)
        self.assertEqual(peer.received, b"line too long (limit 10)\r\n")


class RenewTests(ServiceTestCase):
    async def test_datagram(self) -> None:
        """A service without streams holds to its new limits as any other."""
        service = self.start("datagram", port="0", interface="127.0.0.1")
        number = self.number(service, UdpListen)
        await self.echoes_datagram(number)
        service.renew(settings(port="0", interface="127.0.0.1", deny=["127.0.0.0/8"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as denied:
            denied.sendto(b"x", ("127.0.0.1", number))
            await self.until(lambda: self.seen.of("datagram-dropped"))


class FailureTests(ServiceTestCase):
    def fails(self, **texts: Any) -> str:
        """The one sentence with which a start fails that leaves nothing open."""
        before = set(os.listdir("/proc/self/fd"))
        service = self.make(**texts)
        sentence = str(self.assertRaises(CannotServe, service.startService))
        self.assertEqual(len(sentence.splitlines()), 1)
        self.assertEqual(service.ports, [])
        self.assertFalse(service.running)
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), len(before) + 1)  # Twisted's reserve
        return sentence

    async def test_tcp(self) -> None:
        """A TCP port that is taken is named, with the reason."""
        number = self.taken()
        self.assertEqual(
            self.fails(listen=[f"tcp:127.0.0.1:{number}"]),
            f"cannot listen on tcp 127.0.0.1:{number}: Address already in use",
        )

    async def test_udp(self) -> None:
        """So is a UDP port."""
        number = self.taken(socket.SOCK_DGRAM)
        self.assertEqual(
            self.fails(listen=[f"udp:127.0.0.1:{number}"]),
            f"cannot listen on udp 127.0.0.1:{number}: Address already in use",
        )

    async def test_address(self) -> None:
        """An address that this machine has not is named."""
        self.assertEqual(
            self.fails(listen=["tcp:192.0.2.7:0"]),
            "cannot listen on tcp 192.0.2.7:0: Cannot assign requested address",
        )

    async def test_scope(self) -> None:
        """So is a link that there is not."""
        for kind in ("tcp", "udp"):
            sentence = self.fails(listen=[f"{kind}:[fe80::1%no-such]:0"], allow_reflector=True)
            self.assertIn("fe80::1%no-such", sentence)

    async def test_unix(self) -> None:
        """A path where there is no folder is named."""
        path = self.folder / "no" / "s"
        self.assertIn(f"unix:{path}", self.fails(listen=[f"unix:{path}"]))

    async def test_unix_taken(self) -> None:
        """A UNIX socket in use is named, and goes on serving."""
        path = self.folder / "s"
        self.start(listen=[f"unix:{path}"])
        self.assertIn(f"unix:{path}", self.fails(listen=[f"unix:{path}"]))
        await self.echoes(await self.connect_unix(path))

    async def test_unix_over_file(self) -> None:
        """A file that is no socket is not touched, and no lock of ours is left beside it."""
        path = self.folder / "s"
        path.write_text("precious")
        self.assertIn(f"unix:{path}", self.fails(listen=[f"unix:{path}"]))
        self.assertEqual(path.read_text(), "precious")
        self.assertEqual(os.listdir(self.folder), ["s"])

    async def test_all_or_nothing(self) -> None:
        """When the last port is taken none is open: TCP, UDP and UNIX are closed at once."""
        path = self.folder / "s"
        udp = self.taken(socket.SOCK_DGRAM)
        # A free number, which is then asked for.
        tcp = self.start("line", port="0")
        number = self.number(tcp)
        await tcp.stopService()
        self.seen.events.clear()
        self.fails(
            listen=[
                f"tcp:127.0.0.1:{number}",
                f"unix:{path}",
                "udp:127.0.0.1:0",
                f"udp:127.0.0.1:{udp}",
            ]
        )
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(set(self.shared.served_ports), set())
        await self.assert_refused(self.connect(number))

    async def test_said(self) -> None:
        """What was said to listen is said to listen no more when the start fails."""
        number = self.taken()
        self.fails(listen=["tcp:127.0.0.1:0", "udp:127.0.0.1:0", f"tcp:127.0.0.1:{number}"])
        self.assertEqual(
            [event.local for event in self.seen.of("listening")],
            [event.local for event in self.seen.of("not-listening")],
        )

    async def test_again(self) -> None:
        """A start that failed can be tried again."""
        number = self.taken()
        service = self.make(listen=["tcp:127.0.0.1:0", f"tcp:127.0.0.1:{number}"])
        self.assertRaises(CannotServe, service.startService)
        service._listens = service._listens[:1]
        service.startService()
        await self.echoes(await self.connect(self.number(service)))


class SuspendTests(ServiceTestCase):
    async def test_streams(self) -> None:
        """Who is connected stays so; nobody else gets in until the same port is open again."""
        service = self.start(port="0")
        where = [opened.address for opened in service.ports]
        number = self.number(service)
        peer = await self.connect(number)
        await self.echoes(peer)
        service.suspend()
        await self.assert_refused(self.connect(number))
        await self.echoes(peer)
        service.resume()
        self.assertEqual([opened.address for opened in service.ports], where)
        await self.echoes(await self.connect(number))
        self.assertEqual(len(self.seen.of("listening")), 2 * len(where))
        self.assertEqual(len(self.seen.of("not-listening")), len(where))

    async def test_unix(self) -> None:
        """The file of a UNIX socket goes and comes back."""
        service = self.start("line", listen=[f"unix:{self.folder / 's'}"])
        service.suspend()
        self.assertEqual(os.listdir(self.folder), [])
        service.resume()
        self.assertIn("s", os.listdir(self.folder))

    async def test_twice(self) -> None:
        """What is suspended can be so again, and what serves resumed, and nothing changes."""
        service = self.start(port="0")
        service.resume()
        service.suspend()
        service.suspend()
        service.resume()
        service.resume()
        await self.echoes(await self.connect(self.number(service)))

    async def test_taken(self) -> None:
        """A port that somebody else took meanwhile is named; all stay closed until it is free."""
        service = self.start("line", port="0")
        number = self.number(service)
        service.suspend()
        thief = socket.socket()
        self.addCleanup(thief.close)
        thief.bind(("127.0.0.1", number))
        thief.listen()
        said = str(self.assertRaises(CannotServe, service.resume))
        self.assertIn(f"127.0.0.1:{number}", said)
        self.assertEqual(service.ports, [])
        thief.close()
        service.resume()
        await self.echoes(await self.connect(number), b"hello\n")

    async def test_stopped(self) -> None:
        """A service can be stopped while it is suspended."""
        service = self.start(port="0")
        service.suspend()
        await service.stopService()
        self.assertEqual(self.timers(), [])


class StopTests(ServiceTestCase):
    async def test_stop_listening(self) -> None:
        """No new connections, at once; those that are open live on."""
        service = self.start(port="0")
        number = self.number(service)
        peer = await self.connect(number)
        await self.echoes(peer)
        stopped = service.stop_listening()
        await stopped
        await self.assert_refused(self.connect(number))
        await self.echoes(peer)
        self.assertEqual(service.ports, [])

    async def test_waiting(self) -> None:
        """Who was connected by the kernel, and not yet accepted, is served: no close resets it."""
        listens = ["tcp:127.0.0.1:0", f"unix:{self.folder / 's'}"]
        service = self.start("line", listen=listens)
        tcp = ("127.0.0.1", self.number(service))
        for family, address in ((socket.AF_INET, tcp), (socket.AF_UNIX, str(self.folder / "s"))):
            for _ in range(150):  # Twisted accepts a hundred a turn
                waiting = socket.socket(family)
                self.addCleanup(waiting.close)
                waiting.connect(address)
        self.assertEqual(service.streams(), ())
        stopped = service.stop_listening()
        self.assertEqual(len(service.streams()), 300)
        await stopped

    async def test_said(self) -> None:
        """Each port that was said to listen is said to listen no more, once."""
        service = self.start(port="0")
        await service.stop_listening()
        await service.stop_listening()
        said = [(event.local, event.transport) for event in self.seen.of("not-listening")]
        self.assertEqual(
            said, [(event.local, event.transport) for event in self.seen.of("listening")]
        )
        self.assertEqual(len(said), 2 * len(LOOPBACK))

    async def test_stop(self) -> None:
        """A stop without a drain ends what is open by RST; the event says why."""
        service = self.start("line", port="0")
        peer = await self.connect(self.number(service))
        await self.echoes(peer, b"hello\n")
        await service.stopService()
        await self.until(lambda: peer.end)
        self.assertEqual(peer.end, "reset")
        (closed,) = self.seen.of("closed")
        self.assertEqual((closed.reason, closed.bytes_in), ("drain", 6))
        self.assertEqual(service.streams(), ())

    async def test_timers(self) -> None:
        """A service that was stopped leaves no timer in the reactor, to which it may not belong."""
        service = self.start(port="0")
        peer = await self.connect(self.number(service))
        await self.echoes(peer)
        await service.stopService()
        await self.until(lambda: peer.end)
        self.assertEqual(self.timers(), [])

    async def test_unix(self) -> None:
        """The file of a UNIX socket and its lock are gone with it."""
        service = self.start(listen=[f"unix:{self.folder / 's'}"])
        await service.stopService()
        self.assertEqual(os.listdir(self.folder), [])

    async def test_unix_file_gone(self) -> None:
        """A UNIX socket whose file somebody removed stops in order all the same."""
        path = self.folder / "s"
        service = self.start(listen=[f"unix:{path}", "tcp:127.0.0.1:0"])
        number = self.number(service)
        path.unlink()
        await service.stopService()
        gc.collect()  # what nobody handled is logged then
        self.assertEqual(self.flushLoggedErrors(), [])
        await self.assert_refused(self.connect(number))
        self.assertEqual(os.listdir(self.folder), [])

    async def test_unix_file_gone_at_once(self) -> None:
        """So does one that must close at once, with a lock or without."""
        path = self.folder / "s"
        for options in ("", ":lockfile=0"):
            service = self.start(listen=[f"unix:{path}{options}"])
            before = len(os.listdir("/proc/self/fd"))
            path.unlink()
            service.close_at_once()
            self.assertEqual(len(os.listdir("/proc/self/fd")), before - 1)
            self.assertEqual(os.listdir(self.folder), [])

    async def test_again(self) -> None:
        """A service that was stopped can be started again."""
        service = self.start(port="0")
        await service.stopService()
        service.startService()
        await self.echoes(await self.connect(self.number(service)))

    async def test_streams(self) -> None:
        """The open streams are those that are open."""
        service = self.start("line", port="0")
        self.assertEqual(service.streams(), ())
        peer = await self.connect(self.number(service))
        await self.until(service.streams)
        (stream,) = service.streams()
        self.assertTrue(stream.peer.startswith("127.0.0.1:"))
        peer.close()
        await self.until(lambda: not service.streams())

    async def test_datagram(self) -> None:
        """A service without streams has none, and stops as any other."""
        service = self.start("datagram", port="0")
        self.assertEqual(service.streams(), ())
        await self.echoes_datagram(self.number(service, UdpListen))
        await service.stopService()
        self.assertEqual(set(self.shared.served_ports), set())

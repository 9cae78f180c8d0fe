"""A real haproxy in front: what it sends is what we read, and nothing is lost on the way.

Where haproxy is not installed this is skipped with a word; in CI it fails.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import trustme
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import PATIENCE, Child, wait_for
from tests.integration.half_close import payload
from tests.integration.peers import exchange, missing, send_and_fin
from tests.integration.recorded import RECORDING, recorded
from tests.integration.roads import Client, SecureClient, client_context

#: What a haproxy sends when asked for all of it (proxy-v2-options).
ALL_OPTIONS = "proxy-v2-options ssl,cert-cn,cert-key,cert-sig,ssl-cipher,authority,crc32c,unique-id"

_CONFIG = """\
global
    maxconn 200
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind fd@{fd} {secure}
    unique-id-format bench-%ci-%cp
    default_backend back
backend back
    server bench {server} {sends}
"""


class Haproxy:
    """A haproxy that passes connections on to *server*, as *sends* says; a context manager.

    It listens where ``listening`` does: a socket of ours, on a free port. *secure* is what its
    ``bind`` says of TLS.
    """

    def __init__(self, server: str, sends: str, family: int, secure: str = "") -> None:
        path = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")
        if path is None:
            raise missing("haproxy")
        self.listening = socket.socket(family, socket.SOCK_STREAM)
        self.listening.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listening.listen(64)
        self._folder = tempfile.TemporaryDirectory(prefix="socketlab-test-")
        folder = Path(self._folder.name)
        config = folder / "haproxy.cfg"
        fd = self.listening.fileno()
        config.write_text(_CONFIG.format(fd=fd, secure=secure, server=server, sends=sends))
        self._said = (folder / "said").open("w+b")
        self._process = subprocess.Popen(
            [path, "-db", "-f", str(config)],
            pass_fds=[fd],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Haproxy:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self.listening.close()
        self._said.close()
        self._folder.cleanup()

    def connect(self) -> socket.socket:
        """A connection to it; it listens already, so the kernel makes it at once."""
        if self._process.poll() is not None:
            self._said.seek(0)
            raise AssertionError(f"haproxy ended: {self._said.read()!r}")
        sock = socket.socket(self.listening.family, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        sock.connect(self.listening.getsockname())
        return sock

    @property
    def name(self) -> str:
        """Where it listens, as we write it."""
        return _name(self.listening.getsockname())


def _name(address: Any) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HaproxyCase(SynchronousTestCase):
    def serve(self, service: str, road: str = "tcp", *arguments: str) -> Child:
        """A child that expects headers on *road*."""
        where = {"tcp": "tcp:0", "tls": "tls:0", "unix": "unix:socket"}[road]
        child = Child(service, "--listen", f"haproxy:{where}", *arguments, *RECORDING).__enter__()
        self.addCleanup(child.__exit__)
        return child

    def front(
        self,
        child: Child,
        sends: str,
        road: str = "tcp",
        family: int = socket.AF_INET,
        secure: str = "",
    ) -> Haproxy:
        """A haproxy in front of *child*."""
        if road == "unix":
            server = f"unix@{child.folder}/socket"
        else:
            server = f"127.0.0.1:{child.port(child_service(child), f'haproxy:{road}')}"
        front = Haproxy(server, sends, family, secure).__enter__()
        self.addCleanup(front.__exit__)
        return front

    def client(self, front: Haproxy) -> Client:
        client = Client(front.connect())
        self.addCleanup(client.close)
        return client


def child_service(child: Child) -> str:
    """The one service of *child*."""
    return child.output.split("serves:")[1].split()[0]


class HeaderTests(HaproxyCase):
    def info(self, sends: str, **how: Any) -> tuple[Client, Haproxy, Any]:
        """What the info service says to a client of a haproxy that *sends* so."""
        child = self.serve("info", how.get("road", "tcp"))
        front = self.front(child, sends, **how)
        client = self.client(front)
        return client, front, json.loads(client.receive_all())

    def assert_named(self, client: Client, front: Haproxy, said: Any) -> None:
        self.assertEqual((said["peer"], said["local"]), (client.name, front.name))
        self.assertNotEqual(said["proxy"]["balancer"], client.name)

    def test_versions(self) -> None:
        """send-proxy and send-proxy-v2, over IPv4 and IPv6: the client is who called haproxy."""
        for sends, version in (("send-proxy", 1), ("send-proxy-v2", 2)):
            for family, name in ((socket.AF_INET, "INET"), (socket.AF_INET6, "INET6")):
                client, front, said = self.info(sends, family=family)
                self.assert_named(client, front, said)
                self.assertEqual(
                    (said["proxy"]["version"], said["proxy"]["family"]), (version, name)
                )

    def test_roads(self) -> None:
        """The same when haproxy speaks TLS to us after the header, or comes by a UNIX socket."""
        for road, more in (("tls", "ssl verify none"), ("unix", "")):
            for sends in ("send-proxy", "send-proxy-v2"):
                client, front, said = self.info(f"{sends} {more}", road=road)
                self.assert_named(client, front, said)
                self.assertEqual(said["transport"], road)
                self.assertEqual(said["tls"] is not None, road == "tls")

    def test_checksum(self) -> None:
        """haproxy's checksum is right, its unique id is its own."""
        client, _front, said = self.info("send-proxy-v2 proxy-v2-options crc32c,unique-id")
        host, _, port = client.name.partition(":")
        self.assertEqual(
            said["proxy"]["tlvs"], {"crc32c": True, "unique_id": f"bench-{host}-{port}"}
        )

    def test_tls(self) -> None:
        """Of a client's TLS haproxy says everything, its certificate included."""
        ca = trustme.CA()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            served = ca.issue_cert("bench.example")
            served.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
            ca.cert_pem.write_to_path(folder / "ca.pem")
            child = self.serve("info")
            secure = f"ssl crt {folder}/server.pem ca-file {folder}/ca.pem verify optional alpn h2"
            front = self.front(child, f"send-proxy-v2 {ALL_OPTIONS}", secure=secure)
            context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
            context.set_alpn_protocols(["h2"])
            ca.issue_cert("client.example", common_name="client.example").configure_cert(context)
            with (
                front.connect() as plain,
                context.wrap_socket(plain, server_hostname="bench.example") as sock,
            ):
                said = json.loads(b"".join(iter(lambda: sock.recv(2**16), b"")))
                version = sock.version()
                cipher = sock.cipher()
        assert cipher is not None
        tlvs = said["proxy"]["tlvs"]
        self.assertEqual(
            (tlvs["authority"], tlvs["alpn"], tlvs["crc32c"]), ("bench.example", "h2", True)
        )
        tls = tlvs["ssl"]
        self.assertEqual((tls["version"], tls["cipher"]), (version, cipher[0]))
        self.assertEqual((tls["verify"], tls["cn"]), (0, "client.example"))
        self.assertIn("cert-conn", tls["client"])
        self.assertIn("sig_alg", tls)
        self.assertIn("key_alg", tls)

    def test_health_check(self) -> None:
        """haproxy's own health checks are LOCAL: let in, and from haproxy itself."""
        child = self.serve("line")
        self.front(child, "check inter 100ms send-proxy-v2 check-send-proxy")
        wait_for(lambda: recorded(child, "closed"))
        self.assertEqual(child.stop(), 0)
        accepted = recorded(child, "accepted")[0]
        self.assertEqual(accepted["peer"], accepted["proxy"])
        self.assertEqual(recorded(child, "refused"), [])


class EchoTests(HaproxyCase):
    def test_nothing_lost(self) -> None:
        """Data and FIN at once, through haproxy: everything comes back, at every size."""
        for sends, road in (
            ("send-proxy", "tcp"),
            ("send-proxy-v2", "tcp"),
            ("send-proxy-v2", "unix"),
            ("send-proxy-v2 ssl verify none", "tls"),
        ):
            child = self.serve("echo", road)
            front = self.front(child, sends, road)
            for size in (0, 1, 2**16, 2**20):
                data = payload("echo", size)
                for _ in range(5):
                    client = self.client(front)
                    self.assertEqual(exchange(client.socket, data), data, f"{sends} {road} {size}")

    def test_clients_tls(self) -> None:
        """A client's TLS passes through haproxy untouched, behind the header."""
        child = self.serve("echo", "tls")
        front = self.front(child, "send-proxy-v2", "tls")
        client = SecureClient(front.connect(), client_context())
        self.addCleanup(client.close)
        client.socket.sendall(client.shake_hands())
        client.finish(b"hello")
        self.assertEqual((client.receive_all(), client.ended_well), (b"hello", True))

    def test_who(self) -> None:
        """The line service tells a client of haproxy who it is, and the log names both."""
        child = self.serve("line")
        client = self.client(self.front(child, "send-proxy"))
        send_and_fin(client.socket, b"/who\r\n")
        said = client.receive_all().decode()
        self.assertTrue(said.startswith(f"you are {client.name}, connection c1, on "), said)
        self.assertEqual(child.stop(), 0)
        (accepted,) = recorded(child, "accepted")
        self.assertEqual(accepted["peer"], client.name)
        self.assertIn(f"through {accepted['proxy']}\r\n", said)

    def test_header_not_sent(self) -> None:
        """A haproxy that was not told to send headers is refused with a sentence."""
        child = self.serve("echo")
        client = self.client(self.front(child, ""))
        send_and_fin(client.socket, b"hello")
        self.assertEqual(client.receive_all(), b"")
        self.assertEqual(child.stop(), 0)
        (refused,) = recorded(child, "refused")
        self.assertEqual(refused["detail"], "'hello' is not the beginning of a PROXY header")

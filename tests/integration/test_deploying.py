"""The ways to run it for long: sockets from systemd, Type=notify, the files in contrib/, SNI.

systemd itself is not needed, but its programs systemd-socket-activate and systemd-analyze are.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import trustme

from tests.containerfile import health_check
from tests.folder import FolderTestCase
from tests.integration.child import PATIENCE, TWISTD, Child, wait_for
from tests.integration.peers import exchange, missing
from tests.integration.roads import client_context
from tests.integration.test_starting import StartingCase, ask
from tests.programs import SOCKETLAB, run

CONTRIB = Path(__file__).parents[2] / "contrib"


def program(name: str) -> str:
    """Where *name* is."""
    path = shutil.which(name)
    if path is None:
        raise missing(name)
    return path


class ActivationCase(FolderTestCase):
    """Sockets of systemd-socket-activate, which becomes our service when a client comes."""

    def free(self, kind: int = socket.SOCK_STREAM) -> int:
        """A port of 127.0.0.1 that nobody has now: the program takes no port 0."""
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def activate(
        self,
        *words: str,
        serve: tuple[str, ...],
        before: tuple[str, ...] = (*SOCKETLAB, "serve"),
    ) -> Child:
        """*words* are systemd-socket-activate's; what it starts is *before* and *serve*."""
        activating = (program("systemd-socket-activate"), *words, *before)
        child = Child(*serve, started_by=activating)
        self.addCleanup(child.__exit__)
        count = sum(word in ("-l", "--listen") for word in words)
        wait_for(
            lambda: child.output.count("Listening on ") == count or child.process.poll() is not None
        )
        return child

    def stream(self, address: Any) -> socket.socket:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        client = socket.socket(family)
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        client.connect(address)
        return client


class StreamTests(ActivationCase):
    def test_names(self) -> None:
        """TCP and UNIX sockets, by name: the first client is served whole, data and FIN in one go,
        and at a stop the UNIX socket's file stays."""
        port, path = self.free(), str(self.folder / "s")
        listen = ("-l", f"127.0.0.1:{port}", "-l", path, "--fdname=web:local")
        child = self.activate(
            *listen, serve=("echo", "--listen", "systemd:web", "--listen", "systemd:name=local")
        )
        data = b"x" * 2**20
        self.assertEqual(exchange(self.stream(("127.0.0.1", port)), data), data)
        self.assertEqual(exchange(self.stream(path), data), data)
        self.assertEqual(child.addresses("echo"), [f"127.0.0.1:{port}"])
        self.assertEqual(child.stop(), 0)
        self.assertTrue(os.path.exists(path))

    def test_index(self) -> None:
        """A socket without a name, by place; twistd, which reads plugins first, finds it too."""
        for before in ((*SOCKETLAB, "serve"), (*TWISTD, "socketlab")):
            port = self.free()
            serve = ("line", "--listen", "systemd:domain=INET:index=0")
            child = self.activate("-l", f"127.0.0.1:{port}", serve=serve, before=before)
            client = self.stream(("127.0.0.1", port))
            self.assertEqual(exchange(client, b"hello\r\n"), b"hello\r\n")
            self.assertEqual(child.stop(), 0)

    def test_limits(self) -> None:
        """A limit holds on a passed socket as on any other."""
        path = str(self.folder / "s")
        self.activate("-l", path, serve=("line", "--listen", "systemd:0", "--max-connections", "1"))
        first = self.stream(path)
        first.sendall(b"in\r\n")
        self.assertEqual(first.recv(99), b"in\r\n")
        self.assertIn(b"too many connections", exchange(self.stream(path), b""))

    def test_tls(self) -> None:
        """TLS goes over a passed socket."""
        port = self.free()
        self.activate("-l", f"127.0.0.1:{port}", serve=("echo", "--listen", "systemd:0:tls"))
        with client_context().wrap_socket(self.stream(("127.0.0.1", port))) as client:
            client.sendall(b"hello")
            self.assertEqual(client.recv(99), b"hello")

    def test_no_such_name(self) -> None:
        """A name that was not passed is one sentence, and exit status 1."""
        path = str(self.folder / "s")
        child = self.activate(
            "-l", path, "--fdname=web", serve=("echo", "--listen", "systemd:mail")
        )
        self.stream(path)
        self.assertEqual(child.wait(), 1)
        self.assertIn("'mail'", child.output.splitlines()[-1])

    def test_connection(self) -> None:
        """A connection (Accept=yes) instead of a listener is one sentence."""
        path = str(self.folder / "s")
        child = self.activate("-l", path, "-a", serve=("echo", "--listen", "systemd:0"))
        self.stream(path)
        wait_for(lambda: "Accept=no" in child.output, lambda: child.output)


class DatagramTests(ActivationCase):
    def test_echo(self) -> None:
        """Datagrams too, by the same form; the one that started the service is answered."""
        port = self.free(socket.SOCK_DGRAM)
        child = self.activate(
            "--datagram", "-l", f"127.0.0.1:{port}", "--fdname=web",
            serve=("datagram", "--listen", "systemd:web"),
        )  # fmt: skip
        for said in (b"first", b"second"):
            self.assertEqual(ask("127.0.0.1", port, said), said)
        self.assertEqual(child.stop(), 0)

    def test_all_addresses(self) -> None:
        """To all addresses they are passed in vain, unless it is said who may ask."""
        port = self.free(socket.SOCK_DGRAM)
        listen = ("--datagram", "-l", f"0.0.0.0:{port}")
        serve = ("datagram", "--listen", "systemd:0")
        child = self.activate(*listen, serve=serve)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"hello", ("127.0.0.1", port))
        self.assertEqual(child.wait(), 1)
        self.assertIn("--allow CIDR", child.output.splitlines()[-1])
        child = self.activate(*listen, serve=(*serve, "--allow", "127.0.0.0/8"))
        self.assertEqual(ask("127.0.0.2", port, b"hello"), b"hello")


class NotPassedTests(FolderTestCase):
    def test_by_hand(self) -> None:
        """Started by hand, or through a shell that stays, a systemd: endpoint is one sentence."""
        ended = run(*SOCKETLAB, "serve", "echo", "--listen", "systemd:web")
        self.assertEqual(ended.status, 1)
        self.assertIn("LISTEN_PID is not set", ended.last_line)
        passed = ("env", "LISTEN_PID=1", "LISTEN_FDS=1")
        ended = run(*passed, *SOCKETLAB, "serve", "echo", "--listen", "systemd:web")
        self.assertEqual(ended.status, 1)
        self.assertIn("LISTEN_PID", ended.last_line)


class NotifyTests(StartingCase):
    def test_told(self) -> None:
        """systemd hears of the start when the ports are open, and of the stop before its end."""
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(path)
            heard.settimeout(PATIENCE)
            child = self.child("--port", "0", environment={"NOTIFY_SOCKET": path})
            self.assertEqual(heard.recv(99), b"READY=1")
            child.wait_until_serving()
            self.assertEqual(child.stop(), 0)
            self.assertEqual(heard.recv(99), b"STOPPING=1")


class SniTests(StartingCase):
    def test_hosts(self) -> None:
        """Over tls:FOLDER a client that names a host gets a certificate it believes, and the
        recording says which host that was."""
        ca = trustme.CA()
        for host in ("a.example", "b.example"):
            pem = ca.issue_cert(host).private_key_and_cert_chain_pem
            pem.write_to_path(str(self.folder / f"{host}.pem"))
        recording = self.folder / "run.jsonl"
        endpoint = f"tls:{self.folder}:0:interface=127.0.0.1"
        child = self.serving("echo", "--listen", endpoint, "--record", str(recording))
        self.assertEqual(child.output.count("certificate SHA-256"), 2)
        context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
        for host in ("b.example", "a.example"):
            plain = socket.create_connection(("127.0.0.1", child.port(transport="tls")), 10)
            with context.wrap_socket(plain, server_hostname=host) as client:
                client.sendall(b"hello")
                self.assertEqual(client.recv(99), b"hello")
        self.assertEqual(child.stop(), 0)
        for host in ("a.example", "b.example"):
            self.assertIn(f'"sni":"{host}"', recording.read_text().replace(": ", ":"))

    def test_bad_file(self) -> None:
        """A file of the folder that cannot be used is one sentence that names it."""
        (self.folder / "a.example.pem").write_text("nothing")
        ended = run(*SOCKETLAB, "serve", "echo", "--listen", f"tls:{self.folder}:0")
        self.assertEqual(ended.status, 1)
        self.assertIn("a.example.pem", ended.last_line)


class UnitTests(FolderTestCase):
    def test_verify(self) -> None:
        """systemd finds nothing wrong in our units, but for where the program is."""
        analyze = program("systemd-analyze")
        names = []
        for unit in sorted((CONTRIB / "systemd").iterdir()):
            text = unit.read_text().replace("/opt/socketlab/bin/socketlab", sys.executable)
            (self.folder / unit.name).write_text(text)
            names.append(f"./{unit.name}")
        done = subprocess.run(
            [analyze, "verify", "--man=no", *names],
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class ContainerTests(StartingCase):
    def healthy(self, port: int) -> int:
        """The exit status of the container's health check, asking *port*."""
        text = health_check().replace("9000", str(port))
        return run(sys.executable, "-c", text).status

    def test_health(self) -> None:
        """The health check finds a serving bench well, and one that answers nothing or is gone
        not."""
        child = self.serving("--port", "0")
        self.assertEqual(self.healthy(child.port()), 0)
        port = child.port()
        child.stop()
        self.assertEqual(self.healthy(port), 1)
        deaf = self.serving("discard", "--port", "0")
        self.assertEqual(self.healthy(deaf.port("discard")), 1)

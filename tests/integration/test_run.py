"""``run``: anyone's protocol, unchanged, on every road."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from twisted.protocols.amp import AmpBox

from tests.folder import FolderTestCase
from tests.integration.child import TWISTD, Child
from tests.integration.peers import recorded
from tests.integration.roads import FOUR_ROADS, ROADS, connect
from tests.programs import SOCKETLAB, run

#: Rounds of data and FIN in one go: a server that loses replies loses most of them.
ROUNDS = 10

_STOCK = '''
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.protocols.amp import AMP, Command, Integer
from twisted.protocols.basic import LineReceiver
from twisted.web.resource import Resource
from twisted.web.server import Site


class Shout(LineReceiver):
    """Answers each line in capitals."""

    def lineReceived(self, line):
        self.sendLine(line.upper())


class Sum(Command):
    arguments = [(b"a", Integer()), (b"b", Integer())]
    response = [(b"total", Integer())]


class Adder(AMP):
    @Sum.responder
    def sum(self, a, b):
        return {"total": a + b}


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        return b"hello " * 20000


class Backwards(DatagramProtocol):
    def datagramReceived(self, datagram, address):
        self.transport.write(datagram[::-1], address)


class Deaf(DatagramProtocol):
    def startProtocol(self):
        raise ValueError("not today")


site = Site(Page())
shouts = Factory.forProtocol(Shout)
number = 3
'''


class RunCase(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "stock.py").write_text(_STOCK)
        self.environment = {"PYTHONPATH": str(self.folder)}

    def serve(self, what: str, *options: str) -> Child:
        child = Child("run", what, *options, environment=self.environment)
        self.addCleanup(child.__exit__)
        child.wait_until_serving()
        return child


class StockTests(RunCase):
    def asked_and_finished(self, child: Child, service: str, request: bytes) -> set[bytes]:
        """What came for *request* and FIN in one go, on every road, over and over."""
        answers = set()
        for road in ROADS:
            for _ in range(ROUNDS):
                client = connect(child, service, road)
                client.finish(request)
                answers.add(client.receive_all())
                client.close()
        return answers

    def test_line_receiver(self) -> None:
        """Twisted's LineReceiver answers every line that came before the FIN."""
        child = self.serve("stock:Shout", *FOUR_ROADS)
        request = b"hello\r\n" * 1000
        self.assertEqual(self.asked_and_finished(child, "Shout", request), {request.upper()})

    def test_site(self) -> None:
        """twisted.web's Site answers whole, 120 kB and with the FIN already there."""
        child = self.serve("stock:site", *FOUR_ROADS)
        (answer,) = {
            answer.partition(b"\r\n\r\n")[2]
            for answer in self.asked_and_finished(child, "Site", b"GET / HTTP/1.0\r\n\r\n")
        }
        self.assertEqual(answer, b"hello " * 20000)

    def test_amp(self) -> None:
        """AMP answers a command on every road, with its connection open."""
        child = self.serve("stock.Adder", *FOUR_ROADS)
        box = AmpBox({b"_ask": b"1", b"_command": b"Sum", b"a": b"20", b"b": b"3"})
        expected = AmpBox({b"_answer": b"1", b"total": b"23"}).serialize()
        for road in ROADS:
            client = connect(child, "Adder", road)
            client.send(box.serialize())
            self.assertEqual(client.receive_exactly(len(expected)), expected)
            client.close()

    def test_datagrams(self) -> None:
        """A DatagramProtocol is served behind the same gates as ours."""
        child = self.serve("stock:Backwards", "--port", "0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(("127.0.0.1", child.port("Backwards", "udp")))
            client.send(b"hello")
            self.assertEqual(client.recv(100), b"olleh")
        self.assertEqual(child.addresses("Backwards", "tcp"), [])

    def test_for_nothing(self) -> None:
        """It gets limits, a recording and a drain for nothing."""
        options = ("--port", "0", "--max-connections", "1", "--record", "run.jsonl")
        child = self.serve("stock:shouts", *options)
        address = "127.0.0.1", child.port("Shout")
        with socket.create_connection(address, 10) as first:
            first.sendall(b"hello\r\n")
            self.assertEqual(first.recv(100), b"HELLO\r\n")
            with socket.create_connection(address, 10) as second:
                self.assertEqual(second.recv(100), b"")
            self.assertEqual(child.stop(), 0)
            self.assertEqual(first.recv(100), b"")
        recording = child.folder / "run.jsonl"
        self.assertEqual([e["service"] for e in recorded(recording, "refused")], ["Shout"])
        self.assertEqual([e["reason"] for e in recorded(recording, "closed")], ["drain"])


class WrongTests(RunCase):
    def test_sentences(self) -> None:
        """What cannot be served is one sentence naming it, and exit status 1, by each road."""
        for what, said in (
            ("nothing_there:Thing", "'nothing_there:Thing': no module 'nothing_there'"),
            ("stock:Nope", "'stock:Nope': no 'Nope' in stock"),
            ("stock.number", "'stock:number' is of type int, not a Protocol class, "),
            ("stock:Deaf", "Deaf: startProtocol: ValueError: not today"),
        ):
            for road in ((*TWISTD, "--logfile=log", "socketlab"), (*SOCKETLAB, "serve")):
                done = run(*road, "run", what, "--port", "0", cwd=str(self.folder))
                self.assertEqual((done.status, done.out), (1, ""), done)
                self.assertIn(said, done.last_line)
                self.assertNotIn("Traceback", done.err)

    def test_current_folder(self) -> None:
        """The current folder counts for the installed command, too, whose own folder is another."""
        socketlab = Path(sys.executable).with_name("socketlab")
        done = run(str(socketlab), "serve", "run", "stock:number", cwd=str(self.folder))
        self.assertIn("is of type int", done.last_line)


class DaemonTests(RunCase):
    def test_daemon(self) -> None:
        """twistd without -n serves it too, and says before it forks when it cannot."""
        twistd = (*TWISTD[:-2], "--pidfile=pid", "--logfile=log", "socketlab")
        done = run(*twistd, "run", "stock:number", cwd=str(self.folder))
        self.assertEqual(done.status, 1)
        self.assertIn("is of type int", done.last_line)
        done = run(*twistd, "run", "stock:Shout", "--listen", "unix:s", cwd=str(self.folder))
        self.assertEqual(done.status, 0, done)
        pid = int(self.when(self.folder / "pid"))
        self.addCleanup(self.end, pid)
        path = os.path.relpath(self.folder / "s")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(b"hello\r\n")
            self.assertEqual(client.recv(100), b"HELLO\r\n")

    def when(self, path: Path) -> str:
        """What *path* says once it does."""
        return subprocess.run(
            ["sh", "-c", f"until [ -s {path} ]; do sleep 0.05; done; cat {path}"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout

    def end(self, pid: int) -> None:
        subprocess.run(
            ["sh", "-c", f"kill {pid}; while kill -0 {pid}; do sleep 0.05; done"],
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )

"""tshark, which we did not write, reads what we say happened, and has nothing to complain of."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

from tests.folder import FolderTestCase
from tests.integration.child import Child
from tests.integration.peers import missing, pattern, read_to_end, reset, side_by_side
from tests.integration.roads import ROADS, connect
from tests.programs import SOCKETLAB, run

MIB = 2**20

#: Each checksum is looked at, also where Wireshark by default does not.
_LOOK = ("tcp.check_checksum", "udp.check_checksum", "ip.check_checksum")

#: What an analyst would complain of: lost or repeated segments, malformed packets, wrong sums.
_COMPLAINTS = " || ".join(
    (
        "tcp.analysis.flags",
        "_ws.malformed",
        *(f"{protocol}.checksum.status == 0" for protocol in ("ip", "tcp", "udp")),
    )
)

_HEX = frozenset("0123456789abcdef")


def tshark(file: str, *arguments: str) -> str:
    """What tshark says of *file*."""
    if shutil.which("tshark") is None:
        raise missing("tshark")
    look = [word for option in _LOOK for word in ("-o", f"{option}:TRUE")]
    command = ("tshark", "-n", "-r", file, *look, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class TsharkTests(FolderTestCase):
    """Each test runs a bench that records both ways, and looks at both files."""

    def serve(self, *options: str) -> Child:
        self.live = str(self.folder / "live.pcapng")
        self.exported = str(self.folder / "exported.pcapng")
        self.recording = str(self.folder / "run.jsonl")
        files = "--pcapng", self.live, "--record", self.recording
        child: Child = self.enterContext(Child("--port", "0", *files, *options))
        return child

    def files(self, child: Child) -> tuple[str, str]:
        """Both, when *child* has stopped."""
        child.stop()
        ended = run(*SOCKETLAB, "export", self.recording, "--pcapng", self.exported)
        self.assertEqual((ended.status, ended.err), (0, ""))
        for file in (self.live, self.exported):
            self.assertEqual(tshark(file, "-Y", _COMPLAINTS), "", file)
        return self.live, self.exported

    def test_five_megabytes(self) -> None:
        """Of an exchange of 5 MiB each direction, put together again, is every byte of it."""
        child = self.serve("--capture", "64KiB")
        data = pattern(5 * MIB)
        with child.connect("echo") as sock:

            def send() -> None:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)

            _, answer = side_by_side(send, lambda: read_to_end(sock))
        self.assertTrue(answer == data)
        for file in self.files(child):
            said = tshark(file, "-q", "-z", "follow,tcp,raw,0")
            lines = [line for line in said.splitlines() if set(line.strip()) <= _HEX and line]
            theirs = b"".join(bytes.fromhex(line) for line in lines if line[0] != "\t")
            ours = b"".join(bytes.fromhex(line) for line in lines if line[0] == "\t")
            self.assertTrue(theirs == data, file)
            self.assertTrue(ours == data, file)

    def test_every_road(self) -> None:
        """TCP over both families, UNIX sockets, TLS, datagrams, resets and little captured."""
        child = self.serve("--capture", "8", "--listen", "unix:socket", "--listen", "tls:0")
        for road in ROADS:
            client = connect(child, "echo", road)
            client.send(b"what is not all captured")
            client.receive_exactly(24)
            client.close()
        for host in ("127.0.0.1", "::1"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.settimeout(20)
                sock.connect((host, child.port("echo", "udp", host)))
                for size in (0, 3, 8, 3000):
                    sock.send(bytes(size))
                    self.assertEqual(len(sock.recv(2**16)), size)
        gone = child.connect("echo")
        gone.send(b"?")
        reset(gone)
        for file in self.files(child):
            counted = {
                what: len(tshark(file, "-Y", what).splitlines())
                for what in (
                    "udp",
                    "tcp.flags.reset == 1",
                    "tcp.flags.syn == 1 && tcp.flags.ack == 0",
                )
            }
            self.assertEqual(list(counted.values()), [16, 1, 5], file)
            names = set(tshark(file, "-T", "fields", "-e", "frame.interface_name").split())
            self.assertEqual(names, {"echo"})
            comments = tshark(file, "-T", "fields", "-e", "frame.comment")
            self.assertIn("accepted connection=", comments)
            self.assertIn("tls connection=", comments)

    def test_private(self) -> None:
        """The file is nobody else's."""
        child = self.serve()
        with child.connect("echo") as sock:
            sock.sendall(b"secret")
            sock.recv(6)
        for file in self.files(child):
            self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)

    def test_stdout(self) -> None:
        """- is stdout, to look at without a file."""
        child = self.serve()
        child.connect("echo").close()
        self.files(child)
        command = (*SOCKETLAB, "export", self.recording, "--pcapng", "-")
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        with open(self.exported, "rb") as file:
            self.assertEqual(done.stdout, file.read())

"""Every command of README and docs is run, as it stands there, in a network of its own.

The programs of a reader (``my_server.py`` and the like) are here; a bench on 9000 runs beside each
command that wants one. What serves is stopped when its block is over; all else ends by itself, and
well.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.folder import FolderTestCase
from tests.integration.child import WITH_US, wait_for
from tests.integration.namespace import Namespace

ROOT = Path(__file__).parents[2]

PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], key=lambda page: page.as_posix()
)

#: Seconds that a command may take: the longest runs the whole study.
PATIENCE = 100.0

#: What is not run, and why.
NOT_RUN = {
    r"make test\b": "it is what runs this",
    r"podman ": "a container engine is none of the tests' programs; test_contrib reads the file",
    r"systemctl ": "there is no systemd to talk to; systemd-analyze looks at the units",
    r"cp contrib/systemd/": "it installs for systemctl",
    r"python3 -m venv /opt/|/opt/socketlab/bin/pip": "it installs from the registry",
}

#: Commands that go on until they are stopped, and the port that says that they do.
SERVES = (
    (r"(?:twistd|socketlab serve|make run|systemd-socket-activate).*?--port[= ](\d+)", None),
    (r"systemd-socket-activate --datagram -l [\d.]+:(\d+)", None),
    (r"systemd-socket-activate -l [\d.]+:(\d+)", None),
    (r"(?:twistd|socketlab serve).*?--listen '?(?:haproxy:)?(?:tcp|tls):(\d+)", None),
    (r"make run", 9000),
    (r"socketlab watch.* -- python \S*(?:server|capitals\w*)\.py (\d+)", None),
    (r"socketlab watch.* -- python my_server\.py\s*$", 9500),
    (r"socketlab watch.* -- \./my_server", 9500),
    (r"python server\.py (\d+)", None),
)

#: Commands that tell what happens at the bench, for as long as it runs.
TELLS = r"socketlab watch(?: --json.*| 'http.*)?$|curl -sN .*events"

#: Commands that want a bench on 9000, with its page on 9002.
WANTS_BENCH = rf"curl |{TELLS}|my_client\.py 900[01]|check \w+ 127\.0\.0\.1:(?:9000|8080)"

#: A balancer that is none: what comes to 8080 goes to the bench.
BALANCER = "socat TCP-LISTEN:8080,fork,backlog=1024,bind=127.0.0.1 TCP:127.0.0.1:9000"

SERVER = """\
#!/usr/bin/env python3
import socket, sys, threading

def serve(conn):
    with conn:
        while data := conn.recv(4096):
            conn.sendall(data)

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9500
listener = socket.create_server(("127.0.0.1", port), backlog=1000)
while True:
    conn, peer = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
"""

CLIENT = """\
import socket, sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(b"hello\\n")
    print(sock.recv(100))
"""

LINES = SERVER.replace(
    "        while data := conn.recv(4096):\n            conn.sendall(data)\n",
    "        with conn.makefile('rwb') as lines:\n"
    "            for line in lines:\n"
    "                lines.write(line.rstrip(b'\\n')[::-1] + b'\\n')\n"
    "                lines.flush()\n",
)


def blocks(page: Path) -> Iterator[list[str]]:
    """The commands of each block of *page* for a shell, a line each, without remarks."""
    for text in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE):
        whole = re.sub(r"\\\n\s*", "", textwrap.dedent(text))
        lines = (re.sub(r"\s+# .*|^# .*", "", line).strip() for line in whole.splitlines())
        yield [line for line in lines if line]


def not_run(command: str) -> bool:
    return any(re.match(pattern, command) for pattern in NOT_RUN)


def port_of(command: str) -> int | None:
    """Where *command* serves until it is stopped; None: it ends by itself."""
    for pattern, port in SERVES:
        if found := re.match(pattern, command):
            return port or int(found[1])
    return None


class DocCommandsTestCase(FolderTestCase):
    """A reader's folder, and a shell in a network of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.network = self.stack.enter_context(Namespace())
        for name in ("docs", "examples", "contrib"):
            (self.folder / name).symlink_to(ROOT / name)
        for name, source in (
            ("my_server.py", SERVER), ("my_server", SERVER), ("my_client.py", CLIENT),
            ("lines.py", LINES),
        ):  # fmt: skip
            (self.folder / name).write_text(source)
            (self.folder / name).chmod(0o755)
        (self.folder / "class").mkdir()
        (self.folder / "class" / "anna.py").write_text(LINES)
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }
        self.here = self.folder
        self.count = 0

    def check(self, page: Path) -> None:
        for block in blocks(page):
            commands = [one for one in block if not not_run(one)]
            self.here = self.folder
            with ExitStack() as running:
                if any(re.search(WANTS_BENCH, one) for one in commands):
                    self.start_bench(running)
                for command in commands:
                    self.run_one(command, running)

    def run_one(self, command: str, running: ExitStack) -> None:
        if command.startswith("cd "):
            self.here = self.here / command.removeprefix("cd ")
            return
        if command == "make run":
            self.serve(running, command, 9000, ROOT)
        elif (port := port_of(command)) is not None:
            if command.startswith("twistd"):  # there is one in a folder: it has a pidfile
                running.close()
            self.serve(running, command, port, self.here)
        elif re.search(TELLS, command):
            self.tell(running, command)
        else:
            self.run_to_end(command)

    def popen(self, command: str, output: Path, folder: Path) -> subprocess.Popen[bytes]:
        # not this machine's: a daemon of its own may be there
        command = command.replace("/tmp/", f"{self.folder}/")
        with output.open("wb") as file:
            return subprocess.Popen(
                [*self.network.entered, *WITH_US, "bash", "-c", f"set -o pipefail; {command}"],
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> Path:
        self.count += 1
        return self.folder / f"output-{self.count}"

    def listens(self, port: int) -> bool:
        """Whether somebody does in our network, TCP or UDP."""
        done = subprocess.run(
            [*self.network.entered, "cat", *(f"/proc/net/{name}" for name in _TABLES)],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [line.split() for line in done.stdout.splitlines()]
        return any(row[1].endswith(f":{port:04X}") and row[3] in ("0A", "07") for row in rows)

    def serve(self, running: ExitStack, command: str, port: int, folder: Path) -> Path:
        """Start it, and wait until it serves; it is stopped with *running*."""
        output = self.output()
        process = self.popen(command, output, folder)
        running.callback(self.stop, process)
        daemon = command.startswith("twistd") and " -n " not in command

        def serves() -> bool:
            status = process.poll()
            return bool(status) or ((not daemon or status == 0) and self.listens(port))

        wait_for(serves, lambda: f"{command}\n{output.read_text()}")
        if process.poll() not in (None, 0):
            self.fail(f"{command}\nended with {process.poll()}\n{output.read_text()}")
        return output

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        """Ctrl-C, for all that was started with it."""
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        process.wait()

    def start_bench(self, running: ExitStack) -> None:
        output = self.serve(running, "socketlab serve --port 9000 --page 9002", 9002, self.folder)
        wait_for(lambda: "token=" in output.read_text(), output.read_text)
        token = re.search(r"#token=(\S+)", output.read_text())
        assert token is not None
        self.environment["TOKEN"] = token[1]
        self.serve(running, BALANCER, 8080, self.folder)

    def tell(self, running: ExitStack, command: str) -> None:
        """It goes on, and tells of a connection that is made meanwhile."""
        output = self.output()
        command = re.sub(r"token=[\w.]+", f"token={self.environment['TOKEN']}", command)
        process = self.popen(command, output, self.here)
        running.callback(self.stop, process)

        def told() -> bool:
            self.run_to_end("python my_client.py 9000")
            return bool(output.read_text()) or process.poll() is not None

        wait_for(told, lambda: f"{command}: nothing was told")
        self.assertIsNone(process.poll(), f"{command}\n{output.read_text()}")

    def run_to_end(self, command: str) -> None:
        """It ends by itself, and well."""
        output = self.output()
        for recording in re.findall(r"\S+\.jsonl", command):
            if "export" in command:  # it is written a moment after what happened
                wait_for(lambda name=recording: (self.here / name).stat().st_size > 0)
        if "c1/reset" in command:
            self.hold_one_open()
        if "framing --grade my_server.py" in command:
            shutil.copy(self.folder / "lines.py", self.folder / "my_server.py")
        process = self.popen(command, output, self.here)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop(process)
            self.fail(f"{command}\ndid not end\n{output.read_text()}")
        self.assertEqual(status, 0, f"{command}\n{output.read_text()}")

    def hold_one_open(self) -> None:
        """A connection that the page can reset: the bench's first."""
        sock = self.network.socket(2, 1)
        self.addCleanup(sock.close)
        sock.connect(("127.0.0.1", 9000))


_TABLES = ("tcp", "tcp6", "udp", "udp6")


class DocCommandsTests(DocCommandsTestCase):
    """A test for each page that has commands."""


def _add(page: Path) -> None:
    name = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix())

    def test(self: DocCommandsTests) -> None:
        self.check(page)

    test.__doc__ = f"The commands of {page.relative_to(ROOT)} do what they are there for."
    setattr(DocCommandsTests, f"test_{name}", test)


for _page in PAGES:
    if any(blocks(_page)):
        _add(_page)

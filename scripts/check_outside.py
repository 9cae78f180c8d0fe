"""Uses the wheel as a stranger does: a package of their own, installed beside it, three ways.

In a new environment without this checkout: ``run``, the service by the name of its entry point,
and pytest with the fixture.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from scripts.check_wheel import build

#: Seconds after which a step is a failure.
PATIENCE = 300

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "outside"
version = "1.0"
dependencies = ["socketlab"]

[project.entry-points."socketlab.services"]
shout = "outside:Shout"
broken = "outside:Nope"
""",
    "outside/__init__.py": '''\
from twisted.protocols.basic import LineReceiver


class Shout(LineReceiver):
    """Answers each line in capitals."""

    delimiter = b"\\n"

    def lineReceived(self, line):
        self.sendLine(line.upper())
''',
    "tests/test_outside.py": """\
import socket

import pytest


@pytest.mark.parametrize("service", ["outside:Shout", "shout"])
def test_shouts(socketlab, service):
    server = socketlab.serve(service, max_connections=2)
    with socket.create_connection(("127.0.0.1", server)) as client:
        client.sendall(b"hello\\n")
        assert client.recv(100) == b"HELLO\\n"
    assert server.wait_for("closed", reason="peer-fin").bytes_in == 6
    assert server.stop() == 0
""",
}

#: A client that needs nothing but Python: starts the command it is given, asks it, stops it.
CLIENT = """
import re, socket, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
port = None
for line in server.stdout:
    port = port or re.search(r" tcp +127[.]0[.]0[.]1:(\\d+)", line)
    if "Stop with" in line:
        break
with socket.create_connection(("127.0.0.1", int(port[1])), 10) as client:
    client.sendall(b"hello\\n")
    client.shutdown(socket.SHUT_WR)
    assert client.recv(100) == b"HELLO\\n"
server.terminate()
sys.exit(server.wait())
"""


def main() -> int:
    """Exit status: 0 when all is right."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = install(folder)
        bench = (str(home / "twistd"), "-n", "--pidfile=", f"--logfile={folder / 'log'}")
        bench = (*bench, "socketlab")
        python = str(home / "python")
        listed = run(*bench, "--help", cwd=folder)
        if "Answers each line in capitals." not in listed or "loading it raised" not in listed:
            raise SystemExit(f"not listed as it should be:\n{listed}")
        run(python, "-c", CLIENT, *bench, "run", "outside:Shout", "--port", "0", cwd=folder)
        run(python, "-c", CLIENT, *bench, "shout", "--port", "0", cwd=folder)
        run(python, "-m", "pytest", "-q", "-W", "error", "tests", cwd=folder / "outside")
    print("outside: run, the service by its name, and the pytest fixture work from the wheel")
    return 0


def install(folder: Path) -> Path:
    """A new environment with the wheel, pytest and the package; where its programs are."""
    for path, text in FILES.items():
        (folder / "outside" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "outside" / path).write_text(text)
    venv.create(folder / "env", with_pip=True)
    home = folder / "env" / "bin"
    wheel = str(build(folder))
    run(str(home / "python"), "-m", "pip", "install", "-q", wheel, "pytest", cwd=folder)
    package = str(folder / "outside")
    run(str(home / "python"), "-m", "pip", "install", "-q", "--no-deps", package, cwd=folder)
    return home


def run(*command: str, cwd: Path) -> str:
    """The output of *command*; its failure is ours."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, timeout=PATIENCE
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

"""Real servers, which the checker is tried on: how each is started, and what is said of it.

Rule: none gets an option that mends it, but for those that its name tells of.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.building import command
from tests.integration.child import TWISTD
from tests.integration.namespace import Namespace
from tests.integration.others import running
from tests.integration.peers import missing
from tests.integration.rfcs import PORTS
from tests.programs import SOCKETLAB
from twisted_lab.conformance.spawning import Spawned
from twisted_lab.conformance.target import Server

_FILES = Path(__file__).parents[1] / "field"

#: A right echo, which stands behind what only forwards.
_RIGHT = _FILES.parents[1] / "twisted_lab" / "conformance" / "servers" / "plain" / "echo.py"

_FORWARD = "--port tcp:{port}:interface=127.0.0.1 --host 127.0.0.1 --dest_port {behind}"

#: Seconds for one server, whatever it does to the checker.
_PATIENCE = 300


@dataclass(frozen=True, slots=True)
class Subject:
    """A server *name* of *profile* over *form*, ``tcp`` or ``udp``.

    *words* start it, ``{port}`` being a free port, ``{behind}`` that of a right echo; a first word
    that is a file of ``tests/field/`` is compiled if need be, and run. Without *words* it is one of
    :data:`tests.integration.others.OTHERS`, which takes root.
    """

    name: str
    profile: str
    form: str
    words: str = ""

    @property
    def key(self) -> str:
        """What it is called among all."""
        return f"{self.name} {self.profile} {self.form}"


def _subjects() -> Iterator[Subject]:
    for form in ("tcp", "udp"):
        for profile in ("echo", "discard", "chargen", "daytime", "time"):
            for name in ("GNU inetd", "xinetd"):
                yield Subject(name, profile, form)
    for profile in PORTS:
        yield Subject("Twisted wire", profile, "tcp")
    listen = "socat TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"
    streams = {
        "twistd portforward": f"{shlex.join(TWISTD)} portforward {_FORWARD}",
        "socat": f"{listen} EXEC:cat",
        "socat, backlog=512": f"{listen},backlog=512 EXEC:cat",
        "ncat": "ncat -l -k -e /bin/cat 127.0.0.1 {port}",
        "asyncio streams": "asyncio_echo.py loop {port}",
        "asyncio, as documented": "asyncio_echo.py once {port}",
        "socketserver": "socketserver_echo.py tcp {port}",
        "C, fork": "echo.c {port}",
        "Go": "echo.go tcp {port}",
    }
    for name, words in streams.items():
        yield Subject(name, "echo", "tcp", words)
    datagrams = {
        "socat": "socat UDP-RECVFROM:{port},bind=127.0.0.1,fork EXEC:cat",
        "asyncio, as documented": "asyncio_echo.py udp {port}",
        "socketserver": "socketserver_echo.py udp {port}",
        "Go": "echo.go udp {port}",
    }
    for name, words in datagrams.items():
        yield Subject(name, "echo", "udp", words)
    yield Subject("Twisted LineReceiver", "line", "tcp", "twisted_lines.py {port}")


SUBJECTS = {subject.key: subject for subject in _subjects()}


def checked(subject: Subject, *options: str) -> dict[str, Any]:
    """What ``socketlab check --json`` says of *subject*, run as one would run it.

    Raises what :func:`~tests.integration.peers.missing` says where a program is not there.
    """
    if not subject.words:
        with Namespace() as namespace, running(subject.name, namespace):
            endpoint = f"{subject.form}:127.0.0.1:{PORTS[subject.profile]}"
            return _said(
                *namespace.entered, *SOCKETLAB, "check", subject.profile, endpoint, *options
            )
    with (
        tempfile.TemporaryDirectory(prefix="socketlab-test-") as folder,
        _behind(subject) as behind,
    ):
        spawn = _command(subject, Path(folder)).replace("{behind}", behind)
        endpoint = f"{subject.form}:127.0.0.1:{{port}}"
        words = (*SOCKETLAB, "check", subject.profile, endpoint, "--spawn", spawn)
        return _said(*words, *options)


@contextmanager
def _behind(subject: Subject) -> Iterator[str]:
    """The port of a right echo, where *subject* needs one."""
    if "{behind}" not in subject.words:
        yield ""
        return
    with Spawned(
        f"{sys.executable} {_RIGHT} {{port}}", lambda port: Server("tcp", "127.0.0.1", port)
    ) as echo:
        yield str(echo.start().port)


def _said(*words: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="socketlab-test-") as folder:
        done = subprocess.run(
            (*words, "--json", "-", "--quiet"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise AssertionError(done.stderr)
    (server,) = json.loads(done.stdout)["servers"]
    return dict(server)


def _command(subject: Subject, folder: Path) -> str:
    program, _, rest = subject.words.partition(" ")
    file = _FILES / program
    if file.parent == _FILES and file.is_file():
        return f"{command(file, folder)} {rest}"
    return f"{_found(program)} {rest}"


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise missing(program)
    return found

"""Servers that we did not write, with their small services on the well-known ports of a namespace.

GNU inetutils' inetd and xinetd with the services they have built in, and Twisted's
twisted.protocols.wire, which has no datagrams.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.integration.child import wait_for
from tests.integration.namespace import Namespace
from tests.integration.peers import missing
from tests.integration.rfcs import PORTS

#: A source may ask as often as it likes: we ask often.
_INETD = "".join(
    f"{service} {kind} {form} {wait} root internal\n"
    for service in ("echo", "discard", "daytime", "chargen", "time")
    for kind, form, wait in (("stream", "tcp", "nowait.9999"), ("dgram", "udp", "wait.9999"))
)

_XINETD = (
    "defaults\n{{\n instances = UNLIMITED\n cps = 9999 1\n log_type = FILE {log}\n}}\n"
    + "".join(
        f"service {service}\n{{{{\n type = INTERNAL\n id = {service}-{kind}\n"
        f" socket_type = {kind}\n"
        f" protocol = {form}\n user = root\n wait = {wait}\n disable = no\n}}}}\n"
        for service in ("echo", "discard", "daytime", "chargen", "time")
        for kind, form, wait in (("stream", "tcp", "no"), ("dgram", "udp", "yes"))
    )
)

_WIRE = f"""
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols import wire
kinds = dict(echo=wire.Echo, discard=wire.Discard, chargen=wire.Chargen, qotd=wire.QOTD,
             daytime=wire.Daytime, time=wire.Time)
for name, port in {PORTS!r}.items():
    reactor.listenTCP(port, Factory.forProtocol(kinds[name]), interface="127.0.0.1")
reactor.run()
"""


def _inetd(folder: Path) -> list[str]:
    (folder / "inetd.conf").write_text(_INETD)
    pidfile = f"--pidfile={folder}/pid"
    return [_program("inetutils-inetd"), "-d", pidfile, str(folder / "inetd.conf")]


def _xinetd(folder: Path) -> list[str]:
    (folder / "xinetd.conf").write_text(_XINETD.format(log=folder / "log"))
    files = ("-pidfile", f"{folder}/pid", "-f", str(folder / "xinetd.conf"))
    return [_program("xinetd"), "-dontfork", *files]


def _wire(folder: Path) -> list[str]:
    return [sys.executable, "-c", _WIRE]


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise missing(name)
    return found


#: By name: how each is started.
OTHERS = {"GNU inetd": _inetd, "xinetd": _xinetd, "Twisted wire": _wire}


@contextmanager
def running(name: str, namespace: Namespace) -> Iterator[None]:
    """The one of OTHERS called *name*, serving in *namespace*; raises what ``missing`` says."""
    with tempfile.TemporaryDirectory(prefix="socketlab-test-") as folder:
        command = [*namespace.entered, *OTHERS[name](Path(folder))]
        with open(Path(folder) / "output", "wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder
            )
        try:
            wait_for(lambda: _listens(namespace) or process.poll() is not None)
            yield
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(namespace: Namespace) -> bool:
    with namespace.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", PORTS["time"])) == 0

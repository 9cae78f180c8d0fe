"""Networks of a test's own: namespaces whose addresses nobody else has, gone with the test.

Rule: what is forged, flooded or broadcast here cannot leave. A namespace knows its own loopback
and, if asked for, one cable to one other namespace; none has a way to this machine's interfaces.
It has no name, only a descriptor of ours, so it is gone even when we are killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from unittest import SkipTest

from tests.integration.child import TWISTD, Child, wait_for
from tests.integration.peers import missing

_CLONE_NEWNET = 0x40000000  # sched.h

#: The two ends of the cable of :func:`lan`, each with two addresses a protocol, as one link.
SERVER4, SERVER4_TOO = "10.5.0.1", "10.5.0.2"
CLIENT4, CLIENT4_TOO = "10.5.0.8", "10.5.0.9"
SERVER6, SERVER6_TOO = "fd00:5::1", "fd00:5::2"
CLIENT6, CLIENT6_TOO = "fd00:5::8", "fd00:5::9"
#: A source in a /64 of its own, and everybody on the cable.
STRANGER6 = "fd00:5:0:1::8"
NETWORK4, NETWORK6 = "10.5.0.0/24", "fd00:5::/32"
BROADCAST4 = "10.5.0.255"

_T = TypeVar("_T")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _in_a_thread(action: Callable[[], _T]) -> _T:
    """Do *action* in a thread of its own: which network one is in is a thread's affair."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(action).result()


class Namespace:
    """A network with nothing but a loopback interface. Use as a context manager.

    Raises SkipTest where we are not root, and what :func:`~tests.integration.peers.missing` says
    where this machine lacks something.
    """

    def __init__(self) -> None:
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            raise SkipTest("a network of one's own takes root")
        for program in ("ip", "nsenter"):
            if shutil.which(program) is None:
                raise missing(program)
        try:
            self._fd = _in_a_thread(self._make)
        except OSError as error:
            raise missing(f"the right to make a network namespace ({error})") from None
        #: Where the namespace is as a file, for the options of ip(8) and nsenter(1).
        self.path = f"/proc/{os.getpid()}/fd/{self._fd}"

    @staticmethod
    def _make() -> int:
        _call("unshare", _CLONE_NEWNET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> Namespace:
        try:
            self.ip("link set lo up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._fd)

    @property
    def entered(self) -> tuple[str, ...]:
        """What to put in front of a command for it to run in here, as the same process."""
        return ("nsenter", f"--net={self.path}", "--")

    def ip(self, arguments: str) -> None:
        """``ip ARGUMENTS`` in here; a machine whose kernel cannot do it lacks something."""
        done = subprocess.run(
            [*self.entered, "ip", *arguments.split()], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise missing(f"ip {arguments}: {done.stderr.strip()}")

    def child(self, *arguments: str) -> Child:
        """``twistd -n socketlab ARGUMENTS…`` in here."""
        twistd = (*TWISTD, "--logfile=twistd.log", "socketlab")
        return Child(*arguments, started_by=(*self.entered, *twistd))

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket of this network; it stays one, whoever uses it."""

        def make() -> socket.socket:
            _call("setns", self._fd, _CLONE_NEWNET)
            return socket.socket(family, kind, protocol)

        sock = _in_a_thread(make)
        sock.settimeout(20)
        return sock


@contextlib.contextmanager
def lan() -> Iterator[tuple[Namespace, Namespace]]:
    """Two networks, a server's and a client's, with a cable between them; see the addresses above.

    Neither has a default route.
    """
    with Namespace() as server, Namespace() as client:
        # Ends with the same index are ready a second later, by a quirk of the kernel.
        server.ip(f"link add cable index 7 type veth peer name cable netns {client.path}")
        for namespace, addresses in (
            (server, (SERVER4, SERVER4_TOO, SERVER6, SERVER6_TOO)),
            (client, (CLIENT4, CLIENT4_TOO, CLIENT6, CLIENT6_TOO, STRANGER6)),
        ):
            for address in addresses:
                # Addresses are used at once: no wait whether somebody else has them (RFC 4862 5.4).
                how = f"{address}/32 nodad" if ":" in address else f"{address}/24 brd {BROADCAST4}"
                namespace.ip(f"address add {how} dev cable")
            namespace.ip("link set cable up")
        wait_for(lambda: _carries(server) and _carries(client))
        yield server, client


def _carries(namespace: Namespace) -> bool:
    """Whether the cable is ready: the kernel lays the routes for groups last, and not at once."""
    with namespace.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"cable")
        return sock.connect_ex(("ff02::1", 9)) == 0


def udp_counts(pid: int) -> dict[str, int]:
    """The kernel's counts of UDP in the network of process *pid*, IPv4 and IPv6 together:
    ``InDatagrams``, ``OutDatagrams``, ``RcvbufErrors`` and so on."""
    counts: dict[str, int] = {}
    lines = Path(f"/proc/{pid}/net/snmp").read_text().splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Udp:"))
    pairs: list[Any] = list(zip(names, values, strict=True))
    for line in Path(f"/proc/{pid}/net/snmp6").read_text().splitlines():
        name, value = line.split()
        if name.startswith("Udp6"):
            pairs.append((name.removeprefix("Udp6"), value))
    for name, value in pairs:
        counts[name] = counts.get(name, 0) + int(value)
    return counts


def udp_waiting_and_drops(pid: int, port: int) -> tuple[int, int]:
    """Of the UDP sockets of *port*: the bytes that wait to be read, and how many datagrams the
    kernel dropped, as /proc/net/udp says."""
    waiting = drops = 0
    for table in ("udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port:
                waiting += int(fields[4].rpartition(":")[2], 16)
                drops += int(fields[-1])
    return waiting, drops

"""Every service on every transport that can carry it; and who stops reading costs nothing."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import Child, wait_for
from tests.integration.roads import FOUR_ROADS, ROADS, Client, connect
from twisted_lab.protocols import KINDS
from twisted_lab.protocols.chargen import ROTATION

Check = Callable[["FamilyTests", Client], None]


class FamilyTests(SynchronousTestCase):
    def test_streams(self) -> None:
        """Each service that has streams does what it should on each road."""
        for name, kind in KINDS.items():
            if kind.stream is None:
                continue
            with Child(name, *FOUR_ROADS) as child:
                for road in ROADS:
                    self.road, self.child = road, child
                    with contextlib.closing(connect(child, name, road)) as client:
                        CHECKS[name](self, client)

    def echo(self, client: Client) -> None:
        client.finish(b"hello" * 1000)
        self.assertEqual(client.receive_all(), b"hello" * 1000, self.road)

    def line(self, client: Client) -> None:
        client.finish(b"/upper hello\r\nlast")
        self.assertEqual(client.receive_all(), b"HELLO\r\nlast", self.road)

    def discard(self, client: Client) -> None:
        client.finish(b"hello" * 1000)
        self.assertEqual(client.receive_all(), b"", self.road)

    def chargen(self, client: Client) -> None:
        seen = client.receive_exactly(2**20)
        self.assertEqual(seen, (ROTATION * (len(seen) // len(ROTATION) + 1))[: len(seen)])
        client.finish()
        self.assertTrue((seen + client.receive_all()).endswith(b"\r\n"), self.road)
        self.assertTrue(client.ended_well)

    def daytime(self, client: Client) -> None:
        form = rb"[A-Z][a-z]+, [A-Z][a-z]+ \d+, \d{4} \d\d:\d\d:\d\d-UTC\r\n"
        self.assertRegex(self.said(client), re.compile(rb"\A" + form + rb"\Z"))

    def time(self, client: Client) -> None:
        now = int.from_bytes(self.said(client), "big") - 2_208_988_800
        self.assertLess(abs(now - time.time()), 20)

    def qotd(self, client: Client) -> None:
        self.assertRegex(self.said(client), re.compile(rb"\A[ -~\r\n]{10,511}\Z"))

    def info(self, client: Client) -> None:
        said: dict[str, Any] = json.loads(self.said(client))
        transport = {"tcp4": "tcp", "tcp6": "tcp"}.get(self.road, self.road)
        self.assertEqual(
            (said["peer"], said["transport"], said["tls"] is not None, said["proxy"]),
            (client.name, transport, self.road == "tls", None),
        )

    def said(self, client: Client) -> bytes:
        """All that a service says which says one thing and closes, whatever it is sent."""
        client.send(bytes(20_000))
        said = client.receive_all()
        self.assertTrue(client.ended_well, self.road)
        return said


#: By service: what it must do. A service without a row is a test that fails.
CHECKS: dict[str, Check] = {
    "echo": FamilyTests.echo,
    "line": FamilyTests.line,
    "discard": FamilyTests.discard,
    "chargen": FamilyTests.chargen,
    "daytime": FamilyTests.daytime,
    "time": FamilyTests.time,
    "qotd": FamilyTests.qotd,
    "info": FamilyTests.info,
}


def stopped_readers(child: Child, count: int, seconds: float) -> float:
    """CPU seconds *child*, a chargen, uses in *seconds* with *count* clients that read nothing.

    They begin to count when its output to all of them has stopped.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            # Small buffers on both sides: those of thousands would fill the kernel's memory.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            sock.connect(("127.0.0.1", child.port("chargen")))
        wait_for(lambda: _rests(child))
        before = child.cpu_seconds()
        time.sleep(seconds)
        return child.cpu_seconds() - before


def _rests(child: Child) -> bool:
    before = child.cpu_seconds()
    time.sleep(0.2)
    return child.cpu_seconds() == before


class StoppedReaderTests(SynchronousTestCase):
    def test_no_cpu(self) -> None:
        """200 chargen clients that stop reading take no CPU for a second."""
        with Child("chargen", "--port", "0") as child:
            self.assertLessEqual(stopped_readers(child, 200, 1.0), 0.02)

"""An RST is an RST, whichever way the kernel tells us of it."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet import error
from twisted.trial.unittest import SynchronousTestCase

from tests.streams import StreamCase
from twisted_lab import kernel
from twisted_lab.testing import Spy
from twisted_lab.transports.certificates import make_certificate, server_context
from twisted_lab.transports.tls import TLSConnection


def accepted_and_gone(reset: bool) -> socket.socket:
    """The accepted side of a TCP connection whose client has left, by RST or by FIN."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    return accepted


class KernelTests(SynchronousTestCase):
    def test_told_apart(self) -> None:
        """The kernel keeps an error for a socket that was reset, and none for one at its end."""
        for reset in (True, False):
            with accepted_and_gone(reset) as sock:
                self.assertEqual(kernel.was_reset(sock), reset)
        self.assertFalse(kernel.was_reset(None))


class ReportedAsFinTests(StreamCase):
    """epoll may tell of the error before there is something to read: Twisted takes it for a FIN."""

    def reported(self, protocol: Spy) -> None:
        self.talk(protocol)
        sock = accepted_and_gone(reset=True)
        self.addCleanup(sock.close)
        self.patch(kernel, "socket_of", lambda transport: sock)
        below: Any = self.stream.transport if self.secure else self.stream
        below.readConnectionLost()
        self.network.pump()

    def test_plain(self) -> None:
        """It is recorded as what it was, and the protocol is told so."""
        spy = Spy()
        self.reported(spy)
        self.assertEqual(spy.ends, [error.ConnectionLost])
        self.assertEqual(self.closed().reason, "reset")

    def test_tls(self) -> None:
        """In a TLS handshake too the connection is over at once, and the reason is a true one."""
        context = server_context(make_certificate())
        self.secure = lambda stream: TLSConnection(context, self.clock, stream)
        self.reported(Spy())
        self.assertEqual(self.closed().reason, "handshake")

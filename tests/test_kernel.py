"""What the kernel says of real sockets, and an honest nothing where it says nothing."""

from __future__ import annotations

import os
import resource
import socket
import struct
from unittest import skipIf

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.child import wait_for
from twisted_lab import kernel
from twisted_lab.events import TcpInfo

#: More than two sockets' buffers hold, in one piece.
MUCH = bytes(2**24)

not_linux = skipIf(not kernel._LINUX, "TCP_INFO and SIOCOUTQ are Linux's")


class SocketTestCase(SynchronousTestCase):
    def tcp(self) -> tuple[socket.socket, socket.socket]:
        """The two ends of a TCP connection on loopback."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = socket.create_connection(listener.getsockname())
            far, _ = listener.accept()
        for sock in (near, far):
            self.addCleanup(sock.close)
        return near, far

    def unix(self) -> tuple[socket.socket, socket.socket]:
        near, far = socket.socketpair()
        for sock in (near, far):
            self.addCleanup(sock.close)
        return near, far

    def fill(self, sock: socket.socket) -> int:
        """Send until the kernel takes no more; how many bytes it took."""
        sock.setblocking(False)
        sent = 0
        try:
            while True:
                sent += sock.send(MUCH)
        except BlockingIOError:
            return sent


@not_linux
class UnsentTests(SocketTestCase):
    def test_tcp(self) -> None:
        """What a TCP peer does not read is unsent, and none of it once it was read."""
        near, far = self.tcp()
        self.assertEqual(kernel.unsent(near), 0)
        sent = self.fill(near)
        self.assertGreater(kernel.unsent(near), 0)
        self.assertLessEqual(kernel.unsent(near), sent)
        while sent:
            sent -= len(far.recv(2**20))
        wait_for(lambda: kernel.unsent(near) == 0)  # the last ACK may be a delayed one

    def test_unix(self) -> None:
        """The same on a UNIX socket."""
        near, far = self.unix()
        self.assertEqual(kernel.unsent(near), 0)
        near.sendall(b"hello")
        self.assertGreater(kernel.unsent(near), 0)
        far.recv(5)
        self.assertEqual(kernel.unsent(near), 0)

    def test_closed(self) -> None:
        """Nothing is unsent on a closed socket, or on none."""
        near, _far = self.tcp()
        near.close()
        self.assertEqual(kernel.unsent(near), 0)
        self.assertEqual(kernel.unsent(None), 0)


@not_linux
class TcpInfoTests(SocketTestCase):
    def info(self, sock: socket.socket) -> TcpInfo:
        found = kernel.tcp_info(sock)
        assert found is not None
        return found

    def test_plausible(self) -> None:
        """On loopback the round trip is short, the window open, and nothing is sent twice."""
        near, far = self.tcp()
        near.sendall(b"x" * 1000)
        self.assertEqual(len(far.recv(1000, socket.MSG_WAITALL)), 1000)
        far.sendall(b"y" * 500)
        self.assertEqual(len(near.recv(500, socket.MSG_WAITALL)), 500)
        wait_for(lambda: self.info(near).unacked == 0)  # the ACK may be a delayed one
        info = self.info(near)
        self.assertEqual(info.state, "ESTABLISHED")
        self.assertEqual(info.bytes_received, 500)
        # RFC 4898's ThruOctetsAcked, for which Linux also counts the SYN of who connected.
        self.assertIn(info.bytes_acked, (1000, 1001))
        self.assertGreater(info.rtt_us, 0)
        self.assertLess(info.rtt_us, 1_000_000)
        self.assertGreater(info.rttvar_us, 0)
        self.assertGreaterEqual(info.snd_cwnd, 2)
        self.assertEqual(
            (info.unacked, info.retransmits, info.total_retrans, info.notsent_bytes), (0, 0, 0, 0)
        )

    def test_not_sent(self) -> None:
        """What waits for the window of a peer that does not read is counted as not sent."""
        near, _far = self.tcp()
        sent = self.fill(near)
        info = self.info(near)
        self.assertGreater(info.notsent_bytes, 0)
        self.assertLess(info.notsent_bytes, sent)
        self.assertLessEqual(info.notsent_bytes, kernel.unsent(near))

    def test_states(self) -> None:
        """The states have the names of RFC 9293, through a whole close."""
        near, far = self.tcp()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.assertEqual(self.info(listener).state, "LISTEN")
        near.shutdown(socket.SHUT_WR)
        self.assertEqual(far.recv(1), b"")
        self.assertEqual(self.info(far).state, "CLOSE_WAIT")
        wait_for(lambda: self.info(near).state == "FIN_WAIT2")  # the ACK may be a delayed one
        far.close()
        self.assertEqual(near.recv(1), b"")
        self.assertIn(self.info(near).state, ("TIME_WAIT", "CLOSE"))

    def test_unconnected(self) -> None:
        """A socket that never connected is closed."""
        with socket.socket() as sock:
            self.assertEqual(self.info(sock).state, "CLOSE")

    def test_none(self) -> None:
        """UNIX and UDP sockets, closed ones and none at all have no TCP_INFO."""
        near, _far = self.unix()
        closed = socket.socket()
        closed.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
            for sock in (near, datagram, closed, None):
                self.assertIsNone(kernel.raw_tcp_info(sock))
                self.assertIsNone(kernel.read_tcp_info(kernel.raw_tcp_info(sock)))

    def test_old_kernel(self) -> None:
        """A kernel that says less than we read has nothing said for it."""
        near, _far = self.tcp()
        raw = kernel.raw_tcp_info(near)
        assert raw is not None
        self.assertIsNone(kernel.read_tcp_info(raw[:-1]))
        self.assertIsNone(kernel.read_tcp_info(b""))

    def test_unknown_state(self) -> None:
        """A state that is newer than we are is shown by its number."""
        near, _far = self.tcp()
        raw = kernel.raw_tcp_info(near)
        assert raw is not None
        info = kernel.read_tcp_info(struct.pack("B", 200) + raw[1:])
        assert info is not None
        self.assertEqual(info.state, "200")


class DescriptorTests(SynchronousTestCase):
    def test_next(self) -> None:
        """The next descriptor is the one that the next open gets, and asking takes none."""
        following = kernel.next_descriptor()
        self.assertEqual(kernel.next_descriptor(), following)
        read, write = os.pipe()
        os.close(write)
        os.close(read)
        self.assertEqual(read, following)

    def test_none_left(self) -> None:
        """With none left there is no next one, and nothing is raised."""
        following = kernel.next_descriptor()
        assert following is not None
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (following, before[1]))
        try:
            found, limit = kernel.next_descriptor(), kernel.descriptor_limit()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        self.assertIsNone(found)
        self.assertEqual(limit, following)

    def test_limit(self) -> None:
        """The limit is the soft one of this process."""
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        expected = None if soft == resource.RLIM_INFINITY else soft
        self.assertEqual(kernel.descriptor_limit(), expected)


class SocketOfTests(SynchronousTestCase):
    def test_fake(self) -> None:
        """A fake transport, and one that is closed, have no socket."""
        self.assertIsNone(kernel.socket_of(StringTransport()))
        self.assertIsNone(kernel.socket_of(None))

    def test_real(self) -> None:
        """A transport's socket is its attribute of that name, as Twisted has it."""
        transport = StringTransport()
        with socket.socket() as transport.socket:
            self.assertIs(kernel.socket_of(transport), transport.socket)


class ElsewhereTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(kernel, "_LINUX", False)

    def test_missing(self) -> None:
        """Off Linux each missing part is one sentence, which names the platform."""
        self.patch(kernel.sys, "platform", "darwin")
        sentences = kernel.missing_here()
        self.assertEqual(len(sentences), 3)
        for sentence in sentences:
            self.assertTrue(sentence.startswith("On darwin ") and sentence.endswith("."), sentence)

    def test_nothing_known(self) -> None:
        """Off Linux nothing is known, and nothing is raised."""
        with socket.socket() as sock:
            self.assertEqual(kernel.unsent(sock), 0)
            self.assertIsNone(kernel.raw_tcp_info(sock))


class HereTests(SynchronousTestCase):
    @not_linux
    def test_linux(self) -> None:
        """On Linux nothing is missing."""
        self.assertEqual(kernel.missing_here(), [])

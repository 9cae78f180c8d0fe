"""What a case works with: streams that end, fill up or stay silent, told apart."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.conformance.lateness import Lateness
from twisted_lab.conformance.probe import Pace, Probe
from twisted_lab.conformance.profiles import PROFILES
from twisted_lab.conformance.target import Limits, Server
from twisted_lab.conformance.verdicts import Failed, Reset, Silence, Unreachable
from twisted_lab.events import Closed, LocalShutdown, PeerShutdown, Received, Sent


class ProbeCase(SynchronousTestCase):
    def serve(
        self, talk: Callable[[socket.socket], object], idle: float | None = None, slow: float = 0.2
    ) -> Probe:
        """A probe of a server that does *talk* with each client, in a thread."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def guarded(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):
                talk(client)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=guarded, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        server = Server("tcp", *listener.getsockname(), limits=Limits(idle))
        return Probe(server, PROFILES["echo"], Lateness(), Pace(slow))


def echo(client: socket.socket) -> None:
    while data := client.recv(65536):
        client.sendall(data)


class FillTests(ProbeCase):
    def test_full(self) -> None:
        """A server that takes no more has been filled."""
        hold = threading.Event()
        self.addCleanup(hold.set)
        probe = self.serve(lambda client: hold.wait(60))
        with probe.connect(rcvbuf=2**16) as wire:
            self.assertTrue(probe.fill(wire, 2**30))
            self.assertGreater(wire.sent, 0)
            self.assertLess(wire.sent, 2**30)

    def test_most(self) -> None:
        """One that takes all is given no more than was said."""
        probe = self.serve(lambda client: [None for _ in iter(lambda: client.recv(65536), b"")])
        with probe.connect() as wire:
            self.assertTrue(probe.fill(wire, 2**20))
            self.assertGreaterEqual(wire.sent, 2**20)

    def test_declared(self) -> None:
        """A declared time-out may end it first; before that, and without one, RST is a failure."""

        def gives_up(client: socket.socket) -> None:
            client.recv(1)
            threading.Event().wait(0.2)  # and closes with the rest unread

        probe = self.serve(gives_up, idle=0.1, slow=1.0)
        with probe.connect(rcvbuf=2**16) as wire:
            self.assertFalse(probe.fill(wire, 2**30))
        for idle in (None, 60.0):
            probe = self.serve(gives_up, idle=idle, slow=1.0)
            with probe.connect(rcvbuf=2**16) as wire:
                self.assertRaises(Reset, probe.fill, wire, 2**30)


class WireTests(ProbeCase):
    def test_exchange(self) -> None:
        """A request and its reply; all of it is written down, and the ends of both sides."""
        probe = self.serve(echo)
        with probe.connect() as wire:
            self.assertEqual(probe.exchange(wire, 10), probe.request(10))
            wire.fin()
            self.assertEqual(wire.read_to_end(), b"")
        (talk,) = probe.log.conversations
        kinds = [type(event) for event in talk.events[1:]]
        self.assertEqual(kinds, [Sent, Received, LocalShutdown, PeerShutdown, Closed])

    def test_early_end(self) -> None:
        """FIN before the reply is whole is told with what there was."""
        probe = self.serve(lambda client: client.sendall(client.recv(100)[:3]))
        with probe.connect() as wire:
            wrong = self.assertRaises(Failed, probe.exchange, wire, 10)
        self.assertEqual(str(wrong), "FIN came after 3 bytes of the reply to 10")

    def test_silence(self) -> None:
        """Nothing in time is silence, which is looked at again."""
        hold = threading.Event()
        self.addCleanup(hold.set)
        probe = self.serve(lambda client: hold.wait(60))
        with probe.connect() as wire:
            wrong = self.assertRaises(Silence, probe.exchange, wire)
        self.assertTrue(wrong.timed)
        self.assertIn("the server sent nothing for 0.8 s", str(wrong))

    def test_a_trickle(self) -> None:
        """A server that sends a byte now and then, for ever, cannot hold a case for ever."""
        stop = threading.Event()
        self.addCleanup(stop.set)

        def trickle(client: socket.socket) -> None:
            while not stop.wait(0.05):
                client.sendall(b"x")

        probe = self.serve(trickle)
        probe.deadline -= 5.5  # of the six seconds that it has
        with probe.connect() as wire:
            wrong = self.assertRaises(Silence, wire.read_to_end)
        self.assertIn("the case took too long", str(wrong))

    def test_flood(self) -> None:
        """One that sends without end is told of, and costs bounded memory."""

        def flood(client: socket.socket) -> None:
            while True:
                client.sendall(bytes(2**20))

        probe = self.serve(flood)
        with probe.connect() as wire:
            wrong = self.assertRaises(Failed, wire.read_to_end)
        self.assertEqual(wrong.bug, "flood")

    def test_nobody(self) -> None:
        """Nobody there is not a matter of time."""
        probe = self.serve(echo)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            probe.server = Server("tcp", *closed.getsockname())
            wrong = self.assertRaises(Unreachable, probe.connect)
        self.assertEqual((wrong.timed, wrong.gone), (False, True))

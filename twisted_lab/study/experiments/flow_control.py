"""Flow control: the window closes and opens."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that a receiver that does not read stops the sender, without losing a byte, and that"
    " reading lets it go on."
)
ASKED = (
    "How much can be sent to somebody who does not read?",
    "Where are those bytes?",
    "How does the sender learn that it may go on?",
)


def server():
    """Reads nothing until Enter is pressed; then everything."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    # A small receive buffer, so that the window is small, too (socket(7)).
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
    print("listening on port", listener.getsockname()[1])
    conn, peer = listener.accept()
    input()  # does not read, until you press Enter

    total = 0
    while data := conn.recv(65536):
        total += len(data)
    print("received", total)
    conn.close()
    listener.close()


def client():
    """Sends until it must wait; then waits until it may go on."""
    import select
    import socket
    import sys

    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    sock.connect(("127.0.0.1", int(sys.argv[1])))
    sock.setblocking(False)
    total, moves = 0, True
    while moves:
        try:
            total += sock.send(bytes(4000))
        except BlockingIOError:  # EAGAIN: the send buffer has no room now
            _, moves, _ = select.select([], [sock], [], 0.1)
    print("must wait")  # and the window is closed, for nothing moves any more

    select.select([], [sock], [])  # until the socket is writable
    print("may go on")
    total += sock.send(bytes(4000))
    sock.close()
    print("sent", total)


def in_twisted():
    """The same: a producer is told to pause, and to resume."""
    import sys

    from twisted.internet import interfaces, protocol, reactor
    from zope.interface import implementer

    @implementer(interfaces.IPushProducer)
    class Sender(protocol.Protocol):
        def connectionMade(self):
            self.total, self.paused = 0, False
            self.transport.registerProducer(self, True)
            while not self.paused:
                self.write()

        def write(self):
            self.transport.write(bytes(4000))
            self.total += 4000

        def pauseProducing(self):  # more than the kernel takes waits in the transport
            self.paused = True
            print("must wait")

        def resumeProducing(self):  # all of it has gone
            print("may go on")
            self.write()
            self.transport.unregisterProducer()
            self.transport.loseConnection()

        def stopProducing(self):
            pass

        def connectionLost(self, reason):
            print("sent", self.total)
            reactor.stop()

    factory = protocol.ClientFactory.forProtocol(Sender)
    reactor.connectTCP("127.0.0.1", int(sys.argv[1]), factory)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"client": in_twisted}


def play(stage):
    """Enter is pressed a while after the client had to wait."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.line()
    stage.pause(0.2)
    server.enter()
    client.line()
    server.finish()
    client.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """How much went until the client had to wait, and what let it go on."""
    server, client = seen.server, seen.client
    sends = client.calls("send")
    stopped = next((one for one in reversed(sends) if one.call.error == "EAGAIN"), None)
    if stopped is None:
        yield Observation(False, f"{counted(len(sends), 'send')}, and none of them had to wait")
        return
    before = sum(one.bytes for one in client.done("send") if one.ns < stopped.ns)
    reads = server.done("recv")
    yield Observation(
        reads[0].ns > stopped.ns,
        f"{counted(before)} went without a single recv(); then send() said {stopped.call.error}",
    )
    waits = client.done("select")[-1]
    yield Observation(
        waits.call.duration > 0.1 and waits.ns > reads[0].ns,
        f"the client waited for {waits.call.duration * 1000:.0f} ms, and could go on"
        f" {(waits.ns - reads[0].ns) / 1e6:.1f} ms after the server's first recv()",
    )
    went, came = sum(client.sizes("send")), sum(server.sizes("recv"))
    yield Observation(went == came, f"{counted(went)} went in all, and {counted(came)} came")


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """What Twisted's producer was told."""
    said = [line.split()[0] for line in twisted.client.output]
    total = int(twisted.client.output[-1].split()[-1])
    yield Observation(
        said == ["must", "may", "sent"] and twisted.server.output[-1] == f"received {total}",
        f"Twisted's producer: {'; '.join(twisted.client.output)}; the server"
        f" {twisted.server.output[-1]}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """From the last sends before the wait on."""
    stopped = [one for one in seen.client.calls("send") if one.call.error == "EAGAIN"][-1]
    client = seen.client.since(stopped.ns - 1)
    yield both(
        client, seen.server.since(stopped.ns - 1).first(8), "From where the client must wait"
    )


RESULT = (
    "The receiver's window says how much more it takes. What is not read fills its buffer, then"
    " the sender's; then send() waits, or says EAGAIN. Reading opens the window, and the sender"
    " becomes writable. Nothing is lost: the slower end sets the pace."
)
TRY = (
    Task(
        "Leave out both setsockopt() lines.",
        "How much goes now before it must wait? Who chose those sizes?",
    ),
    Task(
        "Let both ends send 10 MB first, and only then read.",
        "Why does neither ever finish?",
    ),
)

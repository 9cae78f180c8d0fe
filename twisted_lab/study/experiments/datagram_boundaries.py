"""A datagram has boundaries."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that each datagram comes whole, by one recv, however many wait and how short they are."
)
ASKED = (
    "Are datagrams that wait together joined?",
    "Can a datagram have no bytes at all, and does it arrive?",
    "How does a receiver know that there are no more?",
)


def server():
    """Reads what came, once Enter is pressed: six datagrams."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound to port", sock.getsockname()[1])
    input()  # busy with something else, until you press Enter

    for _ in range(6):
        data, sender = sock.recvfrom(2048)
        print(len(data), "bytes:", data.decode()[:20])
    sock.close()


def client():
    """Sends six datagrams, among them an empty one and a long one."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for message in (b"one", b"two", b"", b"three", b"x" * 1400, b"the end"):
        sock.sendto(message, ("127.0.0.1", int(sys.argv[1])))
    print("sent")
    sock.close()


def in_twisted():
    """The same: each datagramReceived() is one datagram."""
    import sys

    from twisted.internet import protocol, reactor, stdio

    class Reader(protocol.DatagramProtocol):
        def datagramReceived(self, datagram, addr):
            print(len(datagram), "bytes:", datagram.decode()[:20])

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            port.startReading()

    port = reactor.listenUDP(int(sys.argv[1]), Reader(), interface="127.0.0.1")
    port.stopReading()  # recvfrom() is not called
    print("bound to port", port.getHost().port)
    stdio.StandardIO(Keyboard())
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """Enter is pressed once all was sent; then six lines are printed."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.finish()
    server.enter()
    for _ in range(6):
        server.line()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What went, and what came."""
    sent, came = seen.client.sizes("sendto"), seen.server.sizes("recvfrom")
    yield Observation(
        sent == came,
        f"{counted(len(sent), 'sendto')} of {', '.join(map(str, sent))} bytes came by"
        f" {counted(len(came), 'recvfrom')} of {', '.join(map(str, came))} bytes",
    )
    waited = [one.ns for one in seen.server.done("recvfrom")][0]
    before = sum(one.ns < waited for one in seen.client.done("sendto"))
    yield Observation(
        before == len(sent),
        f"{before} of them had been sent before the first was read, and still they were not joined"
        if sent == came
        else f"{before} of them had been sent before the first was read",
    )
    empty = came.count(0)
    yield Observation(
        empty == sent.count(0) == 1,
        f"{counted(empty, 'datagram')} without bytes came; the socket was read"
        f" {counted(len(came) - came.index(0) - 1, 'time')} after it"
        if empty
        else "no datagram without bytes came",
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether Twisted's server was given the same datagrams."""
    before, after = plain.server.output[1:], twisted.server.output[1:]
    yield Observation(
        before == after,
        f"Twisted's server printed {'the same' if before == after else 'other'}"
        f" {counted(len(after), 'line')}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """Both ends."""
    yield both(seen.client, seen.server)


RESULT = (
    "Each datagram is a message: it comes whole, alone, and by one recvfrom(). One without bytes is"
    " a message, too, and no end: datagram sockets have none."
)
TRY = (
    Task(
        "Change recvfrom(2048) to recvfrom(4).",
        "Where are the other bytes of each datagram?",
    ),
    Task(
        "Let the server ask for a seventh datagram.",
        "What does it wait for? Which call would let it wait for 1 s only?",
    ),
)

"""The life of a datagram socket."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see what a datagram socket needs, and what it does not: there is no connection to make,"
    " to accept or to end."
)
ASKED = (
    "Which calls of a stream socket's life are missing?",
    "How does the server know where to send its answer?",
    "When does the client's socket get its address?",
    "How many sockets does the server need for two clients?",
)


def server():
    """Answers two datagrams in capitals, whoever they are from."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound to port", sock.getsockname()[1])
    for _ in range(2):
        data, sender = sock.recvfrom(2048)  # one datagram, and who sent it
        sock.sendto(data.upper(), sender)
    sock.close()


def client():
    """Sends one datagram from each of two sockets, and prints the answers."""
    import socket
    import sys

    server = ("127.0.0.1", int(sys.argv[1]))
    for word in (b"hello", b"again"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(5)  # a datagram may get lost: never wait for ever
        sock.sendto(word, server)  # now the kernel gives it a port, too
        data, sender = sock.recvfrom(2048)
        print(data.decode())
        sock.close()


def in_twisted():
    """The same: datagramReceived() has what recvfrom() returned."""
    import sys

    from twisted.internet import protocol, reactor

    class Capitals(protocol.DatagramProtocol):
        def datagramReceived(self, datagram, addr):
            self.transport.write(datagram.upper(), addr)

    port = reactor.listenUDP(int(sys.argv[1]), Capitals(), interface="127.0.0.1")
    print("bound to port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """What was called, on how many sockets, and where the answers went."""
    server, client = seen.server, seen.client
    absent = [
        name
        for name in ("listen", "accept", "connect", "shutdown")
        if name not in server.names() + client.names()
    ]
    yield Observation(
        len(absent) == 4, f"nobody called {', '.join(absent)}" if absent else "all calls are there"
    )
    came, answered = server.done("recvfrom"), server.done("sendto")
    yield Observation(
        [one.peer for one in came] == [one.peer for one in answered],
        "recvfrom() named the senders "
        + " and ".join(one.peer for one in came)
        + "; the answers went to "
        + " and ".join(one.peer for one in answered),
    )
    used = {one.call.socket for one in came + answered}
    asked = {one.call.socket for one in client.done("sendto")}
    yield Observation(
        len(used) == 1 and len(asked) == 2,
        f"the server used {counted(len(used), 'socket')} for {counted(len(asked), 'socket')} of"
        " the client's",
    )
    ports = [one.local.rpartition(":")[2] for one in client.done("sendto")]
    bound = "bind" in client.names()
    yield Observation(
        not bound and all(int(port) > 0 for port in ports),
        f"the client {'called' if bound else 'never called'} bind(); after sendto() its sockets"
        f" have the ports {' and '.join(ports)}",
    )
    yield Observation(
        client.data("recvfrom") == [one.upper() for one in client.data("sendto")],
        f"{counted(len(client.data('sendto')), 'datagram')} went, and"
        f" {counted(len(client.data('recvfrom')), 'answer')} came",
    )


RESULT = (
    "A datagram socket is made, gets an address, and sends and receives: each datagram by itself,"
    " to and from anybody. Nothing is agreed with the other end, so nothing is ended, either, and"
    " one socket serves all."
)
TRY = (
    Task(
        "Stop the server, then start the client.",
        "Which call tells it that nobody is there, and after how long? Why not sendto()?",
    ),
    Task(
        "Start two servers on the same port.",
        "Which call of the second one fails? What would SO_REUSEPORT change?",
    ),
    Task(
        "Send 70,000 bytes in one datagram.",
        "Which call fails, and with what? Which length is the longest that goes?",
    ),
)
EXERCISE = Exercise(
    "Write a server that sends back every datagram, also an empty one, to whoever sent it.",
    "echo",
    ("U0[12368]",),
    transport="udp",
)

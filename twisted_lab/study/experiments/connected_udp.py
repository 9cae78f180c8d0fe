"""Connected UDP, and ICMP errors."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.seen import Seen

AIM = (
    "To see what connect() does to a datagram socket: it sends nothing, yet afterwards the socket"
    " hears of errors, and of nobody else."
)
ASKED = (
    "Does connect() send anything?",
    "Who learns that nobody listens at a port: a socket that is connected, or any?",
    "Does a connected socket hear a stranger?",
)


def server():
    """Answers one datagram from two sockets: the one that was asked, and a stranger."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound to port", sock.getsockname()[1])
    data, asker = sock.recvfrom(100)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.sendto(b"from a stranger", asker)
    sock.sendto(b"from the server", asker)
    stranger.close()
    sock.close()


def client():
    """Asks the server, then a port where nobody is: connected, and not."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.connect(("127.0.0.1", int(sys.argv[1])))
    sock.send(b"who is there?")  # no address: connect() has given it
    print(sock.recv(100).decode())
    sock.settimeout(0.3)
    try:
        print(sock.recv(100).decode())
    except (TimeoutError, ConnectionRefusedError):
        print("nobody else is heard")
    sock.close()

    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    nobody = free.getsockname()  # once it is closed, nobody listens there
    free.close()
    for connected in (True, False):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(0.3)
        try:
            if connected:
                sock.connect(nobody)
                sock.send(b"hello?")
            else:
                sock.sendto(b"hello?", nobody)
            sock.recv(100)
        except ConnectionRefusedError:  # ICMP port unreachable
            print("connected" if connected else "unconnected", "and refused")
        except TimeoutError:
            print("connected" if connected else "unconnected", "and silence")
        sock.close()


def in_twisted():
    """The same of connected ports: which callback tells of ICMP depends on the reactor."""
    import sys

    from twisted.internet import protocol, reactor

    class Asker(protocol.DatagramProtocol):
        def startProtocol(self):
            self.transport.connect("127.0.0.1", int(sys.argv[1]))
            self.transport.write(b"who is there?")

        def datagramReceived(self, datagram, addr):
            print(datagram.decode())
            reactor.callLater(0.3, self.ask_nobody)

        def ask_nobody(self):
            print("nobody else is heard")
            free = reactor.listenUDP(0, protocol.DatagramProtocol(), interface="127.0.0.1")
            nobody = free.getHost().port
            done = free.stopListening()
            done.addCallback(
                lambda none: reactor.listenUDP(0, Nobody(nobody), interface="127.0.0.1")
            )

    class Nobody(protocol.DatagramProtocol):
        def __init__(self, port):
            self.port = port

        def startProtocol(self):
            self.transport.connect("127.0.0.1", self.port)
            self.transport.write(b"hello?")

        def connectionRefused(self):  # ICMP port unreachable, where a read says so
            print("connected and refused")
            self.transport.stopListening()

        def stopProtocol(self):  # epoll says it before a read can, and Twisted ends the port
            print("connected and ended")
            reactor.listenUDP(0, Unconnected(self.port), interface="127.0.0.1")

    class Unconnected(protocol.DatagramProtocol):
        def __init__(self, port):
            self.port = port

        def startProtocol(self):
            self.transport.write(b"hello?", ("127.0.0.1", self.port))
            reactor.callLater(0.3, self.tell)

        def tell(self):
            print("unconnected and silence")
            reactor.stop()

    reactor.listenUDP(0, Asker(), interface="127.0.0.1")
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"client": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """What each socket sent, heard and was told."""
    client, server = seen.client, seen.server
    connected = client.done("connect")[0]
    yield Observation(
        connected.event == "called",
        f"connect() took {connected.call.duration * 1e6:.0f} µs, and the server's first recvfrom()"
        f" returned the {server.sizes('recvfrom')[0]} bytes of send()",
    )
    sent, heard = server.data("sendto"), client.data("recv")
    yield Observation(
        len(sent) == 2 and heard == [b"from the server"],
        f"{len(sent)} datagrams were sent to the connected socket, of which it heard"
        f" {', '.join(repr(one.decode()) for one in heard) or 'none'}",
    )
    failed = [one for one in client.calls("send", "sendto", "recv") if one.call.error]
    refused = [one for one in failed if one.call.error == "ECONNREFUSED"]
    names = {one.call.socket: "unconnected" for one in client.done("sendto")}
    yield Observation(
        len(refused) == 1 and refused[0].call.socket not in names,
        "to the port where nobody is: "
        + "; ".join(
            f"{names.get(one.call.socket, 'connected')}, {one.call.name}() said {one.call.error}"
            f" after {one.call.duration * 1000:.1f} ms"
            for one in failed[-2:]
        ),
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """What became of Twisted's ports."""
    said = twisted.client.output
    yield Observation(
        said[:1] == ("from the server",)
        and said[-2:] == ("connected and ended", "unconnected and silence"),
        f"Twisted's program printed: {'; '.join(said)}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """All of it."""
    yield both(seen.client, seen.server)


RESULT = (
    "connect() on a datagram socket tells only the kernel: it notes the peer, sends there without"
    " an address, lets only that peer's datagrams in, and gives the socket the ICMP errors that"
    " come back, as ECONNREFUSED (udp(7)). An unconnected socket hears none of them."
)
TRY = (
    Task(
        "Let the unconnected socket try IP_RECVERR.",
        "Can it hear of the error after all, and how?",
    ),
    Task(
        "Connect to a machine that drops what it does not know.",
        "What does a connected socket hear now?",
    ),
)
EXERCISE = Exercise(
    "Write a server that sends back every datagram, and goes on when a client has gone before its"
    " answer comes: the ICMP error must not end it.",
    "echo",
    ("U01", "U06", "U08"),
    transport="udp",
)

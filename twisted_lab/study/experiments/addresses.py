"""IPv4, IPv6, dual stack, ports, byte order."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.seen import Seen

AIM = (
    "To see what an address of a socket is, how one socket serves both families, and in which"
    " order the bytes of a number go over the network."
)
ASKED = (
    "May two sockets have the same port?",
    "How does a client over IPv4 look to a socket for IPv6?",
    "Which bytes is port 9000, and who must agree on their order?",
)


def server():
    """Listens for both families with one socket, and reads a number both ways."""
    import socket
    import sys

    one = socket.create_server(("127.0.0.1", 0))
    port = one.getsockname()[1]
    other = socket.create_server(("::1", port), family=socket.AF_INET6)
    print("two listeners, one port: 127.0.0.1 and ::1")
    one.close()
    other.close()

    dual = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    dual.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")  # nobody from outside
    dual.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # both families
    dual.bind(("::", int(sys.argv[1])))
    dual.listen()
    print("listening on port", dual.getsockname()[1])
    for _ in range(2):
        conn, peer = dual.accept()
        print("a client at", peer[0])
        data = conn.recv(2)
        print(data.hex(), "is", int.from_bytes(data, "big"), "or", int.from_bytes(data, "little"))
        conn.close()
    dual.close()


def client():
    """Connects by IPv4, then by IPv6, and sends the number 9000 in network byte order."""
    import socket
    import struct
    import sys

    for host in ("127.0.0.1", "::1"):
        for family, kind, _, _, address in socket.getaddrinfo(
            host, int(sys.argv[1]), type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind)
            sock.connect(address)
            sock.sendall(struct.pack("!H", 9000))  # ! is network byte order: the big end first
            sock.recv(1)  # until the server closes
            sock.close()
            print(family.name, "to", address[0])


def in_twisted():
    """The same: an endpoint for "::" is for both families; Twisted has no option for one alone."""
    import socket
    import sys

    from twisted.internet import protocol, reactor

    class Number(protocol.Protocol):
        def dataReceived(self, data):
            print("a client at", self.transport.getPeer().host)
            print(
                data.hex(), "is", int.from_bytes(data, "big"), "or", int.from_bytes(data, "little")
            )
            self.transport.loseConnection()

    factory = protocol.Factory.forProtocol(Number)
    one = reactor.listenTCP(0, factory, interface="127.0.0.1")
    other = reactor.listenTCP(one.getHost().port, factory, interface="::1")
    print("two listeners, one port:", one.getHost().host, "and", other.getHost().host)
    dual = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    dual.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    dual.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    dual.bind(("::", int(sys.argv[1])))
    dual.listen()
    dual.setblocking(False)
    port = reactor.adoptStreamPort(dual.fileno(), socket.AF_INET6, factory)
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """The server says first that two may have one port."""
    server = stage.start("server", 0)
    server.line()
    client = stage.start("client", server.number())
    client.finish()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Addresses and bytes."""
    server, client = seen.server, seen.client
    first, second, *_ = server.done("listen")
    ports = [one.local.rpartition(":") for one in (first, second)]
    yield Observation(
        ports[0][2] == ports[1][2] and ports[0][0] != ports[1][0],
        f"two sockets listened at once: at {first.local} and at {second.local}",
    )
    peers = [one.peer for one in server.done("accept")]
    yield Observation(
        len(peers) == 2 and "::ffff:127.0.0.1" in peers[0] and peers[1].startswith("[::1]"),
        f"to the socket for IPv6 the clients were {' and '.join(peers)}",
    )
    own = [one.local for one in client.done("connect")]
    yield Observation(
        own[0].startswith("127.0.0.1:") and own[1].startswith("[::1]:"),
        f"by their own account they were {' and '.join(own)}",
    )
    data = server.data("recv")
    big, little = ({int.from_bytes(one, order) for one in data} for order in ("big", "little"))
    yield Observation(
        big == {9000} and little != big,
        f"the bytes were {data[0].hex(' ')}: {min(big)} with the big end first, {min(little)} with"
        " the little end first",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """The client over IPv4."""
    yield both(seen.client.nth(0), seen.server.nth(0), "A client over IPv4 at a socket for IPv6")


RESULT = (
    "An address is a family, a host and a port, so the same port of two hosts is two addresses. A"
    " socket for IPv6 without IPV6_V6ONLY takes IPv4, too, and sees it as ::ffff:a.b.c.d. Numbers"
    " go over the network with the big end first, because both ends have to agree."
)
TRY = (
    Task(
        "Set IPV6_V6ONLY to 1.",
        "Which of the two clients is refused, and by which call does it learn so?",
    ),
    Task(
        'Pack with "<H" in the client.',
        "Which number does the server read with the big end first?",
    ),
    Task(
        'Ask getaddrinfo() for "localhost" instead.',
        "How many addresses are there, and which one comes first?",
    ),
)

"""Small writes, Nagle, and TCP_NODELAY."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Ended, Seen

AIM = (
    "To see why a request in two small sends can be slow, and the same in one send, or with"
    " TCP_NODELAY, is not."
)
ASKED = (
    "What does Nagle's algorithm wait for?",
    "What does the receiver's kernel wait for at the same time?",
    "What does TCP_NODELAY change?",
)


def server():
    """Answers each request of 8 bytes, for three connections."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for _ in range(3):
        conn, peer = listener.accept()
        request = b""
        while data := conn.recv(8 - len(request)):
            request += data
            if len(request) == 8:
                conn.sendall(b"ok\n")
                request = b""
        conn.close()
    listener.close()


def client():
    """Asks 25 times in each of three ways."""
    import socket
    import sys

    for way in ("two sends", "one send", "two sends, TCP_NODELAY"):
        sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        if "TCP_NODELAY" in way:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(25):
            if way == "one send":
                sock.sendall(b"headbody")
            else:
                sock.sendall(b"head")
                sock.sendall(b"body")  # waits in the kernel for the ACK of "head"
            sock.recv(3)
        sock.close()
        print(way)


def in_twisted():
    """The same: writes of one turn of the reactor are gathered; setTcpNoDelay() is the option."""
    import sys

    from twisted.internet import protocol, reactor

    class Asker(protocol.Protocol):
        left = 25

        def connectionMade(self):
            self.transport.setTcpNoDelay("TCP_NODELAY" in self.factory.way)
            self.ask()

        def ask(self):
            if self.factory.way == "one send":
                self.transport.write(b"headbody")
            else:
                self.transport.write(b"head")
                self.transport.write(b"body")

        def dataReceived(self, data):
            self.left -= 1
            if self.left:
                self.ask()
            else:
                self.transport.loseConnection()

        def connectionLost(self, reason):
            print(self.factory.way)
            next_way()

    ways = iter(("two sends", "one send", "two sends, TCP_NODELAY"))

    def next_way():
        way = next(ways, None)
        if way is None:
            reactor.stop()
            return
        factory = protocol.ClientFactory.forProtocol(Asker)
        factory.way, factory.noisy = way, False
        reactor.connectTCP("127.0.0.1", int(sys.argv[1]), factory)

    next_way()
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"client": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """How long a request took in each way, once the connection was warm."""
    ways = [_times(seen.client.of(one)) for one in seen.client.connections()]
    two, one, nodelay = (median(way[-8:]) for way in ways)
    yield Observation(
        two > 4 * one,
        f"two sends: {two:.2f} ms for a request (the median of the last 8 of 25)",
    )
    yield Observation(two > 4 * one, f"one send: {one:.2f} ms; that is 1/{two / one:.0f} of it")
    yield Observation(
        two > 4 * nodelay,
        f"two sends with TCP_NODELAY: {nodelay:.2f} ms; that is 1/{two / nodelay:.0f}",
    )
    counts = [len(seen.server.nth(number).sizes("recv")) for number in (0, 1)]
    yield Observation(
        counts[0] > counts[1],
        f"the server needed {counts[0]} recvs for the first way and {counts[1]} for the second",
    )


def _times(ended: Ended) -> list[float]:
    """ms from each request's first send to its answer."""
    times, began = [], None
    for one in ended.calls("sendall", "recv"):
        if one.event == "sent" and began is None:
            began = one.ns - one.call.duration * 1e9
        elif one.event == "received" and began is not None:
            times.append((one.ns - began) / 1e6)
            began = None
    return times


def pictures(seen: Seen) -> Iterator[Picture]:
    """The first two requests of the first way, and of the third."""
    for number, said in _DRAWN.items():
        yield both(seen.client.nth(number).first(7), seen.server.nth(number).first(7), said)


#: The connections that are drawn.
_DRAWN = {
    0: "Two sends: the second waits for the ACK of the first",
    2: "Two sends with TCP_NODELAY: nothing waits",
}

RESULT = (
    "Nagle's algorithm (RFC 1122, 4.2.3.4) keeps a small segment back while another is not"
    " acknowledged; the receiver delays its ACK by up to 40 ms on Linux, hoping to send it with an"
    " answer. Two sends before an answer meet both. One send avoids it, TCP_NODELAY turns it off."
)
TRY = (
    Task(
        "Make a request of three sends.",
        "Is it slower than with two? Why not?",
    ),
    Task(
        "Set TCP_QUICKACK at the server before each recv().",
        "Which of the two waits is gone?",
    ),
)

"""TIME_WAIT and SO_REUSEADDR."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.events import Call
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see why a server that is started again may find its address in use, although nothing"
    " listens there, and what SO_REUSEADDR does about it."
)
ASKED = (
    "Whose port is kept busy after a connection: the one that closed first, or the other's?",
    "What does bind() say to it?",
    "What changes with SO_REUSEADDR, and what does not?",
)


def server():
    """Serves on two ports and closes first; then wants to listen there again."""
    import socket

    def listen(port, reuse):
        sock = socket.socket()
        if reuse:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        return sock

    listeners = {reuse: listen(0, reuse) for reuse in (False, True)}
    ports = {reuse: one.getsockname()[1] for reuse, one in listeners.items()}
    for port in ports.values():
        print("listening on port", port)
    for listener in listeners.values():
        conn, peer = listener.accept()
        conn.close()  # we close first: TIME_WAIT will be at our end
        listener.close()
    input()  # until the client has closed, too, and you press Enter

    for reuse, port in ports.items():
        try:
            again = listen(port, reuse)
            print("with" if reuse else "without", "SO_REUSEADDR: listening again")
        except OSError as error:
            print("with" if reuse else "without", "SO_REUSEADDR:", error.strerror)
    try:
        listen(port, reuse)  # a second one, while the first listens
        print("two listen there")
    except OSError as error:
        print("a second one with SO_REUSEADDR:", error.strerror)
    again.close()


def client():
    """Connects to both ports, and closes once the server has."""
    import socket
    import sys

    for port in map(int, sys.argv[1:]):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.recv(1)  # until the server's FIN
        sock.close()
        with open("/proc/net/tcp") as table:  # proc(5); state 06 is TIME_WAIT
            rows = [line.split() for line in table]
        states = [row[3] for row in rows if row[1].endswith(f":{port:04X}")]
        print("in TIME_WAIT at the server's end:", states.count("06"))


def in_twisted():
    """The same: Twisted sets SO_REUSEADDR on every port that listens."""
    import socket
    import sys

    from twisted.internet import protocol, reactor

    class Closes(protocol.Protocol):
        def connectionMade(self):
            self.transport.loseConnection()

    factory = protocol.Factory.forProtocol(Closes)
    for _ in range(2):
        port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
        option = port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        print("listening, with SO_REUSEADDR", option, "on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """Enter is pressed once the client has closed."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number(), server.number())
    client.finish()
    server.enter()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """Who closed first, and what each bind() said."""
    server, client = seen.server, seen.client
    first = server.of(server.connections()[0]).closed()[0]
    yield Observation(
        first.reason == "local" and client.closed()[0].reason == "peer-fin",
        f"the server's end closed by {first.reason}, the client's by {client.closed()[0].reason}:"
        + (" the server was first" if first.reason == "local" else " the client was first"),
    )
    waiting = [int(line.rpartition(" ")[2]) for line in client.output]
    yield Observation(
        min(waiting) > 0,
        f"the kernel's table had {' and '.join(map(str, waiting))} in TIME_WAIT at the server's"
        " ports",
    )
    without, with_it, beside = (one.call for one in server.calls("bind")[2:])
    yield Observation(without.error == "EADDRINUSE", f"without SO_REUSEADDR {_said(without)}")
    yield Observation(with_it.error is None, f"with SO_REUSEADDR {_said(with_it)}")
    yield Observation(
        beside.error == "EADDRINUSE",
        f"with SO_REUSEADDR, where another socket listens, {_said(beside)}",
    )


def _said(call: Call) -> str:
    note = f", for {call.note}" if call.note else ""
    return f"bind() to the same port said {call.error}{note}" if call.error else "bind() succeeded"


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Whether Twisted has the option set."""
    said = twisted.server.output[0]
    yield Observation("SO_REUSEADDR 1" in said, f"Twisted's server printed: {said}")


def pictures(seen: Seen) -> Iterator[Picture]:
    """Both ends."""
    yield both(seen.client, seen.server)


RESULT = (
    "The end that closes first keeps the pair of addresses in TIME_WAIT for a minute, so that late"
    " segments harm nobody (RFC 9293, section 3.6.1). bind() then says EADDRINUSE. SO_REUSEADDR"
    " allows it; on Linux it must have been set on the earlier listener, too, so a server sets it"
    " always. It allows no second listener on the port."
)
TRY = (
    Task(
        "Let the client close first.",
        "Which bind() fails now? Where is TIME_WAIT?",
    ),
    Task(
        "Set SO_REUSEADDR on the second listener alone, and not on the first.",
        "What does bind() say? Whose option does the connection in TIME_WAIT have?",
    ),
    Task(
        "Set SO_REUSEPORT on both sockets of the server's end.",
        "Which of the two gets the next client?",
    ),
)

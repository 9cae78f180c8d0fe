"""FIN against RST: two ways to end."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = "To see what an orderly end and an abort look like to the one who hears of them."
ASKED = (
    "What does recv() say after FIN, and what after RST?",
    "What becomes of bytes that had not been read?",
    "What does a send() to a connection that was reset do?",
)


def server():
    """Sends to each of two clients, then waits for what they do."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for _ in range(2):
        conn, peer = listener.accept()
        try:
            print("recv:", conn.recv(100) or "the end")
        except ConnectionResetError:
            print("recv: connection reset by peer")
        try:
            conn.sendall(b"are you there?\n")
            print("sendall: the kernel took it")
        except BrokenPipeError:
            print("sendall: broken pipe")
        conn.close()
    listener.close()


def client():
    """Ends its first connection in order, and aborts the second."""
    import socket
    import struct
    import sys

    for abort in (False, True):
        sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        if abort:  # lingering for no time at all: close() throws away, and sends RST
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def in_twisted():
    """The same: connectionLost() says which of both it was."""
    import sys

    from twisted.internet import protocol, reactor

    class Ends(protocol.Protocol):
        def connectionLost(self, reason):
            print("connectionLost:", reason.type.__name__)

    factory = protocol.Factory.forProtocol(Ends)
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """The client first, then what the server printed of it."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.finish()
    for _ in range(2):
        server.line()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What each of the two ends said at the server."""
    server, client = seen.server, seen.client
    reasons = [one.reason for one in client.closed()]
    yield Observation(
        reasons == ["local", "aborted"],
        f"the client's connections ended by: {', '.join(reasons)}",
    )
    said = [
        [one.call.error or f"{one.call.result}" for one in server.of(id).calls("recv")]
        for id in server.connections()
    ]
    yield Observation(said[0] == ["0"], f"after FIN recv() returned {' and '.join(said[0])} bytes")
    yield Observation(said[1] == ["ECONNRESET"], f"after RST recv() said {' and '.join(said[1])}")
    sends = [
        [one.call.error or "took it" for one in server.of(id).calls("sendall")]
        for id in server.connections()
    ]
    yield Observation(
        sends == [["took it"], ["EPIPE"]],
        f"sendall() after FIN: {sends[0][0]}; after RST: {sends[1][0]}",
    )


def compare(plain: Seen, twisted: Seen) -> Iterator[Observation]:
    """Twisted's words for the same two ends."""
    said = [line.partition(": ")[2] for line in twisted.server.output[1:]]
    yield Observation(
        said == ["ConnectionDone", "ConnectionLost"],
        f"Twisted's connectionLost() was told {' and '.join(said)}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """One of each."""
    yield both(seen.client.nth(0), seen.server.nth(0), "FIN: an end in order")
    yield both(seen.client.nth(1), seen.server.nth(1), "RST: an abort")


RESULT = (
    "FIN ends one direction in order: all bytes before it arrive, then recv() returns b'', and the"
    " other direction may go on. RST ends both at once: recv() fails with ECONNRESET, what was on"
    " its way is lost, and the next send() fails with EPIPE."
)
TRY = (
    Task(
        "Let the server send twice after FIN, with a sleep between.",
        "Why does the first send succeed and the second fail?",
    ),
    Task(
        "Let the client send a line before it aborts.",
        "Does the server get it? Always?",
    ),
)

"""A stream has no message boundaries."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = "To see that what one send() wrote need not come by one recv(): a stream is bytes, in order."
ASKED = (
    "Can two sends come by one recv?",
    "Can one send come by several recvs?",
    "What of the bytes is certain, then?",
)


def server():
    """Reads only when Enter is pressed; then at most 10 bytes at a time."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    conn, peer = listener.accept()
    input()  # busy with something else, until you press Enter

    while data := conn.recv(10):
        print(len(data), "bytes:", data.decode())
    conn.close()
    listener.close()


def client():
    """Sends four messages, one after the other."""
    import socket
    import sys

    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for message in (b"one ", b"two ", b"three ", b"a fourth message"):
        sock.sendall(message)
    sock.shutdown(socket.SHUT_WR)
    print("sent")
    sock.recv(1)  # until the server closes
    sock.close()


def in_twisted():
    """The same: dataReceived() has what one recv() returned, which is no message either."""
    import sys

    from twisted.internet import protocol, reactor, stdio

    class Reader(protocol.Protocol):
        def connectionMade(self):
            self.factory.reader = self
            self.transport.pauseProducing()  # recv() is not called

        def dataReceived(self, data):
            print(len(data), "bytes:", data.decode())

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            factory.reader.transport.resumeProducing()

    factory = protocol.Factory.forProtocol(Reader)
    stdio.StandardIO(Keyboard())
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """Enter is pressed once all was sent."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    client.line()
    server.enter()
    client.finish()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """How the bytes were cut by the one end, and by the other."""
    sent, came = seen.client.data("sendall"), [one for one in seen.server.data("recv") if one]
    went, got = list(map(len, sent)), list(map(len, came))
    yield Observation(
        went != got,
        f"{counted(len(went), 'send')} of {_sizes(went)} bytes came by"
        f" {counted(len(got), 'recv')} of {_sizes(got)} bytes",
    )
    edges = set(_edges(went)) - {sum(went)}
    found = [text for text in came if len(text) and _spans(text, came, edges)]
    yield Observation(
        bool(found),
        f"one recv() returned {found[0].decode()!r}: bytes of more than one send"
        if found
        else "no recv() returned bytes of more than one send",
    )
    cut = [text for text in sent if _spans(text, sent, set(_edges(got)) - {sum(got)})]
    yield Observation(
        bool(cut),
        f"{cut[-1].decode()!r}, which one send wrote, came in pieces"
        if cut
        else "every send came in one piece",
    )
    yield Observation(
        b"".join(sent) == b"".join(came),
        f"{counted(sum(went))} went and {counted(sum(got))} came, "
        + ("the same in the same order" if b"".join(sent) == b"".join(came) else "not the same"),
    )


def _sizes(sizes: list[int]) -> str:
    return ", ".join(map(str, sizes))


def _edges(sizes: list[int]) -> Iterator[int]:
    """Where in the stream the pieces of *sizes* end."""
    at = 0
    for size in sizes:
        at += size
        yield at


def _spans(piece: bytes, pieces: list[bytes], edges: set[int]) -> bool:
    """Whether one of *edges* is within *piece*."""
    end = list(_edges(list(map(len, pieces))))[pieces.index(piece)]
    return any(end - len(piece) < edge < end for edge in edges)


RESULT = (
    "A stream keeps the bytes and their order, and nothing else. How they are cut depends on when"
    " recv() is called and for how much, so a program must find its messages in them by itself."
)
TRY = (
    Task(
        "Press Enter in the server before the client starts.",
        "How are the messages cut now? Is that certain?",
    ),
    Task(
        "Change recv(10) to recv(1024).",
        "How many recvs does it take? Would you build on that?",
    ),
    Task(
        "Let the client sleep for a second between two messages.",
        "Which programs look right now, and are not?",
    ),
)

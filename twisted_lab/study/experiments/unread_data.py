"""Closing with unread data."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that a close() with bytes left unread is an RST, and that it can destroy an answer"
    " that was sent before."
)
ASKED = (
    "What does close() send when nobody has read all that came?",
    "What does the other end notice?",
    "How does one close without that?",
)


def server():
    """Answers two clients after the first 4 bytes of what they sent."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    for ending in ("hasty", "patient"):
        conn, peer = listener.accept()
        input()  # the client sends more than we want, until you press Enter
        conn.recv(4)
        if ending == "patient":
            conn.sendall(b"too long, sorry\n")
            conn.shutdown(socket.SHUT_WR)  # FIN behind the answer
            while conn.recv(65536):  # and read to the client's own end
                pass
        conn.close()
    listener.close()


def client():
    """Sends a request in two parts, and asks for the answer."""
    import socket
    import sys

    for _ in range(2):
        sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        sock.sendall(b"GET ")
        sock.sendall(b"x" * 2000)
        print("sent")
        try:
            print(sock.recv(100).decode().strip() or "the end, and no answer")
        except ConnectionResetError:
            print("connection reset by peer")
        sock.close()


def in_twisted():
    """The same mends: loseConnection() sends all, then FIN; abortConnection() is RST."""
    import sys

    from twisted.internet import protocol, reactor, stdio

    class Server(protocol.Protocol):
        def connectionMade(self):
            self.factory.count += 1
            self.factory.current = self
            self.transport.pauseProducing()

        def dataReceived(self, data):
            if self.factory.count == 1:
                self.transport.abortConnection()
            else:
                self.transport.write(b"too long, sorry\n")
                self.transport.loseConnection()

    class Keyboard(protocol.Protocol):
        def dataReceived(self, data):  # Enter
            factory.current.transport.resumeProducing()

    factory = protocol.Factory.forProtocol(Server)
    factory.count = 0
    stdio.StandardIO(Keyboard())
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def play(stage):
    """Enter is pressed each time the client has sent."""
    server = stage.start("server", 0)
    client = stage.start("client", server.number())
    for _ in range(2):
        client.line()
        server.enter()
        client.line()
    client.finish()
    server.finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What the server left, and what the client heard."""
    server, client = seen.server, seen.client
    hasty, patient = server.connections()
    left = server.of(hasty).closed()[0]
    yield Observation(
        left.reason == "aborted", f"the hasty close: {left.detail or 'nothing was left unread'}"
    )
    there = client.of(client.connections()[0])
    heard = there.errors_of("recv") or [f"{size} bytes" for size in there.sizes("recv")]
    yield Observation(
        heard == ["ECONNRESET"], f"the client, which did nothing wrong, heard {heard[0]}"
    )
    read = sum(server.of(patient).sizes("recv"))
    ended = server.of(patient).closed()[0]
    yield Observation(
        ended.reason != "aborted",
        f"the patient server read all {counted(read)} before it closed, and that end is"
        f" {ended.reason}",
    )
    answer = b"".join(client.of(client.connections()[1]).data("recv"))
    yield Observation(
        answer == b"too long, sorry\n", f"its client got the answer {answer.decode().strip()!r}"
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """Both ends of each."""
    client, server = seen.client, seen.server
    yield both(client.nth(0), server.nth(0), "Hasty: close() with bytes unread")
    yield both(client.nth(1), server.nth(1), "Patient: FIN, then read to the end")


RESULT = (
    "close() on bytes that were not read sends RST, for they cannot be delivered any more; the"
    " other end gets ECONNRESET, even if an answer was on its way. A server that will not read on"
    " sends its answer, then FIN with shutdown(SHUT_WR), and reads until the client has ended."
)
TRY = (
    Task(
        "Let the hasty server send its answer before close().",
        "Does the client get it? Run it ten times.",
    ),
    Task(
        "Let the patient server stop reading after 1 s.",
        "Why does a real server need such a limit?",
    ),
)

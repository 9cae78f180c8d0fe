"""Half-close: one direction ends, the other goes on."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Seen

AIM = "To see that the two directions of a stream end by themselves, each with its own FIN."
ASKED = (
    "What does shutdown(SHUT_WR) tell the other end?",
    "Can one still receive after it?",
    "When is the connection over?",
)


def server():
    """Sorts the lines that it gets: it can answer only when it has all of them."""
    import socket
    import sys

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening on port", listener.getsockname()[1])
    conn, peer = listener.accept()
    data = b""
    while piece := conn.recv(1024):
        data += piece
    # recv() returned b"": the client sends no more, but it still listens.
    for line in sorted(data.splitlines()):
        conn.sendall(line + b"\n")
    conn.close()
    listener.close()


def client():
    """Sends lines, says that these were all, and reads the answer to its end."""
    import socket
    import sys

    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.sendall(b"pear\napple\nfig\n")
    sock.shutdown(socket.SHUT_WR)  # FIN: no more from us
    answer = b""
    while piece := sock.recv(1024):
        answer += piece
    print(answer.decode(), end="")
    sock.close()


def in_twisted():
    """The same: IHalfCloseableProtocol is told of FIN; without it Twisted closes both ways."""
    import sys

    from twisted.internet import interfaces, protocol, reactor
    from zope.interface import implementer

    @implementer(interfaces.IHalfCloseableProtocol)
    class Sort(protocol.Protocol):
        data = b""

        def dataReceived(self, data):
            self.data += data

        def readConnectionLost(self):  # FIN came
            for line in sorted(self.data.splitlines()):
                self.transport.write(line + b"\n")
            self.transport.loseConnection()

        def writeConnectionLost(self):
            pass

    factory = protocol.Factory.forProtocol(Sort)
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """What came after each end."""
    server, client = seen.server, seen.client
    shut = client.done("shutdown")
    end = [one for one in server.done("recv") if one.event == "peer-shutdown"]
    yield Observation(
        len(shut) == 1 and len(end) == 1,
        f"the client called shutdown({shut[0].call.arguments}), and recv() at the server returned"
        f" b''"
        if shut and end
        else "no direction was ended by itself",
    )
    after = [one for one in client.done("recv") if one.ns > shut[0].ns and one.event == "received"]
    yield Observation(
        sum(one.bytes for one in after) > 0,
        f"after its own FIN the client still received {counted(sum(one.bytes for one in after))}",
    )
    answered = [one for one in server.done("sendall") if one.ns > end[0].ns]
    yield Observation(
        len(answered) == 3,
        f"the server sent {counted(len(answered), 'line')} after the client's FIN had come",
    )
    last = client.done("recv")[-1]
    yield Observation(
        last.event == "peer-shutdown",
        "the client's last recv() returned "
        + (
            "b'': the server's direction had ended, too"
            if last.event == "peer-shutdown"
            else "data"
        ),
    )
    yield Observation(
        client.output == ("apple", "fig", "pear"), f"the answer was {', '.join(client.output)}"
    )


RESULT = (
    "shutdown(SHUT_WR) sends FIN for one direction, and the other lives on; recv() returns b'' for"
    " it at the other end. So a client can say: these were all my lines, now answer. The"
    " connection is over when both directions have ended."
)
TRY = (
    Task(
        "Leave out shutdown().",
        "Who waits for whom, and for how long?",
    ),
    Task(
        "Put close() in the place of shutdown().",
        "Which call of the server fails now, and what did the kernel send?",
    ),
    Task(
        "Try printf 'b\\na\\n' | nc -N 127.0.0.1 PORT, then without -N.",
        "Which of nc's options is the shutdown()?",
    ),
)
EXERCISE = Exercise(
    "Write a server that sends back every byte, also those that are on their way when the client"
    " ends its own direction, and then closes.",
    "echo",
    ("S01", "H*"),
)

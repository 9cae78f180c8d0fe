"""The life of a stream socket, call by call."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.experiment import Exercise, Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see every call in the life of a stream socket (TCP), at the server and at the client, and"
    " what each of them does at the other end."
)
ASKED = (
    "Which calls make a server, and which a client?",
    "At which call does the one first hear of the other?",
    "Which socket carries the bytes: the one that listens, or another?",
    "How does each end learn that the other has finished?",
)


def server():
    """Answers one client in capitals."""
    import socket
    import sys

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # TCP over IPv4; no address yet
    listener.bind(("127.0.0.1", int(sys.argv[1])))  # our address; port 0: any free one
    listener.listen()  # from now on the system (the kernel) takes connections for us
    print("listening on port", listener.getsockname()[1])

    conn, peer = listener.accept()  # waits; conn is a new socket, for this client alone
    data = conn.recv(1024)  # waits for bytes; 1024 at most
    conn.sendall(data.upper())
    if conn.recv(1024) == b"":  # the end of the client's stream
        print("the client has finished")
    conn.close()
    listener.close()


def client():
    """Says hello, and prints the answer."""
    import socket
    import sys

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect(("127.0.0.1", int(sys.argv[1])))  # meets the server; we get a port of our own
    sock.sendall(b"hello\n")
    print(sock.recv(1024).decode().strip())
    sock.close()  # tells the server: no more will come


def in_twisted():
    """The same: the reactor makes the calls, and the protocol is told what came of them."""
    import sys

    from twisted.internet import protocol, reactor

    class Capitals(protocol.Protocol):
        def dataReceived(self, data):  # recv() returned bytes
            self.transport.write(data.upper())

        def connectionLost(self, reason):  # recv() returned b"", and close() was called
            print("the client has finished")

    factory = protocol.Factory.forProtocol(Capitals)  # one Capitals for each accept()
    port = reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
    print("listening on port", port.getHost().port)
    reactor.run()


PROGRAMS = (server, client)
TWISTED = {"server": in_twisted}


def observe(seen: Seen) -> Iterator[Observation]:
    """Which calls each made, and which of them belong together."""
    server, client = seen.server, seen.client
    served = [name for name in server.names() if name != "getsockname"]
    asked = client.names()
    yield Observation(
        served[:4] == ["socket", "bind", "listen", "accept"],
        f"the server called {', '.join(served)}",
    )
    yield Observation(
        asked == ["socket", "connect", "sendall", "recv", "close"],
        f"the client called {', '.join(asked)}",
    )
    accepted, connected = server.done("accept")[0], client.done("connect")[0]
    listening, carries = server.done("listen")[0].call, server.done("recv")[0]
    yield Observation(
        connected.peer == accepted.local and connected.local == accepted.peer,
        f"connect() went to {connected.peer} from {connected.local}; accept() returned a socket"
        f" at {accepted.local} whose peer is {accepted.peer}",
    )
    yield Observation(
        listening.socket != carries.call.socket and carries.connection == accepted.connection,
        "recv() was called on "
        + (
            "the socket that accept() returned"
            if carries.connection == accepted.connection
            else "another socket than accept() returned"
        )
        + (", not on the one that listens" if listening.socket != carries.call.socket else ""),
    )
    sent, came = client.sizes("sendall"), server.sizes("recv")
    yield Observation(
        sum(sent) == sum(came) and came[-1] == 0,
        f"the client sent {counted(sum(sent))}; recv() at the server returned"
        f" {', then '.join(map(counted, came))}",
    )
    closing = client.done("close")[0]
    later = server.done("recv")[-1].ns - closing.ns + closing.call.duration * 1e9
    yield Observation(
        came[-1] == 0 and later > 0,
        f"{abs(later) / 1e6:.2f} ms {'after' if later > 0 else 'before'} the client called close()"
        f" the server's last recv() returned {counted(came[-1])}"
        + (": that is how it learned that the client had finished" if came[-1] == 0 else ""),
    )


RESULT = (
    "A server makes a socket, gives it an address, listens, and accepts; a client makes one and"
    " connects. accept() returns another socket for each client, and that one carries the bytes."
    " The end of a stream is a recv() that returns no bytes."
)
TRY = (
    Task(
        "Start two clients at once.",
        "What does the second one see, and when? Which call of the server decides it?",
    ),
    Task(
        "Leave out the server's second recv(), and close at once.",
        "Which end closes first now, and what has that to do with who keeps the port busy?",
    ),
    Task(
        "Let the client connect to a port where nobody listens.",
        "Which call fails, with what, and how soon?",
    ),
)
EXERCISE = Exercise(
    "Write a server that sends back every byte, for as many clients as come, one after the other.",
    "echo",
    ("S0[1-8]", "H03", "H04", "C04"),
)
